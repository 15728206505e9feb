//! How long certificates last, and what to do about those that soon do not.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;

use super::Hosts;
use super::certificate::Certificate;
use super::problem::{Problem, Severity};
use crate::cluster::Name;

/// With fewer days left a certificate is warned about: kdiy and kubeadm begin
/// to renew theirs then.
pub const SOON: i64 = 30;

/// A certificate on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateRow {
    /// The host.
    pub host: Name,
    /// The file.
    pub file: String,
    /// What it is for.
    pub kind: Kind,
    /// When it ends.
    #[serde(with = "time::serde::rfc3339::option")]
    pub not_after: Option<OffsetDateTime>,
    /// Whole days until then, negative when they are past.
    pub days_left: Option<i64>,
    /// Why its end cannot be told.
    pub problem: Option<String>,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An authority that signs others.
    Authority,
    /// The API server's, and those that it shows to kubelets and etcd.
    ApiServer,
    /// Those between the API server and its extensions.
    FrontProxy,
    /// Those of etcd's members and of their clients.
    Etcd,
    /// The one by which a kubelet is known to the API.
    KubeletClient,
    /// The one that a kubelet serves with.
    KubeletServing,
    /// A client's, in a kubeconfig.
    Kubeconfig,
    /// Another.
    Other,
}

impl Kind {
    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authority => "authorities",
            Self::ApiServer => "API server",
            Self::FrontProxy => "front proxy",
            Self::Etcd => "etcd",
            Self::KubeletClient => "kubelet, as client",
            Self::KubeletServing => "kubelet, serving",
            Self::Kubeconfig => "kubeconfigs",
            Self::Other => "others",
        }
    }

    /// What a file is for, told from its path.
    #[must_use]
    pub fn of(file: &str) -> Self {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        match name {
            "ca.crt" | "front-proxy-ca.crt" | "kdiy-ca.crt" => Self::Authority,
            _ if folder.ends_with("/etcd") || folder == "/etc/etcd/pki" => Self::Etcd,
            "apiserver.crt" | "apiserver-kubelet-client.crt" | "apiserver-etcd-client.crt" => {
                Self::ApiServer
            }
            "front-proxy-client.crt" => Self::FrontProxy,
            "kubelet-client-current.pem" => Self::KubeletClient,
            "kubelet.crt" | "kubelet-server-current.pem" => Self::KubeletServing,
            _ if name.ends_with(".conf") => Self::Kubeconfig,
            _ => Self::Other,
        }
    }
}

/// All certificates of all hosts, the one that ends first at the front.
pub(super) fn certificates(hosts: &Hosts, now: OffsetDateTime) -> Vec<CertificateRow> {
    let answers = hosts
        .iter()
        .filter_map(|(name, host)| Some((name, host.as_ref().ok()?)));
    let mut rows: Vec<_> = answers
        .flat_map(|(name, answer)| answer.certificates.iter().map(|of| row(name, of, now)))
        .collect();
    rows.sort_by(|a, b| (a.not_after, &a.host, &a.file).cmp(&(b.not_after, &b.host, &b.file)));
    rows
}

fn row(host: &Name, certificate: &Certificate, now: OffsetDateTime) -> CertificateRow {
    let end = certificate.end.as_ref();
    CertificateRow {
        host: host.clone(),
        file: certificate.file.clone(),
        kind: Kind::of(&certificate.file),
        not_after: end.ok().copied(),
        // One that ended an hour ago has not a whole day left.
        days_left: end
            .ok()
            .map(|end| (*end - now).whole_seconds().div_euclid(86_400)),
        problem: end.err().cloned(),
    }
}

/// Those that are past their end, or soon will be: of each host and kind once.
pub(super) fn problems(rows: &[CertificateRow]) -> Vec<Problem> {
    let mut groups = BTreeMap::<(&Name, Kind, Severity), Vec<&CertificateRow>>::new();
    let mut all = Vec::new();
    for row in rows {
        match row.days_left {
            None => {
                let why = row.problem.as_deref().unwrap_or_default();
                let what = format!("the end of {} is not known: {why}", row.file);
                all.push(Problem::of(Severity::Warning, &row.host, what));
            }
            Some(days) if days < SOON => {
                let severity = match days {
                    ..0 => Severity::Degraded,
                    _ => Severity::Warning,
                };
                let group = groups.entry((&row.host, row.kind, severity)).or_default();
                group.push(row);
            }
            Some(_) => {}
        }
    }
    for ((host, kind, severity), rows) in groups {
        let files: Vec<_> = rows.iter().map(|row| row.file.as_str()).collect();
        let end = rows.iter().filter_map(|row| row.not_after).min();
        let day = end.map(|end| end.date().to_string()).unwrap_or_default();
        let what = match severity {
            Severity::Warning => format!("ends on {day}: {}", files.join(", ")),
            _ => format!("expired since {day}: {}", files.join(", ")),
        };
        all.push(Problem::of(severity, host, what).fix(renewal(kind, host)));
    }
    all
}

/// What renews a certificate of a kind today.
fn renewal(kind: Kind, host: &Name) -> String {
    match kind {
        Kind::Authority => "kdiy does not replace authorities yet: kubernetes.io, \"Manual \
             Rotation of CA Certificates\", says how"
            .to_owned(),
        Kind::ApiServer | Kind::FrontProxy | Kind::Etcd | Kind::Kubeconfig => format!(
            "run kubeadm certs renew all on {host}, then restart its API server, \
             controller-manager, scheduler and etcd; on hosts of an external etcd kdiy apply \
             renews them"
        ),
        Kind::KubeletClient => format!(
            "kubelets renew it themselves: see on {host} why that fails, journalctl -u kubelet"
        ),
        Kind::KubeletServing => format!(
            "on {host}, move /var/lib/kubelet/pki/kubelet.crt and kubelet.key away and restart \
             the kubelet, which makes new ones; with kubelet.serving signed kdiy apply approves \
             new ones"
        ),
        Kind::Other => "find out who made it".to_owned(),
    }
}
