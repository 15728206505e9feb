//! A certificate with its key, issued here by an authority whose key never
//! reaches the host. A plan holds neither: both are made when it is known
//! which are needed, and filled in when it runs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::Serialize;
use time::{Duration, OffsetDateTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::{Pem, parse_x509_pem};
use zeroize::Zeroizing;

use super::file::Stat;
use super::{AnswerError, Answers, Content, Difference, Verb, section, sha256_hex};
use crate::shell::{Script, sh};

/// A leaf is renewed when so little of its time is left.
const RENEWAL: Duration = Duration::days(30);

/// A certificate and its key on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Where the certificate is.
    pub path: String,
    /// Where its key is, and who may read what.
    pub keeping: Keeping,
    /// What it says.
    pub subject: Subject,
    /// PEM of the authority that issues it.
    pub authority: String,
    /// The host that it is for; with the path, the name of its content.
    pub host: String,
}

/// How a certificate and its key are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keeping {
    /// In a file each; everybody may read the certificate.
    Apart {
        /// Where the key is.
        key: String,
        /// The group that may read the key besides root.
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
    },
    /// Both in one file beside a link to it, as a kubelet keeps its own: it
    /// writes another file when it renews, and turns the link.
    Linked,
}

/// What a leaf says about its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Common name.
    pub common_name: String,
    /// Organizations.
    pub organizations: BTreeSet<String>,
    /// What it may be used for.
    pub usages: BTreeSet<Usage>,
    /// DNS names that it serves.
    pub names: BTreeSet<String>,
    /// Addresses that it serves.
    pub addresses: BTreeSet<IpAddr>,
}

/// What a leaf may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usage {
    /// To log in.
    Client,
    /// To serve.
    Server,
}

/// What stands at the two paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// No certificate.
    Absent,
    /// Something.
    Present {
        /// Hash of the certificate's file.
        sha256: String,
        /// Mode and owner of the certificate.
        stat: Stat,
        /// Mode and owner of the key, where there is one.
        key: Option<Stat>,
        /// Whether the path is a link.
        link: bool,
        /// Whether the key belongs to the certificate.
        pair: bool,
        /// What the certificate says; `None` when it cannot be read.
        issued: Option<Box<Issued>>,
    },
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Whether the wanted authority signed it.
    pub by_authority: bool,
    /// About its holder.
    pub subject: Subject,
    /// When it ends, in seconds since 1970.
    pub not_after: i64,
    /// How long it still lasts by the host's clock, in seconds.
    pub left: i64,
}

/// Defines `kdiy_clock` and `kdiy_certificate`.
const LOOK: &str = sh!("resource/certificate.sh");

/// Defines `kdiy_put_pair` and `kdiy_put_linked`.
pub(super) const FUNCTIONS: &str = sh!("resource/pair.sh");

pub(super) fn probe(all: &[&Certificate]) -> Script {
    if all.is_empty() {
        return Script::new();
    }
    let clock = Script::of(LOOK).run("kdiy_clock");
    let body = all.iter().fold(clock, |body, certificate| {
        let follow = match certificate.keeping {
            Keeping::Apart { .. } => None,
            Keeping::Linked => Some("-L"),
        };
        let files = [certificate.path.as_str(), certificate.key()];
        body.call("kdiy_certificate", files.into_iter().chain(follow))
    });
    section("certificate", &body)
}

impl Certificate {
    /// Where the key is.
    fn key(&self) -> &str {
        match &self.keeping {
            Keeping::Apart { key, .. } => key,
            Keeping::Linked => &self.path,
        }
    }

    /// The owner of the key, as the plan and the host name it.
    fn key_owner(&self) -> String {
        match &self.keeping {
            Keeping::Apart {
                group: Some(group), ..
            } => format!("root:{group}"),
            _ => "root:root".to_owned(),
        }
    }

    const fn key_mode(&self) -> u32 {
        match self.keeping {
            Keeping::Apart { group: Some(_), .. } => 0o640,
            _ => 0o600,
        }
    }

    const fn mode(&self) -> u32 {
        match self.keeping {
            Keeping::Apart { .. } => 0o644,
            Keeping::Linked => 0o600,
        }
    }

    /// Stands for the certificate's text until it is made.
    #[must_use]
    pub fn certificate_placeholder(&self) -> String {
        format!("kdiy:certificate:{}:{}:", self.host, self.path)
    }

    /// Stands for the key's text until it is made.
    #[must_use]
    pub fn key_placeholder(&self) -> String {
        format!("kdiy:key:{}:{}:", self.host, self.key())
    }

