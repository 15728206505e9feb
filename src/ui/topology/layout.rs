//! Where everything goes. The tiers stand below each other, all frames equally
//! wide; a link to the next tier is a line in the middle, one that passes
//! tiers by goes down in a lane on their left or up in one on their right. So
//! no line crosses a box or a text.

use super::drawing::{Drawing, Kind, Line, Rect, Role, Shape, Text};
use super::measure::{Measured, measure, rows};
use super::metrics::Metrics;
use crate::topology::{Diagram, Link};
use crate::ui::text::fit;

/// Columns of a frame at least, where there are so many.
const LEAST: usize = 46;

/// Which way a link goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the tier below.
    Straight,
    /// Down past tiers, on their left.
    Left,
    /// Up, on the tiers' right.
    Right,
}

/// Lays a map out on so many columns.
#[must_use]
pub fn lay_out(map: &Diagram, columns: usize, metrics: &Metrics) -> Drawing {
    let ways: Vec<_> = map.links.iter().map(|link| way(map, link)).collect();
    let lane = |way| match ways.contains(&way) {
        true => metrics.lane,
        false => 0,
    };
    let (left, right) = (lane(Way::Left), lane(Way::Right));
    let most = metrics.across(columns) - left - right - 2 * metrics.margin;
    let tiers: Vec<_> = map
        .tiers
        .iter()
        .map(|tier| measure(tier, most, metrics))
        .collect();
    let widest = tiers.iter().map(|tier| tier.width).max().unwrap_or(0);
    let width = widest.max(metrics.across(LEAST).min(most));
    let mut sheet = Sheet {
        metrics,
        // Both centred on the same unit.
        x: left + metrics.margin,
        width,
        middle: left + metrics.margin + width / 2,
        drawing: Drawing {
            width: left + width + right + 2 * metrics.margin,
            height: 0,
            boxes: Vec::new(),
            texts: Vec::new(),
            lines: Vec::new(),
        },
    };
    let mut y = metrics.margin;
    let mut frames: Vec<usize> = Vec::new();
    for (place, tier) in tiers.iter().enumerate() {
        if place > 0 {
            y = sheet.labels(map, &ways, place, y);
        }
        let frame = sheet.tier(tier, y);
        y = sheet.drawing.boxes[frame].rect.bottom();
        frames.push(frame);
    }
    sheet.drawing.height = y + metrics.margin;
    for (link, way) in map.links.iter().zip(&ways) {
        let (from, to) = ends(map, link);
        sheet.link(frames[from], frames[to], *way);
    }
    sheet.drawing
}

/// Positions of a link's tiers.
fn ends(map: &Diagram, link: &Link) -> (usize, usize) {
    let at = |place| {
        let found = map.tiers.iter().position(|tier| tier.place == place);
        found.expect("links are made of the tiers that are there")
    };
    (at(link.from), at(link.to))
}

fn way(map: &Diagram, link: &Link) -> Way {
    match ends(map, link) {
        (from, to) if to == from + 1 => Way::Straight,
        (from, to) if to > from => Way::Left,
        _ => Way::Right,
    }
}

struct Sheet<'m> {
    metrics: &'m Metrics,
    x: i32,
    width: i32,
    middle: i32,
    drawing: Drawing,
}

