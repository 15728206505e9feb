//! Tables of clusters in several states, at several widths.

use super::*;
use crate::cluster::{EtcdArchive, EtcdSource, Topology, Version};
use crate::etcd::gateway::{Alarm, Health, NoReply};
use crate::etcd::snapshot::{Contents, Head};
use crate::etcd::status::Host;
use crate::etcd::status::tests::{edit, host, member, unreachable, well};

fn shown(hosts: &[Host], style: &Style) -> String {
    let name = Name::try_from("prod".to_owned()).unwrap();
    let text = status(&name, &EtcdStatus::of(hosts), style);
    let plain = anstyle_free(&text);
    let widest = plain.lines().map(|line| line.width()).max();
    assert!(widest <= Some(style.width), "{widest:?} columns:\n{plain}");
    text
}

/// Without colours.
fn anstyle_free(text: &str) -> String {
    let mut out = String::new();
    let mut pieces = text.split("\x1b[");
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        out.push_str(piece.split_once('m').map_or("", |(_, rest)| rest));
    }
    out
}

/// One of three is away, one has no room.
fn trouble() -> Vec<Host> {
    let mut hosts = well(3);
    unreachable(&mut hosts[2]);
    for host in &mut hosts[..2] {
        edit(host, |said| {
            said.health = Health::Bad("ALARM NOSPACE".to_owned());
            said.alarms = vec![Alarm {
                member: member(2).id,
                kind: "NOSPACE".to_owned(),
            }];
        });
    }
    hosts
}

fn down() -> Vec<Host> {
    let mut hosts = well(3);
    unreachable(&mut hosts[1]);
    let refused = "curl: (7) Failed to connect to 10.0.0.3 port 2379: Connection refused";
    hosts[2] = host(3, Err(NoReply::NoAnswer(refused.to_owned())));
    edit(&mut hosts[0], |said| {
        said.status.leader = 0;
        said.health = Health::Bad("there is no leader".to_owned());
    });
    hosts
}

#[test]
fn states_at_80_columns() {
    let style = Style::test(80, false);
    insta::assert_snapshot!("healthy-80", shown(&well(3), &style));
    insta::assert_snapshot!("trouble-80", shown(&trouble(), &style));
    insta::assert_snapshot!("down-80", shown(&down(), &style));
    let mut hosts = well(3);
    hosts.iter_mut().for_each(unreachable);
    insta::assert_snapshot!("unknown-80", shown(&hosts, &style));
}

#[test]
fn all_in_a_row_where_there_is_room() {
    insta::assert_snapshot!("trouble-160", shown(&trouble(), &Style::test(160, false)));
    insta::assert_snapshot!(
        "trouble-80-color",
        shown(&trouble(), &Style::test(80, true))
    );
}

#[test]
fn a_hostile_member_does_no_harm() {
    let mut hosts = well(2);
    for host in &mut hosts {
        edit(host, |said| {
            said.status.version = "3\x1b[2J".repeat(99);
            said.status.index = u64::MAX;
            said.status.size = u64::MAX;
            if let Some(members) = &mut said.members {
                members[1].name = "\x1b]0;owned\x07\n".repeat(9);
            }
        });
    }
    let name = Name::try_from("prod".to_owned()).unwrap();
    let text = status(&name, &EtcdStatus::of(&hosts), &Style::test(80, false));
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text}");
    assert_eq!(text.lines().count(), 10, "{text}");
}

#[test]
fn what_was_saved_and_how_it_is_restored() {
    let head = Head {
        size: 1_347_616,
        sha256: "ab".repeat(32),
        contents: Contents {
            hash: 0xbeef,
            revision: 725,
            keys: 842,
        },
    };
    let etcd_status = EtcdStatus::of(&well(3));
    let style = Style::test(80, false);
    let from = etcd_status.reader().unwrap();
    let text = |topology| saved("my snap.db", from, &head, &etcd_status, topology, &style);
    insta::assert_snapshot!("saved", text(&Topology::Stacked));
    let archive = Topology::External(EtcdSource::Archive(EtcdArchive {
        version: Version::new(3, 6, 8),
        url: "https://mirror.example.org/etcd-v3.6.8-linux-{arch}.tar.gz".to_owned(),
        sha256: Some("cd".repeat(32)),
    }));
    insta::assert_snapshot!("saved-external", text(&archive));
    // All but the commands, which are copied as they are.
    let prose = |line: &&str| !line.starts_with("  ") || line.starts_with("  from");
    assert!(
        text(&archive)
            .lines()
            .filter(prose)
            .all(|line| line.len() <= 80)
    );
}