    pub(super) fn parse(&self, answers: &Answers) -> Result<Seen, AnswerError> {
        let line = |what: &str| answers.line("certificate", &format!("{what} {}", self.path));
        let stat = |line: Option<&str>| line.map(|line| Stat::parse(&self.path, line)).transpose();
        let Some(certificate) = stat(line("crt")?)? else {
            return Ok(Seen::Absent);
        };
        let now = answers.line("certificate", "now")?.unwrap_or_default();
        let now: i64 = now
            .parse()
            .map_err(|_| AnswerError::text("the host's clock", now))?;
        let pem = line("pem")?.unwrap_or_default().replace('|', "\n");
        Ok(Seen::Present {
            sha256: line("sum")?.unwrap_or_default().to_owned(),
            stat: certificate,
            key: stat(line("key")?)?,
            link: line("link")?.is_some(),
            pair: line("pair")?.is_some(),
            issued: Issued::read(&pem, &self.authority, now).map(Box::new),
        })
    }

    pub(super) fn diff(&self, seen: &Seen) -> Option<Difference> {
        let Seen::Present {
            stat,
            key,
            link,
            pair,
            issued,
            ..
        } = seen
        else {
            return Some(Difference::with(Verb::Create, self.particulars()));
        };
        let mut details = stat.differences_of("root:root", self.mode(), "regular");
        if self.keeping == Keeping::Linked && !link {
            details.push("no link, as kubelets want".to_owned());
        }
        match key {
            None => details.push("its key is missing".to_owned()),
            Some(_) if !pair => details.push("the key is another's".to_owned()),
            Some(key) => {
                let differences = key.differences_of(&self.key_owner(), self.key_mode(), "regular");
                details.extend(differences.into_iter().map(|d| format!("key: {d}")));
            }
        }
        match issued {
            None => details.push("it is no certificate".to_owned()),
            Some(issued) => details.extend(issued.differences(&self.subject)),
        }
        (!details.is_empty()).then(|| {
            details.push("issue a new one".to_owned());
            Difference::with(Verb::Change, details)
        })
    }

    /// What it says and who may read its key.
    fn particulars(&self) -> Vec<String> {
        let mut details = vec![format!("issue to {}", self.subject.common_name)];
        let reachable = self.subject.reachable();
        if !reachable.is_empty() {
            details.push(format!("for {}", reachable.join(", ")));
        }
        details.push(format!("key {:04o} {}", self.key_mode(), self.key_owner()));
        details
    }

    pub(super) fn apply(
        &self,
        seen: &Seen,
        fill: &dyn Fn(&Content) -> Zeroizing<String>,
    ) -> Script {
        match &self.keeping {
            Keeping::Apart { key, .. } => self.apply_apart(key, seen, fill),
            Keeping::Linked => self.apply_linked(fill),
        }
    }

    fn apply_apart(
        &self,
        path: &str,
        seen: &Seen,
        fill: &dyn Fn(&Content) -> Zeroizing<String>,
    ) -> Script {
        let expected = match seen {
            Seen::Absent => "absent",
            Seen::Present { sha256, .. } => sha256,
        };
        let text = fill(&Content::Filled(self.certificate_placeholder()));
        let key = fill(&Content::Filled(self.key_placeholder()));
        let sum = sha256_hex(text.as_bytes());
        let (mode, owner) = (format!("{:04o}", self.key_mode()), self.key_owner());
        let certificate = [self.path.as_str(), expected, &sum, &text];
        let key = [path, &mode, &owner, &key];
        Script::new().call("kdiy_put_pair", certificate.into_iter().chain(key))
    }

    /// The link may have been turned since the plan was made, by a kubelet that
    /// renewed: this one is as good, and the other file stays.
    fn apply_linked(&self, fill: &dyn Fn(&Content) -> Zeroizing<String>) -> Script {
        let both = self.certificate_placeholder() + &self.key_placeholder();
        let text = fill(&Content::Filled(both));
        let hash = sha256_hex(text.as_bytes());
        let (stem, _) = self
            .path
            .rsplit_once("-current")
            .unwrap_or((&self.path, ""));
        let file = format!("{stem}-{}.pem", &hash[..12]);
        let words = [self.path.as_str(), &file, &hash, &text];
        Script::new().call("kdiy_put_linked", words)
    }
}

