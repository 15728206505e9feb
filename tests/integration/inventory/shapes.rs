//! The shapes of clusters: topologies, balancers, runtimes, and what they mean.

use std::path::Path;

use kdiy::cluster::{
    AptSource, Archive, Balancer, Cluster, Containerd, Download, EndpointHost, Failover,
    LoadBalancer, Origin, PackageKey, Role, Runtime, Version, Vip, describe,
};
use kdiy::inventory::{Severity, load};
use proptest::prelude::*;

use super::drawn;

/// An inventory of some nodes and what is written beside them.
fn shape(nodes: &[&str], rest: &str) -> String {
    let numbered = nodes.iter().zip(1..);
    let nodes: String = numbered
        .map(|(roles, number)| {
            format!("  - {{name: n-{number}, ssh: 192.0.2.{number}, roles: [{roles}]}}\n")
        })
        .collect();
    format!(
        "apiVersion: kdiy/v1alpha1\nname: shape\nversion: \"1.34\"\nnodes:\n{nodes}network: {{cni: none}}\n{rest}"
    )
}

fn unread(_: &Path) -> std::io::Result<String> {
    Err(std::io::ErrorKind::NotFound.into())
}

#[test]
fn every_shape_says_what_it_tolerates() {
    const PLANE: &str = "control-plane, worker";
    const BALANCER: &str = "load-balancer";
    let shapes: [(&str, &[&str], &str); 8] = [
        (
            "nginx-and-a-name",
            &[BALANCER, BALANCER, PLANE, PLANE, PLANE],
            "endpoint: api.example.org\nloadBalancer: {kind: nginx, vip: 192.0.2.100}\n",
        ),
        (
            "three-balancers",
            &[BALANCER, BALANCER, BALANCER, PLANE, PLANE, PLANE],
            "endpoint: 192.0.2.100:443\n",
        ),
        (
            "one-balancer-with-vip",
            &[BALANCER, PLANE, PLANE, PLANE],
            "loadBalancer: {kind: haproxy, vip: 192.0.2.100}\n",
        ),
        (
            "external-and-two-planes",
            &[
                BALANCER, PLANE, PLANE, "etcd", "etcd", "etcd", "etcd", "etcd",
            ],
            "topology: external\n",
        ),
        ("external-alone", &[PLANE, "etcd"], "topology: external\n"),
        (
            "external-even",
            &[PLANE, PLANE, "etcd", "etcd"],
            "topology: external\nendpoint: api.example.org\nloadBalancer: local\ncontrolPlane: {etcd: {allowEvenMembers: true}}\n",
        ),
        (
            "external-shared",
            &[
                "control-plane, etcd",
                "control-plane, etcd",
                "etcd",
                "worker",
            ],
            "topology: external\nendpoint: api.example.org\nloadBalancer: {kind: kube-vip, vip: 192.0.2.100}\n",
        ),
        (
            "external-shared-once",
            &[
                "control-plane, etcd",
                PLANE,
                "etcd",
                "etcd",
                BALANCER,
                BALANCER,
            ],
            "topology: external\nendpoint: 192.0.2.100\nloadBalancer: nginx\n",
        ),
    ];
    for (name, nodes, rest) in shapes {
        let text = shape(nodes, rest);
        let loaded = load(&text, &unread);
        let said = drawn(&loaded.findings, name, &text);
        let cluster = loaded.cluster.unwrap_or_else(|| panic!("{said}"));
        insta::assert_snapshot!(name, describe(&cluster));
    }
}

