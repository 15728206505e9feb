//! What is drawn, and that nothing lies on top of something else.

mod geometry;

use std::path::Path;

use super::*;
use crate::inventory;

/// The diagram of an inventory.
fn map(text: &str) -> Diagram {
    let read = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let loaded = inventory::load(text, &read);
    let cluster = loaded.cluster;
    Diagram::of(&cluster.unwrap_or_else(|| panic!("{:#?}\n{text}", loaded.findings)))
}

/// The diagram of some nodes, by their roles, and what is written beside them.
fn shape(nodes: &[&str], rest: &str) -> Diagram {
    let numbered = nodes.iter().zip(1..);
    let nodes: String = numbered
        .map(|(roles, number)| {
            format!("  - {{name: n-{number}, ssh: 192.0.2.{number}, roles: [{roles}]}}\n")
        })
        .collect();
    map(&format!(
        "apiVersion: kdiy/v1alpha1\nname: c\nversion: \"1.34\"\nnodes:\n{nodes}\
         network: {{cni: none}}\n{rest}"
    ))
}

fn shown(map: &Diagram, width: usize) -> String {
    text(map, Glyphs::Unicode, &Style::test(width, false))
}

const STACKED: &str = include_str!("../../../inventories/stacked-ha.yaml");
const EXTERNAL: &str = include_str!("../../../inventories/external-etcd-ha.yaml");
const KUBE_VIP: &str = include_str!("../../../inventories/kube-vip.yaml");
const LOCAL: &str = include_str!("../../../inventories/local.yaml");
const SINGLE: &str = include_str!("../../../inventories/single.yaml");

#[test]
fn every_kind_of_cluster_is_drawn() {
    for (name, text) in [
        ("stacked", STACKED),
        ("external", EXTERNAL),
        ("kube-vip", KUBE_VIP),
        ("local", LOCAL),
        ("single", SINGLE),
    ] {
        insta::assert_snapshot!(name, shown(&map(text), 80));
    }
    let mixed = shape(
        &[
            "control-plane, etcd",
            "control-plane",
            "etcd, worker",
            "etcd",
            "worker",
        ],
        "topology: external\nendpoint: api.example.org:443\nloadBalancer: external\n",
    );
    insta::assert_snapshot!("mixed", shown(&mixed, 80));
}

#[test]
fn a_wide_terminal_is_used() {
    let mut nodes = vec!["load-balancer"; 2];
    nodes.extend(["control-plane"; 5]);
    nodes.extend(["worker"; 8]);
    let map = shape(&nodes, "loadBalancer: {kind: nginx, vip: 192.0.2.100}\n");
    insta::assert_snapshot!("wide-80", shown(&map, 80));
    insta::assert_snapshot!("wide-200", shown(&map, 200));
}

#[test]
fn many_workers_are_one_box() {
    let mut nodes = vec!["control-plane"];
    nodes.extend(["worker"; 50]);
    let shown = shown(&shape(&nodes, ""), 80);
    assert!(shown.contains(" 50 workers "), "{shown}");
    assert!(shown.contains("│ n-2..n-51 "), "{shown}");
}

#[test]
fn long_names_and_addresses_are_shown_in_full() {
    let name = |number| format!("{}-{number}", "n".repeat(61));
    let nodes: String = (1..=3)
        .map(|number| {
            let (name, address) = (
                name(number),
                format!("2001:db8:1111:2222:3333:4444:5555:{number}"),
            );
            format!("  - {{name: {name}, ssh: \"{address}\", role: control-plane}}\n")
        })
        .collect();
    let map = map(&format!(
        "apiVersion: kdiy/v1alpha1\nname: six\nversion: \"1.34\"\nendpoint: \"[2001:db8::10]:6443\"\n\
         loadBalancer: kube-vip\nnodes:\n{nodes}\
         network: {{cni: none, podCIDR: \"fd00:1::/48\", serviceCIDR: \"fd00:2::/112\"}}\n"
    ));
    insta::assert_snapshot!("long", shown(&map, 80));
    // Broken over lines where there is no room, but never cut.
    let narrow = shown(&map, 40);
    let letters = narrow.chars().filter(|c| *c == 'n').count();
    assert!(letters > 3 * 61, "{narrow}");
}

#[test]
fn ascii_is_only_ascii_and_colour_only_adds_colour() {
    let map = map(STACKED);
    let ascii = text(&map, Glyphs::Ascii, &Style::test(80, false));
    assert!(ascii.is_ascii(), "{ascii}");
    insta::assert_snapshot!("ascii", ascii);
    let colored = text(&map, Glyphs::Unicode, &Style::test(80, true));
    let stripped: Vec<_> = colored.lines().map(crate::ui::sanitise_output).collect();
    assert_eq!(stripped.join("\n") + "\n", shown(&map, 80));
}

#[test]
fn diagrams_are_xml_with_nothing_from_elsewhere() {
    for text in [STACKED, EXTERNAL, LOCAL] {
        let diagram = svg(&map(text));
        assert!(diagram.contains(MARK));
        assert_eq!(
            diagram.matches("http").count(),
            1,
            "only the name of SVG itself"
        );
        assert!(!diagram.contains("<script") && !diagram.contains("url("));
        for tag in ["svg", "g", "title", "desc", "style", "text"] {
            let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
            let opened = diagram.match_indices(&open);
            let opened =
                opened.filter(|(at, _)| diagram[at + open.len()..].starts_with([' ', '>']));
            assert_eq!(opened.count(), diagram.matches(&close).count(), "{tag}");
        }
    }
}
