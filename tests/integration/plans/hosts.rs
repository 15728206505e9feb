//! The hosts of a state, as kdiy sees them: probe answers, what they come to,
//! and the plan. All of it by the program's own functions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::OnceLock;

use kdiy::cluster::{Encryption, Name, Node, ResolvedCluster};
use kdiy::execute::compare::Comparison;
use kdiy::execute::trust::trust;
use kdiy::pki::{ClusterCas, SecretboxKey};
use kdiy::plan::facts::{ApiView, ca_hash};
use kdiy::plan::install::{Observed, Trust, blueprint};
use kdiy::plan::observe::Window;
use kdiy::plan::{
    Blueprint, ClusterState, Facts, Observation, Plan, PlanError, Problem, bootstrap,
};
use kdiy::resource::{Answers, Resource};
use kdiy::secret_store::SecretStore;
use kdiy::ui::problems::of_errors;
use secrecy::SecretString;
use time::OffsetDateTime;

use super::answer::{Answer, Asked};
use super::resources::{self, Issuer};
use super::state::{Host, Is, State, Whose};

/// The token of etcd, which is a hash of its authority otherwise.
const TOKEN: &str = "kdiy-0123456789abcdef";

/// What was seen, and what is planned.
pub struct Hosts {
    pub resolved: ResolvedCluster,
    pub trust: Trust,
    /// What is asked, before anything is known.
    pub asked: Blueprint,
    pub comparison: Comparison,
    pub plan: Result<Plan, Vec<PlanError>>,
    limit: Option<BTreeSet<Name>>,
    seen: BTreeSet<Name>,
}

/// CAs that all states share, this cluster's and another's: making keys takes
/// its time.
fn cas() -> &'static ([ClusterCas; 2], OffsetDateTime) {
    static CAS: OnceLock<([ClusterCas; 2], OffsetDateTime)> = OnceLock::new();
    CAS.get_or_init(|| {
        let now = OffsetDateTime::now_utc();
        ([(); 2].map(|()| ClusterCas::generate(now).unwrap()), now)
    })
}

/// What hosts have of resources, by their keys.
pub type Has = BTreeMap<String, Resource>;

fn trusted(resolved: &ResolvedCluster, whose: Whose) -> Trust {
    let [own, other] = &cas().0;
    let cas = match whose {
        Whose::Own => own,
        Whose::Other => other,
    };
    let key = SecretboxKey::from_base64("key", "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=");
    let encrypts = resolved.cluster.control_plane.encryption == Encryption::Secretbox;
    let key = encrypts.then(|| key.unwrap());
    Trust {
        etcd_token: TOKEN.to_owned(),
        ..trust(cas, key.as_ref())
    }
}

/// A host with what it was last brought to.
struct Applied<'a> {
    node: &'a Node,
    host: Host,
    cluster: Rc<ResolvedCluster>,
}

impl Hosts {
    pub fn of(state: &State) -> Self {
        Self::with(state, None)
    }

    /// The same, where it is known what each host `has`, and not what it was
    /// brought to.
    pub fn with(state: &State, known: Option<&BTreeMap<String, Rc<Has>>>) -> Self {
        let resolved = state.wanted();
        state.check(&resolved);
        let trust = trusted(&resolved, state.cas);
        let asked = asked(&resolved, &trust, state.cas);
        let all = applied(state, &resolved);
        let probe = Asked {
            state,
            wanted: &resolved,
            token: TOKEN,
            members: &bootstrap::initial_cluster(&resolved),
            ca: &ca_hash(cas().0[0].kubernetes.certificate()),
            other_ca: &ca_hash(cas().0[1].kubernetes.certificate()),
        };
        let answers: Vec<_> = { all.iter() }
            .map(|one| {
                let hash = bootstrap_hash(&asked, &one.node.name);
                probe.of_the_host(one.node, &one.host, &one.cluster, &hash)
            })
            .collect();
        let parsed = |(answer, api): &(Answer, ApiView)| Facts {
            api: api.clone(),
            ..Facts::parse(&Answers::parse(answer.bytes()).unwrap()).unwrap()
        };
        let parse = known.is_none();
        let facts: BTreeMap<_, _> = { all.iter().zip(&answers) }
            .filter(|_| parse)
            .map(|(one, answer)| (one.node.name.clone(), parsed(answer)))
            .collect();
        let mut had = Had::default();
        let nothing = Rc::new(Has::new());
        let mut seen = BTreeMap::new();
        for (one, (mut answer, api)) in all.iter().zip(answers) {
            let name = &one.node.name;
            let has = match (known, one.host.is) {
                (Some(known), _) => Rc::clone(known.get(name.as_str()).unwrap_or(&nothing)),
                (None, Is::Joined | Is::Prepared) => Rc::new(had.of(&one.cluster, &facts, name)),
                (None, Is::Blank | Is::New | Is::Unseen) => Rc::clone(&nothing),
            };
            let (cas, now) = cas();
            let issuer = Issuer {
                cas: cas.each_ref(),
                now: *now,
            };
            let wanted = asked.resources(name);
            resources::answer(&wanted, &has, &one.host.resources, &issuer, &mut answer);
            let window = Window { from: 0.0, to: 0.0 };
            let observation = Observation::parse(&asked, name, answer.bytes(), window);
            let mut observation = observation.unwrap();
            // The API is asked over connections, and not by the probe.
            observation.facts.api = api;
            seen.insert(name.clone(), observation);
        }
        let names = seen.keys().cloned().collect();
        let mut hosts = Self {
            comparison: Comparison::of(&resolved, &trust, seen),
            resolved,
            trust,
            asked,
            plan: Err(Vec::new()),
            limit: (!state.limit.is_empty()).then(|| state.limit.clone()),
            seen: names,
        };
        hosts.plan = hosts.planned();
        hosts
    }

