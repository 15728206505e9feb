//! Answers of hosts: what scripts say here, where most programs are missing,
//! with changes that a hostile host could make.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use kdiy::cluster::{AddressSpec, Cluster, Name, Node, ResolvedCluster, Version, VersionSpec};
use kdiy::draft::vagrant::{Seen, Wish, network, seen};
use kdiy::etcd::{self, keys::Page};
use kdiy::inventory::load;
use kdiy::plan::etcd::MemberQuestions;
use kdiy::plan::facts::{
    EndpointQuestions, HostInfo, Questions, host_info, software, stacked_etcd,
};
use kdiy::plan::install::{Observed, Trust, blueprint};
use kdiy::plan::observe::{Window, script};
use kdiy::plan::{Blueprint, ClusterState, Observation, Plan, preflight, resolve};
use kdiy::secret_store::SecretStore;
use kdiy::shell::Script;
use kdiy::status;
use kdiy::template::HostFile;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::fuzz;
use super::local::texts;
use super::mutate::{Edit, edited, edits};

const TOKEN: &str = "kdiy-0123456789abcdef";
const WINDOW: Window = Window {
    from: 0.0,
    to: 1e10,
};

/// Programs that scripts find; others are missing, as on a blank machine.
const PROGRAMS: &[&str] = &[
    "awk",
    "cat",
    "cut",
    "date",
    "df",
    "grep",
    "head",
    "hostname",
    "id",
    "ls",
    "mkdir",
    "nproc",
    "od",
    "readlink",
    "rm",
    "sed",
    "sh",
    "sha256sum",
    "sort",
    "stat",
    "tail",
    "timeout",
    "tr",
    "uname",
    "wc",
];

/// What a script says in a shell of this machine.
fn said(script: &Script) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for program in PROGRAMS {
        for place in ["/usr/bin", "/bin"] {
            let at = Path::new(place).join(program);
            if at.exists() {
                let _ = std::os::unix::fs::symlink(at, folder.path().join(program));
            }
        }
    }
    let mut shell = Command::new("/bin/sh")
        .env_clear()
        .env("PATH", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let text = script.as_str().as_bytes().to_vec();
    let mut input = shell.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(&text));
    let out = shell.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    out.stdout
}

/// The sections of an answer.
fn sections(output: &[u8]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = output;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        let (name, length) = head.strip_prefix('@').unwrap().rsplit_once(' ').unwrap();
        let length: usize = length.parse().unwrap();
        let body = &rest[end + 1..end + 1 + length];
        found.push((name.to_owned(), String::from_utf8_lossy(body).into_owned()));
        rest = &rest[end + 1 + length + 1..];
    }
    found
}

/// Changes to an answer: to sections, whose lengths are right afterwards, or
/// to the whole.
#[derive(Debug, Clone)]
struct Forgery {
    sections: Vec<(Index, Vec<Edit>)>,
    left_out: Option<Index>,
    whole: Vec<Edit>,
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let whole = prop_oneof![9 => Just(Vec::new()), 1 => edits()];
    let left_out = prop::option::weighted(0.1, any::<Index>());
    let sections = prop::collection::vec((any::<Index>(), edits()), 0..6);
    (sections, left_out, whole).prop_map(|(sections, left_out, whole)| Forgery {
        sections,
        left_out,
        whole,
    })
}

fn forged(honest: &[u8], forgery: &Forgery) -> Vec<u8> {
    let mut parts = sections(honest);
    for (which, edits) in &forgery.sections {
        let at = which.index(parts.len());
        parts[at].1 = edited(&parts[at].1, edits);
    }
    if let Some(which) = &forgery.left_out {
        let at = which.index(parts.len());
        parts.remove(at);
    }
    let text: String = parts
        .iter()
        .map(|(name, text)| format!("@{name} {}\n{text}\n", text.len()))
        .collect();
    edited(&text, &forgery.whole).into_bytes()
}

/// A cluster of the examples and what its hosts say.
#[derive(Debug, Clone)]
struct Site {
    resolved: ResolvedCluster,
    asked: Blueprint,
    answers: BTreeMap<Name, Vec<u8>>,
}

fn trust() -> Trust {
    Trust {
        files: vec![
            HostFile::public("/etc/kubernetes/pki/ca.crt", "certificate\n".to_owned()),
            HostFile::secret("/etc/kubernetes/pki/ca.key", "key".to_owned()),
        ],
        ca_certificate: "certificate\n".to_owned(),
        ca_pin: "sha256:00".to_owned(),
        failover_password: "hunter2x".into(),
        etcd_certificate: "etcd certificate\n".to_owned(),
        etcd_token: TOKEN.to_owned(),
        encryption_key: Some("QUFBQUFBQUFBQUFBQUFBQQ==".to_owned().into()),
    }
}

fn clusters() -> Vec<Cluster> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inventories");
    let all = texts("inventories", "yaml");
    let loaded = all
        .iter()
        .map(|text| load(text, &|path| std::fs::read_to_string(folder.join(path))));
    loaded.map(|loaded| loaded.cluster.unwrap()).collect()
}

