//! Asking all hosts how the cluster is: one exec for each, side by side, and
//! one more to compare them with the inventory. Nothing is changed, here or
//! there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::survey::{self, Connections, HostError, HostErrors};
use super::{Event, compare, trust};
use crate::api::Credentials;
use crate::cluster::{Cluster, Encryption, Name, Node, ResolvedCluster};
use crate::pki::{ClusterCas, SecretboxKey};
use crate::plan::resolve;
use crate::secret_store::SecretStore;
use crate::state::{self, State};
use crate::status::rows::NodeState;
use crate::status::{self, Answer, ClusterStatus, Drift, Hosts, Unreachable};
use crate::transport::{Connector, User};

/// How long a host may take to answer: its questions have limits of their own,
/// so it hangs then.
const LIMIT: Duration = Duration::from_secs(20);

/// The connections that stand; those that broke are made anew at the next
/// look.
pub struct Observer<'a, C: Connector> {
    cluster: &'a Cluster,
    connector: &'a C,
    width: usize,
    connections: Connections<C::Connection>,
}

impl<'a, C: Connector> Observer<'a, C> {
    /// Connects to nobody yet.
    pub fn new(cluster: &'a Cluster, connector: &'a C, width: usize) -> Self {
        Self {
            cluster,
            connector,
            width,
            connections: Connections::new(),
        }
    }

    /// Asks all hosts; one that cannot be asked is among the answers.
    pub async fn ask(&mut self, events: &UnboundedSender<Event>) -> Hosts {
        let nodes: Vec<_> = self.cluster.nodes.iter().collect();
        let results = survey::side_by_side(&nodes, self.width, async |node: &&Node| {
            Ok((node.name.clone(), self.ask_one(node, events).await))
        })
        .await;
        let (answers, _) = survey::split(&nodes, results);
        let mut hosts = Hosts::new();
        for (name, result) in answers {
            let answer = match result {
                Ok((connection, answer)) => {
                    self.connections.insert(name.clone(), connection);
                    answer.map_err(unreachable)
                }
                Err(host_error) => {
                    self.connections.remove(&name);
                    Err(unreachable(host_error))
                }
            };
            hosts.insert(name, answer);
        }
        hosts
    }

    /// The connection and what came over it, or why there is none.
    async fn ask_one(
        &self,
        node: &Node,
        events: &UnboundedSender<Event>,
    ) -> Result<(Arc<C::Connection>, Result<Answer, HostError>), HostError> {
        let host = node.name.clone();
        let began = Instant::now();
        let connection = match self.connections.get(&node.name) {
            Some(connection) => Arc::clone(connection),
            None => survey::connect_one(self.connector, node, events).await?,
        };
        let script = status::script(self.cluster, node);
        let output = survey::ask_within(connection.as_ref(), &script, User::Root, LIMIT).await?;
        let took = began.elapsed();
        let _ = events.send(Event::Observed { host, took });
        let answer = Answer::parse(self.cluster, node, &output).map_err(HostError::from);
        Ok((connection, answer))
    }

