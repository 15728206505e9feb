//! How much room the tiers need.

use super::drawing::Role;
use super::metrics::Metrics;
use crate::topology::{Block, Tier};
use crate::ui::sanitise::sanitise;
use crate::ui::text::{fit, names};

/// Columns of a tier's sentences at most, where its boxes do not need more.
const SENTENCE: usize = 66;
/// Columns of the names of many hosts at most.
const NAMES: usize = 44;
/// Lines of the names of many hosts at most.
const LINES: usize = 6;

/// Lines of text with what they say.
pub type Lines = Vec<(Role, String)>;

/// A tier's words fitted to their room.
pub struct Measured {
    /// Units across.
    pub width: i32,
    /// Title and facts.
    pub head: Lines,
    /// On the same line as the title, at the right.
    pub beside_title: Option<(Role, String)>,
    /// What is in its boxes.
    pub boxes: Vec<Content>,
    /// Width of each box.
    pub box_width: i32,
    /// Height of each box.
    pub box_height: i32,
    /// What its hosts say to each other.
    pub peers: Option<Vec<String>>,
}

/// What is in a box.
pub struct Content {
    /// Name, address, programs.
    pub lines: Lines,
    /// What is in the box within; empty where there is none.
    pub member: Lines,
}

/// Boxes in rows as even as possible, as many a row as fit.
pub fn rows<'c>(
    boxes: &'c [Content],
    box_width: i32,
    inner: i32,
    metrics: &Metrics,
) -> impl Iterator<Item = &'c [Content]> {
    let fit = (inner + metrics.between_x) / (box_width + metrics.between_x).max(1);
    let most = usize::try_from(fit).map_or(1, |fit| fit.max(1));
    let rows = boxes.len().div_ceil(most).max(1);
    boxes.chunks(boxes.len().div_ceil(rows).max(1))
}

/// The room that a tier needs, at most `most` units across.
pub fn measure(tier: &Tier, most: i32, metrics: &Metrics) -> Measured {
    let inner = most - 2 * metrics.pad_x;
    let (boxes, box_width) = contents(&tier.boxes, inner, metrics);
    let height = |content: &Content| {
        let member = match content.member.len() {
            0 => 0,
            lines => metrics.down(lines) + 2 * metrics.pad_y + metrics.clear / 2,
        };
        metrics.down(content.lines.len()) + member + 2 * metrics.pad_y
    };
    let box_height = boxes.iter().map(height).max().unwrap_or(0);
    let widest = rows(&boxes, box_width, inner, metrics)
        .map(<[_]>::len)
        .max();
    let widest = i32::try_from(widest.unwrap_or(0)).unwrap_or(0);
    let across = (widest * (box_width + metrics.between_x) - metrics.between_x).max(0);
    let room = metrics.characters(inner.min(across.max(metrics.across(SENTENCE))));

    let mut head: Lines = titled(&tier.title, room, Role::Title);
    let mut beside_title = tier.tolerates.map(|tolerates| {
        let role = if tolerates.failures > 0 {
            Role::Safe
        } else {
            Role::Risk
        };
        (role, tolerates.text())
    });
    let first = head.first().map_or(0, |(_, line)| line.chars().count());
    if let Some((role, text)) = &beside_title {
        let together = first + 3 + text.chars().count();
        if head.len() > 1 || together > room {
            head.extend(titled(text, room, *role));
            beside_title = None;
        }
    }
    for fact in &tier.facts {
        let role = match fact.survives {
            None => Role::Detail,
            Some(true) => Role::Safe,
            Some(false) => Role::Risk,
        };
        head.extend(titled(&fact.text, room, role));
    }
    let peers = tier.peers.as_ref().map(|peers| fit(peers, room));
    let columns = longest(&head)
        .max(
            peers
                .iter()
                .flatten()
                .map(|line| line.chars().count())
                .max()
                .unwrap_or(0),
        )
        .max(
            beside_title
                .as_ref()
                .map_or(0, |(_, text)| first + 3 + text.chars().count()),
        );
    Measured {
        width: across.max(metrics.across(columns)) + 2 * metrics.pad_x,
        head,
        beside_title,
        boxes,
        box_width,
        box_height,
        peers,
    }
}

fn titled(text: &str, room: usize, role: Role) -> Lines {
    fit(&sanitise(text), room)
        .into_iter()
        .map(|line| (role, line))
        .collect()
}

fn longest(lines: &Lines) -> usize {
    lines
        .iter()
        .map(|(_, line)| line.chars().count())
        .max()
        .unwrap_or(0)
}

/// What is in the boxes, and their width: all are alike.
fn contents(blocks: &[Block], inner: i32, metrics: &Metrics) -> (Vec<Content>, i32) {
    let texts: Vec<_> = blocks.iter().map(texts).collect();
    let columns = texts.iter().map(|(lines, member)| {
        let outer = metrics.across(longest(lines));
        outer.max(match member.is_empty() {
            true => 0,
            false => metrics.across(longest(member)) + 2 * metrics.pad_x,
        })
    });
    let width = (columns.max().unwrap_or(0) + 2 * metrics.pad_x).min(inner);
    let folded = |lines: &Lines, width: i32| -> Lines {
        let room = metrics.characters(width - 2 * metrics.pad_x);
        lines
            .iter()
            .flat_map(|(role, line)| titled(line, room, *role))
            .collect()
    };
    let content = |(lines, member): &(Lines, Lines)| Content {
        lines: folded(lines, width),
        member: folded(member, width - 2 * metrics.pad_x),
    };
    (texts.iter().map(content).collect(), width)
}

/// What stands in a box and in the one within, unfitted.
fn texts(block: &Block) -> (Lines, Lines) {
    let names = names(&block.nodes.iter().collect());
    let mut lines: Lines = match block.nodes.len() {
        1 => vec![(Role::Name, names)],
        _ => {
            let mut lines = titled(&names, NAMES, Role::Name);
            if lines.len() > LINES {
                lines.truncate(LINES);
                lines.push((Role::Name, "…".to_owned()));
            }
            lines
        }
    };
    lines.extend(
        block
            .address
            .iter()
            .map(|address| (Role::Detail, address.clone())),
    );
    lines.extend(
        block
            .runs
            .iter()
            .map(|program| (Role::Detail, program.text())),
    );
    let member = block.member.iter().flat_map(|member| {
        [
            (Role::Name, "etcd member".to_owned()),
            (Role::Detail, format!("clients :{}", member.client_port)),
            (Role::Detail, format!("peers :{}", member.peer_port)),
        ]
    });
    (lines, member.collect())
}
