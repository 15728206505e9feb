//! From bare hosts to a cluster whose etcd has hosts of its own.

use std::time::{Duration, Instant};

use super::super::figure;
use super::super::writes::Writes;
use super::{External, MEMBERS, VIP};

/// The second control plane comes later: it needs no other etcd, and the
/// balancers learn of it without a restart.
pub fn comes_up(external: &mut External) {
    let whole = external.inventory.clone();
    let late = whole.lines().find(|line| line.contains("name: cp-2"));
    external.inventory = whole.replace(late.expect("its line"), "");
    let began = Instant::now();
    external.kdiy().run(0, &["apply", "--yes"]);
    figure(
        "bring-up of 3 etcd members, a control plane, 2 balancers and a worker",
        began.elapsed(),
    );
    assert_eq!(external.kubectl.ready_nodes(), ["cp-1", "w-1"]);
    external.kdiy().has_nothing_to_do();

    external.inventory = whole;
    let balancer = |host| external.lab.sh(host, "systemctl show -p MainPID haproxy");
    let before = ["lb-1", "lb-2"].map(balancer);
    let others = external.hosts_without(&["cp-2", "lb-1", "lb-2"]);
    let writes = Writes::begin(&external.lab, &external.kubectl);
    let began = Instant::now();
    let kdiy = external.kdiy();
    external
        .lab
        .untouched(&others, || kdiy.run(0, &["apply", "--yes"]));
    figure("one more control plane", began.elapsed());
    let written = writes.end();
    figure("meanwhile: longest time without a write", written.gap);
    assert!(written.gap < Duration::from_secs(3), "{:?}", written.gap);
    assert_eq!(before, ["lb-1", "lb-2"].map(balancer), "haproxy restarted");
    for host in ["lb-1", "lb-2"] {
        let servers = "grep -c '^  server cp-' /etc/haproxy/haproxy.cfg";
        assert_eq!(external.lab.sh(host, servers).trim(), "2", "{host}");
    }
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
systemctl is-enabled kdiy-etcd",
    );
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines, ["700 etcd", "etcd", "enabled"], "{host}");
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
