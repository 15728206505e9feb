//! What kdiy's own functions end with, where the code means something.

/// Why a function of `templates/sh` ended a script. Other codes are those of
/// the program that failed: apt's 100, kubeadm's 1, curl's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnExit {
    /// 75: what is to be changed is not as the plan saw it.
    PlanOutdated,
    /// 76: another kdiy has taken the host.
    LockLost,
    /// 77: something was waited for until its time was over; `kdiy_poll`.
    WaitedInVain,
    /// 78: something is there, or came, that must not be: a download with
    /// another hash, a file that its checker refuses, another cluster.
    Refused,
    /// 79: an earlier step of this host has not come to its end.
    HostBusy,
}

impl OwnExit {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::PlanOutdated,
        Self::LockLost,
        Self::WaitedInVain,
        Self::Refused,
        Self::HostBusy,
    ];

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::PlanOutdated => 75,
            Self::LockLost => 76,
            Self::WaitedInVain => 77,
            Self::Refused => 78,
            Self::HostBusy => 79,
        }
    }

    /// What a script's exit code means; `None` where it is a program's.
    #[must_use]
    pub fn of(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Codes above 2 with which lines of a folder's files end or return.
    fn codes(folder: &Path) -> BTreeSet<u32> {
        let mut all = BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.extend(codes(&path));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let words: Vec<_> = text.split_ascii_whitespace().collect();
            let code = |pair: &[&str]| match pair {
                ["exit" | "return", code] => code.trim_end_matches([';', '}']).parse::<u32>().ok(),
                _ => None,
            };
            all.extend(words.windows(2).filter_map(code).filter(|code| *code > 2));
        }
        all
    }

    #[test]
    fn functions_end_with_codes_of_the_table_and_all_of_it_is_used() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/sh");
        let mut wanted = BTreeSet::from(OwnExit::ALL.map(OwnExit::code));
        // apt's own, passed on.
        wanted.insert(100);
        assert_eq!(codes(&folder), wanted);
    }

    #[test]
    fn what_they_mean_is_documented() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let page = std::fs::read_to_string(root.join("docs/troubleshooting.md")).unwrap();
        for own in OwnExit::ALL {
            assert!(page.contains(&format!("\n| {} | ", own.code())), "{own:?}");
        }
    }

    #[test]
    fn a_code_is_known_by_its_number() {
        for own in OwnExit::ALL {
            assert_eq!(OwnExit::of(own.code()), Some(own));
        }
        assert_eq!([0, 1, 100, 124].map(OwnExit::of), [None; 4]);
    }
}
