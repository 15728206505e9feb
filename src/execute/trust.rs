//! The cluster's authorities: kept beside the inventory, read back from a
//! control plane when that was lost, or made when there are none.

use std::collections::BTreeMap;

use secrecy::SecretString;
use time::OffsetDateTime;

use super::survey::{Connections, Faults, ask};
use crate::cluster::{Cluster, Name, Role};
use crate::lb::keepalived;
use crate::pki::authorities::FILES;
use crate::pki::{self, Authorities, Difference};
use crate::plan::install::Trust;
use crate::resource::{Answers, SECTION_FUNCTION};
use crate::shell::Script;
use crate::state::{self, State};
use crate::template::HostFile;
use crate::transport::{Connection, User};

/// Where the authorities came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// They were kept beside the inventory.
    Kept,
    /// They were read back from this control plane.
    ReadBack(Name),
    /// They were made just now.
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
    Asked(Faults),
    /// A control plane has some that cannot be used.
    #[error("{host}: the authorities in /etc/kubernetes/pki cannot be used: {source}")]
    Unusable {
        /// Which.
        host: Name,
        /// Why.
        source: pki::Error,
    },
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
}

/// The authorities of a cluster, made where there are none. What was read
/// back or made is kept before it is given out.
///
/// # Errors
/// When they cannot be had, or hosts contradict each other.
pub async fn authorities<C: Connection>(
    state: &State,
    cluster: &Cluster,
    connections: &Connections<C>,
    now: OffsetDateTime,
) -> Result<(Authorities, Origin), Error> {
    if let Some(existing) = existing(state, cluster, connections, now).await? {
        return Ok(existing);
    }
    let made = Authorities::generate(now)?;
    state.save_authorities(&made, now)?;
    Ok((made, Origin::Made))
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
) -> Result<Option<(Authorities, Origin)>, Error> {
    if let Some(kept) = state.authorities(now)? {
        return Ok(Some((kept, Origin::Kept)));
    }
    let mut found: Option<(Name, Authorities)> = None;
    let mut faults = Faults::new();
    for node in cluster.with_role(Role::ControlPlane) {
        let Some(connection) = connections.get(&node.name) else {
            continue;
        };
        let theirs = match read_back(connection.as_ref(), &node.name, now).await {
            Ok(Some(theirs)) => theirs,
            Ok(None) => continue,
            // All of them are told about together.
            Err(Error::Asked(more)) => {
                faults.extend(more);
                continue;
            }
            Err(other) => return Err(other),
        };
        match &found {
            None => found = Some((node.name.clone(), theirs)),
            Some((one, first)) => {
                pki::compare(&first.fingerprints(), &theirs.fingerprints()).map_err(
                    |difference| Error::Disagree {
                        one: one.clone(),
                        other: node.name.clone(),
                        difference,
                    },
                )?;
            }
        }
    }
    if !faults.is_empty() {
        return Err(Error::Asked(faults));
    }
    let Some((host, theirs)) = found else {
        return Ok(None);
    };
    state.save_authorities(&theirs, now)?;
    Ok(Some((theirs, Origin::ReadBack(host))))
}

/// The authorities of one control plane, if it has a cluster's.
async fn read_back<C: Connection>(
    connection: &C,
    host: &Name,
    now: OffsetDateTime,
) -> Result<Option<Authorities>, Error> {
    let asked = |fault| Error::Asked(Faults::from([(host.clone(), fault)]));
    let script = FILES.iter().fold(
        Script::of("export LC_ALL=C\n").lit(SECTION_FUNCTION),
        |script, file| {
            let path = format!("/etc/kubernetes/pki/{file}");
            script
                .lit("[ ! -s ")
                .arg(&path)
                .lit(" ] || kdiy_section ")
                .arg(*file)
                .lit(" \"$(cat ")
                .arg(&path)
                .lit(")\"\n")
        },
    );
    let output = ask(connection, &script, User::Root).await.map_err(asked)?;
    let answers = Answers::parse(&output).map_err(|error| asked(error.into()))?;
    let files: BTreeMap<String, SecretString> = FILES
        .iter()
        .filter_map(|file| {
            Some((
                (*file).to_owned(),
                format!("{}\n", answers.get(file).ok()?).into(),
            ))
        })
        .collect();
    if files.is_empty() {
        return Ok(None);
    }
    let unusable = |source| Error::Unusable {
        host: host.clone(),
        source,
    };
    Authorities::from_files(|file| files.get(file).cloned(), now)
        .map(Some)
        .map_err(unusable)
}

/// What the hosts are to trust.
#[must_use]
pub fn trust(authorities: &Authorities) -> Trust {
    use secrecy::ExposeSecret as _;
    let files = authorities.files().into_iter().map(|file| HostFile {
        path: format!("/etc/kubernetes/pki/{}", file.path),
        mode: file.mode,
        text: file.content.expose_secret().to_owned(),
    });
    Trust {
        files: files.collect(),
        ca_certificate: authorities.kubernetes.certificate().to_owned(),
        ca_pin: authorities.kubernetes.pin(),
        failover_password: authorities.derived("keepalived", keepalived::PASSWORD_LENGTH),
    }
}
