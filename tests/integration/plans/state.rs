//! The form of a state: `tests/plans/README.md` says what its words mean.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kdiy::cluster::{AddressSpec, Name, Node, ResolvedCluster, Version, VersionSpec};
use kdiy::inventory::load;
use serde::Deserialize;
use serde_json::{Map, Value};

/// A file of `tests/plans`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    /// The state in words.
    pub what: String,
    inventory: PathBuf,
    #[serde(default = "nothing")]
    settings: Value,
    /// Hosts that `--limit` names.
    #[serde(default)]
    pub limit: BTreeSet<Name>,
    /// What hosts are; `all` are so but for what is said of each.
    #[serde(default)]
    hosts: Map<String, Value>,
    /// What API servers list otherwise.
    #[serde(default)]
    pub nodes: BTreeMap<String, Option<ListedNode>>,
    /// The members that stacked etcd lists, where it is asked.
    #[serde(default)]
    pub members: Vec<String>,
    /// What the cluster does not remember.
    #[serde(default)]
    pub lacks: BTreeSet<Lack>,
    /// Whose CAs the state directory has.
    #[serde(default)]
    pub cas: Whose,
    /// Where the inventory is looked for.
    #[serde(skip)]
    folder: PathBuf,
}

/// What a cluster that was set up to the end remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lack {
    /// The network manifest that was applied.
    Manifest,
    /// The settings that it was set up with.
    Settings,
}

/// Whose CAs something has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// This cluster's.
    #[default]
    Own,
    /// Another cluster's of the same name.
    Other,
}

/// How far a host has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Is {
    /// It has all that the inventory says, and is in the cluster.
    #[default]
    Joined,
    /// It has all that the inventory says, and is in no cluster.
    Prepared,
    /// It has nothing; the cluster may still know it.
    Blank,
    /// It has nothing, and the others were set up without it.
    New,
    /// kdiy cannot reach it.
    Unseen,
}

/// What one host is, where that differs from how far it has come.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    #[serde(default)]
    pub is: Is,
    /// Settings that it was last brought to, over those of the state.
    #[serde(default = "nothing")]
    pub applied: Value,
    /// Facts by their key in the answer; `null` takes one away.
    #[serde(default)]
    pub facts: BTreeMap<String, Value>,
    /// `INTERFACE ADDRESS/PREFIX`, in place of its own.
    pub addresses: Option<Vec<String>>,
    /// `PORT PROGRAM`, beside sshd.
    #[serde(default)]
    pub listening: Vec<String>,
    #[serde(default)]
    pub unreachable: Vec<IpAddr>,
    /// What it sees at the endpoint, as the answer has it.
    #[serde(default)]
    pub endpoint: Vec<String>,
    /// What apt knows, as the answer has it.
    #[serde(default)]
    pub software: Vec<String>,
    /// Why its API server does not answer.
    pub silent: Option<String>,
    #[serde(default)]
    pub plane: Plane,
    #[serde(default)]
    pub kubelet: Kubelet,
    #[serde(default)]
    pub etcd: Etcd,
    /// What it has of resources, by `KIND NAME`.
    #[serde(default)]
    pub resources: BTreeMap<String, Has>,
}

/// What is known of a kubelet, where it is not what was applied.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kubelet {
    /// Whether what it was last given is noted.
    pub noted: Option<bool>,
    /// Whether somebody changed its configuration.
    #[serde(default)]
    pub by_hand: bool,
}

/// What runs on a control plane, where it is not what was applied.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plane {
    /// Stage of encryption: `plain`, `reads` or `writes`.
    pub stage: Option<String>,
    /// Arguments of components; `null` takes one, or a component, away.
    #[serde(default)]
    pub running: BTreeMap<String, Option<BTreeMap<String, Option<String>>>>,
    /// Whether what was last applied is noted.
    pub noted: Option<bool>,
    /// Whether the cluster remembers that its secrets were rewritten.
    pub encrypted: Option<bool>,
    /// Names in the certificate of its API server.
    pub server_names: Option<Vec<String>>,
    /// Where admin.conf reaches the API.
    pub reached: Option<String>,
    pub kubelet_access: Option<bool>,
    /// `NAME VERDICT REQUESTOR` of certificate requests that wait.
    #[serde(default)]
    pub requests: Vec<String>,
}

/// What the member of etcd on a host says, where it is not as it has come; of
/// stacked etcd `data`, `runs`, `cluster`, `led`, `learner` and `members`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Etcd {
    pub data: Option<bool>,
    /// `member`, `bootstrapping`, `other` (of another cluster) or `none`.
    pub marker: Option<String>,
    pub runs: Option<bool>,
    /// Whether the distribution's unit runs.
    #[serde(default)]
    pub distribution: bool,
    pub cluster: Option<String>,
    pub version: Option<String>,
    pub led: Option<bool>,
    #[serde(default)]
    pub learner: bool,
    /// Names; `NAME learner` has no vote.
    pub members: Option<Vec<String>>,
    /// Version of the program that the unit names.
    pub program: Option<String>,
    /// Version of the distribution's package.
    pub offered: Option<String>,
}

/// A node as API servers list it, where that differs.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListedNode {
    pub ready: Option<bool>,
    pub version: Option<String>,
    pub runtime: Option<String>,
    pub labels: Option<Vec<String>>,
    pub taints: Option<Vec<String>>,
    pub uid: Option<String>,
    /// /etc/machine-id of its host, as its kubelet says.
    pub machine: Option<String>,
    pub addresses: Option<Vec<IpAddr>>,
}

