//! A member of an external etcd: its configuration, its unit, its
//! certificates.
//!
//! Facts: `embed.Config` of etcd 3.5 to 3.7. A configuration file puts all
//! flags and variables out of effect, and leaves the JSON gateway off unless
//! it says otherwise. Certificates and keys are read from disk for each new
//! connection, so that new ones need no restart. The gateway logs in to its
//! own member with the server's certificate, which is therefore a client's
//! too.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Serialize;
use serde_json::{Map, Value};

use super::CLIENT_PORT;
use crate::cluster::{EtcdArchive, EtcdSource, Node, ResolvedCluster, Role, Topology, Values};
use crate::kubeadm::{document, nanoseconds};
use crate::resource::{Certificate, Keeping, Subject, Usage, sha256_hex};
use crate::template::{HostFile, NOTICE, render};

/// The unit that runs it.
pub const UNIT: &str = "kdiy-etcd.service";

/// The distribution's own unit, which must never run beside it.
pub const DISTRIBUTION_UNIT: &str = "etcd.service";

/// Its configuration.
pub const CONFIG: &str = "/etc/etcd/kdiy.yaml";

/// Where its data is.
pub const DATA: &str = "/var/lib/etcd";

/// Its certificate of etcd's authority.
pub const CA_FILE: &str = "/etc/etcd/pki/ca.crt";

/// The folder of its certificates.
pub const PKI: &str = "/etc/etcd/pki";

/// The user and group that it runs as.
pub const USER: &str = "etcd";

/// Where members speak to each other.
pub const PEER_PORT: u16 = 2380;

/// The certificate by which API servers log in to etcd.
pub const API_SERVER_CLIENT: [&str; 2] = [
    "/etc/kubernetes/pki/apiserver-etcd-client.crt",
    "/etc/kubernetes/pki/apiserver-etcd-client.key",
];

/// Room for its data: the largest that etcd's authors advise.
const QUOTA: u64 = 8 * 1024 * 1024 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Config {
    name: String,
    data_dir: &'static str,
    listen_peer_urls: String,
    listen_client_urls: String,
    listen_metrics_urls: &'static str,
    initial_advertise_peer_urls: String,
    advertise_client_urls: String,
    // Only itself, and of a cluster that exists: so a member without data asks
    // nobody, bootstraps nothing and fails. Starts with blank data are kdiy's.
    initial_cluster: String,
    initial_cluster_state: &'static str,
    initial_cluster_token: String,
    strict_reconfig_check: bool,
    enable_grpc_gateway: bool,
    quota_backend_bytes: u64,
    auto_compaction_mode: &'static str,
    auto_compaction_retention: &'static str,
    client_transport_security: Security,
    peer_transport_security: Security,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Security {
    cert_file: &'static str,
    key_file: &'static str,
    trusted_ca_file: &'static str,
    client_cert_auth: bool,
}

#[derive(Serialize)]
struct Unit<'a> {
    cluster: &'a str,
    program: String,
    config: &'static str,
}

/// The token of a cluster, made from its etcd authority: members of another
/// cluster have another.
#[must_use]
pub fn token(authority: &str) -> String {
    format!("kdiy-{}", &sha256_hex(authority.trim().as_bytes())[..16])
}

/// The URL at which a member serves the others.
#[must_use]
pub fn peer_url(address: IpAddr) -> String {
    format!("https://{}", SocketAddr::new(address, PEER_PORT))
}

/// The URL at which a member serves its clients.
#[must_use]
pub fn client_url(address: IpAddr) -> String {
    format!("https://{}", SocketAddr::new(address, CLIENT_PORT))
}

/// The folder that a release archive is unpacked to.
#[must_use]
pub fn folder(archive: &EtcdArchive) -> String {
    let hash = archive.sha256.as_ref();
    let hash = hash.map_or_else(String::new, |hash| format!("-{}", &hash[..12]));
    format!("/usr/local/lib/kdiy/etcd-{}{hash}", archive.version)
}

