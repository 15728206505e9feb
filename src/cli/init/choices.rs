//! Words of the command line, read as the inventory reads them.

use std::net::IpAddr;

use crate::cluster::{Endpoint, VersionSpec};
use crate::draft::shape::Shape;
use crate::draft::{Balancing, DraftCni};
use crate::inventory;

/// Reads a shape.
pub fn shape(text: &str) -> Result<Shape, String> {
    let shapes = [Shape::Single, Shape::Stacked, Shape::External];
    let found = shapes.into_iter().find(|shape| shape.as_str() == text);
    found.ok_or_else(|| "write single, stacked or external".to_owned())
}

/// Reads a version of Kubernetes.
pub fn version(text: &str) -> Result<VersionSpec, String> {
    inventory::parse::version(text)
}

/// Reads an endpoint.
pub fn endpoint(text: &str) -> Result<Endpoint, String> {
    inventory::parse::endpoint(text)
}

/// Reads a virtual IP.
pub fn vip(text: &str) -> Result<IpAddr, String> {
    if text.is_empty() {
        return Err("one is needed, such as 192.0.2.10".to_owned());
    }
    inventory::parse::vip(text)
}

/// Reads a way of balancing.
pub fn balancing(text: &str) -> Result<Balancing, String> {
    let kinds = [
        Balancing::Haproxy,
        Balancing::Nginx,
        Balancing::KubeVip,
        Balancing::Local,
        Balancing::External,
    ];
    let found = kinds.into_iter().find(|kind| kind.as_str() == text);
    found.ok_or_else(|| "write haproxy, nginx, kube-vip, local or external".to_owned())
}

/// Reads a CNI.
pub fn cni(text: &str) -> Result<DraftCni, String> {
    match text {
        "bridge" => Ok(DraftCni::Bridge),
        "none" => Ok(DraftCni::None),
        file if file.contains(['/', '.']) => Ok(DraftCni::Manifest(file.to_owned())),
        _ => Err("write bridge, none, or the file or https:// URL of a manifest".to_owned()),
    }
}

/// Reads a login name.
pub fn user(text: &str) -> Result<String, String> {
    inventory::parse::user(text)
}

/// Reads the name of an interface.
pub fn interface(text: &str) -> Result<String, String> {
    inventory::parse::interface(text)
}