/// What an inventory of one control plane comes to with something beside it.
fn cluster_with(rest: &str) -> Cluster {
    let text = shape(&["control-plane, worker"], rest);
    let loaded = load(&text, &unread);
    let said = drawn(&loaded.findings, "x.yaml", &text);
    loaded.cluster.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn balancers_have_their_defaults() {
    let two = ["load-balancer", "load-balancer", "control-plane, worker"];
    let balancer = |nodes: &[&str], rest: &str| {
        let loaded = load(&shape(nodes, rest), &unread);
        loaded.cluster.expect(rest).load_balancer
    };
    let moved = |kind, address: &str, interface: Option<&str>, router_id| LoadBalancer::Hosts {
        kind,
        failover: Some(Failover {
            vip: Vip {
                address: address.parse().expect("an address"),
                interface: interface.map(str::to_owned),
            },
            router_id,
        }),
    };
    assert_eq!(
        balancer(&two, "endpoint: 192.0.2.100\n"),
        moved(Balancer::Haproxy, "192.0.2.100", None, 100)
    );
    assert_eq!(
        balancer(&two, "endpoint: 198.51.100.0\nloadBalancer: nginx\n"),
        moved(Balancer::Nginx, "198.51.100.0", None, 1),
        "VRRP has no router 0"
    );
    assert_eq!(
        balancer(
            &two,
            "endpoint: a.example.org\nloadBalancer: {kind: nginx, vip: 192.0.2.99, interface: eth1, routerId: 7}\n"
        ),
        moved(Balancer::Nginx, "192.0.2.99", Some("eth1"), 7)
    );
    let one = ["load-balancer", "control-plane, worker"];
    assert_eq!(
        balancer(&one, ""),
        LoadBalancer::Hosts {
            kind: Balancer::Haproxy,
            failover: None
        }
    );
    let local = cluster_with("loadBalancer: local\n");
    assert_eq!(local.load_balancer, LoadBalancer::Local { port: 7443 });
    assert_eq!(local.endpoint.to_string(), "192.0.2.1:6443");
    assert_eq!(local.node_endpoint().to_string(), "127.0.0.1:7443");
    let vip = cluster_with("loadBalancer: {kind: kube-vip, vip: 192.0.2.100}\n");
    assert_eq!(vip.endpoint.to_string(), "192.0.2.100:6443");
    assert!(
        matches!(&vip.load_balancer, LoadBalancer::KubeVip { image, .. } if image.starts_with("ghcr.io/kube-vip/kube-vip:v1."))
    );
    let sooner = cluster_with(
        "loadBalancer: {kind: kube-vip, vip: 192.0.2.100, lease: {leaseDuration: 5s, renewDeadline: 3s, retryPeriod: 1s}}\n",
    );
    let LoadBalancer::KubeVip { lease, .. } = sooner.load_balancer else {
        panic!("{:?}", sooner.load_balancer)
    };
    let times = [lease.duration, lease.renew_deadline, lease.retry_period];
    assert_eq!(times.map(|time| time.as_secs()), [5, 3, 1]);
}

#[test]
fn containerd_comes_from_where_one_likes() {
    let fingerprint = "12".repeat(20);
    let text = format!(
        "runtime: {{kind: containerd, repository: \"https://m.example.org/v{{minor}}\", suite: \"{{codename}} main\", key: {{url: \"https://m.example.org/key\", fingerprint: {fingerprint}}}}}\n"
    );
    assert_eq!(
        cluster_with(&text).runtime,
        Runtime::Containerd(Containerd::Packages(Origin::Repository(AptSource {
            url: "https://m.example.org/v1.34/".to_owned(),
            suite: "{codename} main".to_owned(),
            key: PackageKey::Pinned {
                url: "https://m.example.org/key".to_owned(),
                fingerprint,
            },
        })))
    );
    let sha256 = "ab".repeat(32);
    let url = "https://m.example.org/v2.4.2/containerd-2.4.2-linux-{arch}.tar.gz";
    let text = format!(
        "runtime: {{kind: containerd, archive: {{url: \"{url}\", sha256: {sha256}}}, runc: {{url: \"https://m.example.org/runc.{{arch}}\", sha256: {sha256}}}}}\n"
    );
    let download = |url: &str| Download {
        url: url.to_owned(),
        sha256: sha256.clone(),
    };
    assert_eq!(
        cluster_with(&text).runtime,
        Runtime::Containerd(Containerd::Archive(Archive {
            version: Version::new(2, 4, 2),
            containerd: download(url),
            runc: Some(download("https://m.example.org/runc.{arch}")),
        }))
    );
}

#[test]
fn runtimes_have_their_defaults() {
    let docker = AptSource {
        url: "https://download.docker.com/linux/{os}/".to_owned(),
        suite: "{codename} stable".to_owned(),
        key: PackageKey::Pinned {
            url: "https://download.docker.com/linux/debian/gpg".to_owned(),
            fingerprint: "9DC858229FC7DD38854AE2D88D81803C0EBFCD88".to_owned(),
        },
    };
    assert_eq!(
        cluster_with("").runtime,
        Runtime::Containerd(Containerd::Packages(Origin::Distribution))
    );
    assert_eq!(
        cluster_with("runtime: {kind: containerd, packages: docker}\n").runtime,
        Runtime::Containerd(Containerd::Packages(Origin::Docker(docker)))
    );
    let sha256 = "AB".repeat(32);
    let text = format!(
        "runtime: {{kind: docker, criDockerd: {{url: \"http://m.example.org/c_{{arch}}.deb\", sha256: {sha256}}}}}\n"
    );
    assert_eq!(
        cluster_with(&text).runtime,
        Runtime::Docker {
            origin: Origin::Distribution,
            cri_dockerd: Download {
                url: "http://m.example.org/c_{arch}.deb".to_owned(),
                sha256: sha256.to_lowercase(),
            },
        }
    );
    // Where the key is may depend on the host as the repository does.
    let text = format!(
        "runtime: {{kind: containerd, packages: docker, repository: \"https://m.example.org/{{os}}/\", key: {{url: \"https://m.example.org/{{os}}/{{codename}}/gpg\", fingerprint: {}}}}}\n",
        "12".repeat(20)
    );
    let Runtime::Containerd(Containerd::Packages(Origin::Docker(mirror))) =
        cluster_with(&text).runtime
    else {
        panic!("{text}");
    };
    assert!(
        matches!(&mirror.key, PackageKey::Pinned { url, .. } if url == "https://m.example.org/{os}/{codename}/gpg"),
        "{mirror:?}"
    );
    let text = format!(
        "runtime: {{kind: cri-o, key: {{url: \"https://m.example.org/v{{minor}}/key\", fingerprint: {}}}}}\n",
        "12".repeat(20)
    );
    assert_eq!(
        cluster_with(&text).runtime,
        Runtime::CriO(AptSource {
            url: "https://download.opensuse.org/repositories/isv:/cri-o:/stable:/v1.34/deb/"
                .to_owned(),
            suite: "/".to_owned(),
            key: PackageKey::Pinned {
                url: "https://m.example.org/v1.34/key".to_owned(),
                fingerprint: "12".repeat(20),
            },
        })
    );
}

/// Settings that know of each other, in any combination.
fn combined() -> impl Strategy<Value = String> {
    // What is good comes more than once, so that a fair part comes to a
    // cluster.
    let roles = [
        "control-plane",
        "control-plane",
        "control-plane, worker",
        "worker",
        "etcd",
        "control-plane, etcd",
        "control-plane, load-balancer",
        "worker",
        "etcd",
        "etcd, load-balancer",
        "load-balancer",
    ];
    let endpoints = [
        "",
        "endpoint: api.example.org\n",
        "endpoint: 192.0.2.1\n",
        "endpoint: 192.0.2.100:8443\n",
        "endpoint: 192.0.2.100\n",
        "endpoint: 192.0.2.100\n",
        "endpoint: 10.244.0.1\n",
        "endpoint: \"[2001:db8::1]\"\n",
        "endpoint: nowhere:0\n",
    ];
    let balancers = [
        "",
        "loadBalancer: none\n",
        "loadBalancer: haproxy\n",
        "loadBalancer: {kind: nginx, vip: 192.0.2.100, routerId: 3}\n",
        "loadBalancer: {kind: haproxy, vip: nowhere}\n",
        "loadBalancer: kube-vip\n",
        "loadBalancer: {kind: kube-vip, vip: 192.0.2.100}\n",
        "loadBalancer: local\n",
        "loadBalancer: {kind: local, port: 0}\n",
        "loadBalancer: external\n",
        "loadBalancer: {}\n",
    ];
    let topologies = [
        "",
        "topology: stacked\n",
        "topology: external\n",
        "topology: external\ncontrolPlane: {etcd: {allowEvenMembers: true}}\n",
        "controlPlane: {etcd: {allowEvenMembers: true}}\n",
        "topology: none\n",
    ];
    let runtimes = [
        "",
        "",
        "",
        "",
        "runtime: docker\n",
        "runtime: {kind: docker, packages: docker, criDockerd: {url: https://m.example.org/x.deb, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}}\n",
        "runtime: {kind: containerd, packages: docker, suite: /}\n",
        "runtime: {kind: cri-o, key: key.asc}\n",
        "runtime: cri-o\n",
        "runtime: {key: key.asc}\n",
        "runtime: {kind: containerd, repository: https://m.example.org/, suite: /, key: key.asc}\n",
        "runtime: {kind: containerd, archive: {url: https://m.example.org/containerd-2.4.2-linux-amd64.tar.gz, sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}}\n",
    ];
    let pick = |texts: &[&'static str]| prop::sample::select(texts.to_vec());
    (
        prop::collection::vec(pick(&roles), 1..8),
        pick(&endpoints),
        pick(&balancers),
        pick(&topologies),
        pick(&runtimes),
    )
        .prop_map(|(nodes, endpoint, balancer, topology, runtime)| {
            shape(&nodes, &[endpoint, balancer, topology, runtime].concat())
        })
}

/// What every cluster is, whatever its inventory says.
fn is_sound(cluster: &Cluster) {
    let count = |role| cluster.with_role(role).count();
    assert!(count(Role::ControlPlane) > 0);
    assert!(cluster.etcd_members().count() > 0);
    match &cluster.load_balancer {
        LoadBalancer::None => assert_eq!(count(Role::ControlPlane), 1),
        LoadBalancer::Hosts { failover, .. } => {
            assert!(count(Role::LoadBalancer) > 0);
            assert!(failover.is_some() || count(Role::LoadBalancer) == 1);
        }
        LoadBalancer::KubeVip { .. } => assert_eq!(cluster.endpoint.port, 6443),
        LoadBalancer::Local { port } => assert!(![0, 6443].contains(port)),
        LoadBalancer::External => {}
    }
    if !matches!(cluster.load_balancer, LoadBalancer::Hosts { .. }) {
        assert_eq!(count(Role::LoadBalancer), 0, "a host without work");
    }
    if let (Some(vip), EndpointHost::Address(address)) =
        (cluster.load_balancer.vip(), &cluster.endpoint.host)
    {
        assert_eq!(vip.address, *address, "clients would go elsewhere");
    }
    let tolerance = cluster.tolerance();
    assert!(tolerance.control_planes < count(Role::ControlPlane));
    for line in describe(cluster).lines() {
        assert!(!line.trim().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn combined_settings_are_refused_or_sound(text in combined()) {
        let loaded = load(&text, &|_| Ok("-----BEGIN PGP PUBLIC KEY BLOCK-----".to_owned()));
        let wrong = loaded.findings.iter().any(|finding| finding.severity == Severity::Error);
        prop_assert_eq!(wrong, loaded.cluster.is_none(), "{:?}", loaded.findings);
        if let Some(cluster) = loaded.cluster {
            is_sound(&cluster);
        }
    }
}