/// What a host has of one resource.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Has {
    /// `absent`, or of a unit `stopped`.
    Word(Word),
    /// Something else than is wanted.
    Other(Other),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    Absent,
    Stopped,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Other {
    /// Of a file.
    pub text: Option<String>,
    /// Of a file or directory, octal.
    pub mode: Option<String>,
    /// Of a kernel parameter.
    pub value: Option<String>,
    /// Of packages.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
}

impl State {
    /// Reads `FOLDER/NAME.yaml`.
    pub fn read(folder: &Path, name: &str) -> Self {
        let path = folder.join(name).with_extension("yaml");
        Self::from_value(yaml(&path), folder).unwrap_or_else(|error| panic!("{name}.yaml: {error}"))
    }

    /// A state that was not written down.
    pub fn from_value(state: Value, folder: &Path) -> Result<Self, serde_json::Error> {
        let mut state: Self = serde_json::from_value(state)?;
        state.folder = folder.to_owned();
        Ok(state)
    }

    /// The cluster as the inventory says it shall be.
    pub fn wanted(&self) -> ResolvedCluster {
        self.resolved(&nothing(), &BTreeSet::new())
    }

    /// The cluster as a host was last brought to it, without `new` nodes.
    pub fn applied(&self, host: &Host, new: &BTreeSet<String>) -> ResolvedCluster {
        self.resolved(&host.applied, new)
    }

    /// What a host is. A name of the state that no node has is a mistake, see
    /// [`State::check`].
    pub fn host(&self, name: &str) -> Host {
        let of = |key: &str| key == "all" || key.split(' ').any(|word| word == name);
        let mut all = nothing();
        let mut parts: Vec<_> = self.hosts.iter().filter(|(key, _)| of(key)).collect();
        parts.sort_by_key(|(key, _)| *key != "all");
        for (_, part) in parts {
            merge(&mut all, part);
        }
        serde_json::from_value(all).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Every host that the state names is one of the inventory.
    pub fn check(&self, wanted: &ResolvedCluster) {
        let nodes = &wanted.cluster.nodes;
        let known = |word: &str| word == "all" || nodes.iter().any(|n| n.name.as_str() == word);
        let words = self.hosts.keys().flat_map(|key| key.split(' '));
        let unknown: Vec<_> = words.filter(|word| !known(word)).collect();
        assert!(unknown.is_empty(), "no hosts of the inventory: {unknown:?}");
    }

    fn resolved(&self, over: &Value, without: &BTreeSet<String>) -> ResolvedCluster {
        let path = self.folder.join(&self.inventory);
        let mut inventory = read_once(&path);
        merge(&mut inventory, &self.settings);
        merge(&mut inventory, over);
        take_away_nulls(&mut inventory);
        let nodes = inventory["nodes"].as_array_mut().unwrap();
        nodes.retain(|node| !without.contains(node["name"].as_str().unwrap()));
        let beside = path.parent().unwrap();
        // JSON is YAML.
        let text = serde_json::to_string_pretty(&inventory).unwrap();
        RESOLVED.with_borrow_mut(|known| {
            if known.len() > MOST {
                known.clear();
            }
            let made = || resolve(&text, beside);
            let key = (beside.to_owned(), text.clone());
            known.entry(key).or_insert_with(made).clone()
        })
    }
}

/// Clusters that are kept at most.
const MOST: usize = 300;

/// Clusters by the folder and the text of their inventories.
type Resolved = BTreeMap<(PathBuf, String), ResolvedCluster>;

thread_local! {
    /// The simulation asks for the same few again and again.
    static RESOLVED: RefCell<Resolved> = const { RefCell::new(BTreeMap::new()) };
    static READ: RefCell<BTreeMap<PathBuf, Value>> = const { RefCell::new(BTreeMap::new()) };
}

fn read_once(path: &Path) -> Value {
    READ.with_borrow_mut(|known| {
        let known = known.entry(path.to_owned());
        known.or_insert_with(|| yaml(path)).clone()
    })
}

/// The cluster of an inventory, with what only hosts could answer made up.
fn resolve(text: &str, beside: &Path) -> ResolvedCluster {
    let loaded = load(text, &|name| std::fs::read_to_string(beside.join(name)));
    let cluster = loaded.cluster;
    let cluster = cluster.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
    let version = match cluster.version {
        VersionSpec::Exact(version) => version,
        VersionSpec::Minor(major, minor) => Version::new(major, minor, 1),
    };
    let address = |(node, place): (&Node, u8)| {
        let address = match &node.address {
            AddressSpec::Fixed(address) => *address,
            // What only hosts could answer is made up.
            AddressSpec::Interface(_) => IpAddr::from([198, 51, 100, place]),
        };
        (node.name.clone(), address)
    };
    let addresses = cluster.nodes.iter().zip(1..).map(address).collect();
    ResolvedCluster::new(cluster, version, addresses).unwrap()
}

fn yaml(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lays one document over another: mappings are merged, all else is replaced.
fn merge(into: &mut Value, over: &Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            for (key, value) in over {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, over) => *into = over.clone(),
    }
}

/// `null` in what is laid over an inventory takes a setting away.
fn take_away_nulls(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(take_away_nulls);
    }
}

fn nothing() -> Value {
    Value::Object(Map::new())
}
