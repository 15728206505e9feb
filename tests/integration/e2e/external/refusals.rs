//! What is in the way of a first apply is said, and nothing is touched.

use super::{External, HOSTS, VIP};
use crate::e2e::kdiy::Kdiy;

pub fn what_is_in_the_way(external: &External) {
    address_is_taken(external);
    address_is_elsewhere(external);
    foreign_authority(external);
}

/// apply is refused with these words, and changes nothing.
fn refused(external: &External, inventory: &str, words: &[&str]) {
    let kdiy = Kdiy::with(&external.lab, "kdiy.yaml", inventory);
    let hosts: Vec<_> = HOSTS.iter().map(|(host, _)| *host).collect();
    let ran = external
        .lab
        .untouched(&hosts, || kdiy.run(5, &["apply", "--yes"]));
    ran.says(words);
    assert!(!ran.out.contains("No changes"), "{}", ran.out);
}

/// Somebody else has the virtual address.
fn address_is_taken(external: &External) {
    external.lab.add(&[("stranger", VIP)]);
    refused(
        external,
        &external.inventory,
        &["lb-1", "lb-2", VIP, "answers"],
    );
    external.lab.power("kill", "stranger");
    // What the hosts remember of it.
    for host in ["lb-1", "lb-2"] {
        external.lab.sh(host, &format!("ip neigh flush to {VIP}"));
    }
}

fn address_is_elsewhere(external: &External) {
    let inventory = external.inventory.replace(VIP, "192.0.2.50");
    refused(
        external,
        &inventory,
        &["lb-1", "192.0.2.50", "172.29.0.0/16"],
    );
}

/// An etcd host that trusts somebody else.
fn foreign_authority(external: &External) {
    external.lab.sh(
        "e-2",
        "install -d /etc/etcd/pki
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -days 2 -keyout /dev/null -out /etc/etcd/pki/ca.crt 2>&1",
    );
    refused(
        external,
        &external.inventory,
        &["e-2", "/etc/etcd/pki/ca.crt", "another etcd authority"],
    );
    external.lab.sh("e-2", "rm -r /etc/etcd");
}
