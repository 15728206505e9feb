//! How large things are: in a terminal in columns and rows, in a diagram in
//! pixels.

/// Sizes in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metrics {
    /// Width of a character.
    pub column: i32,
    /// Height of a line of text.
    pub line: i32,
    /// From a box's left and right edge to what is in it.
    pub pad_x: i32,
    /// From a box's upper and lower edge to what is in it.
    pub pad_y: i32,
    /// Width of an edge itself, which a terminal needs a column and row for.
    pub edge: i32,
    /// Between boxes side by side.
    pub between_x: i32,
    /// Between rows of boxes.
    pub between_y: i32,
    /// From boxes down to the line between them.
    pub drop: i32,
    /// Width of a lane beside the tiers.
    pub lane: i32,
    /// Free above and below the labels between two tiers.
    pub clear: i32,
    /// Between two tiers at least.
    pub gap: i32,
    /// Around everything.
    pub margin: i32,
    /// Whether a title is written on the upper edge.
    pub title_on_edge: bool,
}

/// A terminal.
pub const TERMINAL: Metrics = Metrics {
    column: 1,
    line: 1,
    pad_x: 2,
    pad_y: 1,
    edge: 1,
    between_x: 1,
    between_y: 0,
    drop: 1,
    lane: 3,
    clear: 0,
    gap: 2,
    margin: 0,
    title_on_edge: true,
};

/// A diagram with a monospaced font of 13 pixels, whose characters are about
/// 7.8 pixels wide.
pub const SVG: Metrics = Metrics {
    column: 8,
    line: 19,
    pad_x: 14,
    pad_y: 10,
    edge: 0,
    between_x: 20,
    between_y: 14,
    drop: 14,
    lane: 34,
    clear: 10,
    gap: 34,
    margin: 16,
    title_on_edge: false,
};

impl Metrics {
    /// Width of so many characters.
    #[must_use]
    pub fn across(&self, characters: usize) -> i32 {
        self.column * i32::try_from(characters).unwrap_or(i32::MAX / self.column)
    }

    /// Height of so many lines of text.
    #[must_use]
    pub fn down(&self, lines: usize) -> i32 {
        self.line * i32::try_from(lines).unwrap_or(i32::MAX / self.line)
    }

    /// Whole characters that fit in a width, at least one.
    #[must_use]
    pub fn characters(&self, width: i32) -> usize {
        usize::try_from(width / self.column).map_or(1, |number| number.max(1))
    }
}
