//! Encryption of secrets at rest: the document that API servers read.
//!
//! An API server that cannot read what another wrote must never exist. So a
//! running cluster goes through [`Stage::Reads`] on all control planes before
//! the first of them enters [`Stage::Writes`]. The stage is the name of the
//! file, so the running process tells in which one it is.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::document;
use crate::cluster::{Arguments, Encryption, Values};
use crate::template::yaml_limits;
use crate::template::{HostFile, NOTICE};

/// What one API server does with secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Reads and writes them as they are.
    Plain,
    /// Reads both kinds, writes them as they are.
    Reads,
    /// Reads both kinds, writes them encrypted.
    Writes,
}

/// Already in the pod: kubeadm gives the API server all of this directory.
const READS: &str = "/etc/kubernetes/pki/kdiy-encryption-read.yaml";
const WRITES: &str = "/etc/kubernetes/pki/kdiy-encryption.yaml";

const ARGUMENT: &str = "encryption-provider-config";

/// The files, for reading a key back.
pub const FILES: [&str; 2] = [WRITES, READS];

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EncryptionConfiguration {
    api_version: String,
    kind: String,
    resources: Vec<Resources>,
}

#[derive(Serialize, Deserialize)]
struct Resources {
    resources: Vec<String>,
    providers: Vec<Provider>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
struct Provider {
    #[serde(skip_serializing_if = "Option::is_none")]
    secretbox: Option<Keys>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
}

#[derive(Serialize, Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Serialize, Deserialize)]
struct Key {
    name: String,
    secret: String,
}

#[derive(Serialize, Deserialize)]
struct Identity {}

impl Stage {
    /// Where the inventory wants all API servers to be in the end.
    #[must_use]
    pub const fn wanted(encryption: Encryption) -> Self {
        match encryption {
            Encryption::None => Self::Plain,
            Encryption::Secretbox => Self::Writes,
        }
    }

    /// The stage of a running API server, from its arguments. A document that
    /// is not kdiy's is none of its stages.
    #[must_use]
    pub fn of(argument: Option<&str>) -> Self {
        match argument {
            Some(READS) => Self::Reads,
            Some(WRITES) => Self::Writes,
            _ => Self::Plain,
        }
    }

    /// [`Stage::of`] for the arguments of a process.
    #[must_use]
    pub fn running(arguments: &Arguments) -> Self {
        Self::of(arguments.get(ARGUMENT).map(Values::last))
    }
}

/// What the API server is told.
pub fn arguments(stage: Stage) -> Option<(String, Values)> {
    let path = match stage {
        Stage::Plain => return None,
        Stage::Reads => READS,
        Stage::Writes => WRITES,
    };
    Some((ARGUMENT.to_owned(), path.into()))
}

/// The documents of both stages that have one, with this key (base64). The
/// first stays on the hosts: it is the way back, too.
#[must_use]
pub fn files(key: &str) -> [HostFile; 2] {
    let secretbox = || Provider {
        secretbox: Some(Keys {
            keys: vec![Key {
                name: "kdiy".to_owned(),
                secret: key.to_owned(),
            }],
        }),
        identity: None,
    };
    let identity = || Provider {
        secretbox: None,
        identity: Some(Identity {}),
    };
    [
        file(READS, vec![identity(), secretbox()]),
        file(WRITES, vec![secretbox(), identity()]),
    ]
}

fn file(path: &str, providers: Vec<Provider>) -> HostFile {
    let configuration = EncryptionConfiguration {
        api_version: "apiserver.config.k8s.io/v1".to_owned(),
        kind: "EncryptionConfiguration".to_owned(),
        resources: vec![Resources {
            resources: vec!["secrets".to_owned()],
            providers,
        }],
    };
    let text = document::yaml(&configuration);
    HostFile::secret(path, format!("{NOTICE}{}", *text))
}

/// The key (base64) in the text of one of [`files`]; `None` when it is
/// something else.
#[must_use]
pub fn key_in(text: &str) -> Option<Zeroizing<String>> {
    if !yaml_limits::are_kept(text) {
        return None;
    }
    let configuration: EncryptionConfiguration = serde_yaml::from_str(text).ok()?;
    let providers = configuration
        .resources
        .into_iter()
        .flat_map(|r| r.providers);
    let mut keys = providers.filter_map(|provider| provider.secretbox);
    let mut key = keys.next()?.keys.into_iter().next()?;
    Some(Zeroizing::new(std::mem::take(&mut key.secret)))
}

impl Drop for Key {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_both_stages() {
        let [reads, writes] = files("AAAA");
        insta::assert_snapshot!(reads.text, @r"
        # Written by kdiy; changes made here are undone by the next kdiy apply.
        apiVersion: apiserver.config.k8s.io/v1
        kind: EncryptionConfiguration
        resources:
        - resources:
          - secrets
          providers:
          - identity: {}
          - secretbox:
              keys:
              - name: kdiy
                secret: AAAA
        ");
        insta::assert_snapshot!(writes.text, @r"
        # Written by kdiy; changes made here are undone by the next kdiy apply.
        apiVersion: apiserver.config.k8s.io/v1
        kind: EncryptionConfiguration
        resources:
        - resources:
          - secrets
          providers:
          - secretbox:
              keys:
              - name: kdiy
                secret: AAAA
          - identity: {}
        ");
        assert_eq!((reads.mode, writes.mode), (0o600, 0o600));
        for file in [reads, writes] {
            assert_eq!(key_in(&file.text).unwrap().as_str(), "AAAA");
        }
        assert_eq!(key_in("hello"), None);
        assert_eq!(key_in("a: b\n"), None);
    }

    #[test]
    fn a_process_tells_its_stage() {
        for stage in [Stage::Plain, Stage::Reads, Stage::Writes] {
            let running = arguments(stage).into_iter().collect();
            assert_eq!(Stage::running(&running), stage);
        }
        assert_eq!(Stage::of(Some("/etc/own.yaml")), Stage::Plain);
    }
}
