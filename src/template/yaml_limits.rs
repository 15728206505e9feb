//! How much a YAML text comes to. Aliases count each time: a few lines can
//! stand for more than any memory holds, and serde_yaml puts them in.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{Event, Parser, options};

/// Values that any text may come to.
const FREE: usize = 100_000;
/// Beyond that, how many values may come of one that is written.
const MOST: usize = 8;
const DEEPEST: usize = 64;

/// Whether a text may be read as a tree. What is no YAML may: its reader says
/// what is wrong, and where.
#[must_use]
pub fn are_kept(text: &str) -> bool {
    let options = options! {
        emit_comments: false,
        emit_unresolved_aliases: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut sizes = HashMap::<usize, usize>::new();
    // Anchors of what is open, and how many values came before it.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let (mut written, mut values) = (0_usize, 0_usize);
    for event in Parser::new_from_str_with_options(text, options) {
        let Ok((event, _)) = event else {
            return true;
        };
        written += 1;
        match event {
            Event::Scalar(_, _, anchor, _) => {
                values += 1;
                sizes.insert(anchor, 1);
            }
            Event::SequenceStart(_, anchor, _) | Event::MappingStart(_, anchor, _) => {
                open.push((anchor, values));
                values += 1;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((anchor, before)) = open.pop() {
                    sizes.insert(anchor, values - before);
                }
            }
            Event::Alias(anchor) => {
                let size = sizes.get(&anchor).copied().unwrap_or(1);
                values = values.saturating_add(size);
            }
            _ => {}
        }
        if values > FREE && values / MOST > written || open.len() > 2 * DEEPEST {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_count_each_time() {
        assert!(are_kept("a: &a [x, y]\nb: [*a, *a]\n"));
        assert!(are_kept("not: [closed"));
        assert!(are_kept(&"- x\n".repeat(200_000)));
        let wide = format!(
            "a: &a [{}]\nb: [{}]\n",
            "x,".repeat(2_000),
            "*a,".repeat(2_000)
        );
        assert!(!are_kept(&wide));
        let mut deep = "a0: &a0 [x, x]\n".to_owned();
        for level in 1..60 {
            let before = level - 1;
            deep += &format!("a{level}: &a{level} [*a{before}, *a{before}]\n");
        }
        assert!(!are_kept(&deep));
        assert!(!are_kept(&format!("[x{}", ": ".repeat(10_000))));
    }
}
