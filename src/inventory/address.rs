//! Hosts, ports, networks, URLs: texts that stand for a place.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

use super::finding::quoted;
use super::reader::{ParseError, parse_error, port};
use super::secrets::without_secrets;
use super::syntax::is_dns_name;
use crate::cluster::{Endpoint, EndpointHost};

/// `host`, `host:port`, `[IPv6]`, `[IPv6]:port`, split without judging the
/// host.
pub fn host_port(text: &str) -> Result<(&str, Option<u16>), ParseError> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, rest)) = rest.split_once(']') else {
            return parse_error(
                format!("{} opens a bracket and does not close it", quoted(text)),
                "write [fd00::10]:6443",
            );
        };
        return match rest.strip_prefix(':') {
            Some(number) => Ok((host, Some(port(number)?))),
            None if rest.is_empty() => Ok((host, None)),
            None => parse_error(
                format!("{} does not follow an address", quoted(rest)),
                "write [fd00::10]:6443",
            ),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, number)) if number.contains(':') => parse_error(
            format!(
                "{} could be an IPv6 address with or without a port",
                quoted(text)
            ),
            format!("put the address in brackets: {}", bracketed(text)),
        ),
        Some((host, number)) => Ok((host, Some(port(number)?))),
    }
}

/// The ways of putting brackets around an IPv6 address and perhaps its port.
fn bracketed(text: &str) -> String {
    let is_address = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    let split = text
        .rsplit_once(':')
        .filter(|(host, number)| is_address(host) && port(number).is_ok());
    match split {
        Some((host, number)) if is_address(text) => {
            format!("\"[{host}]:{number}\" or \"[{text}]\"")
        }
        Some((host, number)) => format!("\"[{host}]:{number}\""),
        None => "\"[fd00::10]:6443\"".to_owned(),
    }
}

/// An address or a DNS name.
pub fn endpoint_host(text: &str) -> Result<EndpointHost, ParseError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return usable(address).map(EndpointHost::Address);
    }
    if looks_like_ipv4(text) {
        return parse_error(
            format!("{} is no IPv4 address", quoted(text)),
            "write four numbers from 0 to 255",
        );
    }
    if is_dns_name(text) {
        Ok(EndpointHost::Name(text.to_owned()))
    } else {
        parse_error(
            format!(
                "{} is neither an address nor a lower-case DNS name",
                quoted(text)
            ),
            "write 192.0.2.10:6443, [fd00::10]:6443 or api.example.org:6443",
        )
    }
}