    /// What `kdiy plan` would change on the hosts that answered.
    pub async fn drift(
        &self,
        hosts: &Hosts,
        cluster_status: &ClusterStatus,
        kept: &Kept,
        events: &UnboundedSender<Event>,
    ) -> Drift {
        let (cas, encryption) = match kept {
            Kept::Here { cas, encryption } => (cas, encryption),
            Kept::Elsewhere => {
                return Drift::unknown(
                    "the cluster's authorities are not kept beside this inventory; kdiy plan \
                     reads them back from a control plane",
                );
            }
            Kept::Unusable(why) => return Drift::unknown(why),
        };
        if cluster_status
            .nodes
            .iter()
            .all(|row| row.state == NodeState::Unknown)
        {
            // What hosts say of themselves means little then.
            return Drift::unknown("no API server tells which nodes the cluster has");
        }
        let resolved = match resolve(self.cluster, hosts, cluster_status) {
            Ok(resolved) => resolved,
            Err(why) => return Drift::unknown(why.to_string()),
        };
        let trust = trust::trust(cas, encryption.as_ref());
        let credentials = match Credentials::issue(&cas.kubernetes, OffsetDateTime::now_utc()) {
            Ok(credentials) => credentials,
            Err(why) => return Drift::unknown(why.to_string()),
        };
        let (connections, width) = (&self.connections, self.width);
        let (mut comparison, host_errors) =
            compare::look(&resolved, &trust, &credentials, connections, width, events).await;
        let seen: BTreeSet<_> = comparison.observed.facts.keys().cloned().collect();
        let names = self.cluster.nodes.iter().map(|node| node.name.clone());
        let left_out = names.filter(|name| !seen.contains(name)).collect();
        if seen.is_empty() {
            return Drift::unknown(of_host_errors(&host_errors));
        }
        let mut problems: Vec<_> = comparison
            .problems
            .iter()
            .map(|problem| format!("{}: {}", problem.host, problem.what))
            .collect();
        let plan = comparison.plan(&resolved, &trust, Some(&seen), &mut SecretStore::new());
        if let Err(refused) = &plan {
            problems.extend(refused.iter().map(ToString::to_string));
        }
        Drift::of(plan.ok().as_ref(), problems, left_out)
    }
}

fn of_host_errors(host_errors: &HostErrors) -> String {
    let first = host_errors.iter().next();
    first.map_or_else(
        || "no host could be compared".to_owned(),
        |(name, host_error)| format!("{name}: {host_error}"),
    )
}

/// The cluster with the answers of its hosts. Of one that is away the API
/// knows the address.
fn resolve(
    cluster: &Cluster,
    hosts: &Hosts,
    cluster_status: &ClusterStatus,
) -> Result<ResolvedCluster, resolve::Unresolved> {
    if let Some(resolved) = resolve::from_text(cluster) {
        return Ok(resolved);
    }
    let answers: BTreeMap<Name, resolve::Answer> = cluster
        .nodes
        .iter()
        .map(|node| {
            let answer = hosts.get(&node.name).and_then(|host| host.as_ref().ok());
            let mut answer = answer
                .map(|answer| answer.resolution.clone())
                .unwrap_or_default();
            let mut rows = cluster_status.nodes.iter();
            let row = rows.find(|row| row.in_inventory && row.name == node.name.as_str());
            answer.address = answer.address.or_else(|| row?.address);
            (node.name.clone(), answer)
        })
        .collect();
    resolve::resolve(cluster, &answers)
}

/// What is kept here that a comparison needs.
pub enum Kept {
    /// All of it.
    Here {
        /// The authorities.
        cas: Box<ClusterCas>,
        /// The key of encryption, where the cluster encrypts.
        encryption: Option<SecretboxKey>,
    },
    /// Not all of it. Reading it back from hosts would be keeping it.
    Elsewhere,
    /// It is there, and cannot be used.
    Unusable(String),
}

/// Looks for what is kept beside the inventory in this folder, and makes
/// nothing. What cannot be used is no reason not to look at the cluster.
#[must_use]
pub fn kept(folder: &Path, cluster: &Cluster, now: OffsetDateTime) -> Kept {
    match read_kept(folder, cluster, now) {
        Ok(Some((cas, encryption))) => Kept::Here {
            cas: Box::new(cas),
            encryption,
        },
        Ok(None) => Kept::Elsewhere,
        Err(error) => Kept::Unusable(error.to_string()),
    }
}

type KeptSecrets = (ClusterCas, Option<SecretboxKey>);

fn read_kept(
    folder: &Path,
    cluster: &Cluster,
    now: OffsetDateTime,
) -> Result<Option<KeptSecrets>, state::Error> {
    let Some(state) = State::existing(folder, &cluster.name)? else {
        return Ok(None);
    };
    let Some(cas) = state.cas(now)? else {
        return Ok(None);
    };
    if cluster.control_plane.encryption == Encryption::None {
        return Ok(Some((cas, None)));
    }
    let key = state.secretbox_key()?;
    Ok(key.map(|key| (cas, Some(key))))
}

