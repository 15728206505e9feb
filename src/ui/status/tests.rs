//! Clusters in several states, at several widths.

use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::cluster::{Balancer, Name, Version};
use crate::kubeadm::tests::external;
use crate::lb::tests::pair;
use crate::status::tests::{NOW, edit, lose, outage, stacked, well};
use crate::status::{Answer, Hosts};
use crate::ui::Tone;

fn shown(cluster: &Cluster, hosts: &Hosts, drift: Option<&Drift>, style: &Style) -> String {
    let text = render(
        cluster,
        &ClusterStatus::of(cluster, hosts, NOW),
        drift,
        style,
    );
    let widest = text.lines().map(|line| line.width()).max();
    assert!(
        style.color || widest <= Some(style.width),
        "{widest:?} columns:\n{text}"
    );
    text
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn no_drift() -> Drift {
    Drift::of(None, Vec::new(), Default::default())
}

#[test]
fn all_is_well() {
    let cluster = stacked();
    insta::assert_snapshot!(shown(
        &cluster,
        &well(&cluster),
        Some(&no_drift()),
        &Style::test(80, false)
    ));
}

#[test]
fn a_control_plane_is_lost() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    lose(&mut hosts, "cp2");
    edit(&mut hosts, "w1", |answer| {
        answer.units[0].1 = "inactive".to_owned()
    });
    edit(&mut hosts, "cp1", |answer| {
        let nodes = answer.nodes.as_mut().unwrap();
        nodes[3].ready = "Unknown".to_owned();
        nodes[3].why = "Kubelet stopped posting \x1b[31mnode status.".to_owned();
        nodes[4].cordoned = true;
        let mut other = nodes[4].clone();
        other.name = "old".to_owned();
        nodes.push(other);
    });
    let drift = Drift::Known {
        changes: 3,
        hosts: [("w1", 2), ("lb1", 1)]
            .map(|(host, changes)| (name(host).into(), changes))
            .into(),
        problems: Vec::new(),
        left_out: [name("cp2")].into(),
    };
    insta::assert_snapshot!(
        "lost-80",
        shown(&cluster, &hosts, Some(&drift), &Style::test(80, false))
    );
    insta::assert_snapshot!(
        "lost-200",
        shown(&cluster, &hosts, Some(&drift), &Style::test(200, false))
    );
}

#[test]
fn it_is_down() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    outage(&mut hosts, &["cp1", "cp2", "cp3"]);
    let drift = Drift::unknown("the authorities are elsewhere");
    insta::assert_snapshot!(shown(
        &cluster,
        &hosts,
        Some(&drift),
        &Style::test(80, false)
    ));
}

#[test]
fn an_external_etcd_and_an_address_that_moves_have_their_own_parts() {
    let cluster = external(Version::new(1, 34, 1)).cluster;
    let text = shown(&cluster, &well(&cluster), None, &Style::test(80, false));
    assert!(text.contains("ETCD  STATUS"), "{text}");
    assert!(!text.contains("Drift"), "{text}");
    let cluster = pair(Version::new(1, 34, 1), Balancer::Nginx).cluster;
    let text = shown(&cluster, &well(&cluster), None, &Style::test(80, false));
    assert!(
        text.contains("Virtual address 192.0.2.100: held by lb1."),
        "{text}"
    );
}

#[test]
fn nothing_is_there() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    for answer in hosts.values_mut() {
        *answer = Ok(Answer::default());
    }
    insta::assert_snapshot!(shown(&cluster, &hosts, None, &Style::test(80, false)), @r"
    demo: not there yet
    No control plane has joined a cluster: kdiy apply brings it up.
    ");
    for host in ["cp1", "cp2", "cp3", "w1", "w2", "lb1"] {
        lose(&mut hosts, host);
    }
    let text = shown(&cluster, &hosts, None, &Style::test(80, false));
    assert!(
        text.starts_with("demo: unknown, as no host can be asked\n"),
        "{text}"
    );
    assert_eq!(text.matches("do:").count(), 1, "{text}");
}

#[test]
fn long_names_are_not_cut() {
    let mut cluster = stacked();
    let long = "a-control-plane-in-the-second-building-of-the-third-site-eu-1";
    cluster.nodes[0].name = name(long);
    for width in [40, 80] {
        let style = Style::test(width, false);
        let text = render(
            &cluster,
            &ClusterStatus::of(&cluster, &well(&cluster), NOW),
            None,
            &style,
        );
        assert!(text.contains(long));
        let fits = |line: &str| line.width() <= width || line.contains(long);
        assert!(text.lines().all(fits), "{text}");
    }
}

#[test]
fn a_line_for_logs() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    lose(&mut hosts, "cp2");
    let cluster_status = ClusterStatus::of(&cluster, &hosts, NOW);
    insta::assert_snapshot!(line(&cluster, &cluster_status), @"demo: degraded; API servers 2/3, etcd 2/3, nodes 5/5, balancers 1/1; cp2: cannot reach cp2:22: no answer within 10 s");
}

#[test]
fn colours_say_how_bad_it_is() {
    let cluster = stacked();
    let mut hosts = well(&cluster);
    let style = Style::test(80, true);
    assert!(shown(&cluster, &hosts, None, &style).contains("\x1b[32mhealthy\x1b[0m"));
    lose(&mut hosts, "w2");
    let text = shown(&cluster, &hosts, None, &style);
    let notable = style.paint(Tone::Notable, "degraded");
    assert!(notable != "degraded" && text.contains(&notable), "{text:?}");
    assert!(
        text.contains("\x1b[1m\x1b[31munreachable, Ready\x1b[0m"),
        "{text:?}"
    );
}
