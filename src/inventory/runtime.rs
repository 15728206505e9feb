//! `runtime:` as written.

use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::reader::{Fields, ParseError, Reader, parse_error};
use super::sources;
use super::yaml::{Node, Value};
use crate::cluster::{Archive, Download, PackageKey, Version};

/// The word for a runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Containerd,
    Docker,
    CriO,
}

/// Whose packages of a runtime are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vendor {
    Distribution,
    Docker,
}

/// `runtime` as far as it was written; `{minor}` is still in its URLs.
#[derive(Default)]
pub struct RawRuntime {
    pub kind: Option<Spanned<Kind>>,
    pub vendor: Option<Spanned<Vendor>>,
    pub repository: Option<Spanned<String>>,
    pub suite: Option<String>,
    pub key: Option<PackageKey>,
    /// Where the key `criDockerd` is, right or wrong.
    pub cri_dockerd_key: Option<Span>,
    pub cri_dockerd: Option<Download>,
    /// Where the key `archive` is, right or wrong.
    pub archive_key: Option<Span>,
    pub archive: Option<Archive>,
}

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Docker => "docker",
            Self::CriO => "cri-o",
        }
    }
}

const KINDS: [(&str, Kind); 3] = [
    (Kind::Containerd.as_str(), Kind::Containerd),
    (Kind::Docker.as_str(), Kind::Docker),
    (Kind::CriO.as_str(), Kind::CriO),
];

const OTHERS: [(&str, &str); 1] = [(
    "cri-dockerd",
    "write `{kind: docker, criDockerd: {url: ..., sha256: ...}}`: the engine is docker, cri-dockerd stands before it",
)];

/// What the repository and its key may depend on.
const PLACEHOLDERS: &[&str] = &["minor", "os", "codename"];

const EXAMPLE: &str = "`runtime: containerd`, or `{kind: containerd, packages: docker}`";

/// Reads `runtime`, a word or a mapping.
pub fn read(reader: &Reader<'_>, node: Option<&Node>) -> RawRuntime {
    let Some(node) = node else {
        return RawRuntime::default();
    };
    let kind = |node| reader.choice(node, &KINDS, &OTHERS);
    if !matches!(node.value, Value::Mapping(_)) {
        let kind = kind(node);
        if let Some(kind) = kind.as_ref().filter(|kind| kind.value == Kind::CriO) {
            keyless(reader, kind.span);
        }
        return RawRuntime {
            kind,
            ..RawRuntime::default()
        };
    }
    let Some(fields) = reader.fields(node, fields::RUNTIME, EXAMPLE) else {
        return RawRuntime::default();
    };
    let kind = fields.require("kind", "`kind: containerd`").and_then(kind);
    let vendors = [
        ("distribution", Vendor::Distribution),
        ("docker", Vendor::Docker),
    ];
    let raw = RawRuntime {
        vendor: fields
            .get("packages")
            .and_then(|node| reader.choice(node, &vendors, &[])),
        repository: fields.get("repository").and_then(|node| {
            reader.parse(node, "invalid-url", "a URL", |text| {
                sources::templated(text, PLACEHOLDERS, false)
            })
        }),
        suite: fields.get("suite").and_then(|node| {
            let text = reader.parse(node, "invalid-value", "`\"{codename} stable\"`", suite)?;
            Some(text.value)
        }),
        key: fields
            .get("key")
            .and_then(|node| sources::package_key(reader, node, PLACEHOLDERS)),
        cri_dockerd_key: fields
            .get("criDockerd")
            .and_then(|_| fields.key("criDockerd")),
        cri_dockerd: fields
            .get("criDockerd")
            .and_then(|node| download(reader, node, fields::PACKAGE, ".deb", CRI_DOCKERD)),
        archive_key: fields.get("archive").and_then(|_| fields.key("archive")),
        archive: archive(reader, &fields),
        kind,
    };
    if let Some(url) = &raw.repository {
        sources::visible_password(reader, url, sources::OPEN_MIRROR);
    }
    let Some(kind) = &raw.kind else {
        return raw;
    };
    fields.only_for(kind.value.as_str());
    match raw.archive_key.filter(|_| kind.value == Kind::Containerd) {
        Some(span) => beside_archive(reader, &fields, span),
        None => repository(reader, &fields, &raw, kind),
    }
    raw
}

/// What makes a repository whole, and what is nothing without one.
fn repository(
    reader: &Reader<'_>,
    fields: &Fields<'_, '_>,
    raw: &RawRuntime,
    kind: &Spanned<Kind>,
) {
    if let Some(span) = fields.key("runc") {
        reader.report(
            Finding::error(
                "foreign-key",
                span,
                "`runc` is for containerd's archive, which does not hold it",
            )
            .help("add `archive`, or take the key out"),
        );
    }
    let vendor = raw.vendor.as_ref().map(|vendor| vendor.value);
    let distribution = kind.value != Kind::CriO && vendor != Some(Vendor::Docker);
    let named = fields.key("repository");
    for key in ["suite", "key"] {
        if let Some(span) = fields.key(key).filter(|_| distribution && named.is_none()) {
            let message =
                format!("`{key}` is for a repository, but the packages are the distribution's");
            reader.report(
                Finding::error("foreign-key", span, message)
                    .help("add `packages: docker` for Docker's repository, or `repository` for one of your own; or take the key out"),
            );
        }
    }
    if fields.get("key").is_none() && kind.value == Kind::CriO {
        keyless(reader, kind.span);
    }
    let Some(named) = named.filter(|_| kind.value != Kind::CriO) else {
        return;
    };
    let missing = |key: &str, message: &str, help: String| {
        if fields.get(key).is_none() {
            reader.report(Finding::error("missing-key", named, message).help(help));
        }
    };
    missing(
        "key",
        "a repository needs the `key` that signs it",
        format!("add {}", sources::KEY),
    );
    if distribution {
        missing(
            "suite",
            "a repository of your own needs its `suite`",
            "add what follows the URL in a line of apt's sources, such as `suite: \"{codename} main\"`, or `suite: /` for a flat one; for a mirror of Docker's add `packages: docker`".to_owned(),
        );
    }
}