    /// The plan, made anew.
    pub fn planned(&mut self) -> Result<Plan, Vec<PlanError>> {
        let limit = self.limit.as_ref();
        let mut secrets = SecretStore::new();
        self.comparison
            .plan(&self.resolved, &self.trust, limit, &mut secrets)
    }

    /// How many hosts the plan affects.
    pub fn affected(&self) -> usize {
        let inside = |name: &&Name| {
            self.limit
                .as_ref()
                .is_none_or(|limit| limit.contains(*name))
        };
        self.seen.iter().filter(inside).count()
    }

    /// Reasons not to begin, as `kdiy plan` gathers them.
    pub fn problems(&self) -> Vec<Problem> {
        let refused = self.plan.as_ref().err();
        let refused = refused.into_iter().flat_map(|refused| of_errors(refused));
        self.comparison
            .problems
            .iter()
            .cloned()
            .chain(refused)
            .collect()
    }

    /// What no plan may hold.
    pub fn secrets(&self) -> Vec<SecretString> {
        let files = self.trust.files.iter().filter(|file| file.is_secret());
        let files = files.map(|file| SecretString::from(file.text.clone()));
        files
            .chain([self.trust.failover_password.clone()])
            .chain(self.trust.encryption_key.clone())
            .collect()
    }
}

/// What is asked before anything is known. The simulation asks the same again
/// and again, so the last one is kept.
fn asked(resolved: &ResolvedCluster, trust: &Trust, whose: Whose) -> Blueprint {
    type Last = Option<(ResolvedCluster, Whose, Blueprint)>;
    thread_local! {
        static LAST: RefCell<Last> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if let Some((of, by, asked)) = last
            && of == resolved
            && *by == whose
        {
            return asked.clone();
        }
        let nothing = Observed::default();
        let asked = blueprint(resolved, trust, &nothing, &mut SecretStore::new());
        *last = Some((resolved.clone(), whose, asked.clone()));
        asked
    })
}

/// The hosts that kdiy reaches; those that were brought to the same share it.
fn applied<'a>(state: &State, wanted: &'a ResolvedCluster) -> Vec<Applied<'a>> {
    let hosts = wanted
        .cluster
        .nodes
        .iter()
        .map(|node| (node, state.host(node.name.as_str())));
    let hosts: Vec<_> = hosts.filter(|(_, host)| host.is != Is::Unseen).collect();
    let new = hosts.iter().filter(|(_, host)| host.is == Is::New);
    let new: BTreeSet<_> = new.map(|(node, _)| node.name.to_string()).collect();
    let mut known = BTreeMap::new();
    let mut all = Vec::new();
    for (node, host) in hosts {
        let made = || Rc::new(state.applied(&host, &new));
        let cluster = Rc::clone(known.entry(host.applied.to_string()).or_insert_with(made));
        all.push(Applied {
            node,
            host,
            cluster,
        });
    }
    all
}

/// What blueprints of clusters that were applied have, made once for each.
#[derive(Default)]
struct Had(Vec<(Rc<ResolvedCluster>, [Blueprint; 2])>);

impl Had {
    /// What was applied to a host: as its own blueprint has it now.
    fn of(
        &mut self,
        cluster: &Rc<ResolvedCluster>,
        facts: &BTreeMap<Name, Facts>,
        host: &Name,
    ) -> BTreeMap<String, Resource> {
        let is = |known: &&(Rc<ResolvedCluster>, _)| Rc::ptr_eq(&known.0, cluster);
        if !self.0.iter().any(|known| is(&known)) {
            self.0
                .push((Rc::clone(cluster), blueprints(cluster, facts)));
        }
        let (_, blueprints) = self.0.iter().find(is).expect("it is among them");
        let all = blueprints
            .iter()
            .flat_map(|blueprint| blueprint.resources(host));
        all.map(|resource| (resource.key(), resource.clone()))
            .collect()
    }
}

/// Blueprints of a cluster before and after its hosts are known. The first has
/// what the second leaves out, as one does that waits for etcd.
fn blueprints(cluster: &ResolvedCluster, facts: &BTreeMap<Name, Facts>) -> [Blueprint; 2] {
    let nodes = cluster.cluster.nodes.iter();
    let facts: BTreeMap<_, _> = nodes
        .filter_map(|node| Some((node.name.clone(), facts.get(&node.name)?.clone())))
        .collect();
    let trust = trusted(cluster, Whose::Own);
    let known = Observed {
        cluster_state: ClusterState::of(&cluster.cluster, &facts, &trust),
        facts,
        limit: None,
    };
    [Observed::default(), known]
        .map(|observed| blueprint(cluster, &trust, &observed, &mut SecretStore::new()))
}

/// The hash that marks a control plane's bootstrap: its own script notes it.
fn bootstrap_hash(asked: &Blueprint, host: &Name) -> String {
    let resources = asked.resources(host);
    let scripts = resources.iter().filter_map(|resource| match resource {
        Resource::Command(command) => Some(command.script.as_str()),
        _ => None,
    });
    let noted = |script: &str| {
        Some(
            script
                .rsplit_once("kdiy_progress prepared ")?
                .1
                .get(..16)?
                .to_owned(),
        )
    };
    let mut hashes = scripts.filter_map(noted);
    hashes.next().unwrap_or_default()
}
