//! What would harm an etcd is refused before the first change.

use super::*;

#[test]
fn a_taken_port_and_a_missing_host_are_seen_before_bootstrap() {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        facts.etcd = host.starts_with('e').then(EtcdFacts::default);
        if host == "e1" {
            facts.listening.push((2380, "nginx".to_owned()));
        }
        facts
    };
    let mut hosts = Hosts::of(external(VERSION), facts, |_, resource| absent(resource));
    assert_eq!(hosts.codes(), [("e1".to_owned(), "port")]);
    hosts.seen.remove(&name("e3"));
    let codes = hosts.codes();
    assert!(
        codes.contains(&("e2".to_owned(), "etcd-incomplete")),
        "{codes:?}"
    );
}
