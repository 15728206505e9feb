//! Texts that stand for something: durations, hosts, URLs, networks, versions.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::finding::quoted;
use super::reader::{Refusal, port, refuse};
use crate::cluster::{Endpoint, EndpointHost, Name, Version, VersionSpec};

/// A lower-case RFC 1123 label.
pub fn name(text: &str) -> Result<Name, Refusal> {
    Name::try_from(text.to_owned()).or_else(|why| {
        let fixed: String = text
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(63)
            .collect();
        let fixed = fixed.trim_matches('-');
        let help = match fixed {
            "" => "write a name such as cp-1".to_owned(),
            fixed => format!("write {fixed}"),
        };
        refuse(format!("the name {} {why}", quoted(text)), help)
    })
}

/// `1.34`, `1.34.1`, either with a leading v.
pub fn version(text: &str) -> Result<VersionSpec, Refusal> {
    const HELP: &str =
        "write \"1.34\" for the newest patch of the repository, or an exact \"1.34.1\"";
    let digits = text.strip_prefix('v').unwrap_or(text);
    let numbers: Option<Vec<u64>> = digits
        .split('.')
        .map(|part| {
            let sound =
                part.chars().all(|c| c.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            sound.then(|| part.parse().ok()).flatten()
        })
        .collect();
    match numbers.as_deref() {
        Some([major, minor]) => Ok(VersionSpec::Minor(*major, *minor)),
        Some([major, minor, patch]) => Ok(VersionSpec::Exact(Version::new(*major, *minor, *patch))),
        _ if text.contains('-') => refuse(
            format!(
                "{} is a pre-release; only releases are installed",
                quoted(text)
            ),
            HELP,
        ),
        _ => refuse(
            format!("{} is no version of Kubernetes", quoted(text)),
            HELP,
        ),
    }
}

/// A duration as Go writes it: `15s`, `1m30s`, `500ms`.
pub fn duration(text: &str) -> Result<Duration, Refusal> {
    let wrong = || {
        refuse(
            format!("{} is no duration", quoted(text)),
            "write a number and a unit, such as 15s, 1m30s or 500ms",
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.chars().take_while(char::is_ascii_digit).count();
        let Ok(number) = rest[..digits].parse::<u32>() else {
            return wrong();
        };
        rest = &rest[digits..];
        let letters = rest.chars().take_while(char::is_ascii_lowercase).count();
        let unit = match &rest[..letters] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return wrong(),
        };
        rest = &rest[letters..];
        let Some(sum) = unit
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
        else {
            return wrong();
        };
        total = sum;
    }
    if total.is_zero() {
        refuse(
            format!("{} is not longer than nothing", quoted(text)),
            "write a duration above zero, such as 15s",
        )
    } else {
        Ok(total)
    }
}

/// `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, split without judging the host.
pub fn host_port(text: &str) -> Result<(&str, Option<u16>), Refusal> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return refuse(
                format!("{} opens a bracket and does not close it", quoted(text)),
                "write [fd00::10]:6443",
            );
        };
        return match rest.strip_prefix(':') {
            Some(number) => Ok((host, Some(port(number)?))),
            None if rest.is_empty() => Ok((host, None)),
            None => refuse(
                format!("{} does not follow an address", quoted(rest)),
                "write [fd00::10]:6443",
            ),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, number)) if number.contains(':') => refuse(
            format!(
                "{} could be an IPv6 address with or without a port",
                quoted(text)
            ),
            format!("put the address in brackets: \"[{text}]\""),
        ),
        Some((host, number)) => Ok((host, Some(port(number)?))),
    }
}

/// Whether a text is a DNS name in lower case; a trailing dot is not allowed.
pub fn is_dns_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .split('.')
            .all(|label| Name::try_from(label.to_owned()).is_ok())
}

/// An address or a DNS name.
pub fn endpoint_host(text: &str) -> Result<EndpointHost, Refusal> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return usable(address).map(EndpointHost::Address);
    }
    if looks_like_ipv4(text) {
        return refuse(
            format!("{} is no IPv4 address", quoted(text)),
            "write four numbers from 0 to 255",
        );
    }
    if is_dns_name(text) {
        Ok(EndpointHost::Name(text.to_owned()))
    } else {
        refuse(
            format!(
                "{} is neither an address nor a lower-case DNS name",
                quoted(text)
            ),
            "write 192.0.2.10:6443, [fd00::10]:6443 or api.example.org:6443",
        )
    }
}

/// `host[:port]`; the port defaults to 6443.
pub fn endpoint(text: &str) -> Result<Endpoint, Refusal> {
    if text.contains("://") {
        let bare = text
            .split("://")
            .nth(1)
            .unwrap_or_default()
            .trim_end_matches('/');
        return refuse(
            format!(
                "{} is a URL; the endpoint is a host and a port",
                quoted(text)
            ),
            format!("write {bare}"),
        );
    }
    let (host, port) = host_port(text)?;
    Ok(Endpoint {
        host: endpoint_host(host)?,
        port: port.unwrap_or(DEFAULT_PORT),
    })
}

/// Port of the endpoint where none is written; also the API server's own.
pub const DEFAULT_PORT: u16 = 6443;