/// Where `etcd`, `etcdctl` or `etcdutl` of an external etcd is on its hosts.
///
/// # Panics
/// When etcd is not external.
#[must_use]
pub fn program(resolved: &ResolvedCluster, name: &str) -> String {
    match &resolved.cluster.topology {
        Topology::Stacked => panic!("{name} of a host was asked for where etcd is stacked"),
        Topology::External(EtcdSource::Distribution) => format!("/usr/bin/{name}"),
        Topology::External(EtcdSource::Archive(archive)) => format!("{}/{name}", folder(archive)),
    }
}

/// Client URLs of all members of an external etcd.
#[must_use]
pub fn endpoints(resolved: &ResolvedCluster) -> Vec<String> {
    let members = resolved.cluster.by_name(Role::Etcd).into_iter();
    members
        .map(|node| client_url(resolved.address(node)))
        .collect()
}

/// The configuration and the unit of the member on a node.
///
/// # Panics
/// When etcd is not external.
#[must_use]
pub fn files(resolved: &ResolvedCluster, node: &Node, authority: &str) -> [HostFile; 2] {
    let unit = Unit {
        cluster: resolved.cluster.name.as_str(),
        program: program(resolved, "etcd"),
        config: CONFIG,
    };
    [
        HostFile::public(CONFIG, config(resolved, node, authority)),
        HostFile::public(
            format!("/etc/systemd/system/{UNIT}"),
            render("etcd/kdiy-etcd.service", &unit),
        ),
    ]
}

fn config(resolved: &ResolvedCluster, node: &Node, authority: &str) -> String {
    let address = resolved.address(node);
    let (peer, client) = (peer_url(address), client_url(address));
    let ours = Config {
        name: node.name.to_string(),
        data_dir: DATA,
        listen_peer_urls: peer.clone(),
        listen_client_urls: client.clone(),
        listen_metrics_urls: "http://127.0.0.1:2381",
        initial_advertise_peer_urls: peer.clone(),
        advertise_client_urls: client,
        initial_cluster: format!("{}={peer}", node.name),
        initial_cluster_state: "existing",
        initial_cluster_token: token(authority),
        strict_reconfig_check: true,
        enable_grpc_gateway: true,
        quota_backend_bytes: QUOTA,
        auto_compaction_mode: "periodic",
        auto_compaction_retention: "8h",
        client_transport_security: security("/etc/etcd/pki/server.crt", "/etc/etcd/pki/server.key"),
        peer_transport_security: security("/etc/etcd/pki/peer.crt", "/etc/etcd/pki/peer.key"),
    };
    let etcd = &resolved.cluster.control_plane.etcd;
    let mut theirs: Map<String, Value> = etcd
        .extra_args
        .iter()
        .map(|(key, values)| (key.clone(), typed(key, values)))
        .collect();
    theirs.extend(etcd.extra_config.clone());
    let document = document::merged(&ours, &theirs);
    format!("{NOTICE}{}", document::yaml(&document).as_str())
}

const fn security(cert_file: &'static str, key_file: &'static str) -> Security {
    Security {
        cert_file,
        key_file,
        trusted_ca_file: CA_FILE,
        client_cert_auth: true,
    }
}

/// What etcd's flags take with commas between and its file as a list.
///
/// Source: the fields of Config in server/embed/config.go of etcd at v3.5.24,
/// v3.6.8 and v3.7.0.
const LISTS: [&str; 2] = ["cipher-suites", "log-outputs"];

/// What etcd's flags take as `10m` and its file in nanoseconds; the source is
/// that of [`LISTS`].
const DURATIONS: [&str; 11] = [
    "backend-batch-interval",
    "compact-hash-check-time",
    "compaction-sleep-interval",
    "corrupt-check-time",
    "downgrade-check-time",
    "grpc-keepalive-interval",
    "grpc-keepalive-min-time",
    "grpc-keepalive-timeout",
    "warning-apply-duration",
    "warning-unary-request-duration",
    "watch-progress-notify-interval",
];

/// Arguments are text; in the file lists, durations, numbers and booleans have
/// their own types.
fn typed(key: &str, values: &Values) -> Value {
    let text = values.last();
    if LISTS.contains(&key) {
        return text.split(',').map(str::trim).collect();
    }
    // What is left out of 3.5's names was an experiment there.
    let name = key.strip_prefix("experimental-").unwrap_or(key);
    let duration = nanoseconds(text).filter(|_| DURATIONS.contains(&name));
    match duration.and_then(|all| u64::try_from(all).ok()) {
        Some(all) => all.into(),
        None => scalar(text),
    }
}

