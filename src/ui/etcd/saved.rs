//! What was saved, and how it comes back.

use super::paragraph;
use crate::cluster::{EtcdSource, Topology};
use crate::etcd::member::{self, DATA, UNIT, USER};
use crate::etcd::snapshot::Head;
use crate::etcd::status::{EtcdStatus, Row, State};
use crate::shell::quote;
use crate::ui::sanitise::sanitise;
use crate::ui::style::{Style, Tone};
use crate::ui::text::{bytes, wrap};

/// Where a snapshot is restored to, before it takes the data's place.
const RESTORED: &str = "/var/lib/etcd-restored";
/// Where the data of before is kept.
const BEFORE: &str = "/var/lib/etcd-before";
/// Where static pods are put aside.
const ASIDE: &str = "/root/manifests";
/// API servers and controllers keep what they have seen: revisions must not
/// come a second time, nor watches go on from old ones. More than a busy
/// cluster writes between a snapshot and its loss.
const BUMP: &str = "--bump-revision 1000000000 --mark-compacted";

/// What was saved, and how it is restored.
#[must_use]
pub fn saved(
    file: &str,
    from: &Row,
    head: &Head,
    etcd_status: &EtcdStatus,
    topology: &Topology,
    style: &Style,
) -> String {
    let version = from.measured.as_ref().map_or("", |of| of.version.as_str());
    let contents = &head.contents;
    let mut out = format!(
        "{} {}, revision {}, {} keys (old revisions too)\n",
        style.paint(Tone::Good, &format!("Saved {file}:")),
        bytes(head.size),
        contents.revision,
        contents.keys,
    );
    out.push_str(&sanitise(&format!(
        "  from     {}, etcd {version}",
        from.name
    )));
    out.push_str(&format!("\n  hash     {:08x}", contents.hash));
    out.push_str(&format!("\n  sha256   {}\n\n", head.sha256));
    let intro = "To restore it, as root on the hosts; the API is away meanwhile, and what was \
                 written since the snapshot is lost:";
    paragraph(intro, &mut out, style);
    for (place, (what, commands)) in steps(file, from, contents.revision, etcd_status, topology)
        .into_iter()
        .enumerate()
    {
        for (row, line) in wrap(&what, style.width.saturating_sub(4))
            .iter()
            .enumerate()
        {
            let number = match row {
                0 => format!("{}.", place + 1),
                _ => String::new(),
            };
            out.push_str(&format!("{number:<2}  {line}\n"));
        }
        for line in commands {
            out.push_str(&format!("    {}\n", sanitise(&line)));
        }
    }
    out
}

/// Each step with its commands. Only the folder `member` changes its place:
/// what kdiy noted beside it says whose data it is, and stays true.
fn steps(
    file: &str,
    from: &Row,
    revision: u64,
    etcd_status: &EtcdStatus,
    topology: &Topology,
) -> Vec<(String, Vec<String>)> {
    let external = *topology != Topology::Stacked;
    let mut put = restore(file, from, revision, etcd_status, topology);
    put.push(format!("mv {DATA}/member {BEFORE}"));
    put.push(format!("mv {RESTORED}/member {DATA}/"));
    if external {
        put.insert(0, format!("systemctl stop {UNIT}"));
        put.push(format!("chown -R {USER}:{USER} {DATA}/member"));
    }
    let (members, tool) = match external {
        true => ("etcd hosts", ""),
        // Only the image of etcd has it there.
        false => ("control planes", ", and etcd's own tool etcdutl"),
    };
    // Static pods end some time after their manifests are gone. A member of an
    // external etcd may serve on the same host until its own unit is stopped.
    let ports = match external {
        true => "sport = :6443",
        false => "( sport = :2379 or sport = :6443 )",
    };
    let mut steps = vec![
        (
            "On all control planes, stop the static pods, and wait until they are gone:".to_owned(),
            vec![
                format!("mkdir {ASIDE}"),
                format!("mv /etc/kubernetes/manifests/*.yaml {ASIDE}/"),
                format!("while ss -Hltn '{ports}' | grep -q .; do sleep 1; done"),
            ],
        ),
        (
            format!(
                "Copy the file to all {members}{tool}. On each, with its own name and peer URL \
                 (these are {}'s):",
                from.name
            ),
            put,
        ),
    ];
    if external {
        steps.push((
            "When that is done on all of them, on each:".to_owned(),
            vec![format!("systemctl start --no-block {UNIT}")],
        ));
    }
    steps.push((
        match external {
            true => "On all control planes:",
            false => "When that is done on all of them, on each:",
        }
        .to_owned(),
        vec![format!("mv {ASIDE}/*.yaml /etc/kubernetes/manifests/")],
    ));
    steps.push((
        "kdiy etcd status and kdiy plan say whether all is well again.".to_owned(),
        Vec::new(),
    ));
    steps
}

/// The command that restores a member.
#[must_use]
pub fn restore(
    file: &str,
    member: &Row,
    revision: u64,
    etcd_status: &EtcdStatus,
    topology: &Topology,
) -> Vec<String> {
    let folder = match topology {
        Topology::External(EtcdSource::Archive(archive)) => {
            format!("{}/", member::folder(archive))
        }
        Topology::External(EtcdSource::Distribution) | Topology::Stacked => String::new(),
    };
    let first = |row: &Row| row.peers.first().cloned().unwrap_or_default();
    let all: Vec<_> = etcd_status
        .members
        .iter()
        .filter(|row| !row.peers.is_empty() && row.state != State::Learner)
        .map(|row| format!("{}={}", row.name, first(row)))
        .collect();
    let file = quote(file);
    // A token of its own: members that were not restored must not mix in.
    vec![
        format!("{folder}etcdutl snapshot restore {file} \\"),
        format!("  --data-dir {RESTORED} \\"),
        format!("  {BUMP} \\"),
        format!("  --name {} \\", member.name),
        format!("  --initial-advertise-peer-urls {} \\", first(member)),
        format!("  --initial-cluster-token restored-{revision} \\"),
        format!("  --initial-cluster {}", all.join(",")),
    ]
}
