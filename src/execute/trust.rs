//! The cluster's authorities: kept beside the inventory, read back from a
//! control plane when that was lost, or made when there are none.

mod encryption;

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::survey::{Connections, HostErrors, ask};
use crate::cluster::{Cluster, Name, Role};
use crate::etcd::member;
use crate::lb::keepalived;
use crate::pki::cluster_cas::FILES;
use crate::pki::{self, ClusterCas, Difference, LeafRequest, SecretboxKey};
use crate::plan::Plan;
use crate::plan::install::{self, Trust};
use crate::resource::{Answers, Resource, SECTION_FUNCTION};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};
use crate::state::{self, State};
use crate::template::HostFile;
use crate::transport::{Connection, User};

pub use encryption::{EncryptionKey, encryption_key};

/// Where the authorities came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// They were kept beside the inventory.
    Kept,
    /// They were read back from this control plane.
    ReadBack(Name),
    /// There are none yet: these are made, and kept nowhere before an apply
    /// begins to change hosts.
    Made,
}

/// Why there are no authorities.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The state directory.
    #[error(transparent)]
    State(#[from] state::Error),
    /// They cannot be made or read.
    #[error(transparent)]
    Pki(#[from] pki::Error),
    /// Control planes could not be asked.
    #[error("control planes could not be asked for the authorities")]
    Asked(HostErrors),
    /// None are kept here, and they may be on control planes that are away:
    /// none are made.
    #[error(
        "the {what} of the cluster is not in the state directory, and {hosts}, where it may be, \
         could not be asked; none is made before all control planes are there"
    )]
    Unseen {
        /// What is sought.
        what: &'static str,
        /// Control planes that are away.
        hosts: String,
    },
    /// A control plane has some that cannot be used.
    #[error("{host}: the authorities in /etc/kubernetes/pki cannot be used: {source}")]
    Unusable {
        /// The host's name in the inventory.
        host: Name,
        /// What is wrong with it.
        source: pki::Error,
    },
    /// Every control plane is a host of the external etcd, and so has no key
    /// of etcd's authority.
    #[error(
        "{0}: the cluster's authorities are here, but not the key of etcd's, which is kept off \
         hosts of etcd; put back the pki folder of the state directory from a backup"
    )]
    NoEtcdKey(String),
    /// Two control planes disagree.
    #[error("{one} and {other} belong to different clusters: {difference}")]
    Disagree {
        /// One.
        one: Name,
        /// The other.
        other: Name,
        /// In what.
        difference: Difference,
    },
    /// Two control planes encrypt with different keys.
    #[error(
        "{one} and {other} have different keys in /etc/kubernetes/pki/kdiy-encryption.yaml: \
         find out which one their API servers read, and put that file on both"
    )]
    KeysDiffer {
        /// One.
        one: Name,
        /// The other.
        other: Name,
    },
}

impl Error {
    /// Stable kebab-case name, with an entry in `docs/troubleshooting.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State(error) => error.code(),
            Self::Pki(error) | Self::Unusable { source: error, .. } => error.code(),
            Self::Asked(_) => "authorities-not-asked",
            Self::Unseen { .. } => "authorities-unseen",
            Self::NoEtcdKey(_) => "etcd-key-missing",
            Self::Disagree { .. } => "authorities-disagree",
            Self::KeysDiffer { .. } => "encryption-keys-differ",
        }
    }
}

/// The authorities of a cluster, made where there are none. What was read
/// back is kept before it is given out; what was made is not: a machine that
/// only plans is to have none that another one does not know.
///
/// # Errors
/// When they cannot be had, or hosts contradict each other.
pub async fn cas<C: Connection>(
    state: &State,
    cluster: &Cluster,
    connections: &Connections<C>,
    now: OffsetDateTime,
) -> Result<(ClusterCas, Origin), Error> {
    if let Some(existing) = existing(state, cluster, connections, now).await? {
        return Ok(existing);
    }
    all_asked("PKI", cluster, connections)?;
    Ok((ClusterCas::generate(now)?, Origin::Made))
}

