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
    // kdiy's, in the page's second table.
    ("/etc/apt/keyrings/kdiy-*.asc", &["644"], "root:root"),
    ("/etc/apt/sources.list.d/kdiy-*.list", &["644"], "root:root"),
    ("/etc/etcd/pki/*.crt", &["644"], "root:root"),
    (
        "/etc/etcd/pki/healthcheck-client.key",
        &["600"],
        "root:root",
    ),
    ("/etc/etcd/pki/*.key", &["640"], "root:etcd"),
    (
        "/etc/kubernetes/pki/apiserver-etcd-client.crt",
        &["644"],
        "root:root",
    ),
    ("/etc/containerd/certs.d", &["755"], "root:root"),
    ("/etc/containerd/certs.d/*", &["755"], "root:root"),
    ("/root/.kube", &["750"], "root:root"),
    ("/root/.kube/**", &[], "root:root"),
    ("/run/kdiy", &["700"], "root:root"),
    ("/run/kdiy/at-work", &["600", "644"], "root:root"),
    ("/run/kdiy/owner.guard", &["600"], "root:root"),
    ("/run/kdiy/last-owner", &["600"], "root:root"),
    ("/usr/local/libexec", &["755"], "root:root"),
    ("/usr/local/libexec/kdiy", &["755"], "root:root"),
    ("/var/lib/kdiy", &["755"], "root:root"),
    ("/var/lib/kdiy/last-applied", &["755"], "root:root"),
    ("/var/lib/kdiy/last-applied/*", &["600", "644"], "root:root"),
    ("/var/lib/kdiy/written", &["700"], "root:root"),
    ("/var/lib/kdiy/written/**", &["600", "700"], "root:root"),
    ("/etc/**/*.before-kdiy", &["644"], "root:root"),
    // kubeadm's, the kubelet's and the network's.
    ("/etc/kubernetes", &["755"], "root:root"),
    ("/etc/kubernetes/*.conf", &["600"], "root:root"),
    ("/etc/kubernetes/manifests", &["700", "755"], "root:root"),
    ("/etc/kubernetes/manifests/*.yaml", &["600"], "root:root"),
    ("/etc/kubernetes/pki/**/*.crt", &["644"], "root:root"),
    ("/etc/kubernetes/pki/**/*.key", &["600"], "root:root"),
    ("/etc/cni", &["755"], "root:root"),
    ("/etc/cni/net.d", &["700", "755"], "root:root"),
    ("/etc/cni/net.d/*", &["600", "644"], "root:root"),
    ("/opt/containerd", &["711"], "root:root"),
    ("/opt/containerd/*", &["711"], "root:root"),
    ("/run/containerd", &["711"], "root:root"),
    ("/run/containerd/**", &[], ""),
    ("/run/netns/**", &[], ""),
    // Made by packages when they are installed, and by systemd.
    ("/etc/alternatives/*", &[], ""),
    ("/etc/rc?.d/*", &["777"], "root:root"),
    ("/etc/systemd/system/*.service", &["777"], "root:root"),
    ("/etc/systemd/system/*.wants", &["755"], "root:root"),
    ("/etc/systemd/system/*.wants/*", &["777"], "root:root"),
    ("/etc/ld.so.cache", &["644"], "root:root"),
    ("/etc/passwd*", &["644"], "root:root"),
    ("/etc/group*", &["644"], "root:root"),
    ("/etc/sub[ug]id*", &["644"], "root:root"),
    ("/etc/shadow*", &["640"], "root:shadow"),
    ("/etc/gshadow*", &["640"], "root:shadow"),
    ("/etc/.pwd.lock", &["600"], "root:root"),
    ("/run/adduser", &["644"], "root:root"),
    ("/run/motd.dynamic", &["644"], "root:root"),
    ("/run/xtables.lock", &["600", "644"], "root:root"),
    ("/run/haproxy", &["2775"], "haproxy:haproxy"),
    ("/run/haproxy/admin.sock", &["660"], "root:haproxy"),
    ("/run/haproxy-master.sock", &["755"], "root:root"),
    ("/run/*.pid", &["644"], "root:root"),
    ("/run/sudo/**", &[], ""),
    ("/run/user/**", &[], ""),
    ("/run/systemd/**", &[], ""),
    ("/tmp/systemd-private-*", &["700"], "root:root"),
    ("/tmp/systemd-private-*/tmp", &["1777"], "root:root"),
    ("/var/tmp/systemd-private-*", &["700"], "root:root"),
    ("/var/tmp/systemd-private-*/tmp", &["1777"], "root:root"),
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

/// What is new on a host and not as it should be.
pub fn unknown(scene: &Scene, host: &str, before: &Listing) -> Vec<String> {
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
            wrong.push(format!("{host}: {about} {path}"));
        }
    }
    assert!(known > 0, "{host} has nothing new");
    tell(&format!(
        "{host}: {known} new paths as they should be beside those of packages, {} that nobody told of",
        wrong.len()
    ));
    wrong
}