#[cfg(test)]
impl Certificate {
    /// What a host has that is as wanted, with a year left.
    pub(super) fn as_wanted(&self) -> Seen {
        Seen::Present {
            sha256: "0".repeat(64),
            stat: Stat::of("root:root", self.mode(), "regular file"),
            link: self.keeping == Keeping::Linked,
            key: Some(Stat::of(&self.key_owner(), self.key_mode(), "regular file")),
            pair: true,
            issued: Some(Box::new(Issued {
                by_authority: true,
                subject: self.subject.clone(),
                not_after: 1_800_000_000,
                left: 31_536_000,
            })),
        }
    }
}

impl Subject {
    /// One that logs in and serves nothing.
    #[must_use]
    pub fn client(common_name: impl Into<String>) -> Self {
        Self {
            common_name: common_name.into(),
            organizations: BTreeSet::new(),
            usages: [Usage::Client].into(),
            names: BTreeSet::new(),
            addresses: BTreeSet::new(),
        }
    }

    /// Names and addresses that it serves.
    fn reachable(&self) -> Vec<String> {
        let addresses = self.addresses.iter().map(IpAddr::to_string);
        self.names.iter().cloned().chain(addresses).collect()
    }
}

impl Issued {
    /// Reads the first certificate of a PEM text.
    fn read(pem: &str, authority: &str, now: i64) -> Option<Self> {
        let block = first(pem)?;
        let certificate = block.parse_x509().ok()?;
        let not_after = certificate.validity().not_after.timestamp();
        Some(Self {
            by_authority: is_signed_by(&certificate, authority),
            subject: subject(&certificate),
            not_after,
            left: not_after - now,
        })
    }

    fn differences(&self, wanted: &Subject) -> Vec<String> {
        let mut details = Vec::new();
        if !self.by_authority {
            details.push("another authority issued it".to_owned());
        }
        if self.subject.common_name != wanted.common_name
            || self.subject.organizations != wanted.organizations
        {
            let (is, shall) = (&self.subject.common_name, &wanted.common_name);
            details.push(format!("issued to {is} -> {shall}"));
        }
        if self.subject.usages != wanted.usages {
            details.push("other usages".to_owned());
        }
        let (is, shall) = (self.subject.reachable(), wanted.reachable());
        if is != shall {
            details.push(format!("for {} -> {}", is.join(", "), shall.join(", ")));
        }
        if self.left < RENEWAL.whole_seconds() {
            let date = OffsetDateTime::from_unix_timestamp(self.not_after)
                .map_or_else(|_| "long ago".to_owned(), |end| end.date().to_string());
            let expires = if self.left < 0 { "expired" } else { "expires" };
            details.push(format!("{expires} {date}"));
        }
        details
    }
}

fn first(pem: &str) -> Option<Pem> {
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    (block.label == "CERTIFICATE").then_some(block)
}

fn is_signed_by(certificate: &X509Certificate<'_>, authority: &str) -> bool {
    let Some(block) = first(authority) else {
        return false;
    };
    block.parse_x509().is_ok_and(|authority| {
        certificate.issuer().as_raw() == authority.subject().as_raw()
            && certificate
                .verify_signature(Some(authority.public_key()))
                .is_ok()
    })
}

/// The names and addresses of a server's certificate, PEM; none where it cannot
/// be read.
#[must_use]
pub fn server_names(pem: &str) -> Option<BTreeSet<String>> {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).ok()?;
    let subject = subject(&pem.parse_x509().ok()?);
    let addresses = subject.addresses.iter().map(ToString::to_string);
    Some(subject.names.iter().cloned().chain(addresses).collect())
}

fn subject(certificate: &X509Certificate<'_>) -> Subject {
    let holder = certificate.subject();
    let common_name = holder
        .iter_common_name()
        .find_map(|name| name.as_str().ok());
    let organizations = holder
        .iter_organization()
        .filter_map(|name| Some(name.as_str().ok()?.to_owned()));
    let mut usages = BTreeSet::new();
    if let Ok(Some(extended)) = certificate.extended_key_usage() {
        usages.extend(extended.value.client_auth.then_some(Usage::Client));
        usages.extend(extended.value.server_auth.then_some(Usage::Server));
    }
    let (mut names, mut addresses) = (BTreeSet::new(), BTreeSet::new());
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) => {
                    names.insert((*name).to_owned());
                }
                GeneralName::IPAddress(octets) => addresses.extend(address(octets)),
                _ => {}
            }
        }
    }
    Subject {
        common_name: common_name.unwrap_or_default().to_owned(),
        organizations: organizations.collect(),
        usages,
        names,
        addresses,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

#[cfg(test)]
mod tests;
