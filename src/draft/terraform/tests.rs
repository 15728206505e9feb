//! Outputs of several shapes.

use super::*;
use crate::cluster::Role;
use crate::draft::tests::{fixtures, refused};

fn drafted(text: &str, maps: &[&str]) -> Draft {
    let mappings = maps.iter().map(|map| map.parse().expect(map)).collect();
    let wanted = Wanted {
        output: None,
        mappings,
    };
    let imported = import("out.json", text, &wanted);
    imported
        .draft
        .unwrap_or_else(|| panic!("{:#?}", imported.sources))
}

#[test]
fn an_output_with_the_inventorys_keys() {
    let draft = drafted(
        r#"{"kdiy": {"sensitive": false, "type": ["object", {}], "value": {
  "name": "prod", "endpoint": "api.example.org", "vip": null,
  "ssh": {"user": "ops", "jump": "ops@bastion.example.org"},
  "nodes": [
    {"name": "cp-1", "role": "control-plane", "ssh": "198.51.100.1", "address": "10.0.0.1"},
    {"name": "cp-2", "role": "control-plane", "ssh": "198.51.100.2", "address": "10.0.0.2"},
    {"name": "cp-3", "role": "control-plane", "ssh": "198.51.100.3", "address": "10.0.0.3"},
    {"name": "w-1", "roles": ["worker"], "address": "10.0.0.4", "labels": {"disk": "ssd"}}
  ]}}}"#,
        &[],
    );
    insta::assert_snapshot!(draft.text());
}

#[test]
fn outputs_of_kubeones_modules() {
    let draft = drafted(
        r#"{"kubeone_api": {"value": {"endpoint": "lb.example.org", "apiserver_alternative_names": ["a.example.org"]}},
 "kubeone_hosts": {"value": {"control_plane": {"cluster_name": "Demo_1", "private_address": ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
   "public_address": ["198.51.100.1", "198.51.100.2", "198.51.100.3"], "hostnames": ["ip-10-0-0-1.internal", "b", "c"],
   "ssh_user": "ubuntu", "ssh_port": 22, "ssh_private_key_file": "", "bastion": "192.0.2.1", "bastion_port": 2222, "bastion_user": "jump"}}},
 "kubeone_static_workers": {"value": {"workers1": {"private_address": ["10.0.0.9"], "ssh_user": "ubuntu", "bastion": ""}}}}"#,
        &[],
    );
    insta::assert_snapshot!(draft.text());
}

#[test]
fn any_outputs_by_a_mapping() {
    let text = r#"{
  "ips": {"value": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]},
  "public": {"value": ["198.51.100.1", "198.51.100.2", "198.51.100.3"]},
  "nodes": {"value": {"w-a": {"private_ip": "10.0.0.4", "public_ip": ""}, "w_b": {"private_ip": "10.0.0.5", "public_ip": "198.51.100.5"}}},
  "all": {"value": [{"kind": "db", "ip": "10.0.0.6", "name": "db-1"}, {"kind": "web", "ip": "10.0.0.7"}]},
  "lb": {"value": "10.0.0.100"}}"#;
    let draft = drafted(
        text,
        &[
            "control-plane=ips",
            "control-plane.ssh=public",
            "worker=nodes",
            "vip=lb",
            "name=all[0].name",
        ],
    );
    insta::assert_snapshot!(draft.text());
    let addresses = |map: &str| {
        let draft = drafted(text, &["control-plane=ips", map]);
        let nodes = draft.with_role(Role::LoadBalancer);
        let addresses = nodes.map(|node| node.address.expect("an address").to_string());
        addresses.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        addresses("load-balancer=all[?@.kind == 'db'].ip"),
        "10.0.0.6"
    );
    assert_eq!(addresses("load-balancer=all[*].ip"), "10.0.0.6 10.0.0.7");
    assert_eq!(addresses("load-balancer=nodes.w_b"), "10.0.0.5");
    assert_eq!(addresses("load-balancer=all[1:]"), "10.0.0.7");
}

#[test]
fn values_of_sensitive_outputs_are_not_shown() {
    let text = r#"{"kdiy": {"sensitive": true, "value": {"nodes": "hush"}}, "x": {"sensitive": true, "value": "hush"}}"#;
    let imported = import("out.json", text, &Wanted::default());
    assert_eq!(imported.draft, None);
    let source = &imported.sources[0];
    assert_eq!(source.findings[0].code, "sensitive-output");
    assert!(!source.text.contains("hush"), "{}", source.text);
    let broken = import("out.json", "{\"x\": \"hush\",}", &Wanted::default());
    assert!(!broken.sources[0].text.contains("hush"));
}

#[test]
fn bad_outputs_say_what_is_wrong_and_where() {
    let said = fixtures("terraform")
        .into_iter()
        .map(|(name, text)| refused(&import(&name, &text, &Wanted::default())));
    insta::assert_snapshot!("bad-outputs", said.collect::<Vec<_>>().join("\n"));
}

#[test]
fn bad_mappings_say_what_is_wrong_and_where() {
    let text = r#"{"a": {"value": ["10.0.0.1", "10.0.0.2"]}, "b": {"value": ["x"]}, "c": {"value": ""}, "d": {"value": [{"x": 1}]}}"#;
    let said: Vec<String> = [
        &["worker=a"][..],
        &["control-plane=nothing"],
        &["control-plane=a[7]"],
        &["control-plane=c"],
        &["control-plane=d"],
        &["control-plane=a", "control-plane.ssh=b"],
        &["control-plane=a", "worker=a[0]"],
        &["control-plane.ssh=a"],
        &["control-plane=a", "endpoint=a.x"],
        &["control-plane=a", "vip=b[0]"],
    ]
    .iter()
    .map(|maps| {
        let mappings = maps.iter().map(|map| map.parse().expect(map)).collect();
        let wanted = Wanted {
            output: None,
            mappings,
        };
        refused(&import("out.json", text, &wanted))
    })
    .collect();
    insta::assert_snapshot!("bad-mappings", said.join("\n"));
    for wrong in [
        "a",
        "boss=a",
        "worker=",
        "worker=.x",
        "worker=a[",
        "worker.ip=a",
    ] {
        assert!(wrong.parse::<Mapping>().is_err(), "{wrong}");
    }
}
