//! The endpoint and the networks of pods and services.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

/// Where clients reach the API servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address.
    pub host: EndpointHost,
    /// TCP port.
    pub port: u16,
}

/// Name or address of the endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointHost {
    /// A DNS name.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Networks of the cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Addresses of pods.
    pub pod_cidr: IpNet,
    /// Addresses of services.
    pub service_cidr: IpNet,
    /// Suffix of service names.
    pub dns_domain: String,
    /// What connects the pods.
    pub cni: Cni,
}

/// What connects the pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cni {
    /// Nothing: the operator brings one.
    None,
    /// A manifest, applied through a control plane.
    Manifest(ManifestSource),
    /// kdiy's own for hosts on one layer-2 network.
    Bridge,
}

/// Where a manifest is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestSource {
    /// A local file with its text, read once at the edge.
    File {
        /// Where it was read from.
        path: PathBuf,
        /// What it holds.
        text: String,
    },
    /// Fetched by the control plane that applies it.
    Url(String),
}

impl fmt::Display for EndpointHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => address.fmt(f),
        }
    }
}

/// `host:port`, an IPv6 address in brackets.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            EndpointHost::Address(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
