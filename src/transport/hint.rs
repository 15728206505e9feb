//! What to do about an error.

use super::error::{Attempt, Error, IdentityError, Outcome, SudoError, UnknownKey, Unreachable};

impl Error {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreachable { why, .. } => why.hint().to_owned(),
            Self::Handshake { address, .. } => format!(
                "see what answers there with `ssh -v {}`; another service may listen on that port, \
                 or sshd may limit connections (MaxStartups)",
                of_ssh(address)
            ),
            Self::Incompatible { address, .. } => format!(
                "see with `ssh -v {}` what it offers; kdiy uses no SHA-1 and no CBC",
                of_ssh(address)
            ),
            Self::HostKeyUnknown(key) => key.hint(),
            Self::HostKeyChanged { at, .. } => format!(
                "if the host was reinstalled, compare the fingerprint on its console and delete \
                 line {} of {}; otherwise somebody may be listening in",
                at.number,
                at.path.display()
            ),
            Self::HostKeyRevoked { .. } => {
                "do not trust this host until its administrator has given it a new key".to_owned()
            }
            Self::HostAuthorityRevoked { .. } => "do not trust this host until it has a \
                certificate of another authority, and put that one into known_hosts"
                .to_owned(),
            Self::HostKeyPin { .. } => "compare `ssh-keygen -lf` of the host's public key on its \
                console with `hostKey` in the inventory, and correct whichever is wrong"
                .to_owned(),
            Self::KnownHosts { .. } => "make the file readable and writable for you".to_owned(),
            Self::Authentication {
                user,
                address,
                attempts,
            } => authentication_hint(user, address, attempts),
            Self::Identity { path, why } => match why {
                IdentityError::TooOpen(_) => format!("run `chmod 600 {}`", path.display()),
                IdentityError::Missing => "correct the path in the inventory".to_owned(),
                IdentityError::WrongPassphrase | IdentityError::NoPassphrase => format!(
                    "load it into an agent with `ssh-add {}` or run kdiy on a terminal",
                    path.display()
                ),
                IdentityError::PublicOnly => "load its private half into an agent".to_owned(),
                IdentityError::Unreadable(_) | IdentityError::NotAKey(_) => {
                    format!("check it with `ssh-keygen -yf {}`", path.display())
                }
            },
            Self::Jump { source, .. } => source.hint(),
            Self::Sudo { user, why, .. } => why.hint(user),
            Self::Shell { .. } => {
                "check the login shell of the user on the host; `ssh HOST true` must work"
                    .to_owned()
            }
            Self::Lost { .. } => {
                "run the same command again: what is done already is not done twice".to_owned()
            }
            Self::TimeLimit { .. } => {
                "look on the host for what hangs; its last lines of output say where".to_owned()
            }
            Self::Target { .. } => "see on the host whether anything listens on that address, and \
                whether a firewall lets it through"
                .to_owned(),
            Self::NotKept { .. } => {
                "make room on this machine, or name a file elsewhere".to_owned()
            }
            Self::Config { .. } => "correct that line, or name what is needed in the inventory, \
                which goes before it"
                .to_owned(),
            Self::JumpChain { .. } => {
                "look for a ProxyJump in the SSH configuration that leads back to itself".to_owned()
            }
            Self::Unscripted { .. } => "script an answer in the test".to_owned(),
        }
    }
}

impl Unreachable {
    const fn hint(&self) -> &'static str {
        match self {
            Self::Refused => "check that sshd runs there, and the port in the inventory",
            Self::Timeout(_) => "check that the host is up and that no firewall drops the port",
            Self::NoRoute(_) => "check the network from here to the host, a VPN for instance",
            Self::Name(_) => "correct the host in the inventory, or give its address",
            Self::Resolver(_) => "check the DNS resolver of this machine",
            Self::Forward(_) => {
                "check that the jump host reaches it and allows it (AllowTcpForwarding)"
            }
            Self::Other(_) => "check the network from here to the host",
        }
    }
}

impl SudoError {
    fn hint(&self, user: &str) -> String {
        match self {
            Self::Missing => "install sudo on the host, or log in as root".to_owned(),
            Self::PasswordNeeded => format!(
                "set `sudo` in the inventory to a password source, or allow it without: \
                 `{user} ALL=(ALL) NOPASSWD: ALL` in sudoers"
            ),
            Self::PasswordWrong => format!("check the password of {user} on the host"),
            Self::PasswordUnavailable(_) => {
                "check the `sudo` setting of the inventory; without a terminal use an environment \
                 variable or a command"
                    .to_owned()
            }
            Self::NotAllowed(_) => format!("add `{user} ALL=(ALL) ALL` to sudoers on the host"),
            Self::TtyNeeded => format!("add `Defaults:{user} !requiretty` to sudoers on the host"),
            Self::Other(_) => "try `sudo -v` on the host".to_owned(),
        }
    }
}

