//! From bare hosts to a cluster whose etcd has hosts of its own.

use std::time::Instant;

use super::super::figure;
use super::{External, MEMBERS, VIP};

pub fn comes_up(external: &External) {
    let began = Instant::now();
    external.kdiy().run(0, &["apply", "--yes"]);
    figure(
        "bring-up of 3 etcd members, 2 control planes, 2 balancers and a worker",
        began.elapsed(),
    );
}

pub fn is_as_the_inventory_says(external: &External) {
    assert_eq!(external.kubectl.ready_nodes(), ["cp-1", "cp-2", "w-1"]);
    let server = external.kubectl.run(&[
        "config",
        "view",
        "-o",
        "jsonpath={.clusters[0].cluster.server}",
    ]);
    assert_eq!(server, format!("https://{VIP}:6443"));
    for host in MEMBERS {
        confined(external, host);
    }
    for host in ["cp-1", "cp-2"] {
        let pods = external.lab.sh(host, "ls /etc/kubernetes/manifests");
        assert!(!pods.contains("etcd"), "{host}: {pods}");
        let servers = external.lab.sh(
            host,
            "tr '\\0' '\\n' </proc/$(pgrep -f ^kube-apiserver)/cmdline | grep ^--etcd-servers=",
        );
        for (member, at) in super::HOSTS.iter().take(MEMBERS.len()) {
            let url = format!("https://{at}:2379");
            assert!(servers.contains(&url), "{host}: {member}: {servers}");
        }
    }
    external.vip().holder();
}

/// The member runs as its own user, keeps its data to itself, talks to none
/// without a certificate, and has no key that could sign one.
fn confined(external: &External, host: &str) {
    let at = super::address(host);
    let said = external.lab.sh(
        host,
        "stat -c '%a %U' /var/lib/etcd
ps -o user= -C etcd
find / -xdev -path '*pki*' -name 'ca.key'
systemctl is-enabled kdiy-etcd
systemctl is-enabled etcd || :",
    );
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines, ["700 etcd", "etcd", "enabled", "masked"], "{host}");
    for port in [2379, 2380] {
        let stranger = format!("curl -sk --max-time 5 https://{at}:{port}/version");
        let said = external.lab.try_sh(host, &stranger);
        assert!(said.is_err(), "{host}:{port} answers a stranger: {said:?}");
    }
    let plain = external.lab.try_sh(
        host,
        &format!("curl -s --max-time 5 http://{at}:2381/metrics"),
    );
    assert!(plain.is_err(), "{host}: metrics are not for everybody");
    let own = external
        .lab
        .sh(host, "curl -fs --max-time 5 http://127.0.0.1:2381/metrics");
    assert!(own.contains("etcd_server_has_leader 1"), "{host}: {own}");
}
