//! Stable names of errors. A script may look for them, and
//! `docs/troubleshooting.md` has an entry for each.

use super::error::{Error, SudoError, Unreachable};

impl Error {
    /// Stable kebab-case name, such as `host-key-unknown`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { why, .. } => why.code(),
            Self::Handshake { .. } => "no-session",
            Self::Incompatible { .. } => "ssh-incompatible",
            Self::HostKeyUnknown(_) => "host-key-unknown",
            Self::HostKeyChanged { .. } => "host-key-changed",
            Self::HostKeyRevoked { .. } | Self::HostAuthorityRevoked { .. } => "host-key-revoked",
            Self::HostKeyPin { .. } => "host-key-pin",
            Self::KnownHosts { .. } => "known-hosts-file",
            Self::Authentication { .. } => "login-refused",
            Self::Identity { .. } => "identity-file",
            Self::Jump { source, .. } => source.code(),
            Self::Sudo { why, .. } => why.code(),
            Self::Shell { .. } => "no-shell",
            Self::Lost { .. } => "connection-lost",
            Self::TimeLimit { .. } => "time-limit",
            Self::Target { .. } => "target-unreachable",
            Self::NotKept { .. } => "not-kept",
            Self::Config { .. } => "ssh-config",
            Self::JumpChain { .. } => "jump-chain",
            Self::Unscripted { .. } => "unscripted",
        }
    }
}

impl Unreachable {
    const fn code(&self) -> &'static str {
        match self {
            Self::Refused => "connection-refused",
            Self::Timeout(_) => "no-answer",
            Self::NoRoute(_) => "no-route",
            Self::Name(_) => "host-name-unknown",
            Self::Resolver(_) => "resolver-silent",
            Self::Forward(_) => "forward-refused",
            Self::Other(_) => "network-error",
        }
    }
}

impl SudoError {
    const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "sudo-missing",
            Self::PasswordNeeded => "sudo-password-needed",
            Self::PasswordWrong => "sudo-password-wrong",
            Self::PasswordUnavailable(_) => "sudo-password-unavailable",
            Self::NotAllowed(_) => "sudo-not-allowed",
            Self::TtyNeeded => "sudo-tty-needed",
            Self::Other(_) => "sudo-failed",
        }
    }
}
