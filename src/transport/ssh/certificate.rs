//! Logging in with user certificates: those beside identity files
//! (`KEY-cert.pub`) and those that `CertificateFile` names. Certificates that
//! the agent has are offered with its keys.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Certificate, HashAlg, PublicKey};
use tokio::net::UnixStream;

use super::identity::Identity;
use super::login::{Login, Probe, Probed, TOUCH, in_time};
use super::route::IdentityFile;
use crate::transport::error::Error;
use crate::transport::local;

/// The agent, for a key of it whose certificate it does not have.
struct KeyOfAgent<'a>(&'a mut AgentClient<UnixStream>);

impl russh::Signer for KeyOfAgent<'_> {
    type Error = russh::AgentAuthError;

    async fn auth_sign(
        &mut self,
        identity: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        let key = AgentIdentity::PublicKey {
            key: identity.public_key().into_owned(),
            comment: String::new(),
        };
        self.0.auth_sign(&key, hash, to_sign).await
    }
}

/// The key that a certificate is for.
pub(super) fn key_of(certificate: &Certificate) -> PublicKey {
    PublicKey::new(certificate.public_key().clone(), "")
}

/// A certificate of a user; `None` where there is no file.
fn read(path: &Path) -> Result<Option<Certificate>, String> {
    let text = match local::text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let certificate = Certificate::from_openssh(text.trim())
        .map_err(|error| format!("this is no certificate of OpenSSH: {error}"))?;
    if certificate.cert_type().is_user() {
        Ok(Some(certificate))
    } else {
        Err("this certificate is a host's, not a user's".to_owned())
    }
}

impl Login<'_> {
    /// The certificates that are files, those that are named first.
    pub(super) fn certificates(
        &mut self,
        files: &[(IdentityFile, Identity)],
    ) -> Vec<(PathBuf, Certificate)> {
        let named = self
            .hop
            .certificates
            .iter()
            .map(|path| (path.clone(), true));
        let beside = files.iter().map(|(file, _)| {
            let mut path = file.path.as_os_str().to_owned();
            path.push("-cert.pub");
            (PathBuf::from(path), false)
        });
        let all: Vec<_> = named.chain(beside).collect();
        let mut found: Vec<(PathBuf, Certificate)> = Vec::new();
        for (path, named) in all {
            if found.iter().any(|(known, _)| *known == path) {
                continue;
            }
            match read(&path) {
                Ok(Some(certificate)) => found.push((path, certificate)),
                Ok(None) if named => {
                    self.skip(
                        path.display().to_string(),
                        "there is no such file".to_owned(),
                    );
                }
                Ok(None) => {}
                Err(why) => self.skip(path.display().to_string(), why),
            }
        }
        found
    }

    /// Logs in with a certificate, by the key of it that the agent has, or
    /// else by that of an identity file.
    pub(super) async fn offer_certificate(
        &mut self,
        path: &Path,
        certificate: Certificate,
        agent: Option<&mut AgentClient<UnixStream>>,
        files: &[(IdentityFile, Identity)],
    ) -> Result<bool, Error> {
        let name = path.display().to_string();
        let key = key_of(&certificate);
        let (user, hash) = (self.hop.user.clone(), self.hash(&key).await?);
        if let Some(agent) = agent {
            let mut signer = KeyOfAgent(agent);
            let login =
                self.handle
                    .authenticate_certificate_with(user, certificate, hash, &mut signer);
            let result = in_time(self.hop, TOUCH, login).await?;
            return self.conclude_of_agent(name, result);
        }
        let own = |(_, identity): &&(IdentityFile, Identity)| {
            let public = identity.public();
            public.is_some_and(|public| public.key_data() == key.key_data())
        };
        let Some((file, identity)) = files.iter().find(own) else {
            self.skip(
                name,
                "its key is in no identity file and not in the agent".to_owned(),
            );
            return Ok(false);
        };
        if hash.is_some() {
            // It would be signed with SHA-1, which no host takes any more.
            let why = "an RSA certificate is used through the ssh-agent alone: ssh-add its key";
            self.skip(name, why.to_owned());
            return Ok(false);
        }
        let limit = self.shared.settings.handshake_limit;
        let key = match identity {
            Identity::Unlocked(key) => Ok(key.clone()),
            _ => {
                // The operator is only asked for a key that would do.
                let (user, asked) = (user.clone(), certificate.clone());
                let mut probe = Probe;
                let login = self
                    .handle
                    .authenticate_certificate_with(user, asked, hash, &mut probe);
                match in_time(self.hop, limit, login).await? {
                    Err(Probed::Accepted) => {}
                    Err(Probed::Closed) => {
                        return Err(self.lost("the host closed it during the login"));
                    }
                    Ok(result) => return self.conclude(name, &result),
                }
                self.shared.identities.unlock(self.shared, &file.path).await
            }
        };
        let key = match key {
            Ok(key) => key,
            Err(why) => {
                self.skip(name, why.to_string());
                return Ok(false);
            }
        };
        let login = self
            .handle
            .authenticate_openssh_cert(user, key, certificate);
        let result = in_time(self.hop, limit, login).await?;
        let result = result.map_err(|error| self.lost(&error.to_string()))?;
        self.conclude(name, &result)
    }
}
