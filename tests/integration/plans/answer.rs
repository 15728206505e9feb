//! The answer of one host to a probe, section by section, but for resources.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1 as core;
use kdiy::api::nodes;
use kdiy::cluster::{
    EtcdSource, KubeletServing, ManifestSource, Node, ResolvedCluster, Role, Topology, change,
    external_etcd_version,
};
use kdiy::etcd::member;
use kdiy::kubeadm::{
    ETCD, Resolver, Settings, Stage, kubelet_settings, node_labels, plane_settings,
};
use kdiy::plan::facts::plane::{KUBELET_ROLE, KUBELET_USER};
use kdiy::plan::facts::{ApiView, NodeView};
use kdiy::resource::sha256_hex;
use serde_json::{Value, json};

use super::state::{Etcd, Host, Is, Lack, ListedNode, State};

/// An answer in the probe's form.
#[derive(Default)]
pub struct Answer(String);

impl Answer {
    pub fn section(&mut self, name: &str, text: &str) {
        self.0
            .push_str(&format!("@{name} {}\n{text}\n", text.len()));
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What the answers of all hosts of a state are made of.
pub struct Asked<'a> {
    pub state: &'a State,
    /// The cluster as it shall be.
    pub wanted: &'a ResolvedCluster,
    /// The cluster's own token of etcd.
    pub token: &'a str,
    /// The initial cluster of etcd.
    pub members: &'a str,
    /// The hash of the CA that joined kubelets trust.
    pub ca: &'a str,
    /// The hash of another cluster's.
    pub other_ca: &'a str,
}

impl Asked<'_> {
    /// All sections about one host itself, and what its API server says. `applied` is what it was last
    /// brought to, and `hash` marks its bootstrap.
    pub fn of_the_host(
        &self,
        node: &Node,
        host: &Host,
        applied: &ResolvedCluster,
        hash: &str,
    ) -> (Answer, ApiView) {
        let mut answer = Answer::default();
        let one = One {
            asked: self,
            node,
            host,
            applied,
            hash,
        };
        one.sections(&mut answer);
        (answer, one.api())
    }
}

/// One host, and what its answer is made of.
struct One<'a> {
    asked: &'a Asked<'a>,
    node: &'a Node,
    host: &'a Host,
    applied: &'a ResolvedCluster,
    hash: &'a str,
}

