//! Logging in with keys, in OpenSSH's order: certificates that are files, keys
//! that the agent holds of the identity files, other keys of the agent,
//! identity files. Of a key in the agent its certificate comes first.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Certificate, HashAlg, PrivateKeyWithHashAlg, PublicKey};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::identity::Identity;
use super::live::Client;
use super::route::{Hop, IdentityFile};
use super::{Shared, certificate};
use crate::transport::error::{Attempt, Error, IdentityError, Outcome};

/// How long a login by an agent may take: it may wait for a touch of a key.
pub(super) const TOUCH: Duration = Duration::from_secs(120);

/// One login that is under way.
pub(super) struct Login<'a> {
    pub(super) shared: &'a Shared,
    pub(super) hop: &'a Hop,
    pub(super) handle: &'a mut Handle<Client>,
    attempts: Vec<Attempt>,
}

/// What an agent holds: a key, or the certificate of one.
struct Held {
    key: PublicKey,
    certificate: Option<Certificate>,
    comment: String,
}

/// Logs in to a hop.
pub(super) async fn login(
    shared: &Shared,
    hop: &Hop,
    handle: &mut Handle<Client>,
) -> Result<(), Error> {
    let mut login = Login {
        shared,
        hop,
        handle,
        attempts: Vec::new(),
    };
    if login.with_keys().await? {
        return Ok(());
    }
    Err(Error::Authentication {
        address: hop.address(),
        user: hop.user.clone(),
        attempts: login.attempts,
    })
}

