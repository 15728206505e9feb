//! What a host says in one try of a step, within bounds: it may send without
//! end, and whoever shows and keeps it may be slow.

use std::collections::VecDeque;

use crate::transport::Stream;

/// Lines that are replayed after a failure.
const LAST: usize = 15;
/// What is told of one try as it comes, in bytes; after that its last lines
/// alone are told, at its end.
const MOST_SENT: usize = 4 * 1024 * 1024;
/// What a line costs beside its text, in bytes.
const LINE: usize = 128;

/// What was said in one try.
#[derive(Debug, Default)]
pub(super) struct OutputTail {
    sent: usize,
    left_out: u64,
    /// As they came: they are masked when they are shown.
    last: VecDeque<(Stream, String)>,
    /// Lines since the step came to its change.
    since: usize,
}

impl OutputTail {
    /// The step came to another change.
    pub(super) fn change(&mut self) {
        self.since = 0;
    }

    /// Takes in a line; whether it is to be told.
    pub(super) fn line(&mut self, stream: Stream, text: &str) -> bool {
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back((stream, text.to_owned()));
        self.since += 1;
        self.sent = self.sent.saturating_add(text.len() + LINE);
        let tell = self.sent <= MOST_SENT;
        self.left_out += u64::from(!tell);
        tell
    }

    /// Its last lines.
    pub(super) fn last(&self) -> impl Iterator<Item = &str> {
        self.last.iter().map(|(_, line)| line.as_str())
    }

    /// Those of them that were said at the change.
    pub(super) fn at_change(&self) -> impl Iterator<Item = &str> + Clone {
        let before = self.last.len() - self.since.min(self.last.len());
        self.last.iter().skip(before).map(|(_, line)| line.as_str())
    }

    /// What is still to be told at the end.
    pub(super) fn rest(&self) -> impl Iterator<Item = (Stream, String)> {
        let rest = usize::try_from(self.left_out).unwrap_or(LAST).min(LAST);
        let gone = self.left_out - rest as u64;
        let mark = format!("[kdiy: {gone} lines left out]");
        let lines = self.last.iter().skip(self.last.len() - rest).cloned();
        let mark = (gone > 0).then_some((Stream::Err, mark));
        mark.into_iter().chain(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that are told of so many, as they come and at the end.
    fn sent(lines: usize, text: &str) -> (usize, Vec<String>) {
        let mut tail = OutputTail::default();
        let mut sent = 0;
        for place in 0..lines {
            sent += usize::from(tail.line(Stream::Out, &format!("{text}{place}")));
        }
        (sent, tail.rest().map(|(_, line)| line).collect())
    }

    #[test]
    fn a_flood_is_reported_in_part_with_its_end() {
        assert_eq!(sent(3, "a"), (3, Vec::new()));
        let (begun, rest) = sent(100_000, "");
        assert!((30_000..MOST_SENT / LINE).contains(&begun), "{begun}");
        assert_eq!(rest.len(), LAST + 1);
        let gone = 100_000 - begun - LAST;
        assert_eq!(rest[0], format!("[kdiy: {gone} lines left out]"));
        assert_eq!(rest[LAST], "99999");
        let (begun, _) = sent(1_000, &"x".repeat(16 * 1024));
        assert!(begun <= 256, "{begun}");
    }

    #[test]
    fn lines_belong_to_the_change_that_they_came_after() {
        let mut tail = OutputTail::default();
        tail.line(Stream::Out, "before");
        tail.change();
        tail.line(Stream::Err, "after");
        assert_eq!(tail.at_change().collect::<Vec<_>>(), ["after"]);
        assert_eq!(tail.last().count(), 2);
        for _ in 0..20 {
            tail.line(Stream::Out, "more");
        }
        assert_eq!(tail.at_change().count(), LAST);
    }
}