fn resolved(cluster: Cluster) -> ResolvedCluster {
    let version = match cluster.version {
        VersionSpec::Exact(version) => version,
        VersionSpec::Minor(major, minor) => Version::new(major, minor, 1),
    };
    let address = |(node, place): (&Node, u8)| match &node.address {
        AddressSpec::Fixed(address) => (node.name.clone(), *address),
        AddressSpec::Interface(_) => (node.name.clone(), [198, 51, 100, place].into()),
    };
    let addresses = cluster.nodes.iter().zip(1..).map(address).collect();
    ResolvedCluster::new(cluster, version, addresses).unwrap()
}

fn questions(resolved: &ResolvedCluster, node: &Node) -> Questions {
    Questions {
        api_server: Some(resolved.address(node)),
        peers: vec![(resolved.address(node), 22)],
        endpoint: EndpointQuestions::of(&resolved.cluster, "certificate\n", node),
        requests: Some(resolved.clone()),
        software: Some(software::Questions::of(resolved)),
        etcd: MemberQuestions::of(resolved, node),
        stacked_etcd: stacked_etcd::client(resolved, node),
    }
}

fn site(cluster: Cluster) -> Site {
    let resolved = resolved(cluster);
    let nothing = Observed::default();
    let asked = blueprint(&resolved, &trust(), &nothing, &mut SecretStore::new());
    let answers = resolved.cluster.nodes.iter().map(|node| {
        let script = script(&asked, &node.name, &questions(&resolved, node));
        (node.name.clone(), said(&script))
    });
    Site {
        answers: answers.collect(),
        asked,
        resolved,
    }
}