fn scalar(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return number.into();
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::String(text.to_owned()),
    }
}

/// What a member serves clients with, speaks to the others with, and what the
/// health check logs in with.
#[must_use]
pub fn certificates(resolved: &ResolvedCluster, node: &Node, authority: &str) -> [Certificate; 3] {
    let name = node.name.as_str();
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let serving = Subject {
        common_name: name.to_owned(),
        organizations: BTreeSet::new(),
        usages: [Usage::Client, Usage::Server].into(),
        names: [name.to_owned(), "localhost".to_owned()].into(),
        addresses: [resolved.address(node)]
            .into_iter()
            .chain(loopback)
            .collect(),
    };
    let leaf = |file: &str, subject: &Subject, group: Option<&str>| Certificate {
        path: format!("{PKI}/{file}.crt"),
        keeping: Keeping::Apart {
            key: format!("{PKI}/{file}.key"),
            group: group.map(str::to_owned),
        },
        subject: subject.clone(),
        authority: authority.to_owned(),
        host: name.to_owned(),
    };
    let health = Subject::client("kube-etcd-healthcheck-client");
    [
        leaf("server", &serving, Some(USER)),
        leaf("peer", &serving, Some(USER)),
        leaf("healthcheck-client", &health, None),
    ]
}

/// What the API server of a node logs in to an external etcd with.
#[must_use]
pub fn api_server_client(node: &Node, authority: &str) -> Certificate {
    let [path, key] = API_SERVER_CLIENT.map(str::to_owned);
    Certificate {
        path,
        keeping: Keeping::Apart { key, group: None },
        subject: Subject::client("kube-apiserver-etcd-client"),
        authority: authority.to_owned(),
        host: node.name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::external;

    const VERSION: Version = Version::new(1, 34, 1);

    #[test]
    fn the_configuration_and_the_unit() {
        let resolved = external(VERSION);
        let [config, unit] = files(&resolved, &resolved.cluster.nodes[0], "authority");
        insta::assert_snapshot!("config", config.text);
        insta::assert_snapshot!("unit", unit.text);
    }

    #[test]
    fn arguments_of_the_inventory_have_their_types_in_the_file() {
        let mut resolved = external(VERSION);
        resolved.cluster.control_plane.etcd.extra_args = [
            ("quota-backend-bytes", "4294967296"),
            ("enable-pprof", "true"),
            ("auto-compaction-retention", "1h"),
            ("log-outputs", "stderr, /var/log/etcd.log"),
            ("watch-progress-notify-interval", "1m30s"),
            ("experimental-corrupt-check-time", "1h"),
        ]
        .map(|(key, value)| (key.to_owned(), value.into()))
        .into();
        let text = config(&resolved, &resolved.cluster.nodes[0], "authority");
        for line in [
            "quota-backend-bytes: 4294967296\n",
            "enable-pprof: true\n",
            "auto-compaction-retention: 1h\n",
            "\nwatch-progress-notify-interval: 90000000000\n",
            "experimental-corrupt-check-time: 3600000000000\n",
            "log-outputs:\n- stderr\n- /var/log/etcd.log\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn an_archive_has_a_folder_of_its_own() {
        let mut resolved = external(VERSION);
        assert_eq!(
            program(&resolved, "etcdutl"),
            "/usr/local/lib/kdiy/etcd-3.6.16/etcdutl"
        );
        resolved.cluster.topology = Topology::External(EtcdSource::Archive(EtcdArchive {
            version: Version::new(3, 6, 16),
            url: "https://example.org/etcd-v3.6.16-linux-{arch}.tar.gz".to_owned(),
            sha256: Some("0123456789abcdef".repeat(4)),
        }));
        let [_, unit] = files(&resolved, &resolved.cluster.nodes[0], "authority");
        let start = "ExecStart=/usr/local/lib/kdiy/etcd-3.6.16-0123456789ab/etcd --config-file";
        assert!(unit.text.contains(start), "{}", unit.text);
    }

    #[test]
    fn a_token_does_not_hang_on_a_line_break() {
        assert_eq!(token("certificate\n"), token("certificate"));
        assert_ne!(token("certificate"), token("another"));
    }
}
