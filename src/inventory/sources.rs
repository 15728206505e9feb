//! `packages:` and `httpProxy:` as written.

use super::address;
use super::document::plain;
use super::fields;
use super::finding::{Finding, Spanned, quoted};
use super::reader::{ParseError, Reader, parse_error};
use super::secrets::without_secrets;
use super::yaml::{Node, Value};
use crate::cluster::{HttpProxy, PackageKey};

/// `packages` as written; `{minor}` is still in its URLs.
pub struct RawPackages {
    pub repository: Option<String>,
    pub key: Option<PackageKey>,
    pub hold: bool,
}

impl Default for RawPackages {
    fn default() -> Self {
        Self {
            repository: None,
            key: None,
            hold: true,
        }
    }
}

/// What may stand for a key.
pub const KEY: &str = "`key: FILE` or `key: {url: https://..., fingerprint: ...}`";

/// Reads `packages`.
pub fn packages(reader: &Reader<'_>, node: &Node) -> RawPackages {
    const PLACEHOLDERS: &[&str] = &["minor"];
    let Some(fields) = reader.fields(node, fields::PACKAGES, "`{repository: URL, key: FILE}`")
    else {
        return RawPackages::default();
    };
    let repository = fields.get("repository").map(|node| {
        reader.parse(node, "invalid-url", "a URL", |text| {
            templated(text, PLACEHOLDERS, false)
        })
    });
    let key = match repository {
        Some(_) => fields.require("key", &format!("{KEY}: what signs the repository")),
        None => fields.get("key"),
    };
    RawPackages {
        repository: repository.flatten().map(|url| {
            visible_password(reader, &url, OPEN_MIRROR);
            url.value
        }),
        key: key.and_then(|node| package_key(reader, node, PLACEHOLDERS)),
        hold: fields
            .get("hold")
            .and_then(|node| reader.boolean(node))
            .unwrap_or(true),
    }
}

/// A URL in which some placeholders may stand.
pub fn templated(text: &str, known: &[&str], secure: bool) -> Result<String, ParseError> {
    let mut rest = text.to_owned();
    for name in known {
        rest = rest.replace(&format!("{{{name}}}"), "1.0");
    }
    if rest.contains(['{', '}']) {
        let names: Vec<String> = known.iter().map(|name| format!("{{{name}}}")).collect();
        let meanings: Vec<String> = known
            .iter()
            .zip(&names)
            .map(|(name, shown)| format!("{shown} becomes {}", meaning(name)))
            .collect();
        return parse_error(
            format!(
                "{} holds another placeholder than {}",
                quoted(text),
                names.join(", ")
            ),
            meanings.join("; "),
        );
    }
    address::url(&rest, secure)?;
    Ok(text.to_owned())
}

fn meaning(placeholder: &str) -> &'static str {
    match placeholder {
        "minor" => "the version's first two numbers, such as 1.37",
        "os" => "the host's distribution, such as debian",
        "codename" => "its release, such as bookworm",
        "version" => "the version, such as 3.6.16",
        _ => "the host's architecture, such as amd64",
    }
}

/// Reads a key; these placeholders may stand in its URL.
pub fn package_key(reader: &Reader<'_>, node: &Node, known: &[&str]) -> Option<PackageKey> {
    if !matches!(node.value, Value::Mapping(_)) {
        let name = reader.text(node, KEY)?;
        if name.value.contains("://") {
            let finding = Finding::error(
                "unpinned-key",
                name.span,
                "a key that is fetched needs its fingerprint",
            );
            reader.report(finding.help(format!(
                "write `key: {{url: {}, fingerprint: ...}}`",
                without_secrets(&name.value)
            )));
            return None;
        }
        return armored(reader, &name, &reader.file(&name)?);
    }
    let fields = reader.fields(node, fields::SIGNER, KEY)?;
    let url = fields
        .require("url", "`url: https://...`")
        .and_then(|node| {
            reader.parse(node, "invalid-url", "a https:// URL", |text| {
                templated(text, known, true)
            })
        });
    if let Some(url) = &url {
        visible_password(reader, url, OPEN_MIRROR);
    }
    let fingerprint = fields.require(
        "fingerprint",
        "`fingerprint:` as `gpg --show-keys` prints it",
    );
    let fingerprint = fingerprint.and_then(|node| {
        reader.parse(node, "invalid-fingerprint", "40 hex digits", |text| {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if digits.len() == 40 && digits.chars().all(|c| c.is_ascii_hexdigit()) {
                Ok(digits.to_uppercase())
            } else {
                parse_error(format!("{} is no fingerprint of a key", quoted(text)), "write the 40 hex digits that `gpg --show-keys` prints; a short key ID can be forged")
            }
        })
    });
    Some(PackageKey::Pinned {
        url: url?.value,
        fingerprint: fingerprint?.value,
    })
}

fn armored(reader: &Reader<'_>, name: &Spanned<String>, text: &str) -> Option<PackageKey> {
    let (message, help) = if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") {
        (
            "holds a private key, which must not leave the one who signs",
            "export the public one: `gpg --armor --export`",
        )
    } else if !text.contains("-----BEGIN PGP PUBLIC KEY BLOCK-----") {
        (
            "is no armored public key",
            "convert it: `gpg --enarmor`, or export it with `gpg --armor --export`",
        )
    } else {
        return Some(PackageKey::Armored(text.to_owned()));
    };
    let message = format!("the file {} {message}", quoted(&name.value));
    reader.report(Finding::error("invalid-file", name.span, message).help(help));
    None
}

/// Warns of a login in a URL that ends up on hosts.
pub fn visible_password(reader: &Reader<'_>, url: &Spanned<String>, help: &str) {
    let rest = url.value.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        let message = "a password in this URL can be read by everybody who can read this file or a host's configuration";
        reader.report(Finding::warning("visible-password", url.span, message).help(help));
    }
}

/// What to do instead of a login in the URL of a mirror.
pub const OPEN_MIRROR: &str = "let the mirror serve the hosts by their addresses";

/// Reads `httpProxy`.
pub fn http_proxy(reader: &Reader<'_>, node: &Node) -> Option<HttpProxy> {
    const EXAMPLE: &str = "`{http: http://proxy.example.org:3128, noProxy: [.example.org]}`";
    let fields = reader.fields(node, fields::HTTP_PROXY, EXAMPLE)?;
    let one = |key| {
        let node = fields.get(key)?;
        let url = reader.parse(
            node,
            "invalid-url",
            "a URL such as http://proxy.example.org:3128",
            |text| address::url(text, false),
        )?;
        visible_password(
            reader,
            &url,
            "let the proxy accept the hosts by their addresses",
        );
        Some(url.value)
    };
    let (http, https) = (one("http"), one("https"));
    if fields.get("http").or(fields.get("https")).is_none() {
        let finding = Finding::error(
            "missing-key",
            fields.start(),
            "a proxy is set, but neither `http` nor `https`",
        );
        reader.report(finding.help(format!("write {EXAMPLE}")));
    }
    let no_proxy = fields
        .get("noProxy")
        .map(|node| plain(reader.texts(node, "[.example.org, 192.0.2.0/24]")));
    Some(HttpProxy {
        http,
        https,
        no_proxy: no_proxy.unwrap_or_default(),
    })
}