impl Sheet<'_> {
    fn shape(&mut self, rect: Rect, kind: Kind) -> usize {
        self.drawing.boxes.push(Shape { rect, kind });
        self.drawing.boxes.len() - 1
    }

    fn text(&mut self, (x, y): (i32, i32), text: &str, role: Role, inside: Option<usize>) {
        let metrics = self.metrics;
        let rect = Rect {
            x,
            y,
            w: metrics.across(text.chars().count()),
            h: metrics.line,
        };
        let text = text.to_owned();
        self.drawing.texts.push(Text {
            rect,
            text,
            role,
            inside,
        });
    }

    /// Lines of text from `(x, y)` down; where the next one would be.
    fn texts<'t>(
        &mut self,
        (x, mut y): (i32, i32),
        lines: impl IntoIterator<Item = (Role, &'t str)>,
        inside: usize,
    ) -> i32 {
        for (role, line) in lines {
            self.text((x, y), line, role, Some(inside));
            y += self.metrics.line;
        }
        y
    }

    /// What stands beside the lines between a tier and the one above it;
    /// where the tier begins.
    fn labels(&mut self, map: &Diagram, ways: &[Way], place: usize, above: i32) -> i32 {
        let metrics = self.metrics;
        let (left, right) = (self.x, self.x + self.width);
        let beside = metrics.column * 2;
        let room = |way| match way {
            Way::Left => self.middle - left - beside,
            _ => right - self.middle - metrics.edge - beside,
        };
        let of = |way: Way| -> Vec<String> {
            let links = map.links.iter().zip(ways).filter(|(_, its)| **its == way);
            let lower = links.filter(|(link, _)| {
                let (from, to) = ends(map, link);
                from.max(to) == place
            });
            let room = metrics.characters(room(way));
            lower.flat_map(|(link, _)| fit(&link.label, room)).collect()
        };
        let (straight, left_of, right_of) = (of(Way::Straight), of(Way::Left), of(Way::Right));
        let mut y = above + metrics.clear;
        for line in &straight {
            self.text((self.middle + beside, y), line, Role::Label, None);
            y += metrics.line;
        }
        for (row, line) in left_of.iter().enumerate() {
            self.text((left, y + metrics.down(row)), line, Role::Label, None);
        }
        for (row, line) in right_of.iter().enumerate() {
            let x = right - metrics.across(line.chars().count());
            self.text((x, y + metrics.down(row)), line, Role::Label, None);
        }
        y += metrics.down(left_of.len().max(right_of.len()));
        (y + metrics.clear).max(above + metrics.gap)
    }

    /// Draws a tier with its upper edge at `y`; the frame's place.
    fn tier(&mut self, tier: &Measured, y: i32) -> usize {
        let metrics = self.metrics;
        if tier.boxes.is_empty() {
            let rect = Rect {
                x: self.middle - tier.width / 2,
                y,
                w: tier.width,
                h: metrics.down(tier.head.len()) + 2 * metrics.pad_y,
            };
            let shape = self.shape(rect, Kind::Words);
            let head = tier.head.iter().map(|(role, line)| (*role, line.as_str()));
            self.texts((rect.x + metrics.pad_x, y + metrics.pad_y), head, shape);
            return shape;
        }
        let rect = Rect {
            x: self.x,
            y,
            w: self.width,
            h: 0,
        };
        let frame = self.shape(rect, Kind::Frame);
        let top = if metrics.title_on_edge {
            y
        } else {
            y + metrics.pad_y
        };
        if let Some((role, text)) = &tier.beside_title {
            let x = rect.right() - metrics.pad_x - metrics.across(text.chars().count());
            self.text((x, top), text, *role, Some(frame));
        }
        let head = tier.head.iter().map(|(role, line)| (*role, line.as_str()));
        let mut y = self.texts((rect.x + metrics.pad_x, top), head, frame);
        if !metrics.title_on_edge {
            y += metrics.pad_y / 2;
        }
        let hosts = self.hosts(tier, y);
        let last = *hosts
            .last()
            .and_then(|row| row.last())
            .expect("a tier with boxes");
        let mut bottom = self.drawing.boxes[last].rect.bottom();
        if let Some(peers) = &tier.peers {
            bottom = self.peers(&hosts, rect.x) + metrics.edge;
            for line in peers {
                let x = self.middle - metrics.across(line.chars().count()) / 2;
                bottom += metrics.clear / 3;
                self.text((x, bottom), line, Role::Label, Some(frame));
                bottom += metrics.line;
            }
        }
        self.drawing.boxes[frame].rect.h = bottom + metrics.pad_y - rect.y;
        frame
    }

    /// Draws the boxes of a tier, row by row.
    fn hosts(&mut self, tier: &Measured, mut y: i32) -> Vec<Vec<usize>> {
        let metrics = self.metrics;
        let inner = self.width - 2 * metrics.pad_x;
        let mut drawn = Vec::new();
        for row in rows(&tier.boxes, tier.box_width, inner, metrics) {
            let number = i32::try_from(row.len()).unwrap_or(1);
            let width = number * (tier.box_width + metrics.between_x) - metrics.between_x;
            let mut x = self.middle - width / 2;
            let mut shapes = Vec::new();
            for content in row {
                let rect = Rect {
                    x,
                    y,
                    w: tier.box_width,
                    h: tier.box_height,
                };
                let shape = self.shape(rect, Kind::Host);
                shapes.push(shape);
                let lines = content
                    .lines
                    .iter()
                    .map(|(role, line)| (*role, line.as_str()));
                let at = (x + metrics.pad_x, y + metrics.pad_y);
                let below = self.texts(at, lines, shape);
                if !content.member.is_empty() {
                    let rect = Rect {
                        x: x + metrics.pad_x,
                        y: below + metrics.clear / 2,
                        w: tier.box_width - 2 * metrics.pad_x,
                        h: metrics.down(content.member.len()) + 2 * metrics.pad_y,
                    };
                    let member = self.shape(rect, Kind::Member);
                    let lines = content
                        .member
                        .iter()
                        .map(|(role, line)| (*role, line.as_str()));
                    let at = (rect.x + metrics.pad_x, rect.y + metrics.pad_y);
                    self.texts(at, lines, member);
                }
                x += tier.box_width + metrics.between_x;
            }
            drawn.push(shapes);
            y += tier.box_height + metrics.between_y;
            if tier.peers.is_some() {
                y += metrics.drop;
            }
        }
        drawn
    }

    /// Lines between all boxes of a tier: along below each row, from row to
    /// row at the left. Where the lowest one is.
    fn peers(&mut self, rows: &[Vec<usize>], left: i32) -> i32 {
        let metrics = self.metrics;
        let (mut lowest, mut above) = (0, None);
        for row in rows {
            let foot = |shape: usize| {
                let rect = self.drawing.boxes[shape].rect;
                (rect.x + rect.w / 2, rect.bottom() - metrics.edge)
            };
            let feet: Vec<_> = row.iter().map(|shape| (*shape, foot(*shape))).collect();
            let Some(&(first, (x, y))) = feet.first() else {
                continue;
            };
            let bus = y + metrics.drop;
            let mut lines = Vec::new();
            for pair in feet.windows(2) {
                let ((a, (ax, ay)), (b, (bx, by))) = (pair[0], pair[1]);
                lines.push((vec![(ax, ay), (ax, bus), (bx, bus), (bx, by)], (a, b)));
            }
            if let Some((other, (ox, oy), high)) = above {
                let lane = left + metrics.pad_x / 2;
                let points = vec![
                    (ox, oy),
                    (ox, high),
                    (lane, high),
                    (lane, bus),
                    (x, bus),
                    (x, y),
                ];
                lines.push((points, (other, first)));
            }
            for (points, ends) in lines {
                self.drawing.lines.push(Line {
                    points,
                    ends,
                    arrow: false,
                });
            }
            above = Some((first, (x, y), bus));
            lowest = bus;
        }
        lowest
    }

    /// Draws a link from a frame to another.
    fn link(&mut self, from: usize, to: usize, way: Way) {
        let metrics = self.metrics;
        let (a, b) = (self.drawing.boxes[from].rect, self.drawing.boxes[to].rect);
        let points = match way {
            Way::Straight => vec![(self.middle, a.bottom() - metrics.edge), (self.middle, b.y)],
            Way::Left => {
                let lane = self.x - metrics.lane;
                let (upper, lower) = (a.y + a.h / 2, b.y + b.h / 2);
                vec![(a.x, upper), (lane, upper), (lane, lower), (b.x, lower)]
            }
            Way::Right => {
                let lane = self.x + self.width + metrics.lane - metrics.edge;
                let (lower, upper) = (a.y + a.h / 2, b.y + b.h / 2);
                vec![
                    (a.right() - metrics.edge, lower),
                    (lane, lower),
                    (lane, upper),
                    (b.right() - metrics.edge, upper),
                ]
            }
        };
        self.drawing.lines.push(Line {
            points,
            ends: (from, to),
            arrow: true,
        });
    }
}