/// The authorities of a cluster, if they are kept or a control plane has them.
///
/// # Errors
/// When they cannot be read, or hosts contradict each other.
pub async fn existing<C: Connection>(
    state: &State,
    cluster: &Cluster,
    connections: &Connections<C>,
    now: OffsetDateTime,
) -> Result<Option<(ClusterCas, Origin)>, Error> {
    if let Some(kept) = state.cas(now)? {
        return Ok(Some((kept, Origin::Kept)));
    }
    let mut read: Vec<(Name, Files)> = Vec::new();
    let mut host_errors = HostErrors::new();
    for node in cluster.with_role(Role::ControlPlane) {
        let Some(connection) = connections.get(&node.name) else {
            continue;
        };
        match read_back(connection.as_ref(), &node.name).await {
            Ok(files) if files.is_empty() => {}
            Ok(files) => read.push((node.name.clone(), files)),
            // All of them are told about together.
            Err(Error::Asked(more)) => host_errors.extend(more),
            Err(other) => return Err(other),
        }
    }
    if !host_errors.is_empty() {
        return Err(Error::Asked(host_errors));
    }
    fill_missing_etcd_key(cluster, &mut read)?;
    let mut found: Option<(Name, ClusterCas)> = None;
    for (name, files) in read {
        let theirs =
            ClusterCas::from_files(|file| files.get(file).cloned(), now).map_err(|source| {
                Error::Unusable {
                    host: name.clone(),
                    source,
                }
            })?;
        match &found {
            None => found = Some((name, theirs)),
            Some((one, first)) => {
                pki::compare(&first.fingerprints(), &theirs.fingerprints()).map_err(
                    |difference| Error::Disagree {
                        one: one.clone(),
                        other: name.clone(),
                        difference,
                    },
                )?;
            }
        }
    }
    let Some((host, theirs)) = found else {
        return Ok(None);
    };
    state.save_cas(&theirs, now)?;
    Ok(Some((theirs, Origin::ReadBack(host))))
}

/// What is not found may be on a control plane that is not connected.
fn all_asked<C>(
    what: &'static str,
    cluster: &Cluster,
    connections: &Connections<C>,
) -> Result<(), Error> {
    let away: Vec<_> = cluster
        .with_role(Role::ControlPlane)
        .filter(|node| !connections.contains_key(&node.name))
        .map(|node| node.name.to_string())
        .collect();
    if away.is_empty() {
        return Ok(());
    }
    let hosts = away.join(", ");
    Err(Error::Unseen { what, hosts })
}

/// Files of a control plane's PKI.
type Files = BTreeMap<String, SecretString>;

/// Where etcd is external, a control plane that is one of its hosts too has
/// no key of etcd's authority, and takes part in the comparison with that of
/// the others.
fn fill_missing_etcd_key(cluster: &Cluster, read: &mut [(Name, Files)]) -> Result<(), Error> {
    let apart = |name: &Name| {
        let node = cluster.nodes.iter().find(|node| &node.name == name);
        node.is_some_and(|node| !install::has_etcd_key(cluster, node))
    };
    let lacks = |(name, files): &(Name, Files)| apart(name) && !files.contains_key(ETCD_KEY);
    if !read.iter().any(lacks) {
        return Ok(());
    }
    let Some(key) = read
        .iter()
        .find_map(|(_, files)| files.get(ETCD_KEY).cloned())
    else {
        let hosts: Vec<_> = read.iter().map(|(name, _)| name.to_string()).collect();
        return Err(Error::NoEtcdKey(hosts.join(", ")));
    };
    for (_, files) in read.iter_mut().filter(|entry| lacks(entry)) {
        files.insert(ETCD_KEY.to_owned(), key.clone());
    }
    Ok(())
}

/// Below /etc/kubernetes/pki.
const ETCD_KEY: &str = "etcd/ca.key";

/// What one control plane has of the authorities.
async fn read_back<C: Connection>(connection: &C, host: &Name) -> Result<Files, Error> {
    let asked = |host_error| Error::Asked(HostErrors::from([(host.clone(), host_error)]));
    let script = Script::of(SECTION_FUNCTION).with(sh!("probe/files.sh"));
    let script = script.call("kdiy_pki", FILES);
    let output = ask(connection, &script, User::Root).await.map_err(asked)?;
    let output = Zeroizing::new(output);
    let answers = Answers::parse(&output).map_err(|error| asked(error.into()))?;
    let files = FILES.iter().filter_map(|file| {
        Some((
            (*file).to_owned(),
            format!("{}\n", answers.get(file).ok()?).into(),
        ))
    });
    Ok(files.collect())
}

/// What the hosts are to trust.
#[must_use]
pub fn trust(cas: &ClusterCas, encryption: Option<&SecretboxKey>) -> Trust {
    let files = cas.files().into_iter().map(|file| HostFile {
        path: format!("/etc/kubernetes/pki/{}", file.path),
        mode: file.mode,
        text: file.content.expose_secret().to_owned(),
    });
    Trust {
        files: files.collect(),
        ca_certificate: cas.kubernetes.certificate().to_owned(),
        ca_pin: cas.kubernetes.pin(),
        failover_password: cas.derived("keepalived", keepalived::PASSWORD_LENGTH),
        etcd_certificate: cas.etcd.certificate().to_owned(),
        etcd_token: member::token(cas.etcd.certificate()),
        encryption_key: encryption.map(|key| key.base64().clone()),
    }
}

/// What stands in a plan for what apply is yet to make, so that the plan is the
/// same on every machine: authorities, and the key of encryption at rest where
/// that is made, too.
#[must_use]
pub fn to_be_made(trust: &Trust) -> Trust {
    let text = || TO_BE_MADE.to_owned();
    let files = trust.files.iter().cloned();
    Trust {
        files: { files }
            .map(|mut file| {
                file.text = format!("{TO_BE_MADE}\n");
                file
            })
            .collect(),
        ca_certificate: text(),
        ca_pin: text(),
        failover_password: text().into(),
        etcd_certificate: text(),
        etcd_token: text(),
        encryption_key: with_key_to_be_made(trust).encryption_key,
    }
}

