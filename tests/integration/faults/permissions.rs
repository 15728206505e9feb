//! What a bring-up makes on hosts: every new path is one that
//! `docs/security.md` names, with its mode, or belongs to a package, to
//! kubeadm, the kubelet or systemd. Nothing with a secret is open to others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::secrets::fits;
use super::{Scene, tell};

/// All that is in these folders: kind, mode, owner.
const LIST: &str = "find /etc /home /opt /root /run /srv /tmp /usr/local /var/lib/kdiy /var/tmp \
    -ignore_readdir_race -printf '%y %m %u:%g %p\\n' 2>/dev/null || :";

/// Paths of all packages.
const PACKAGED: &str = "cat /var/lib/dpkg/info/*.list";

/// What others than kdiy write, and what is no file: path, modes, owner. Where
/// there are no modes any will do: the path is of no concern here.
const OTHERS: &[(&str, &[&str], &str)] = &[
    // The lab's.
    ("/tmp/**", &[], ""),
];

/// Paths with what `find` tells of them.
#[derive(Debug)]
pub struct Listing(BTreeMap<String, String>);

impl Listing {
    pub fn of(scene: &Scene, host: &str) -> Self {
        let text = scene.lab.sh(host, LIST);
        let lines = text.lines().map(|line| {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().expect("a word").to_owned();
            let about = [word(), word(), word()].join(" ");
            (word(), about)
        });
        Self(lines.collect())
    }
}

/// A row of the page's first table: patterns and modes.
fn documented() -> Vec<(Vec<String>, BTreeSet<String>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/security.md");
    let page = fs::read_to_string(page).expect("a page");
    let rows = page.lines().filter(|line| line.starts_with("| `/"));
    let row = |line: &str| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let paths = cells[1]
            .split(", ")
            .map(|path| path.trim_matches('`').to_owned());
        let mode = cells[2].strip_prefix('0').filter(|mode| mode.len() == 3)?;
        Some((paths.collect(), [mode.to_owned()].into()))
    };
    let rows: Vec<_> = rows.filter_map(row).collect();
    assert!(rows.len() > 15, "the table has moved");
    rows
}

/// What is new on a host is as it should be.
pub fn are_as_written(scene: &Scene, host: &str, before: &Listing) {
    let packaged = scene.lab.sh(host, PACKAGED);
    let packaged: BTreeSet<_> = packaged.lines().collect();
    let documented = documented();
    let after = Listing::of(scene, host);
    let new = after
        .0
        .iter()
        .filter(|(path, about)| before.0.get(*path) != Some(*about));
    let mut wrong = Vec::new();
    let mut known = 0;
    for (path, about) in new {
        let words: Vec<_> = about.split(' ').collect();
        let [kind, mode, owner] = words[..] else {
            panic!("{about}");
        };
        if packaged.contains(&**path) {
            continue;
        }
        let rows = documented
            .iter()
            .filter(|(patterns, _)| patterns.iter().any(|pattern| fits(path, pattern)));
        let modes: Vec<_> = rows.flat_map(|(_, modes)| modes).collect();
        let ours =
            modes.iter().any(|wanted| *wanted == mode) && owner == "root:root" && kind != "l";
        let theirs = OTHERS.iter().any(|(pattern, modes, whose)| {
            fits(path, pattern) && (modes.is_empty() || (modes.contains(&mode) && owner == *whose))
        });
        if ours || theirs {
            known += 1;
        } else {
            wrong.push(format!("{about} {path}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{host} has paths that nobody told of:\n{}",
        wrong.join("\n")
    );
    assert!(known > 0, "{host} has nothing new");
    tell(&format!(
        "{host}: {known} new paths beside those of packages, all as written down"
    ));
}