impl One<'_> {
    fn sections(&self, answer: &mut Answer) {
        answer.section("facts", &self.facts());
        answer.section("kubelet", &self.kubelet());
        answer.section("addresses", &self.addresses());
        answer.section("listening", &self.listening());
        let peers: Vec<_> = { self.host.unreachable.iter() }
            .map(ToString::to_string)
            .collect();
        answer.section("peers", &peers.join("\n"));
        answer.section("endpoint", &self.host.endpoint.join("\n"));
        answer.section("software", &self.host.software.join("\n"));
        answer.section("etcd", &self.etcd());
        answer.section("stacked-etcd", &self.stacked_etcd());
        if self.is_joined_plane() {
            self.plane(answer);
        }
    }

    fn is_joined(&self) -> bool {
        self.host.is == Is::Joined
    }

    fn facts(&self) -> String {
        let name = self.node.name.as_str();
        let (machine, product) = (format!("machine-{name}"), format!("product-{name}"));
        let mut facts = vec![
            ("clock", "0"),
            ("os", "debian"),
            ("os-version", "12"),
            ("os-codename", "bookworm"),
            ("arch", "x86_64"),
            ("hostname", name),
            ("machine-id", &machine),
            ("product-uuid", &product),
            ("cpus", "2"),
            ("memory", "4000000"),
            ("capabilities", "000001ffffffffff"),
            ("disk", "10000000"),
            ("systemd", "yes"),
            ("apt", "yes"),
            ("cgroups", "cgroup2fs"),
        ];
        if self.is_joined() && self.node.runs_kubelet() {
            facts.push(("kubelet", "yes"));
            facts.push(("kubelet-client", "yes"));
            facts.push(("ca", self.asked.ca));
            if self.node.roles.has(Role::ControlPlane) {
                facts.push(("api-server", "yes"));
            }
            if self.applied.cluster.kubelet_serving == KubeletServing::Signed {
                facts.push(("signed-serving", "yes"));
            }
        }
        facts.retain(|(key, _)| !self.host.facts.contains_key(*key));
        let lines = facts.iter().map(|(key, value)| format!("{key} {value}\n"));
        let mut text: String = lines.collect();
        for (key, value) in &self.host.facts {
            match value {
                Value::Null => {}
                Value::String(value) => text.push_str(&format!("{key} {}\n", self.filled(value))),
                value => text.push_str(&format!("{key} {value}\n")),
            }
        }
        text
    }

    /// What only the plan knows, filled in.
    fn filled(&self, text: &str) -> String {
        text.replace("{hash}", self.hash)
            .replace("{ca}", self.asked.ca)
            .replace("{other-ca}", self.asked.other_ca)
            .replace("{members}", self.asked.members)
    }

    fn addresses(&self) -> String {
        let own = || vec![format!("eth0 {}/24", self.asked.wanted.address(self.node))];
        let all = self.host.addresses.clone().unwrap_or_else(own);
        let line = |text: &String| {
            let (interface, address) = text.split_once(' ').expect("INTERFACE ADDRESS/PREFIX");
            let family = if address.contains(':') {
                "inet6"
            } else {
                "inet"
            };
            format!("2: {interface}    {family} {address} scope global {interface}\n")
        };
        all.iter().map(line).collect()
    }

    fn listening(&self) -> String {
        let all = self.host.listening.iter().map(String::as_str);
        let line = |text: &str| {
            let (port, program) = text.split_once(' ').expect("PORT PROGRAM");
            let users = format!("users:((\"{program}\",pid=1,fd=3))");
            format!("LISTEN 0 128 0.0.0.0:{port} 0.0.0.0:* {users}\n")
        };
        all.chain(["22 sshd"]).map(line).collect()
    }

    fn etcd(&self) -> String {
        if !self.asked.wanted.runs_external_etcd(self.node) {
            return String::new();
        }
        let etcd = &self.host.etcd;
        let serves = self.is_joined();
        let mut lines = vec!["asked".to_owned()];
        let mut line = |is: bool, text: String| lines.extend(is.then_some(text));
        line(etcd.data.unwrap_or(serves), "data yes".to_owned());
        let marker = match etcd.marker.as_deref() {
            None if serves => Some(format!("marker member {}", self.asked.token)),
            None | Some("none") => None,
            Some("other") => Some("marker member kdiy-0000000000000000".to_owned()),
            Some(word) => Some(format!("marker {word} {}", self.asked.token)),
        };
        line(marker.is_some(), marker.unwrap_or_default());
        let runs = etcd.runs.unwrap_or(serves);
        line(runs, "runs yes".to_owned());
        line(etcd.distribution, "distribution yes".to_owned());
        for (key, version) in [("program", &etcd.program), ("offered", &etcd.offered)] {
            line(
                version.is_some(),
                format!("{key} {}", version.as_deref().unwrap_or_default()),
            );
        }
        let names = etcd.members.clone().unwrap_or_else(|| self.member_names());
        let members = self.listed(&names);
        line(runs, format!("status {}", self.etcd_status(etcd, &members)));
        line(runs, format!("members {members}"));
        lines.join("\n")
    }

    fn etcd_status(&self, etcd: &Etcd, members: &Value) -> Value {
        let version = match &self.applied.cluster.topology {
            Topology::External(EtcdSource::Archive(archive)) => archive.version,
            _ => external_etcd_version(self.applied.version.minor),
        };
        json!({
            "header": {"cluster_id": etcd.cluster.as_deref().unwrap_or("7"), "member_id": self.own_id(members)},
            "version": etcd.version.clone().unwrap_or_else(|| version.to_string()),
            "leader": if etcd.led.unwrap_or(true) { "2" } else { "0" },
            "isLearner": etcd.learner,
        })
    }

    /// The members of etcd as it was applied.
    fn member_names(&self) -> Vec<String> {
        let members = self.applied.cluster.etcd_members();
        members.map(|node| node.name.to_string()).collect()
    }

    /// The id of the member on this host, where it is listed.
    fn own_id(&self, members: &Value) -> Value {
        let all = members["members"].as_array().unwrap();
        let own = all
            .iter()
            .find(|member| member["name"] == self.node.name.as_str());
        own.map_or(json!("99"), |own| own["ID"].clone())
    }

    /// Members as etcd's JSON gateway lists them: `NAME`, `NAME learner`, both
    /// also with `at ADDRESS`; `-` has never started.
    fn listed(&self, names: &[String]) -> Value {
        let nodes = &self.asked.wanted.cluster.nodes;
        let member = |(text, id): (&String, u32)| {
            let words: Vec<_> = text.split(' ').collect();
            let (name, learner, at) = match words[..] {
                [name] => (name, false, None),
                [name, "learner"] => (name, true, None),
                [name, "at", at] => (name, false, Some(at)),
                [name, "learner", "at", at] => (name, true, Some(at)),
                _ => panic!("{text:?} is no member"),
            };
            let node = nodes.iter().find(|node| node.name.as_str() == name);
            let own = || Some(self.asked.wanted.address(node?));
            let address = at.map(|at| at.parse().unwrap()).or_else(own);
            let urls: Vec<_> = address.into_iter().map(member::peer_url).collect();
            let name = if name == "-" { "" } else { name };
            json!({"ID": id.to_string(), "name": name, "peerURLs": urls, "isLearner": learner})
        };
        let members: Vec<_> = names.iter().zip(1..).map(member).collect();
        json!({"header": {}, "members": members})
    }

    /// The member of stacked etcd on a control plane. One whose API server is
    /// silent does not answer either.
    fn stacked_etcd(&self) -> String {
        let stacked = self.asked.wanted.cluster.topology == Topology::Stacked;
        if !stacked || !self.is_joined_plane() {
            return String::new();
        }
        let etcd = &self.host.etcd;
        let of_all = || match self.asked.state.members.is_empty() {
            true => self.member_names(),
            false => self.asked.state.members.clone(),
        };
        let members = self.listed(&etcd.members.clone().unwrap_or_else(of_all));
        let led = etcd.led.unwrap_or(true);
        let status = json!({
            "header": {
                "cluster_id": etcd.cluster.as_deref().unwrap_or("7"),
                "member_id": self.own_id(&members),
            },
            "leader": if led { "2" } else { "0" },
            "isLearner": etcd.learner,
        });
        let mut text = String::new();
        if etcd.data.unwrap_or(true) {
            text.push_str("data yes\n");
        }
        if etcd.runs.unwrap_or(self.host.silent.is_none()) {
            text.push_str(&format!("status {status}\nmembers {members}\n"));
        }
        text
    }

    fn is_joined_plane(&self) -> bool {
        self.node.roles.has(Role::ControlPlane) && self.is_joined()
    }

    /// What its API server says.
    fn api(&self) -> ApiView {
        if !self.is_joined_plane() {
            return ApiView::Absent;
        }
        if let Some(why) = &self.host.silent {
            return ApiView::Silent(why.clone());
        }
        let kubelets: Vec<_> = self.applied.cluster.kubelets().collect();
        let own = kubelets.iter().map(|node| node.name.as_str());
        let others = self.asked.state.nodes.keys().map(String::as_str);
        let mut names: Vec<_> = own.chain(others).collect();
        let mut listed = BTreeSet::new();
        names.retain(|name| listed.insert(*name));
        let of = |name: &&str| {
            kubelets
                .iter()
                .copied()
                .find(|node| node.name.as_str() == *name)
        };
        let nodes = names
            .iter()
            .filter_map(|name| self.listed_node(name, of(name)));
        let manifest = kdiy::cni::manifest(&self.applied.cluster.network.cni);
        let has = |lack: Lack| !self.asked.state.lacks.contains(&lack);
        let manifest = manifest.filter(|_| has(Lack::Manifest));
        ApiView::Nodes {
            nodes: nodes.collect(),
            manifest: manifest.map(|manifest| match manifest {
                ManifestSource::File { text, .. } => sha256_hex(text.as_bytes()),
                ManifestSource::Url(url) => sha256_hex(url.as_bytes()),
            }),
            settings: has(Lack::Settings).then(|| change::remembered(self.applied)),
        }
    }

    /// A node as the API server lists it, with its labels and taints.
    fn listed_node(&self, name: &str, node: Option<&Node>) -> Option<NodeView> {
        let nothing = ListedNode::default();
        let other = match self.asked.state.nodes.get(name) {
            Some(None) => return None,
            Some(Some(other)) => other,
            None => &nothing,
        };
        let version = || format!("v{}", self.applied.version);
        let labels = || {
            let labels = node.into_iter().flat_map(node_labels);
            let mut labels: Vec<_> = labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            if node.is_some_and(|node| node.roles.has(Role::ControlPlane)) {
                labels.push("node-role.kubernetes.io/control-plane=".to_owned());
            }
            labels
        };
        let taints = || {
            let taints = node
                .into_iter()
                .flat_map(|node| node.taints.iter().flatten());
            taints.map(ToString::to_string).collect()
        };
        let addresses = || {
            let own = node.map(|node| self.asked.wanted.address(node));
            own.into_iter().collect()
        };
        let text = |text: &Option<String>, default: &dyn Fn() -> String| {
            text.clone().unwrap_or_else(default)
        };
        let labels: BTreeMap<_, _> = { other.labels.clone().unwrap_or_else(labels) }
            .into_iter()
            .map(|label| {
                let (key, value) = label.split_once('=').expect("KEY=VALUE");
                (key.to_owned(), value.to_owned())
            })
            .collect();
        let taints: Vec<_> = { other.taints.clone().unwrap_or_else(taints) }
            .into_iter()
            .map(|taint| {
                let (key, rest) = taint.split_once('=').expect("KEY=VALUE:EFFECT");
                let (value, effect) = rest.rsplit_once(':').expect("KEY=VALUE:EFFECT");
                json!({"key": key, "value": value, "effect": effect})
            })
            .collect();
        let addresses: Vec<_> = { other.addresses.clone().unwrap_or_else(addresses) }
            .into_iter()
            .map(|address| json!({"type": "InternalIP", "address": address.to_string()}))
            .collect();
        let ready = match other.ready.unwrap_or(true) {
            true => "True",
            false => "False",
        };
        let nothing = String::new();
        let object = json!({
            "metadata": {
                "name": name,
                "uid": text(&other.uid, &|| format!("uid-{name}")),
                "labels": labels,
            },
            "spec": {"taints": taints},
            "status": {
                "conditions": [{"type": "Ready", "status": ready}],
                "addresses": addresses,
                "nodeInfo": {
                    "machineID": text(&other.machine, &|| format!("machine-{name}")),
                    "kubeletVersion": text(&other.version, &version),
                    "containerRuntimeVersion":
                        text(&other.runtime, &|| "containerd://2.1.4".to_owned()),
                    "architecture": nothing, "bootID": nothing, "kernelVersion": nothing,
                    "kubeProxyVersion": nothing, "operatingSystem": nothing,
                    "osImage": nothing, "systemUUID": nothing,
                },
            },
        });
        let object: core::Node = serde_json::from_value(object).unwrap();
        Some(NodeView::from(nodes::Node::from(object)))
    }

    /// What the kubelet was last given, and a file that is as it was, or not.
    fn kubelet(&self) -> String {
        let kubelet = &self.host.kubelet;
        let noted = kubelet.noted.unwrap_or(true);
        if !self.is_joined() || !self.node.runs_kubelet() || !noted {
            return String::new();
        }
        let resolver = match self.host.facts.contains_key("resolved") {
            true => Resolver::SystemdResolved,
            false => Resolver::ResolvConf,
        };
        let note = kubelet_settings(self.applied, self.node, resolver).note();
        let file = "/var/lib/kubelet/config.yaml";
        let now = if kubelet.by_hand { "other" } else { "same" };
        format!("{note}\nsame  {file}\nnow\n{now}  {file}")
    }

    fn plane(&self, answer: &mut Answer) {
        let plane = &self.host.plane;
        let stage = match plane.stage.as_deref() {
            None => Stage::wanted(self.applied.cluster.control_plane.encryption),
            Some("plain") => Stage::Plain,
            Some("reads") => Stage::Reads,
            Some("writes") => Stage::Writes,
            Some(other) => panic!("{other} is no stage"),
        };
        let settings = plane_settings(self.applied, stage);
        let processes = settings
            .iter()
            .filter(|(name, _)| *name != ETCD)
            .map(|(name, settings)| self.process(name, settings));
        answer.section("processes", &processes.collect::<String>());
        let noted = serde_json::to_string(&settings).unwrap();
        answer.section(
            "last_applied",
            if plane.noted.unwrap_or(true) {
                &noted
            } else {
                ""
            },
        );
        let reached = self.applied.cluster.node_endpoint().to_string();
        answer.section("reached", plane.reached.as_deref().unwrap_or(&reached));
        let certificate = plane.server_names.as_ref().map(|names| {
            let key = rcgen::KeyPair::generate().unwrap();
            let names = rcgen::CertificateParams::new(names.clone()).unwrap();
            names.self_signed(&key).unwrap().pem()
        });
        answer.section("server-certificate", &certificate.unwrap_or_default());
        let encrypted = plane.encrypted.unwrap_or(stage == Stage::Writes);
        answer.section("encrypted", if encrypted { "secretbox" } else { "" });
        let access = format!("{KUBELET_ROLE} {KUBELET_USER}");
        answer.section(
            "kubelet-access",
            if plane.kubelet_access.unwrap_or(true) {
                &access
            } else {
                ""
            },
        );
        answer.section("requests", &plane.requests.join("\n"));
    }

    /// A process of the control plane with its arguments.
    fn process(&self, name: &str, settings: &Settings) -> String {
        let none = Default::default();
        let other = match self.host.plane.running.get(name) {
            Some(None) => return String::new(),
            Some(Some(other)) => other,
            None => &none,
        };
        let mut text = format!("process {name}\n");
        let own = settings
            .arguments
            .iter()
            .filter(|(key, _)| !other.contains_key(*key));
        for (key, values) in own {
            text.extend(
                values
                    .iter()
                    .map(|value| format!("argument --{key}={value}\n")),
            );
        }
        let given = other
            .iter()
            .filter_map(|(key, value)| Some((key, value.as_ref()?)));
        text.extend(given.map(|(key, value)| format!("argument --{key}={value}\n")));
        text
    }
}
