//! Single texts, read as the inventory reads them: for the command line and
//! for imports. Errors say what is wrong and what to write instead.

use std::net::IpAddr;

use super::reader::ParseError;
use super::{address, hosts, syntax};
use crate::cluster::version::OLDEST_MINOR;
use crate::cluster::{Endpoint, VersionSpec};

fn with_help<T>(read: Result<T, ParseError>) -> Result<T, String> {
    read.map_err(|ParseError { message, help }| format!("{message}; {help}"))
}

/// A version of Kubernetes that kdiy installs.
///
/// # Errors
/// When it is none.
pub fn version(text: &str) -> Result<VersionSpec, String> {
    let version = with_help(syntax::version(text))?;
    match version.minor() {
        (1, minor) if minor >= OLDEST_MINOR => Ok(version),
        _ => Err(format!(
            "Kubernetes {version} is not supported; write 1.{OLDEST_MINOR} or later"
        )),
    }
}

/// `host[:port]` of the endpoint.
///
/// # Errors
/// When it is none.
pub fn endpoint(text: &str) -> Result<Endpoint, String> {
    with_help(address::endpoint(text))
}

/// A virtual IP.
///
/// # Errors
/// When it is no address that can move between hosts.
pub fn vip(text: &str) -> Result<IpAddr, String> {
    with_help(address::vip(text))
}

/// A login name.
///
/// # Errors
/// When it is none.
pub fn user(text: &str) -> Result<String, String> {
    with_help(address::user(text))
}

/// The name of a network interface.
///
/// # Errors
/// When Linux would have none of that name.
pub fn interface(text: &str) -> Result<String, String> {
    with_help(hosts::interface(text))
}
