//! Logging in with keys, in OpenSSH's order: keys that the agent holds of the
//! identity files, other keys of the agent, identity files.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::Shared;
use super::identity::Identity;
use super::live::Client;
use super::route::{Hop, IdentityFile};
use crate::transport::error::{Attempt, Error, IdentityError, Outcome};

/// How long a login by an agent may take: it may wait for a touch of a key.
const TOUCH: Duration = Duration::from_secs(120);

/// One login that is under way.
struct Login<'a> {
    shared: &'a Shared,
    hop: &'a Hop,
    handle: &'a mut Handle<Client>,
    attempts: Vec<Attempt>,
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
        let mut in_agent = Vec::new();
        if let Some((mut agent, keys)) = self.agent().await {
            let is_named = |key: &PublicKey| {
                files.iter().any(|(_, identity)| {
                    identity
                        .public()
                        .is_some_and(|public| public.key_data() == key.key_data())
                })
            };
            let (first, rest): (Vec<_>, Vec<_>) =
                keys.into_iter().partition(|(key, _)| is_named(key));
            let rest = if self.hop.identities_only {
                Vec::new()
            } else {
                rest
            };
            for (key, comment) in first.into_iter().chain(rest) {
                in_agent.push(key.clone());
                let name = format!("{comment} (agent)");
                if self.offer_of_agent(&mut agent, key, name).await? {
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
    async fn agent(&mut self) -> Option<(AgentClient<UnixStream>, Vec<(PublicKey, String)>)> {
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
                let plain = keys.into_iter().filter_map(|identity| match identity {
                    AgentIdentity::PublicKey { key, comment } => Some((key, comment)),
                    AgentIdentity::Certificate { .. } => None,
                });
                Some((agent, plain.collect()))
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
        key: PublicKey,
        name: String,
    ) -> Result<bool, Error> {
        let hash = self.hash(&key).await?;
        let user = self.hop.user.clone();
        let login = self
            .handle
            .authenticate_publickey_with(user, key, hash, agent);
        match in_time(self.hop, TOUCH, login).await? {
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

    fn conclude(&mut self, key: String, result: &AuthResult) -> Result<bool, Error> {
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
    async fn hash(&self, key: &PublicKey) -> Result<Option<HashAlg>, Error> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        let best = self.handle.best_supported_rsa_hash();
        let best = in_time(self.hop, self.shared.settings.handshake_limit, best).await?;
        let best = best.map_err(|error| self.lost(&error.to_string()))?;
        Ok(Some(best.flatten().unwrap_or(HashAlg::Sha512)))
    }

    fn skip(&mut self, key: String, why: String) {
        self.attempts.push(Attempt {
            key,
            outcome: Outcome::Skipped(why),
        });
    }

    fn lost(&self, why: &str) -> Error {
        Error::Lost {
            address: self.hop.address(),
            why: why.to_owned(),
        }
    }
}

/// Gives up a host that does not answer.
async fn in_time<T>(
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
struct Probe;

enum Probed {
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