/// The same, of the key of encryption at rest alone.
#[must_use]
pub fn with_key_to_be_made(trust: &Trust) -> Trust {
    let key = trust.encryption_key.as_ref();
    Trust {
        encryption_key: key.map(|_| TO_BE_MADE.to_owned().into()),
        ..trust.clone()
    }
}

const TO_BE_MADE: &str = "to be made by kdiy apply";

/// Issues the certificates of a plan, and those alone, into the secret store: a
/// plan only names them.
///
/// # Errors
/// When one cannot be signed.
pub fn issue(
    plan: &Plan,
    cas: &ClusterCas,
    secrets: &mut SecretStore,
    now: OffsetDateTime,
) -> Result<(), pki::Error> {
    let resources = plan.steps.iter().flat_map(|step| step.changes());
    for change in resources {
        let Resource::Certificate(wanted) = &change.resource else {
            continue;
        };
        let known = [&cas.kubernetes, &cas.front_proxy, &cas.etcd];
        let authority = known
            .into_iter()
            .find(|authority| authority.certificate() == wanted.authority)
            .expect("a blueprint names authorities of its own cluster");
        let leaf = authority.issue(&LeafRequest::from(&wanted.subject), now)?;
        let text = |text: &str| Zeroizing::new(text.to_owned());
        secrets.fill(wanted.certificate_placeholder(), text(&leaf.certificate));
        secrets.fill(wanted.key_placeholder(), text(leaf.key.expose_secret()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Roles, Version};
    use crate::kubeadm::tests::external;
    use crate::plan::{Action, Change, PlannedStep};
    use crate::resource::{Content, Difference, Seen, Verb, certificate};

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    /// Files of a control plane's PKI, as far as this matters here.
    fn files(key: Option<&str>) -> Files {
        let key = key.map(|key| (ETCD_KEY.to_owned(), SecretString::from(key)));
        key.into_iter().collect()
    }

    #[test]
    fn the_key_that_etcd_hosts_lack_is_filled_in_from_another_control_plane() {
        let mut cluster = external(Version::new(1, 34, 1)).cluster;
        let both = Roles::new(vec![Role::ControlPlane, Role::Etcd]).unwrap();
        cluster.nodes[3].roles = both.clone();
        let mut read = vec![
            (name("cp1"), files(None)),
            (name("cp2"), files(Some("the key"))),
        ];
        fill_missing_etcd_key(&cluster, &mut read).unwrap();
        assert_eq!(read[0].1[ETCD_KEY].expose_secret(), "the key");

        cluster.nodes[4].roles = both;
        let mut none = vec![(name("cp1"), files(None)), (name("cp2"), files(None))];
        let error = fill_missing_etcd_key(&cluster, &mut none)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("cp1, cp2: ") && error.contains("from a backup"),
            "{error}"
        );
    }

    #[test]
    fn a_control_plane_alone_that_has_lost_the_key_gets_none() {
        let cluster = external(Version::new(1, 34, 1)).cluster;
        let mut read = vec![
            (name("cp1"), files(None)),
            (name("cp2"), files(Some("the key"))),
        ];
        fill_missing_etcd_key(&cluster, &mut read).unwrap();
        assert!(!read[0].1.contains_key(ETCD_KEY), "its loss is to be seen");
    }

    #[test]
    fn certificates_of_the_plan_are_issued_into_the_vault_and_no_others() {
        let now = OffsetDateTime::now_utc();
        let cas = ClusterCas::generate(now).unwrap();
        let resolved = external(Version::new(1, 34, 1));
        let node = &resolved.cluster.nodes[0];
        let [server, peer, _] = member::certificates(&resolved, node, cas.etcd.certificate());
        let change = Change {
            resource: Resource::Certificate(server.clone()),
            difference: Difference::plain(Verb::Create),
            seen: Seen::Certificate(certificate::Seen::Absent),
        };
        let step = PlannedStep {
            actor: node.name.clone().into(),
            title: "place".to_owned(),
            action: Action::Converge(vec![change]),
            needs: Vec::new(),
            gate: None,
        };
        let mut secrets = SecretStore::new();
        let plan = Plan {
            steps: vec![step],
            ..Plan::default()
        };
        issue(&plan, &cas, &mut secrets, now).unwrap();
        let text = |placeholder: String| secrets.text(&Content::Filled(placeholder));
        let issued = text(server.certificate_placeholder());
        assert!(pki::certificate::is_signed_by(&issued, cas.etcd.certificate()).unwrap());
        assert!(text(server.key_placeholder()).contains("PRIVATE KEY"));
        assert_eq!(*text(peer.key_placeholder()), peer.key_placeholder());
    }
}
