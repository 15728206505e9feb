//! Raft's arithmetic: how many members must agree, how many may fail.

use std::fmt;

/// Members of an etcd cluster and what follows from their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quorum {
    /// Voting members.
    pub members: usize,
}

impl Quorum {
    /// The quorum of so many voting members.
    #[must_use]
    pub const fn of(members: usize) -> Self {
        Self { members }
    }

    /// Members that must agree: floor(N/2)+1.
    #[must_use]
    pub const fn needed(self) -> usize {
        self.members / 2 + 1
    }

    /// Members that may fail while writes go on.
    #[must_use]
    pub const fn tolerated(self) -> usize {
        self.members.saturating_sub(self.needed())
    }
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, needed, tolerated) = (self.members, self.needed(), self.tolerated());
        write!(
            f,
            "members {members}, quorum floor({members}/2)+1 = {needed}, failures tolerated {tolerated}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_of_one_to_seven() {
        let rows: Vec<_> = (1..=7)
            .map(Quorum::of)
            .map(|q| (q.members, q.needed(), q.tolerated()))
            .collect();
        let expected = [
            (1, 1, 0),
            (2, 2, 0),
            (3, 2, 1),
            (4, 3, 1),
            (5, 3, 2),
            (6, 4, 2),
            (7, 4, 3),
        ];
        assert_eq!(rows, expected);
    }
}
