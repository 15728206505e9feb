//! What hosts say: cut into lines, kept within bounds.

use std::collections::VecDeque;

/// The longest line that is handed out in one piece, in bytes.
const LONGEST_LINE: usize = 16 * 1024;

/// Cuts bytes into lines as they come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Takes bytes and hands out each line that is now complete, without its
    /// line end, invalid UTF-8 replaced.
    pub(super) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.open.extend_from_slice(piece);
            if self.open.ends_with(b"\n") {
                self.open.pop();
                if self.open.ends_with(b"\r") {
                    self.open.pop();
                }
                self.hand_out(&mut line, true);
            } else {
                self.hand_out(&mut line, false);
            }
        }
    }

    /// Hands out what is left when the stream has ended.
    pub(super) fn end(&mut self, mut line: impl FnMut(&str)) {
        if !self.open.is_empty() {
            self.hand_out(&mut line, true);
        }
    }

    fn hand_out(&mut self, line: &mut impl FnMut(&str), complete: bool) {
        let mut from = 0;
        while self.open.len() - from > LONGEST_LINE {
            let to = from + character_start(&self.open[from..], LONGEST_LINE);
            line(&String::from_utf8_lossy(&self.open[from..to]));
            from = to;
        }
        if complete {
            line(&String::from_utf8_lossy(&self.open[from..]));
            from = self.open.len();
        }
        self.open.drain(..from);
    }
}

/// The last place at or before `place` where a UTF-8 character starts.
fn character_start(bytes: &[u8], place: usize) -> usize {
    (place.saturating_sub(3)..=place)
        .rev()
        .find(|&at| bytes[at] & 0b1100_0000 != 0b1000_0000)
        .unwrap_or(place)
}

/// The beginning and the end of a stream, with a mark where the middle was.
#[derive(Debug)]
pub(super) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    head_room: usize,
    tail_room: usize,
    left_out: u64,
}

impl Kept {
    /// Keeps at most `bytes`, half of it from the end.
    pub(super) fn new(bytes: usize) -> Self {
        let tail_room = bytes / 2;
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            head_room: bytes - tail_room,
            tail_room,
            left_out: 0,
        }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.head_room - self.head.len()));
        self.head.extend_from_slice(first);
        let over = (self.tail.len() + rest.len()).saturating_sub(self.tail_room);
        let old = over.min(self.tail.len());
        self.tail.drain(..old);
        self.tail.extend(&rest[over - old..]);
        self.left_out += over as u64;
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.left_out > 0 {
            bytes.extend(format!("\n[kdiy: {} bytes left out]\n", self.left_out).into_bytes());
        }
        bytes.extend(self.tail);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            lines.feed(chunk, |line| seen.push(line.to_owned()));
        }
        lines.end(|line| seen.push(line.to_owned()));
        seen
    }

    #[test]
    fn lines_are_put_together_over_chunks_and_the_last_is_flushed() {
        assert_eq!(lines_of(&[b"a", b"b\r\nc", b"\n\nd"]), ["ab", "c", "", "d"]);
        assert_eq!(lines_of(&[b"\xc3", b"\xa4\xff\n"]), ["\u{e4}\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_split_and_not_hoarded() {
        let long = "\u{e4}".repeat(LONGEST_LINE);
        let seen = lines_of(&[long.as_bytes()]);
        assert_eq!(seen.concat(), long);
        assert!(
            seen.iter().all(|line| line.len() <= LONGEST_LINE),
            "a piece is too long"
        );
    }

    #[test]
    fn the_middle_is_left_out_with_a_mark() {
        let mut kept = Kept::new(8);
        for chunk in ["abc", "defghijk", "", "lmn"] {
            kept.feed(chunk.as_bytes());
        }
        let text = String::from_utf8(kept.into_bytes()).unwrap();
        insta::assert_snapshot!(text, @r"
        abcd
        [kdiy: 6 bytes left out]
        klmn
        ");
    }

    proptest! {
        #[test]
        fn kept_is_bounded_and_whole_when_it_fits(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
            room in 0_usize..300,
        ) {
            let all: Vec<u8> = chunks.concat();
            let mut kept = Kept::new(room);
            chunks.iter().for_each(|chunk| kept.feed(chunk));
            prop_assert!(kept.head.len() + kept.tail.len() <= room);
            let bytes = kept.into_bytes();
            if all.len() <= room {
                prop_assert_eq!(bytes, all);
            } else {
                prop_assert!(bytes.ends_with(&all[all.len() - room / 2..]));
                prop_assert!(bytes.starts_with(&all[..room - room / 2]));
            }
        }
    }
}
