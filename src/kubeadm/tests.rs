//! Whole documents for several versions, with few and with most settings, and
//! the clusters that the other renderers are tested with.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;

use super::*;
use crate::cluster::*;

const TOKEN: &str = "abcdef.0123456789abcdef";
const PIN: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

/// Three control planes, two workers and a load balancer; nothing else said.
pub(crate) fn few(version: Version) -> ResolvedCluster {
    let nodes = [
        node("cp1", &[Role::ControlPlane]),
        node("cp2", &[Role::ControlPlane]),
        node("cp3", &[Role::ControlPlane]),
        node("w1", &[Role::Worker]),
        node("w2", &[Role::Worker]),
        node("lb1", &[Role::LoadBalancer]),
    ];
    let cluster = Cluster {
        name: name("demo"),
        version: VersionSpec::Exact(version),
        topology: Topology::Stacked,
        endpoint: Endpoint {
            host: EndpointHost::Address("192.0.2.16".parse().unwrap()),
            port: 6443,
        },
        load_balancer: LoadBalancer::Hosts {
            kind: Balancer::Haproxy,
            failover: None,
        },
        nodes: nodes.into(),
        network: Network {
            pod_cidr: "10.244.0.0/16".parse().unwrap(),
            service_cidr: "10.96.0.0/12".parse().unwrap(),
            dns_domain: "cluster.local".into(),
            cni: Cni::Bridge,
        },
        runtime: Runtime::Containerd(Containerd::Packages(Origin::Distribution)),
        cgroup_driver: CgroupDriver::Systemd,
        bootstrap: Bootstrap::Parallel,
        packages: Packages {
            url: "https://packages.example/v1".into(),
            key: PackageKey::Armored("key".into()),
            hold: true,
        },
        images: Images {
            repository: None,
            mirrors: Vec::new(),
            sandbox: None,
            insecure: Vec::new(),
        },
        control_plane: ControlPlane {
            api_server: Component::default(),
            cert_sans: Vec::new(),
            controller_manager: Component::default(),
            controller_manager_election: LeaderElection::default(),
            scheduler: Component::default(),
            scheduler_election: LeaderElection::default(),
            etcd: Component::default(),
            audit: None,
            encryption: Encryption::None,
        },
        kubelet: Component::default(),
        kubelet_serving: KubeletServing::SelfSigned,
        kubelet_client: KubeletClient::Issued,
        kube_proxy: KubeProxy {
            mode: ProxyMode::Iptables,
            extra_config: serde_json::Map::new(),
        },
        kubeadm: Kubeadm::default(),
        http_proxy: None,
    };
    resolve(cluster, version, "192.0.2.1")
}

/// Three hosts of etcd, two control planes, a worker, a load balancer.
pub(crate) fn external(version: Version) -> ResolvedCluster {
    let mut cluster = few(version).cluster;
    cluster.topology = Topology::External(EtcdSource::Archive(EtcdArchive {
        version: external_etcd_version(version.minor),
        url: "https://example.org/etcd-{arch}.tar.gz".to_owned(),
        sha256: None,
    }));
    cluster.nodes = [
        node("e1", &[Role::Etcd]),
        node("e2", &[Role::Etcd]),
        node("e3", &[Role::Etcd]),
        node("cp1", &[Role::ControlPlane]),
        node("cp2", &[Role::ControlPlane]),
        node("w1", &[Role::Worker]),
        node("lb1", &[Role::LoadBalancer]),
    ]
    .into();
    resolve(cluster, version, "192.0.2.1")
}