impl Login<'_> {
    async fn with_keys(&mut self) -> Result<bool, Error> {
        let files = self.files().await?;
        let certificates = self.certificates(&files);
        let mut in_agent = Vec::new();
        let mut agent = self.agent().await;
        for (path, certificate) in certificates {
            let key = certificate::key_of(&certificate);
            let holds =
                |held: &Held| held.certificate.is_none() && held.key.key_data() == key.key_data();
            let agent = agent.as_mut();
            let agent = agent.and_then(|(agent, keys)| keys.iter().any(holds).then_some(agent));
            if self
                .offer_certificate(&path, certificate, agent, &files)
                .await?
            {
                return Ok(true);
            }
        }
        if let Some((mut agent, mut keys)) = agent {
            keys.sort_by_key(|held| held.certificate.is_none());
            let is_named = |key: &PublicKey| {
                files.iter().any(|(_, identity)| {
                    identity
                        .public()
                        .is_some_and(|public| public.key_data() == key.key_data())
                })
            };
            let (first, rest): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|held| is_named(&held.key));
            let rest = if self.hop.identities_only {
                Vec::new()
            } else {
                rest
            };
            for held in first.into_iter().chain(rest) {
                if held.certificate.is_none() {
                    in_agent.push(held.key.clone());
                }
                if self.offer_of_agent(&mut agent, held).await? {
                    return Ok(true);
                }
            }
        }
        for (file, identity) in files {
            let tried = |public: &PublicKey| {
                in_agent
                    .iter()
                    .any(|key| key.key_data() == public.key_data())
            };
            if identity.public().is_some_and(tried) {
                continue;
            }
            if self.offer_file(&file, identity).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The identity files that can be read.
    async fn files(&mut self) -> Result<Vec<(IdentityFile, Identity)>, Error> {
        let mut files = Vec::new();
        for file in &self.hop.identities {
            match self.shared.identities.load(&file.path).await {
                Ok(identity) => files.push((file.clone(), identity)),
                Err(why) if file.required => {
                    return Err(Error::Identity {
                        path: file.path.clone(),
                        why,
                    });
                }
                Err(IdentityError::Missing) if !file.named => {}
                Err(why) => self.skip(file.path.display().to_string(), why.to_string()),
            }
        }
        Ok(files)
    }

    /// The agent and its keys, if there is one that answers.
    async fn agent(&mut self) -> Option<(AgentClient<UnixStream>, Vec<Held>)> {
        let path = self.hop.agent.as_ref()?;
        let keys = async {
            let mut agent = AgentClient::connect_uds(path).await?;
            let keys = agent.request_identities().await?;
            Ok::<_, russh::keys::Error>((agent, keys))
        };
        let limit = self.shared.settings.handshake_limit;
        let Ok(keys) = timeout(limit, keys).await else {
            let why = format!("no answer within {} s", limit.as_secs());
            self.skip(format!("agent {}", path.display()), why);
            return None;
        };
        match keys {
            Ok((agent, keys)) => {
                let held = keys.into_iter().map(|identity| match identity {
                    AgentIdentity::PublicKey { key, comment } => Held {
                        key,
                        certificate: None,
                        comment,
                    },
                    AgentIdentity::Certificate {
                        certificate,
                        comment,
                    } => Held {
                        key: certificate::key_of(&certificate),
                        certificate: Some(certificate),
                        comment,
                    },
                });
                Some((agent, held.collect()))
            }
            Err(error) => {
                self.skip(format!("agent {}", path.display()), error.to_string());
                None
            }
        }
    }

    async fn offer_of_agent(
        &mut self,
        agent: &mut AgentClient<UnixStream>,
        held: Held,
    ) -> Result<bool, Error> {
        let Held {
            key,
            certificate,
            comment,
        } = held;
        let hash = self.hash(&key).await?;
        let (user, hop) = (self.hop.user.clone(), self.hop);
        let (name, result) = match certificate {
            Some(certificate) => {
                let login =
                    self.handle
                        .authenticate_certificate_with(user, certificate, hash, agent);
                let name = format!("{comment} (certificate in the agent)");
                (name, in_time(hop, TOUCH, login).await?)
            }
            None => {
                let login = self
                    .handle
                    .authenticate_publickey_with(user, key, hash, agent);
                (
                    format!("{comment} (agent)"),
                    in_time(hop, TOUCH, login).await?,
                )
            }
        };
        self.conclude_of_agent(name, result)
    }

    /// What a login by the agent came to.
    pub(super) fn conclude_of_agent(
        &mut self,
        name: String,
        result: Result<AuthResult, russh::AgentAuthError>,
    ) -> Result<bool, Error> {
        match result {
            Ok(result) => self.conclude(name, &result),
            Err(error) if self.handle.is_closed() => Err(self.lost(&error.to_string())),
            Err(error) => {
                self.skip(name, format!("the agent did not sign: {error}"));
                Ok(false)
            }
        }
    }

    async fn offer_file(&mut self, file: &IdentityFile, identity: Identity) -> Result<bool, Error> {
        let name = file.path.display().to_string();
        let key = match identity {
            Identity::Unlocked(key) => Ok(key),
            Identity::Public(_) => Err(IdentityError::PublicOnly),
            Identity::Locked(public) => {
                // The operator is only asked for a key that would do.
                if let Some(public) = public
                    && !self.would_do(public, &name).await?
                {
                    return Ok(false);
                }
                self.shared.identities.unlock(self.shared, &file.path).await
            }
        };
        let key = match key {
            Ok(key) => key,
            Err(why) if file.required => {
                return Err(Error::Identity {
                    path: file.path.clone(),
                    why,
                });
            }
            Err(why) => {
                self.skip(name, why.to_string());
                return Ok(false);
            }
        };
        let hash = self.hash(key.public_key()).await?;
        let key = PrivateKeyWithHashAlg::new(Arc::clone(&key), hash);
        let login = self
            .handle
            .authenticate_publickey(self.hop.user.clone(), key);
        let result = in_time(self.hop, self.shared.settings.handshake_limit, login).await?;
        let result = result.map_err(|error| self.lost(&error.to_string()))?;
        self.conclude(name, &result)
    }

    /// Whether the host would accept a key, found out without signing.
    async fn would_do(&mut self, key: PublicKey, name: &str) -> Result<bool, Error> {
        let hash = self.hash(&key).await?;
        let user = self.hop.user.clone();
        let mut probe = Probe;
        let login = self
            .handle
            .authenticate_publickey_with(user, key, hash, &mut probe);
        match in_time(self.hop, self.shared.settings.handshake_limit, login).await? {
            Err(Probed::Accepted) => Ok(true),
            Err(Probed::Closed) => Err(self.lost("the host closed it during the login")),
            Ok(result) => self.conclude(name.to_owned(), &result),
        }
    }

    pub(super) fn conclude(&mut self, key: String, result: &AuthResult) -> Result<bool, Error> {
        match result {
            AuthResult::Success => return Ok(true),
            AuthResult::Failure {
                partial_success: true,
                remaining_methods,
            } => {
                let also = remaining_methods
                    .iter()
                    .map(String::from)
                    .collect::<Vec<_>>();
                let why = format!("accepted, but the host also wants {}", also.join(" or "));
                self.skip(key, why);
            }
            AuthResult::Failure { .. } => {
                self.attempts.push(Attempt {
                    key,
                    outcome: Outcome::Refused,
                });
            }
        }
        if self.handle.is_closed() {
            self.skip(
                "further keys".to_owned(),
                "the host ended the login (MaxAuthTries)".into(),
            );
            return Err(Error::Authentication {
                address: self.hop.address(),
                user: self.hop.user.clone(),
                attempts: std::mem::take(&mut self.attempts),
            });
        }
        Ok(false)
    }

    /// The hash to sign with: never SHA-1, whatever the host would like.
    pub(super) async fn hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, Error> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash();
        let best = in_time(self.hop, self.shared.settings.handshake_limit, best).await?;
        let best = best.map_err(|error| self.lost(&error.to_string()))?;
        Ok(Some(best.flatten().unwrap_or(HashAlg::Sha512)))
    }

    pub(super) fn skip(&mut self, key: String, why: String) {
        self.attempts.push(Attempt {
            key,
            outcome: Outcome::Skipped(why),
        });
    }

    pub(super) fn lost(&self, why: &str) -> Error {
        Error::Lost {
            address: self.hop.address(),
            why: why.to_owned(),
        }
    }
}

/// Gives up a host that does not answer.
pub(super) async fn in_time<T>(
    hop: &Hop,
    limit: Duration,
    answer: impl Future<Output = T>,
) -> Result<T, Error> {
    timeout(limit, answer).await.map_err(|_| Error::Handshake {
        address: hop.address(),
        why: format!("no answer to a login within {} s", limit.as_secs()),
    })
}

/// Signs nothing; that it is asked to shows that the host accepts the key.
pub(super) struct Probe;

pub(super) enum Probed {
    Accepted,
    Closed,
}

impl From<russh::SendError> for Probed {
    fn from(_: russh::SendError) -> Self {
        Self::Closed
    }
}

impl russh::Signer for Probe {
    type Error = Probed;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash_alg: Option<HashAlg>,
        _to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Probed> {
        Err(Probed::Accepted)
    }
}