/// `host[:port]`; the port defaults to 6443.
pub fn endpoint(text: &str) -> Result<Endpoint, ParseError> {
    if text.contains("://") {
        let bare = text
            .split("://")
            .nth(1)
            .unwrap_or_default()
            .trim_end_matches('/');
        return parse_error(
            format!(
                "{} is a URL; the endpoint is a host and a port",
                quoted(text)
            ),
            format!("write `{}`", without_secrets(bare)),
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
pub fn address(text: &str) -> Result<IpAddr, ParseError> {
    match text.parse::<IpAddr>() {
        Ok(address) => usable(address),
        Err(_) if text.contains('/') => parse_error(
            format!("{} is a network; a node has one address", quoted(text)),
            "leave out the prefix length",
        ),
        Err(_) => parse_error(
            format!("{} is no IP address", quoted(text)),
            "write an address such as 192.0.2.11, or `interface: eth1` to take it from a network interface",
        ),
    }
}

/// An address that can move between hosts.
pub fn vip(text: &str) -> Result<IpAddr, ParseError> {
    let address = match text.parse::<IpAddr>() {
        Ok(address) => address,
        Err(_) if text.contains('/') => {
            return parse_error(
                format!("{} is a network; a virtual IP is one address", quoted(text)),
                "leave out the prefix length",
            );
        }
        Err(_) => {
            return parse_error(
                format!("{} is no IP address", quoted(text)),
                "write a free address of the hosts' network, such as 192.0.2.10; a name goes under `endpoint`",
            );
        }
    };
    usable(address).or_else(|error| {
        parse_error(
            error.message,
            "write a free address of the network that the hosts are in",
        )
    })
}

/// Refuses addresses that mean nothing to another host.
pub fn usable(address: IpAddr) -> Result<IpAddr, ParseError> {
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
    parse_error(
        format!("{address} is {why}"),
        "write the address by which the other hosts reach this one",
    )
}

/// A network without host bits.
pub fn cidr(text: &str) -> Result<IpNet, ParseError> {
    if text.contains(',') {
        return parse_error(
            "two networks are written here; dual-stack is not supported yet",
            "keep the one of the family that the nodes' addresses have",
        );
    }
    let Ok(net) = text.parse::<IpNet>() else {
        return parse_error(
            format!("{} is no network", quoted(text)),
            "write an address and a prefix length, such as 10.244.0.0/16",
        );
    };
    if net.trunc() == net {
        Ok(net)
    } else {
        parse_error(
            format!("{net} is an address in a network, not a network"),
            format!("write `{}`", net.trunc()),
        )
    }
}

/// An `http://` or `https://` URL; only https when `secure`.
pub fn url(text: &str, secure: bool) -> Result<String, ParseError> {
    let example = "write a URL such as https://mirror.example.org/path";
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some((scheme, _)) => {
            return parse_error(
                format!("the scheme {} is not supported", quoted(scheme)),
                "write https:// or http://",
            );
        }
        None => {
            return parse_error(
                format!("{} is no URL", quoted(text)),
                "begin it with `https://` or `http://`",
            );
        }
    };
    if secure && scheme == "http" {
        return parse_error(
            format!("{} can be changed on its way to the host", quoted(text)),
            "write https://",
        );
    }
    if let Some(odd) = text
        .chars()
        .find(|c| !c.is_ascii_graphic() || "\"'\\<>^`|".contains(*c))
    {
        return parse_error(
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
        parse_error(format!("the URL {} names no host", quoted(text)), example)
    }
}

fn looks_like_ipv4(text: &str) -> bool {
    text.split('.').count() == 4 && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// A host that ssh can be asked for: an address, a name, an alias.
pub fn ssh_host(text: &str) -> Result<String, ParseError> {
    let sound = !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-:%".contains(c));
    if sound {
        Ok(text.to_owned())
    } else {
        parse_error(
            format!("{} is no host name", quoted(text)),
            "write a name, an alias of ~/.ssh/config or an address",
        )
    }
}

/// A login name.
pub fn user(text: &str) -> Result<String, ParseError> {
    let sound = !text.is_empty()
        && !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@\\+$".contains(c));
    if sound {
        Ok(text.to_owned())
    } else {
        parse_error(
            format!("{} is no user name", quoted(text)),
            "write a login name such as ops",
        )
    }
}

/// `[user@]host[:port]`; an IPv6 address without a port needs no brackets.
pub fn login(text: &str) -> Result<(Option<String>, String, Option<u16>), ParseError> {
    let text = text.strip_prefix("ssh://").unwrap_or(text);
    let (name, server) = match text.rsplit_once('@') {
        Some((name, _)) if name.contains(':') => {
            return parse_error(
                "a password stands in this login, where others can read it",
                "write user@host; kdiy logs in by a key, from a file or the ssh-agent",
            );
        }
        Some((name, server)) => (Some(user(name)?), server),
        None => (None, text),
    };
    if server.parse::<IpAddr>().is_ok() {
        return Ok((name, server.to_owned(), None));
    }
    let (host, port) = host_port(server)?;
    if looks_like_ipv4(host) && host.parse::<IpAddr>().is_err() {
        return parse_error(
            format!("{} is no IPv4 address", quoted(host)),
            "write four numbers from 0 to 255",
        );
    }
    Ok((name, ssh_host(host)?, port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said<T: std::fmt::Debug>(result: Result<T, ParseError>) -> String {
        match result {
            Ok(value) => format!("{value:?}"),
            Err(error) => format!("{}; {}", error.message, error.help),
        }
    }

    #[test]
    fn endpoints_have_a_port_and_ipv6_has_brackets() {
        let shown = |text| endpoint(text).map(|endpoint| endpoint.to_string()).ok();
        assert_eq!(shown("192.0.2.10").as_deref(), Some("192.0.2.10:6443"));
        assert_eq!(
            shown("api.example.org:443").as_deref(),
            Some("api.example.org:443")
        );
        assert_eq!(shown("[fd00::10]").as_deref(), Some("[fd00::10]:6443"));
        assert_eq!(shown("[fd00::10]:8443").as_deref(), Some("[fd00::10]:8443"));
        for text in [
            "fd00::10",
            "[fd00::10",
            "[fd00::10]6443",
            "192.0.2.300:1",
            "a b",
            ":6443",
            "[]:1",
            "127.0.0.1",
            "h:0",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn logins_split_into_user_host_and_port() {
        let split = |text| login(text).ok();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(split("web"), Some((None, "web".to_owned(), None)));
        assert_eq!(
            split("ops@web:2222"),
            Some((some("ops"), "web".to_owned(), Some(2222)))
        );
        assert_eq!(
            split("ssh://ops@web"),
            Some((some("ops"), "web".to_owned(), None))
        );
        assert_eq!(split("fd00::1"), Some((None, "fd00::1".to_owned(), None)));
        assert_eq!(
            split("a@b@[fd00::1]:22"),
            Some((some("a@b"), "fd00::1".to_owned(), Some(22)))
        );
        for text in [
            "",
            "@web",
            "ops@",
            "-oProxyCommand=x",
            "ops@-x",
            "web:",
            "web:ssh",
            "a b",
            "1.2.3.4000",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }

    #[test]
    fn urls_name_a_host() {
        for text in [
            "https://example.org",
            "http://192.0.2.1:8080/a?b=c",
            "https://[fd00::1]/x",
            "http://me:x@proxy:3128",
        ] {
            assert!(url(text, false).is_ok(), "{text}");
        }
        for text in [
            "https://",
            "https:///x",
            "ftp://example.org",
            "example.org",
            "https://a b",
            "https://a'b/",
            "https://1.2.3.400/",
            "https://x:y/",
        ] {
            assert!(url(text, false).is_err(), "{text}");
        }
        insta::assert_snapshot!(said(url("http://example.org", true)), @"`http://example.org` can be changed on its way to the host; write https://");
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in ".{0,40}") {
            let _ = (endpoint(&text).is_ok(), login(&text).is_ok(), cidr(&text).is_ok());
            let _ = (url(&text, false).is_ok(), address(&text).is_ok());
        }

        #[test]
        fn endpoints_come_back_as_they_are_shown(a in 1u8..=223, d: u8, port in 1u16..) {
            prop_assume!(a != 127);
            let text = format!("{a}.0.2.{d}:{port}");
            prop_assert_eq!(endpoint(&text).map(|endpoint| endpoint.to_string()).ok(), Some(text));
        }
    }
}