/// An archive is all of containerd: no package of it is wanted beside.
fn beside_archive(reader: &Reader<'_>, fields: &Fields<'_, '_>, archive: Span) {
    for key in ["packages", "repository", "suite", "key"] {
        if let Some(span) = fields.key(key) {
            let message = format!("`{key}` is for packages, but containerd comes from an archive");
            reader.report(
                Finding::error("conflicting-keys", span, message)
                    .related(archive, "the archive")
                    .help("take one of them out"),
            );
        }
    }
}

/// `archive` and `runc`. The project's name of the archive tells its version.
fn archive(reader: &Reader<'_>, fields: &Fields<'_, '_>) -> Option<Archive> {
    let runc = fields.get("runc");
    let runc = runc.map(|node| download(reader, node, fields::RUNC, "", RUNC));
    let node = fields.get("archive")?;
    let containerd = download(reader, node, fields::CONTAINERD, ".tar.gz", ARCHIVE)?;
    let Some(version) = released(&containerd.url) else {
        let name = containerd.url.rsplit('/').next().unwrap_or_default();
        let message = format!("{} does not say which version it is", quoted(name));
        reader.report(
            Finding::error("invalid-url", node.span, message)
                .help("keep the project's name: containerd-2.4.2-linux-{arch}.tar.gz"),
        );
        return None;
    };
    Some(Archive {
        version,
        containerd,
        runc: match runc {
            Some(runc) => Some(runc?),
            None => None,
        },
    })
}

/// The version in `.../containerd-2.4.2-linux-amd64.tar.gz`.
fn released(url: &str) -> Option<Version> {
    let path = url.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let (version, _) = name.strip_prefix("containerd-")?.split_once("-linux-")?;
    Version::of_package(version)
}

/// Only a key that is known for certain may be pinned in the program.
fn keyless(reader: &Reader<'_>, span: Span) {
    reader.report(
        Finding::error("missing-key", span, "CRI-O's repository needs the `key` that signs it")
            .help("write `runtime: {kind: cri-o, key: {url: https://download.opensuse.org/repositories/isv:/cri-o:/stable:/v{minor}/deb/Release.key, fingerprint: ...}}`; `gpg --show-keys` prints the fingerprint"),
    );
}

/// What follows the URL in a line of apt's sources.
fn suite(text: &str) -> Result<String, ParseError> {
    let rest = text
        .replace("{codename}", "x")
        .replace("{os}", "x")
        .replace("{minor}", "1.0");
    let sound = rest
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./ ".contains(c));
    let words = rest.split_whitespace().count();
    let flat = rest
        .split_whitespace()
        .next()
        .is_some_and(|suite| suite.ends_with('/'));
    if !sound {
        return parse_error(
            format!("{} is no suite of an apt repository", quoted(text)),
            "write a suite and its components, such as `\"{codename} stable\"`",
        );
    }
    match (flat, words) {
        (true, 1) => Ok(text.to_owned()),
        (true, _) => parse_error(
            format!(
                "{} is a flat repository, which has no components",
                quoted(text)
            ),
            "write `/` alone",
        ),
        (false, 1) => parse_error(
            format!("{} names a suite without components", quoted(text)),
            "write `\"{codename} stable\"`; for a flat repository `/`",
        ),
        (false, _) => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
    }
}

const ARCHIVE: &str = "`{url: https://.../containerd-2.4.2-linux-{arch}.tar.gz, sha256: ...}`";

const RUNC: &str = "`{url: https://.../runc.{arch}, sha256: ...}`";

const CRI_DOCKERD: &str =
    "`{url: https://.../cri-dockerd_VERSION.debian-bookworm_{arch}.deb, sha256: ...}`";

/// A file by its URL, accepted by its hash. Plain http is fine, as the hash
/// cannot be forged.
pub fn download(
    reader: &Reader<'_>,
    node: &Node,
    known: &'static fields::Mapping,
    ending: &str,
    example: &str,
) -> Option<Download> {
    let fields = reader.fields(node, known, example)?;
    let url = fields
        .require("url", "`url: https://...`")
        .and_then(|node| {
            reader.parse(node, "invalid-url", "a URL", |text| {
                let url = sources::templated(text, &["arch"], false)?;
                let path = url.split(['?', '#']).next().unwrap_or_default();
                if path.ends_with(ending) {
                    return Ok(url);
                }
                parse_error(
                    format!("{} does not end in {ending}", quoted(text)),
                    format!("write {example}"),
                )
            })
        });
    let sha256 = fields
        .require("sha256", "`sha256:` as `sha256sum` prints it")
        .and_then(|node| sha256(reader, node));
    let url = url?;
    sources::visible_password(reader, &url, sources::OPEN_MIRROR);
    Some(Download {
        url: url.value,
        sha256: sha256?,
    })
}

/// Reads a SHA-256, as 64 lower-case hex digits.
pub fn sha256(reader: &Reader<'_>, node: &Node) -> Option<String> {
    let digits = reader.parse(node, "invalid-hash", "64 hex digits", |text| {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
            Ok(digits.to_lowercase())
        } else {
            parse_error(
                format!("{} is no SHA-256", quoted(text)),
                "write the 64 hex digits that `sha256sum FILE` prints",
            )
        }
    });
    Some(digits?.value)
}