fn unreachable(host_error: HostError) -> Unreachable {
    Unreachable {
        fix: host_error.hint(),
        what: host_error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::few;
    use crate::status::Verdict;
    use crate::transport::fake::{Answer as Says, Fake};
    use crate::transport::{self, error::Unreachable};

    /// A control plane that has joined and whose API server is ready.
    const PLANE: &str = "@address 0\n\n@installed 0\n\n@joined 3\nyes\n@ready 4\n\n200\n";
    const EMPTY: &str = "@address 0\n\n@installed 0\n\n";

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn each_host_is_asked_once_and_asked_again_over_the_same_connection() {
        let cluster = few(Version::new(1, 34, 1)).cluster;
        let fake = Fake::default();
        fake.always(&name("cp1"), "kdiy_section", Says::output(PLANE));
        let refused = transport::Error::Unreachable {
            address: "cp2:22".to_owned(),
            why: Unreachable::Refused,
        };
        fake.reject(&name("cp2"), refused);
        fake.once(&name("cp3"), "kdiy_section", Says::output("Welcome\n"));
        fake.always(&name("cp3"), "kdiy_section", Says::output(EMPTY));
        let lost = transport::Error::Lost {
            address: "w1:22".to_owned(),
            why: "test".to_owned(),
        };
        fake.once(&name("w1"), "kdiy_section", Says::fails(lost));
        for host in ["w1", "w2", "lb1"] {
            fake.always(&name(host), "kdiy_section", Says::output(EMPTY));
        }
        let mut observer = Observer::new(&cluster, &fake, 32);
        let (events, _received) = unbounded_channel();
        let hosts = observer.ask(&events).await;
        let unreachable = |host: &str| {
            hosts[&name(host)]
                .as_ref()
                .err()
                .map(|unreachable| unreachable.what.clone())
        };
        assert_eq!(unreachable("cp1"), None);
        assert!(unreachable("cp2").unwrap().contains("refused"));
        assert!(
            unreachable("cp3")
                .unwrap()
                .contains("not in the probe's form")
        );
        assert!(unreachable("w1").unwrap().contains("test"));
        let cluster_status = ClusterStatus::of(&cluster, &hosts, OffsetDateTime::now_utc());
        assert_eq!(cluster_status.verdict, Verdict::Degraded);
        for host in ["cp1", "cp3", "w1", "w2", "lb1"] {
            assert_eq!(fake.runs(&name(host)).len(), 1, "{host}");
        }

        let again = observer.ask(&events).await;
        let unreachable: Vec<_> = again.iter().filter(|(_, host)| host.is_err()).collect();
        assert_eq!(
            unreachable.len(),
            1,
            "all but the one that refuses are back"
        );

        let drift = observer
            .drift(&hosts, &cluster_status, &Kept::Elsewhere, &events)
            .await;
        assert!(matches!(drift, Drift::Unknown { .. }));
        assert_eq!(
            fake.runs(&name("cp1")).len(),
            2,
            "nothing to compare, nobody asked"
        );
    }

    #[test]
    fn nothing_is_kept_for_a_look() {
        let cluster = few(Version::new(1, 34, 1)).cluster;
        let base = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let kept = |cluster: &Cluster| kept(base.path(), cluster, now);
        assert!(matches!(kept(&cluster), Kept::Elsewhere));
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
        let state = State::open(base.path(), &cluster.name).unwrap();
        assert!(matches!(kept(&cluster), Kept::Elsewhere));
        let cas = ClusterCas::generate(now).unwrap();
        state.save_cas(&cas, now).unwrap();
        assert!(matches!(kept(&cluster), Kept::Here { .. }));
        let mut encrypted = cluster.clone();
        encrypted.control_plane.encryption = Encryption::Secretbox;
        assert!(matches!(kept(&encrypted), Kept::Elsewhere));
        std::fs::write(state.root().join("pki/ca.crt"), "no certificate").unwrap();
        assert!(matches!(kept(&cluster), Kept::Unusable(_)));
    }
}
