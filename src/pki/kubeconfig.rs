//! Kubeconfigs: written, read, and merged into one that is there already.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{Leaf, certificate};
use crate::cluster::{Endpoint, Name};
use crate::template::yaml_limits;

mod merge;
mod splice;

pub use merge::{Merged, merge};

/// One user's way into one cluster, everything embedded.
#[derive(Debug, Clone)]
pub struct Kubeconfig {
    /// Name of the cluster entry.
    pub cluster: String,
    /// Name of the user entry.
    pub user: String,
    /// Name of the context that joins the two; the current one.
    pub context: String,
    /// `https://` and the endpoint.
    pub server: String,
    /// PEM of the authority that the server is trusted by.
    pub authority: String,
    /// PEM of the user's certificate.
    pub certificate: String,
    /// PEM of the user's key.
    pub key: SecretString,
}

/// Why a kubeconfig cannot be read or merged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not YAML, or not of a kubeconfig's shape. Never quotes the text.
    #[error("the kubeconfig cannot be read{}: fix it by hand", place(*line))]
    AnswerError {
        /// Where reading stopped, counted from 1.
        line: Option<usize>,
    },
    /// Something that its own entries point at is not in it.
    #[error("the kubeconfig has no {what}")]
    Lacks {
        /// What is missing, such as `context "demo"`.
        what: String,
    },
    /// An embedded value is not what it has to be.
    #[error("{field} of the kubeconfig is not base64 of PEM text")]
    NotEmbedded {
        /// Its key.
        field: &'static str,
    },
    /// An entry of the same name belongs to something else.
    #[error(
        "the kubeconfig has a {kind} {name:?} already, and {why}; \
         rename it (`kubectl config`), or keep this cluster's kubeconfig in a file of its own"
    )]
    Taken {
        /// `cluster`, `user` or `context`.
        kind: &'static str,
        /// Name of the entry.
        name: String,
        /// How one can tell that it is not this cluster's.
        why: String,
    },
}

fn place(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" at line {line}"))
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Document {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
    contexts: Vec<NamedContext>,
    current_context: String,
}

#[derive(Serialize, Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Cluster,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    #[serde(default)]
    certificate_authority_data: String,
}

#[derive(Serialize, Deserialize)]
struct NamedUser {
    name: String,
    user: User,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    #[serde(default)]
    client_certificate_data: String,
    #[serde(default)]
    client_key_data: String,
}

#[derive(Serialize, Deserialize)]
struct NamedContext {
    name: String,
    context: Context,
}

#[derive(Serialize, Deserialize)]
struct Context {
    cluster: String,
    user: String,
}

impl Drop for User {
    fn drop(&mut self) {
        self.client_key_data.zeroize();
    }
}

impl Kubeconfig {
    /// The administrator's: cluster and context bear the cluster's name, the
    /// user is `NAME-admin`, the server is the endpoint.
    #[must_use]
    pub fn admin(cluster: &Name, endpoint: &Endpoint, authority: &str, leaf: Leaf) -> Self {
        Self {
            cluster: cluster.to_string(),
            user: format!("{cluster}-admin"),
            context: cluster.to_string(),
            server: format!("https://{endpoint}"),
            authority: authority.to_owned(),
            certificate: leaf.certificate,
            key: leaf.key,
        }
    }

    /// Reads the current context of a kubeconfig with embedded certificates,
    /// such as kdiy's own and kubeadm's `admin.conf`.
    ///
    /// # Errors
    /// When it is malformed, its entries do not hang together, or the
    /// credentials are anything but an embedded certificate and key.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if !yaml_limits::are_kept(text) {
            return Err(Error::AnswerError { line: None });
        }
        let document: Document = serde_yaml::from_str(text).map_err(|error| parse_error(&error))?;
        let lacks = |kind: &str, name: &str| Error::Lacks {
            what: format!("{kind} {name:?}"),
        };
        let name = document.current_context;
        let context = document
            .contexts
            .into_iter()
            .find(|entry| entry.name == name);
        let context = context.ok_or_else(|| lacks("context", &name))?.context;
        let cluster = document
            .clusters
            .into_iter()
            .find(|entry| entry.name == context.cluster);
        let cluster = cluster
            .ok_or_else(|| lacks("cluster", &context.cluster))?
            .cluster;
        let user = document
            .users
            .into_iter()
            .find(|entry| entry.name == context.user);
        let user = user.ok_or_else(|| lacks("user", &context.user))?.user;

        let key = decode("client-key-data", &user.client_key_data)?;
        let certificate = decode("client-certificate-data", &user.client_certificate_data)?;
        let authority = "certificate-authority-data";
        let authority = decode(authority, &cluster.certificate_authority_data)?;
        Ok(Self {
            context: name,
            cluster: context.cluster,
            user: context.user,
            server: cluster.server,
            authority: authority.to_string(),
            certificate: certificate.to_string(),
            key: SecretString::from(key.as_str()),
        })
    }

    /// The file's text; secret, for it holds the key.
    #[must_use]
    pub fn to_yaml(&self) -> SecretString {
        let text = serde_yaml::to_string(&self.document());
        SecretString::from(text.expect("a kubeconfig of plain strings can be written"))
    }

    /// Whether the certificate was issued by an authority (PEM).
    ///
    /// # Errors
    /// When one of the two is no certificate.
    pub fn is_issued_by(&self, authority: &str) -> Result<bool, super::Error> {
        certificate::is_signed_by(&self.certificate, authority)
    }

    fn document(&self) -> Document {
        let cluster = Cluster {
            server: self.server.clone(),
            certificate_authority_data: STANDARD.encode(&self.authority),
        };
        let user = User {
            client_certificate_data: STANDARD.encode(&self.certificate),
            client_key_data: STANDARD.encode(self.key.expose_secret()),
        };
        let context = Context {
            cluster: self.cluster.clone(),
            user: self.user.clone(),
        };
        Document {
            api_version: "v1".to_owned(),
            kind: "Config".to_owned(),
            clusters: vec![NamedCluster {
                name: self.cluster.clone(),
                cluster,
            }],
            users: vec![NamedUser {
                name: self.user.clone(),
                user,
            }],
            contexts: vec![NamedContext {
                name: self.context.clone(),
                context,
            }],
            current_context: self.context.clone(),
        }
    }
}

/// The parser's own words may quote a key, so only the place is kept.
fn parse_error(error: &serde_yaml::Error) -> Error {
    Error::AnswerError {
        line: error.location().map(|location| location.line()),
    }
}

fn decode(field: &'static str, text: &str) -> Result<Zeroizing<String>, Error> {
    let fault = Error::NotEmbedded { field };
    let bytes = STANDARD.decode(text.trim()).map_err(|_| fault.clone())?;
    let text = String::from_utf8(bytes)
        .map(Zeroizing::new)
        .map_err(|_| fault.clone())?;
    if text.contains("-----BEGIN ") {
        Ok(text)
    } else {
        Err(fault)
    }
}

impl fmt::Display for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "context {} at {}", self.context, self.server)
    }
}

#[cfg(test)]
mod tests;
