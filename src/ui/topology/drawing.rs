//! Boxes, texts and lines with their places. Columns and rows of a terminal or
//! pixels: [`super::metrics::Metrics`] says how large a unit is.

/// A whole diagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawing {
    /// Units from left to right.
    pub width: i32,
    /// Units from top to bottom.
    pub height: i32,
    /// Boxes; one that is inside of another comes after it.
    pub boxes: Vec<Shape>,
    /// Texts.
    pub texts: Vec<Text>,
    /// Lines, each from a box to a box.
    pub lines: Vec<Line>,
}

/// A rectangle; in units that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Units across.
    pub w: i32,
    /// Units down.
    pub h: i32,
}

/// A box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Its place and size, in pixels or in columns and rows.
    pub rect: Rect,
    /// What of.
    pub kind: Kind,
}

/// What a box is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tier without hosts.
    Words,
    /// A tier around its hosts.
    Frame,
    /// A host, or many alike.
    Host,
    /// A member of etcd inside of a host.
    Member,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The room that it takes at most.
    pub rect: Rect,
    /// The text.
    pub text: String,
    /// What it says.
    pub role: Role,
    /// The box that it is in; links' labels are in none.
    pub inside: Option<usize>,
}

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What a tier is.
    Title,
    /// Names of hosts.
    Name,
    /// What else there is to know.
    Detail,
    /// A loss that the cluster survives.
    Safe,
    /// A loss that it does not survive.
    Risk,
    /// What goes over a line.
    Label,
}

/// A line of horizontal and vertical parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its corners, the ends included; at least two.
    pub points: Vec<(i32, i32)>,
    /// Boxes at its ends.
    pub ends: (usize, usize),
    /// Whether its last end is an arrow: one connects to the other. Without,
    /// both connect to each other.
    pub arrow: bool,
}

impl Rect {
    /// The first unit right of it.
    #[must_use]
    pub const fn right(&self) -> i32 {
        self.x + self.w
    }

    /// The first unit below it.
    #[must_use]
    pub const fn bottom(&self) -> i32 {
        self.y + self.h
    }
}