impl UnknownKey {
    fn hint(&self) -> String {
        let compare = format!(
            "compare the fingerprint on the host's console (`ssh-keygen -lf {}`)",
            self.public_key_file()
        );
        let Some(file) = self.file.as_ref().map(|file| file.display()) else {
            return format!(
                "{compare} and put it into the inventory as `hostKey`; ssh's configuration says \
                 `UserKnownHostsFile none`, so no key is kept"
            );
        };
        if let Some(other) = self.others.first() {
            return format!(
                "the host is known by another type of key at {other}; if it really has a new one, \
                 add this line to {file}: {}",
                self.entry
            );
        }
        if self.certificate.is_some() {
            return format!(
                "have the authority sign the host's key again (`ssh-keygen -h -s`) and name the \
                 certificate in sshd_config (`HostCertificate`), or {compare} and put it into the \
                 inventory as `hostKey`"
            );
        }
        format!(
            "{compare}, then run again with `--accept-new-host-keys`, which keeps the key in \
             {file}, or put the fingerprint into the inventory"
        )
    }

    /// Where sshd has the public key by default.
    const fn public_key_file(&self) -> &'static str {
        match self.kind.as_bytes() {
            b"ssh-ed25519" => "/etc/ssh/ssh_host_ed25519_key.pub",
            b"ssh-rsa" => "/etc/ssh/ssh_host_rsa_key.pub",
            _ => "/etc/ssh/ssh_host_ecdsa_key.pub",
        }
    }
}

fn authentication_hint(user: &str, address: &str, attempts: &[Attempt]) -> String {
    if attempts
        .iter()
        .any(|attempt| attempt.outcome == Outcome::Refused)
    {
        format!(
            "add the public key with `ssh-copy-id`, or check the user name; `ssh -v {}` shows \
             what the host accepts",
            of_ssh(&format!("{user}@{address}"))
        )
    } else {
        "name an identity file in the inventory, or load a key into an agent with `ssh-add`"
            .to_owned()
    }
}

/// `host:port` as ssh's command line takes it.
fn of_ssh(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) => format!("-p {port} {}", host.replace(['[', ']'], "")),
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::host_certificate::CertificateError;

    fn shown(error: &Error) -> String {
        format!("{error}\n-> {}", error.hint())
    }

    fn unknown(certificate: Option<CertificateError>) -> UnknownKey {
        UnknownKey {
            address: "cp-1:22".to_owned(),
            kind: "ssh-ed25519".to_owned(),
            fingerprint: "SHA256:abc".to_owned(),
            file: Some("/home/me/.ssh/known_hosts".into()),
            entry: "cp-1 ssh-ed25519 AAAA".to_owned(),
            hashed: false,
            others: Vec::new(),
            certificate,
        }
    }

    #[test]
    fn an_unknown_key_says_what_to_compare() {
        let key = unknown(None);
        insta::assert_snapshot!(shown(&Error::HostKeyUnknown(Box::new(key))), @r"
        the ssh-ed25519 host key SHA256:abc of cp-1:22 is not known
        -> compare the fingerprint on the host's console (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then run again with `--accept-new-host-keys`, which keeps the key in /home/me/.ssh/known_hosts, or put the fingerprint into the inventory
        ");
    }

    #[test]
    fn a_certificate_that_does_not_count_says_why() {
        let key = unknown(Some(CertificateError::OtherHost {
            name: "cp-1".to_owned(),
            names: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).into(),
        }));
        insta::assert_snapshot!(shown(&Error::HostKeyUnknown(Box::new(key))), @r"
        the ssh-ed25519 host key SHA256:abc of cp-1:22 is not known; its certificate is for a, b, c, d and 2 more, not for cp-1
        -> have the authority sign the host's key again (`ssh-keygen -h -s`) and name the certificate in sshd_config (`HostCertificate`), or compare the fingerprint on the host's console (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`) and put it into the inventory as `hostKey`
        ");
    }

    #[test]
    fn a_refused_login_says_what_was_tried() {
        let attempt = |key: &str, outcome| Attempt {
            key: key.to_owned(),
            outcome,
        };
        let error = Error::Authentication {
            address: "[fd00::1]:2222".to_owned(),
            user: "ops".to_owned(),
            attempts: vec![
                attempt("me@laptop (agent)", Outcome::Refused),
                attempt(
                    "/k",
                    Outcome::Skipped(IdentityError::TooOpen(0o644).to_string()),
                ),
            ],
        };
        insta::assert_snapshot!(shown(&error), @r"
        [fd00::1]:2222 refused the login of ops: me@laptop (agent): refused; /k: skipped, others can read it (mode 0644)
        -> add the public key with `ssh-copy-id`, or check the user name; `ssh -v -p 2222 ops@fd00::1` shows what the host accepts
        ");
    }

    #[test]
    fn a_failed_hop_passes_or_not_as_its_cause() {
        let jump = |source| Error::Jump {
            hop: "a@b:22".to_owned(),
            source: Box::new(source),
        };
        let address = "c:22".to_owned();
        let transient = jump(Error::Unreachable {
            address,
            why: Unreachable::Refused,
        });
        assert!(transient.is_transient());
        insta::assert_snapshot!(shown(&transient), @r"
        jump host a@b:22: cannot reach c:22: connection refused
        -> check that sshd runs there, and the port in the inventory
        ");
        let why = SudoError::PasswordWrong;
        let address = "c:22".to_owned();
        assert!(
            !jump(Error::Sudo {
                address,
                user: "u".to_owned(),
                why
            })
            .is_transient()
        );
    }
}
