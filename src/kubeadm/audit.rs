//! The audit log of API servers: policy, arguments and volumes.

use serde::Serialize;

use crate::cluster::{Audit, Values};
use crate::resource::sha256_hex;
use crate::template::HostFile;

/// Holds the policy; only root may look into it.
pub const POLICIES: &str = "/etc/kubernetes/audit";

/// Holds the logs; only root may look into it.
pub const LOGS: &str = "/var/log/kubernetes/audit";

/// A directory of the host in a static pod.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostPathMount {
    name: &'static str,
    host_path: &'static str,
    mount_path: &'static str,
    read_only: bool,
    path_type: &'static str,
}

/// The policy as a file. Its name has its hash: an API server reads it once,
/// so another policy has to be another argument, and the running process tells
/// which one it took.
#[must_use]
pub fn policy(audit: &Audit) -> HostFile {
    HostFile {
        path: path(audit),
        mode: 0o600,
        text: audit.policy.clone(),
    }
}

fn path(audit: &Audit) -> String {
    let hash = sha256_hex(audit.policy.as_bytes());
    format!("{POLICIES}/policy-{}.yaml", &hash[..16])
}

/// What the API server is told.
pub fn arguments(audit: &Audit) -> [(String, Values); 5] {
    [
        ("audit-policy-file", path(audit)),
        ("audit-log-path", format!("{LOGS}/audit.log")),
        ("audit-log-maxage", audit.max_age.to_string()),
        ("audit-log-maxbackup", audit.max_backups.to_string()),
        ("audit-log-maxsize", audit.max_size.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
}

/// What its pod needs: whole directories, so that a file that is replaced is
/// seen.
pub fn volumes() -> [HostPathMount; 2] {
    let mount = |name, path, read_only| HostPathMount {
        name,
        host_path: path,
        mount_path: path,
        read_only,
        path_type: "DirectoryOrCreate",
    };
    [
        mount("kdiy-audit-policy", POLICIES, true),
        mount("kdiy-audit-log", LOGS, false),
    ]
}
