//! Feature gates: which release knows which.
//!
//! Facts (gates.txt): what `featuregate.GetAll` answers once pkg/features and
//! the gates of logs and metrics are registered, in k8s.io/kubernetes v1.31.14,
//! v1.32.10, v1.33.6, v1.34.4, v1.35.4, v1.36.3 and v1.37.2. API server,
//! controller-manager, scheduler, kubelet and kube-proxy share one set.

use std::sync::LazyLock;

/// The patch of each minor version that was looked at.
pub const LOOKED_AT: [(u64, u64); 7] = [
    (31, 14),
    (32, 10),
    (33, 6),
    (34, 4),
    (35, 4),
    (36, 3),
    (37, 2),
];

/// A feature gate in the releases that were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gate {
    /// Name of the feature gate, such as `SidecarContainers`.
    pub name: &'static str,
    /// The first minor version that knows it; the oldest that was looked at
    /// where an earlier one may, too.
    pub since: u64,
    /// From which minor version on only this value is taken.
    pub locked: Option<(u64, bool)>,
    /// The first minor version that no longer knows it, and what it was by
    /// default before: that is how it is now.
    pub gone: Option<(u64, bool)>,
}

/// Every gate, by name.
pub static GATES: LazyLock<Vec<Gate>> = LazyLock::new(|| {
    let rows = include_str!("gates.txt").lines();
    let rows = rows.filter(|row| !row.starts_with('#'));
    rows.map(|row| Gate::parse(row).unwrap_or_else(|| panic!("gates.txt: {row}")))
        .collect()
});

impl Gate {
    fn parse(row: &'static str) -> Option<Self> {
        let mut words = row.split(' ');
        Some(Self {
            name: words.next()?,
            since: words.next()?.parse().ok()?,
            locked: change(words.next()?)?,
            gone: change(words.next()?)?,
        })
    }
}

/// `36+`, or `.` for never.
fn change(word: &str) -> Option<Option<(u64, bool)>> {
    if word == "." {
        return Some(None);
    }
    let on = word.ends_with('+');
    let minor = word.strip_suffix(['+', '-'])?.parse().ok()?;
    Some(Some((minor, on)))
}

/// The gate of a name, if any release knows it.
pub fn find(name: &str) -> Option<&'static Gate> {
    GATES.iter().find(|gate| gate.name == name)
}