/// An address that another host can reach.
pub fn address(text: &str) -> Result<IpAddr, Refusal> {
    match text.parse::<IpAddr>() {
        Ok(address) => usable(address),
        Err(_) if text.contains('/') => refuse(
            format!("{} is a network; a node has one address", quoted(text)),
            "leave out the prefix length",
        ),
        Err(_) => refuse(
            format!("{} is no IP address", quoted(text)),
            "write an address such as 192.0.2.11, or `interface: eth1` to take it from a network interface",
        ),
    }
}

fn usable(address: IpAddr) -> Result<IpAddr, Refusal> {
    let why = if address.is_loopback() {
        "a loopback address, which means another machine on every host"
    } else if address.is_unspecified() {
        "the unspecified address, which no host has"
    } else if address.is_multicast() {
        "a multicast address"
    } else if matches!(address, IpAddr::V4(v4) if v4.is_broadcast()) {
        "the broadcast address"
    } else if matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local()) {
        "a link-local address, which needs a zone"
    } else {
        return Ok(address);
    };
    refuse(
        format!("{address} is {why}"),
        "write the address by which the other hosts reach this one",
    )
}

/// A network without host bits.
pub fn cidr(text: &str) -> Result<IpNet, Refusal> {
    if text.contains(',') {
        return refuse(
            "two networks are written here; dual-stack is not supported yet",
            "keep the one of the family that the nodes' addresses have",
        );
    }
    let Ok(net) = text.parse::<IpNet>() else {
        return refuse(
            format!("{} is no network", quoted(text)),
            "write an address and a prefix length, such as 10.244.0.0/16",
        );
    };
    if net.trunc() == net {
        Ok(net)
    } else {
        refuse(
            format!("{net} is an address in a network, not a network"),
            format!("write {}", net.trunc()),
        )
    }
}

/// An `http://` or `https://` URL; only https when `secure`.
pub fn url(text: &str, secure: bool) -> Result<String, Refusal> {
    let example = "write a URL such as https://mirror.example.org/path";
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some((scheme, _)) => {
            return refuse(
                format!("the scheme {} is not supported", quoted(scheme)),
                "write https:// or http://",
            );
        }
        None => {
            return refuse(
                format!("{} is no URL", quoted(text)),
                format!("{example}; `https://` is missing"),
            );
        }
    };
    if secure && scheme == "http" {
        return refuse(
            format!("{} can be changed on its way to the host", quoted(text)),
            "write https://",
        );
    }
    if let Some(odd) = text
        .chars()
        .find(|c| !c.is_ascii_graphic() || "\"'\\<>^`|".contains(*c))
    {
        return refuse(
            format!("the URL holds {}", quoted(&odd.to_string())),
            "percent-encode what is not a letter, a digit or one of -._~:/?#[]@!$&()*+,;=%{}",
        );
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority
        .rsplit_once('@')
        .map_or(authority, |(_, server)| server);
    let (host, _) = host_port(server)?;
    let known = host.parse::<IpAddr>().is_ok()
        || (is_dns_name(&host.to_lowercase()) && !looks_like_ipv4(host));
    if known {
        Ok(text.to_owned())
    } else {
        refuse(format!("the URL {} names no host", quoted(text)), example)
    }
}

fn looks_like_ipv4(text: &str) -> bool {
    text.split('.').count() == 4 && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A host that ssh can be asked for: an address, a name, an alias.
pub fn ssh_host(text: &str) -> Result<String, Refusal> {
    let sound = !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-:%".contains(c));
    if sound {
        Ok(text.to_owned())
    } else {
        refuse(
            format!("{} is no host name", quoted(text)),
            "write a name, an alias of ~/.ssh/config or an address",
        )
    }
}

/// A login name.
pub fn user(text: &str) -> Result<String, Refusal> {
    let sound = !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@\\+$".contains(c));
    if sound {
        Ok(text.to_owned())
    } else {
        refuse(
            format!("{} is no user name", quoted(text)),
            "write a login name such as ops",
        )
    }
}

/// `[user@]host[:port]`; an IPv6 address without a port needs no brackets.
pub fn login(text: &str) -> Result<(Option<String>, String, Option<u16>), Refusal> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (name, server) = match text.rsplit_once('@') {
        Some((name, server)) => (Some(user(name)?), server),
        None => (None, text),
    };
    if server.parse::<IpAddr>().is_ok() {
        return Ok((name, server.to_owned(), None));
    }
    let (host, port) = host_port(server)?;
    if looks_like_ipv4(host) && host.parse::<IpAddr>().is_err() {
        return refuse(
            format!("{} is no IPv4 address", quoted(host)),
            "write four numbers from 0 to 255",
        );
    }
    Ok((name, ssh_host(host)?, port))
}

/// A SHA-256 host key fingerprint as `ssh-keygen -l` prints it.
pub fn fingerprint(text: &str) -> Result<String, Refusal> {
    use base64::Engine as _;
    const HELP: &str = "write it as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints it on the host: SHA256: and 43 characters";
    let Some(digest) = text.strip_prefix("SHA256:") else {
        return refuse(format!("{} is no SHA-256 fingerprint", quoted(text)), HELP);
    };
    match base64::engine::general_purpose::STANDARD_NO_PAD.decode(digest.trim_end_matches('=')) {
        Ok(bytes) if bytes.len() == 32 => Ok(format!("SHA256:{}", digest.trim_end_matches('='))),
        _ => refuse(
            format!("the fingerprint {} is not 32 bytes in base64", quoted(text)),
            HELP,
        ),
    }
}