/// Most of what an inventory can say.
pub(crate) fn most(version: Version) -> ResolvedCluster {
    let mut cluster = few(version).cluster;
    cluster.endpoint = Endpoint {
        host: EndpointHost::Name("api.example.org".into()),
        port: 8443,
    };
    cluster.network.dns_domain = "k8s.example".into();
    cluster.cgroup_driver = CgroupDriver::Cgroupfs;
    cluster.images = Images {
        repository: Some("registry.example:5000/k8s".into()),
        mirrors: vec![
            mirror(
                "registry.k8s.io",
                &["http://192.0.2.250:5000", "https://harbor.example/v2/k8s"],
            ),
            mirror("docker.io", &["https://mirror.example"]),
        ],
        sandbox: Some("registry.example:5000/pause:mine".into()),
        insecure: Vec::new(),
    };
    let plane = &mut cluster.control_plane;
    plane.api_server = Component {
        extra_args: args(&[
            ("audit-log-path", "/var/log/kubernetes/audit.log"),
            ("anonymous-auth", "false"),
            ("service-account-issuer", "https://new.example"),
            ("service-account-issuer", "https://a.example"),
        ]),
        extra_config: config(json!({"extraVolumes": [{
            "name": "audit", "hostPath": "/var/log/kubernetes", "mountPath": "/var/log/kubernetes",
            "pathType": "DirectoryOrCreate",
        }]})),
    };
    plane.cert_sans = vec!["api.internal".into(), "cp1".into()];
    plane.controller_manager.extra_args = args(&[("bind-address", "0.0.0.0")]);
    plane.controller_manager_election.lease_duration = std::time::Duration::from_secs(90);
    plane.scheduler_election.enabled = false;
    plane.etcd = Component {
        extra_args: args(&[("quota-backend-bytes", "8589934592")]),
        extra_config: config(json!({"dataDir": "/srv/etcd", "serverCertSANs": ["etcd.internal"]})),
    };
    cluster.kubelet = Component {
        extra_args: args(&[
            ("v", "4"),
            ("feature-gates", "NodeSwap=true"),
            ("feature-gates", "AllAlpha=false"),
        ]),
        extra_config: config(
            json!({"failSwapOn": false, "evictionHard": {"memory.available": "5%"}}),
        ),
    };
    cluster.kube_proxy.extra_config = config(json!({"conntrack": {"maxPerCore": 0, "min": 0}}));
    cluster.kubeadm = Kubeadm {
        ignore_preflight_errors: vec!["NumCPU".into(), "Mem".into()],
        skip_phases: vec!["addon/coredns".into()],
        patches: [("etcd0+merge.yaml".to_owned(), "spec: {}\n".to_owned())].into(),
    };
    cluster.http_proxy = Some(HttpProxy {
        http: Some("http://user:hunter2@proxy.example:3128".into()),
        https: Some("http://proxy.example:3128".into()),
        no_proxy: vec![".corp.example".into(), "localhost".into()],
    });
    cluster.nodes[1].roles = Roles::new(vec![Role::ControlPlane, Role::Worker]).unwrap();
    cluster.nodes[3].labels = [("disk".to_owned(), "ssd".to_owned())].into();
    cluster.nodes[3].taints = Some(vec![Taint {
        key: "dedicated".into(),
        value: "batch".into(),
        effect: TaintEffect::NoSchedule,
    }]);
    resolve(cluster, version, "192.0.2.1")
}

/// [`few`], all of it IPv6.
pub(crate) fn ipv6(version: Version) -> ResolvedCluster {
    let mut cluster = few(version).cluster;
    cluster.endpoint.host = EndpointHost::Address("2001:db8::16".parse().unwrap());
    cluster.network.pod_cidr = "fd00:244::/56".parse().unwrap();
    cluster.network.service_cidr = "fd00:96::/112".parse().unwrap();
    resolve(cluster, version, "2001:db8::1")
}

/// Nodes get prefix1, prefix2 and so on.
fn resolve(cluster: Cluster, version: Version, prefix: &str) -> ResolvedCluster {
    let places = cluster.nodes.iter().zip(1..);
    let addresses: BTreeMap<Name, IpAddr> = places
        .map(|(node, place)| {
            (
                node.name.clone(),
                format!("{prefix}{place}").parse().unwrap(),
            )
        })
        .collect();
    ResolvedCluster::new(cluster, version, addresses).unwrap()
}

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).unwrap()
}

fn node(text: &str, roles: &[Role]) -> Node {
    Node {
        name: name(text),
        login: Login::to(text),
        address: AddressSpec::Interface("eth1".into()),
        roles: Roles::new(roles.into()).unwrap(),
        labels: BTreeMap::new(),
        taints: None,
    }
}

