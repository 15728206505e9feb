//! The key of encryption at rest: kept with the authorities, read back from
//! the control planes when that was lost, or made.

use super::super::survey::{Connections, HostErrors, ask};
use super::{Error, all_asked};
use crate::cluster::{Cluster, Encryption, Name, Role};
use crate::kubeadm::encryption;
use crate::pki::SecretboxKey;
use crate::resource::{Answers, SECTION_FUNCTION};
use crate::shell::{Script, sh};
use crate::state::State;
use crate::transport::{Connection, User};

/// The key of encryption at rest.
#[derive(Debug)]
pub struct EncryptionKey {
    /// The key.
    pub key: SecretboxKey,
    /// Whether it was made just now, and is kept nowhere yet.
    pub made: bool,
}

/// The key of a cluster that encrypts; `None` for others. What was read back
/// is kept before it is given out; what was made is not.
///
/// # Errors
/// When it cannot be had, or hosts contradict each other.
pub async fn encryption_key<C: Connection>(
    state: &State,
    cluster: &Cluster,
    connections: &Connections<C>,
) -> Result<Option<EncryptionKey>, Error> {
    if cluster.control_plane.encryption == Encryption::None {
        return Ok(None);
    }
    if let Some(kept) = state.secretbox_key()? {
        return Ok(Some(EncryptionKey {
            key: kept,
            made: false,
        }));
    }
    let mut found: Option<(Name, SecretboxKey)> = None;
    let mut host_errors = HostErrors::new();
    for node in cluster.with_role(Role::ControlPlane) {
        let Some(connection) = connections.get(&node.name) else {
            continue;
        };
        let theirs = match read_back(connection.as_ref(), &node.name).await {
            Ok(Some(theirs)) => theirs,
            Ok(None) => continue,
            Err(Error::Asked(more)) => {
                host_errors.extend(more);
                continue;
            }
            Err(other) => return Err(other),
        };
        match &found {
            None => found = Some((node.name.clone(), theirs)),
            Some((_, first)) if first.is(&theirs) => {}
            Some((one, _)) => {
                return Err(Error::KeysDiffer {
                    one: one.clone(),
                    other: node.name.clone(),
                });
            }
        }
    }
    if !host_errors.is_empty() {
        return Err(Error::Asked(host_errors));
    }
    if let Some((_, key)) = found {
        state.save_secretbox_key(&key)?;
        return Ok(Some(EncryptionKey { key, made: false }));
    }
    all_asked("key of encryption", cluster, connections)?;
    Ok(Some(EncryptionKey {
        key: SecretboxKey::generate()?,
        made: true,
    }))
}

/// The key of one control plane, if it has one.
async fn read_back<C: Connection>(
    connection: &C,
    host: &Name,
) -> Result<Option<SecretboxKey>, Error> {
    let asked = |host_error| Error::Asked(HostErrors::from([(host.clone(), host_error)]));
    let script = Script::of(SECTION_FUNCTION)
        .with(sh!("probe/files.sh"))
        .call("kdiy_first", encryption::FILES);
    let output = ask(connection, &script, User::Root).await.map_err(asked)?;
    let answers = Answers::parse(&output).map_err(|error| asked(error.into()))?;
    let Ok(text) = answers.get("key") else {
        return Ok(None);
    };
    let key = encryption::key_in(text).unwrap_or_default();
    SecretboxKey::from_base64("kdiy-encryption.yaml", &key)
        .map(Some)
        .map_err(|source| Error::Unusable {
            host: host.clone(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::cluster::{Login, Version};
    use crate::kubeadm::tests::few;
    use crate::transport::Connector as _;
    use crate::transport::fake::{Answer, Fake};

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    /// The key that is found when cp1 and cp2 have these keys.
    async fn found(keys: [Option<&SecretboxKey>; 2]) -> Result<Option<EncryptionKey>, Error> {
        let mut cluster = few(Version::new(1, 34, 1)).cluster;
        cluster.control_plane.encryption = Encryption::Secretbox;
        let fake = Fake::default();
        let mut connections = BTreeMap::new();
        let keys = [keys[0], keys[1], None];
        for (host, key) in ["cp1", "cp2", "cp3"].map(name).into_iter().zip(keys) {
            let answer = key.map_or(String::new(), |key| {
                let [_, file] = encryption::files(key.base64().expose_secret());
                let text = file.text.trim_end();
                format!("@key {}\n{text}\n", text.len())
            });
            fake.always(&host, "kdiy_section", Answer::output(&answer));
            let link = fake.connect(&host, &Login::to("")).await.unwrap();
            connections.insert(host, Arc::new(link));
        }
        let base = tempfile::tempdir().unwrap();
        let state = State::open(base.path(), &cluster.name).unwrap();
        let key = encryption_key(&state, &cluster, &connections).await?;
        let kept = state.secretbox_key().unwrap();
        let found = key.as_ref().filter(|key| !key.made);
        assert_eq!(found.is_some(), kept.is_some(), "what is made is not kept");
        assert!(
            found
                .iter()
                .zip(&kept)
                .all(|(found, kept)| found.key.is(kept))
        );
        Ok(key)
    }

    #[tokio::test]
    async fn a_lost_key_is_read_back_and_never_made_anew() {
        let theirs = SecretboxKey::generate().unwrap();
        for keys in [
            [Some(&theirs), None],
            [None, Some(&theirs)],
            [Some(&theirs); 2],
        ] {
            let key = found(keys).await.unwrap().unwrap();
            assert!(key.key.is(&theirs) && !key.made);
        }
        let key = found([None, None]).await.unwrap().unwrap();
        assert!(key.made && !key.key.is(&theirs));
    }

    #[tokio::test]
    async fn no_key_is_made_while_a_control_plane_is_unreachable() {
        let mut cluster = few(Version::new(1, 34, 1)).cluster;
        cluster.control_plane.encryption = Encryption::Secretbox;
        let base = tempfile::tempdir().unwrap();
        let state = State::open(base.path(), &cluster.name).unwrap();
        let none = Connections::<crate::transport::fake::Link>::new();
        let now = time::OffsetDateTime::now_utc();
        let key = encryption_key(&state, &cluster, &none).await;
        assert!(matches!(key, Err(Error::Unseen { .. })), "{key:?}");
        let made = super::super::cas(&state, &cluster, &none, now).await;
        let error = made.unwrap_err().to_string();
        assert!(error.contains("cp1, cp2, cp3, where it may be"), "{error}");
        assert!(state.cas(now).unwrap().is_none());
    }

    #[tokio::test]
    async fn control_planes_with_different_keys_are_distinguished() {
        let keys = [
            SecretboxKey::generate().unwrap(),
            SecretboxKey::generate().unwrap(),
        ];
        let error = found([Some(&keys[0]), Some(&keys[1])]).await.unwrap_err();
        assert!(matches!(error, Error::KeysDiffer { .. }), "{error}");
    }
}