/// The plan for hosts that answered so, as far as it goes.
fn plan(site: &Site, answers: &BTreeMap<Name, Vec<u8>>) -> Option<()> {
    let mut seen = BTreeMap::new();
    for (host, output) in answers {
        let observation = Observation::parse(&site.asked, host, output, WINDOW).ok()?;
        seen.insert(host.clone(), observation);
    }
    let facts: BTreeMap<_, _> = seen
        .iter()
        .map(|(host, seen)| (host.clone(), seen.facts.clone()))
        .collect();
    let cluster_state = ClusterState::of(&site.resolved.cluster, &facts, &trust());
    let observed = Observed {
        facts,
        cluster_state,
        limit: None,
    };
    let wanted = blueprint(&site.resolved, &trust(), &observed, &mut SecretStore::new());
    for problem in preflight::problems(&site.resolved, &observed.cluster_state, TOKEN, &seen) {
        assert!(format!("{problem:?}").len() < 100_000);
    }
    if let Ok(plan) = Plan::new(&wanted, &seen, None) {
        serde_json::to_string(&plan).unwrap();
    }
    Some(())
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn answers_to_probes() {
    let sites: Vec<Site> = clusters()
        .into_iter()
        .filter(|cluster| cluster.nodes.len() <= 8)
        .map(site)
        .collect();
    assert!(sites.len() > 4);
    for site in &sites {
        plan(site, &site.answers).expect("an honest answer is understood");
    }
    let cases = (0..sites.len(), any::<Index>(), forgery());
    fuzz(250, &cases, |(which, host, forgery)| {
        let site = &sites[which];
        let mut answers = site.answers.clone();
        let host = host.index(answers.len());
        let answer = answers.values_mut().nth(host).unwrap();
        *answer = forged(answer, &forgery);
        plan(site, &answers);
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn host_infos_and_addresses() {
    let host_info = said(&host_info::script());
    let host = Name::try_from("cp-1".to_owned()).unwrap();
    HostInfo::parse(&host, &host_info, WINDOW).expect("an honest answer is understood");
    let machine = said(&seen::script());
    Seen::parse(&machine).expect("an honest answer is understood");
    fuzz(500, &(forgery(), forgery()), |(one, other)| {
        let _ = HostInfo::parse(&host, &forged(&host_info, &one), WINDOW);
        let machines = [forged(&machine, &one), forged(&machine, &other)];
        let seen: Vec<_> = machines
            .iter()
            .filter_map(|output| Some((host.clone(), Seen::parse(output).ok()?)))
            .collect();
        let _ = network::choose(&seen, &Wish::Guess);
    });
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn answers_about_versions() {
    let mut asked: Vec<(Cluster, BTreeMap<Name, Vec<u8>>)> = Vec::new();
    for cluster in clusters() {
        let said = |node: &Node| (node.name.clone(), said(&resolve::script(&cluster, node)));
        let answers = cluster.nodes.iter().take(2).map(said).collect();
        asked.push((cluster, answers));
    }
    fuzz(
        500,
        &(select(asked), forgery()),
        |((cluster, answers), forgery)| {
            let read = answers.into_iter().filter_map(|(host, honest)| {
                Some((
                    host,
                    resolve::Answer::parse(&forged(&honest, &forgery)).ok()?,
                ))
            });
            let _ = resolve::resolve(&cluster, &read.collect());
        },
    );
}

const ETCD: &[(&str, &str)] = &[
    ("url", "https://192.0.2.1:2379"),
    (
        "status",
        r#"{"header":{"cluster_id":"14841639068965178418","member_id":"10276657743932975437","revision":"811","raft_term":"2"},"version":"3.5.16","dbSize":"20480","dbSizeInUse":"16384","leader":"10276657743932975437","raftIndex":"20","raftTerm":"2","raftAppliedIndex":"20"}"#,
    ),
    (
        "members",
        r#"{"header":{"cluster_id":"1"},"members":[{"ID":"10276657743932975437","name":"cp-1","peerURLs":["https://192.0.2.1:2380"],"clientURLs":["https://192.0.2.1:2379"]},{"ID":"2","name":"cp-2","peerURLs":["https://192.0.2.2:2380"],"isLearner":true}]}"#,
    ),
    ("health", r#"{"health":"true","reason":""}"#),
    (
        "alarms",
        r#"{"alarms":[{"memberID":"1","alarm":"NOSPACE"}]}"#,
    ),
];

const STATUS: &[(&str, &str)] = &[
    ("address", "192.0.2.1"),
    ("installed", "1.34.1"),
    ("clock", "1795270040"),
    ("joined", "yes"),
    (
        "nodes",
        r#"{"items":[{"metadata":{"name":"cp-1","labels":{"node-role.kubernetes.io/control-plane":""}},"spec":{"taints":[]},"status":{"conditions":[{"type":"Ready","status":"True"}],"addresses":[{"type":"InternalIP","address":"192.0.2.1"}],"nodeInfo":{"containerRuntimeVersion":"containerd://1.6.20","kubeletVersion":"v1.34.1"}}}]}"#,
    ),
    (
        "leases",
        r#"{"items":[{"metadata":{"name":"kube-scheduler"},"spec":{"holderIdentity":"cp-1_6","leaseDurationSeconds":20,"renewTime":"2026-11-21T14:07:19.674703Z"}}]}"#,
    ),
    (
        "certificates",
        "/etc/kubernetes/pki/apiserver.crt notAfter=Nov 21 14:07:19 2027 GMT",
    ),
    ("haproxy", "# pxname,svname,status\nkube,cp-1,UP\n"),
    ("vip", ""),
];

fn answer(sections: &[(&str, &str)]) -> Vec<u8> {
    let parts = sections.iter();
    let parts = parts.map(|(name, text)| format!("@{name} {}\n{text}\n", text.len()));
    parts.collect::<String>().into_bytes()
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn answers_about_health() {
    let now = time::OffsetDateTime::from_unix_timestamp(1_795_270_040).unwrap();
    let clusters = clusters();
    let honest = answer(&[STATUS, ETCD].concat());
    let whole = |cluster: &Cluster, node: &Node| {
        let mut output = said(&status::script(cluster, node));
        output.extend(&honest);
        output
    };
    let first: Vec<(Cluster, Vec<u8>)> = clusters
        .into_iter()
        .map(|cluster| {
            let output = whole(&cluster, &cluster.nodes[0]);
            (cluster, output)
        })
        .collect();
    for (cluster, output) in &first {
        status::Answer::parse(cluster, &cluster.nodes[0], output)
            .expect("an honest answer is understood");
    }
    fuzz(
        250,
        &(select(first), forgery(), forgery()),
        |((cluster, honest), one, other)| {
            let hosts = cluster.nodes.iter().zip([&one, &other].into_iter().cycle());
            let hosts = hosts.filter_map(|(node, forgery)| {
                let answer =
                    status::Answer::parse(&cluster, node, &forged(&honest, forgery)).ok()?;
                Some((node.name.clone(), Ok(answer)))
            });
            let picture = status::ClusterStatus::of(&cluster, &hosts.collect(), now);
            serde_json::to_string(&picture).unwrap();
        },
    );
}

#[test]
#[ignore = "run by nothing_that_is_read_panics_or_takes_all_memory"]
fn answers_of_etcd() {
    let honest = answer(ETCD);
    etcd::Answer::parse(&honest).expect("an honest answer is understood");
    let page = r#"{"header":{"revision":"811"},"kvs":[{"key":"L2E="},{"key":"L2I="}],"more":true,"count":"2"}"#;
    Page::parse(page).expect("an honest answer is understood");
    let host = |name: &str, output: &[u8]| etcd::status::Host {
        name: Name::try_from(name.to_owned()).unwrap(),
        address: None,
        answer: etcd::Answer::parse(output).map_err(|error| error.to_string()),
    };
    fuzz(
        700,
        &(forgery(), forgery(), edits()),
        |(one, other, edits)| {
            let hosts = [
                host("cp-1", &forged(&honest, &one)),
                host("cp-2", &forged(&honest, &other)),
                host("cp-3", &honest),
            ];
            serde_json::to_string(&etcd::EtcdStatus::of(&hosts)).unwrap();
            let _ = Page::parse(&edited(page, &edits));
        },
    );
}