fn mirror(registry: &str, endpoints: &[&str]) -> RegistryMirror {
    RegistryMirror {
        registry: registry.into(),
        endpoints: endpoints.iter().map(|&url| url.into()).collect(),
    }
}

fn args(pairs: &[(&str, &str)]) -> Arguments {
    let mut all = Arguments::new();
    for &(name, value) in pairs {
        match all.get_mut(name) {
            Some(values) => values.push(value.to_owned()),
            None => drop(all.insert(name.to_owned(), value.into())),
        }
    }
    all
}

fn config(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

/// init on the first control plane, joins of the second and of a worker.
fn documents(resolved: &ResolvedCluster) -> String {
    let nodes = &resolved.cluster.nodes;
    let init = init(resolved, &nodes[0], TOKEN);
    let plane = join(resolved, &nodes[1], TOKEN, PIN);
    let worker = join(resolved, &nodes[3], TOKEN, PIN);
    format!(
        "init\n{}\njoin, control plane\n{}\njoin, worker\n{}",
        *init, *plane, *worker
    )
}

#[test]
fn documents_of_each_version() {
    for (name, version) in [
        ("1_34", Version::new(1, 34, 4)),
        ("1_36", Version::new(1, 36, 3)),
        ("1_37", Version::new(1, 37, 2)),
    ] {
        insta::assert_snapshot!(format!("{name}_few"), documents(&few(version)));
        insta::assert_snapshot!(format!("{name}_most"), documents(&most(version)));
    }
    let version = Version::new(1, 37, 2);
    insta::assert_snapshot!("1_37_ipv6", documents(&ipv6(version)));
}

/// kubeadm refuses a phase that it does not know, so each is told of its own.
#[test]
fn what_is_skipped_is_reported_where_it_counts() {
    let mut resolved = few(Version::new(1, 37, 2));
    let skip = |phases: &[&str]| phases.iter().map(|&phase| phase.into()).collect();
    resolved.cluster.kubeadm.skip_phases = skip(&["addon/kube-proxy", "etcd-join"]);
    let nodes = resolved.cluster.nodes.clone();
    let text = init(&resolved, &nodes[0], TOKEN);
    assert!(
        text.contains("skipPhases:\n- addon/kube-proxy\npatches"),
        "{}",
        *text
    );
    assert!(text.contains("proxy:\n  disabled: true\n"), "{}", *text);
    assert!(!text.contains("dns:"), "{}", *text);
    let text = join(&resolved, &nodes[1], TOKEN, PIN);
    assert!(text.contains("skipPhases:\n- etcd-join\n"), "{}", *text);
    resolved.cluster.kubeadm.skip_phases = skip(&["addon"]);
    let text = init(&resolved, &nodes[0], TOKEN);
    assert!(text.contains("dns:\n  disabled: true\nproxy:\n  disabled: true\n"));
}

/// kubeadm refuses `all` beside names.
#[test]
fn all_checks_are_passed_over_by_that_word_alone() {
    let mut resolved = few(Version::new(1, 37, 2));
    let names = ["NumCPU", "All", "Mem"].map(str::to_owned);
    resolved.cluster.kubeadm.ignore_preflight_errors = names.into();
    let text = init(&resolved, &resolved.cluster.nodes[0], TOKEN);
    assert!(
        text.contains("ignorePreflightErrors:\n  - all\n  imagePullPolicy"),
        "{}",
        *text
    );
}

#[test]
fn the_mode_of_kube_proxy_is_written_out() {
    for (mode, line) in [
        (ProxyMode::Iptables, "\nmode: iptables\n"),
        (ProxyMode::Nftables, "\nmode: nftables\n"),
        (ProxyMode::Ipvs, "\nmode: ipvs\n"),
    ] {
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.kube_proxy.mode = mode;
        let text = init(&resolved, &resolved.cluster.nodes[0], TOKEN);
        assert!(text.contains(line), "{}", *text);
    }
}

#[test]
fn each_runtime_is_named_as_kubeadm_knows_it() {
    let mut resolved = few(Version::new(1, 37, 2));
    resolved.cluster.runtime = Runtime::Docker {
        origin: Origin::Distribution,
        cri_dockerd: Download {
            url: String::new(),
            sha256: String::new(),
        },
    };
    let text = join(&resolved, &resolved.cluster.nodes[3], TOKEN, PIN);
    assert!(text.contains("criSocket: unix:///run/cri-dockerd.sock\n"));
}

#[test]
fn settings_of_the_inventory_win_over_what_is_found_on_a_host() {
    let version = Version::new(1, 37, 2);
    let mut resolved = few(version);
    let found = patches(&resolved, Resolver::SystemdResolved);
    assert_eq!(found.len(), 1);
    assert!(found[0].text.contains("/run/systemd/resolve/resolv.conf"));
    resolved.cluster.kubelet.extra_config = config(json!({"resolvConf": "/etc/pods.conf"}));
    // In the place of a patch that a host has from before.
    let said = patches(&resolved, Resolver::SystemdResolved);
    assert_eq!(said[0].path, found[0].path);
    assert_eq!(
        said[0].text.trim(),
        r#"[{"op":"add","path":"/resolvConf","value":"/etc/pods.conf"}]"#
    );
    let text = init(&resolved, &resolved.cluster.nodes[0], TOKEN);
    assert!(text.contains("resolvConf: /etc/pods.conf"), "{}", *text);
}

/// kubeadm applies patches in the order of their names.
#[test]
fn patches_of_the_inventory_come_after_the_hosts_own() {
    for kind in ["", "+json", "+merge", "+strategic", "-a+json", "0+json"] {
        for end in ["json", "yaml"] {
            let theirs = format!("kubeletconfiguration{kind}.{end}");
            assert!(
                OWN_PATCH <= theirs.as_str(),
                "{theirs} would come before {OWN_PATCH}"
            );
        }
    }
}

#[test]
fn workers_show_their_role() {
    let resolved = most(Version::new(1, 34, 1));
    let labels: Vec<_> = resolved.cluster.nodes.iter().map(node_labels).collect();
    insta::assert_debug_snapshot!("labels", labels[..4]);
}

#[test]
fn patches_are_files_of_their_own() {
    insta::assert_debug_snapshot!(
        "patches",
        patches(&most(Version::new(1, 37, 2)), Resolver::ResolvConf)
    );
}

#[test]
fn kubelets_that_are_configured_anew_keep_their_patches() {
    let resolved = few(Version::new(1, 37, 2));
    let text = kubelet_client::start(&resolved, &resolved.cluster.nodes[0]);
    let patches = "patches:\n  directory: /etc/kubernetes/patches\n";
    assert!(text.contains(patches), "{text}");
}

/// The inventory's volumes stay beside those of the audit log.
#[test]
fn audit_and_encryption_in_the_configuration_of_the_cluster() {
    let mut resolved = few(Version::new(1, 37, 2));
    resolved.cluster.kubelet_serving = KubeletServing::Signed;
    let plane = &mut resolved.cluster.control_plane;
    plane.encryption = Encryption::Secretbox;
    plane.audit = Some(Audit {
        policy: "kind: Policy\n".into(),
        max_age: 30,
        max_backups: 10,
        max_size: 100,
    });
    plane.api_server.extra_config = config(json!({"extraVolumes": [{
        "name": "admission", "hostPath": "/etc/kubernetes/admission",
        "mountPath": "/etc/kubernetes/admission", "readOnly": true,
    }]}));
    insta::assert_snapshot!("audit_and_encryption", documents(&resolved));
}

#[test]
fn external_etcd_is_named_by_its_endpoints() {
    let resolved = external(Version::new(1, 37, 2));
    let text = init(&resolved, &resolved.cluster.nodes[3], TOKEN);
    let section = text.split("\netcd:\n").nth(1).unwrap();
    let section = section.split("---").next().unwrap();
    assert_eq!(
        section,
        "  external:\n    endpoints:\n    - https://192.0.2.11:2379\n    \
         - https://192.0.2.12:2379\n    - https://192.0.2.13:2379\n    \
         caFile: /etc/kubernetes/pki/etcd/ca.crt\n    \
         certFile: /etc/kubernetes/pki/apiserver-etcd-client.crt\n    \
         keyFile: /etc/kubernetes/pki/apiserver-etcd-client.key\n"
    );
}
