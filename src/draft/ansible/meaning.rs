//! What an inventory means to kdiy: who does what, and how they are reached.

use std::collections::BTreeSet;

use super::inventory::Inventory;
use super::login::{self, Known};
use super::{GroupRole, Notes, Place, cluster, shown};
use crate::cluster::{Jump, Role};
use crate::draft::imported::Names;
use crate::draft::{Draft, DraftNode};
use crate::inventory::address;

/// Names of groups, kubespray's of today first.
const CONTROL_PLANES: &[&str] = &[
    "kube_control_plane",
    "kube-control-plane",
    "kube-controlplane",
    "kube_master",
    "kube-master",
    "control_plane",
    "masters",
];
const WORKERS: &[&str] = &["kube_node", "kube-node", "workers"];

/// The draft; `None` when hosts of a role are missing.
pub fn draft(inventory: &Inventory, groups: &[GroupRole], notes: &mut Notes) -> Option<Draft> {
    let whole = Place {
        file: 0,
        start: 0,
        end: 0,
    };
    secrets(inventory, notes);
    let broken = |notes: &Notes| {
        use crate::inventory::finding::Severity;
        let mut found = notes.findings.iter();
        found.any(|(_, finding)| finding.severity == Severity::Error)
    };
    unknown_children(inventory, notes);
    // What is missing may be in the part that could not be read.
    if broken(notes) {
        return None;
    }
    let of = |role: Role, known: &[&'static str]| -> Vec<&str> {
        let mapped = groups.iter().filter(|group| group.role == role);
        let mapped: Vec<&str> = mapped.map(|group| group.group.as_str()).collect();
        if !mapped.is_empty() {
            return mapped
                .iter()
                .flat_map(|group| inventory.members(group))
                .collect();
        }
        let mut found = known.iter().map(|group| inventory.members(group));
        found.find(|hosts| !hosts.is_empty()).unwrap_or_default()
    };
    for group in groups {
        if !inventory.groups.contains_key(&group.group) {
            let message = format!("there is no group {}", shown(&group.group));
            let help = format!("there are {}", group_names(inventory));
            notes.error("missing-group", whole, message, &help);
        }
    }
    let planes = of(Role::ControlPlane, CONTROL_PLANES);
    let etcd = of(Role::Etcd, &["etcd"]);
    let workers = of(Role::Worker, WORKERS);
    let balancers = of(Role::LoadBalancer, &[]);
    if planes.is_empty() {
        let (message, at) = match CONTROL_PLANES
            .iter()
            .find_map(|name| inventory.groups.get(*name))
        {
            Some(group) => (
                "the group of the control planes has no hosts",
                group.place.unwrap_or(whole),
            ),
            None => ("no group has the control planes", whole),
        };
        let help = format!(
            "name it `kube_control_plane`, or say which it is: --group control-plane=GROUP. \
             There are {}",
            group_names(inventory)
        );
        notes.error("missing-group", at, message, &help);
        return None;
    }
    let set = |hosts: &[&str]| {
        hosts
            .iter()
            .map(ToString::to_string)
            .collect::<BTreeSet<_>>()
    };
    let external = !etcd.is_empty() && set(&etcd) != set(&planes);
    let mut names = Names::default();
    let mut draft = Draft::new(
        Names::default().like("demo")?,
        "`kdiy inventory import ansible`",
    );
    draft.external_etcd = external;
    let bastion = bastion(inventory, notes);
    let mut ordered: Vec<&str> = Vec::new();
    for host in [&balancers, &planes, &etcd, &workers].into_iter().flatten() {
        if !ordered.contains(host) {
            ordered.push(host);
        }
    }
    for host in ordered {
        let mut roles = Vec::new();
        for (role, there) in [
            (Role::ControlPlane, planes.contains(&host)),
            (Role::Worker, workers.contains(&host)),
            (Role::Etcd, external && etcd.contains(&host)),
            (Role::LoadBalancer, balancers.contains(&host)),
        ] {
            roles.extend(there.then_some(role));
        }
        draft.nodes.extend(node(
            inventory,
            host,
            roles,
            &mut names,
            bastion.as_ref(),
            notes,
        ));
    }
    if workers.is_empty() {
        let alone = draft.nodes.iter_mut();
        for node in alone.filter(|node| node.roles == [Role::ControlPlane]) {
            node.roles.push(Role::Worker);
        }
    }
    same_addresses(&draft, inventory, notes);
    let known = inventory.variables(planes.first()?);
    cluster::fill(&mut draft, &known, notes);
    Some(draft)
}

fn group_names(inventory: &Inventory) -> String {
    let names = inventory.groups.keys().map(String::as_str);
    let names: Vec<&str> = names
        .filter(|name| !matches!(*name, "all" | "ungrouped"))
        .collect();
    match names.is_empty() {
        true => "no groups".to_owned(),
        false => names.join(", "),
    }
}

/// What must not be shown when lines around a finding are drawn.
fn secrets(inventory: &Inventory, notes: &mut Notes) {
    let groups = inventory.groups.values();
    let hosts = inventory.hosts.values();
    let groups = groups.flat_map(|group| [&group.vars, &group.file_vars]);
    let hosts = hosts.flat_map(|host| [&host.vars, &host.file_vars]);
    for (name, var) in groups.chain(hosts).flatten() {
        let name = name.to_lowercase();
        if ["pass", "secret", "token"]
            .iter()
            .any(|word| name.contains(word))
        {
            notes.secrets.push(var.place);
        }
    }
}

/// Children must be groups that are somewhere.
fn unknown_children(inventory: &Inventory, notes: &mut Notes) {
    for group in inventory.groups.values() {
        for (child, at) in &group.children {
            if !inventory.groups.contains_key(child) {
                let message = format!("there is no group {}", shown(child));
                notes.error(
                    "missing-group",
                    *at,
                    message,
                    "add its section, or take this out",
                );
            }
        }
    }
}

/// kubespray's group `bastion` is the way to all other hosts.
fn bastion(inventory: &Inventory, notes: &mut Notes) -> Option<Jump> {
    let host = inventory.members("bastion").first().copied()?;
    let login = login::login(host, &inventory.variables(host), notes);
    Some(Jump {
        host: login.host?,
        port: login.port,
        user: login.user,
    })
}

fn node(
    inventory: &Inventory,
    host: &str,
    roles: Vec<Role>,
    names: &mut Names,
    bastion: Option<&Jump>,
    notes: &mut Notes,
) -> Option<DraftNode> {
    let at = inventory.hosts.get(host).and_then(|host| host.place)?;
    let known = inventory.variables(host);
    let by_address = host.parse::<std::net::IpAddr>().is_ok();
    let name = match by_address {
        true => names.next(prefix(&roles)),
        false => names.like(host),
    };
    let Some(name) = name else {
        let message = format!("{} and another host would have one name", shown(host));
        notes.error(
            "duplicate",
            at,
            message,
            "kdiy's names are a-z, 0-9 and -, without dots",
        );
        return None;
    };
    if name.as_str() != host && !by_address {
        let message = format!("{} becomes the node {name}", shown(host));
        let help = "names of nodes are a-z, 0-9 and -; it becomes the host name, too";
        notes.warning("renamed", at, message, help);
    }
    let mut node = DraftNode::new(name, roles);
    node.ssh = login::login(host, &known, notes);
    if node.ssh.jumps.is_empty() {
        node.ssh.jumps.extend(bastion.cloned());
    }
    let own = own_address(&known, notes);
    node.address = own.unwrap_or_default();
    let reachable = node.ssh.host.as_ref();
    let reachable = reachable.and_then(|host| host.parse::<std::net::IpAddr>().ok());
    if own == Ok(None) && reachable.is_none() {
        let message = format!("{} has no address", shown(host));
        notes.error(
            "no-address",
            at,
            message,
            "add `ip=192.0.2.11`, by which the other hosts reach it, or an address as `ansible_host`",
        );
    }
    Some(node)
}

const fn prefix(roles: &[Role]) -> &'static str {
    match roles.first() {
        Some(Role::ControlPlane) => "cp",
        Some(Role::Etcd) => "etcd",
        Some(Role::LoadBalancer) => "lb",
        _ => "w",
    }
}

/// Something that was written, but is wrong and told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stated;

/// kubespray's `ip`, which is on the host itself, or else its `access_ip`.
fn own_address(known: &Known<'_>, notes: &mut Notes) -> Result<Option<std::net::IpAddr>, Stated> {
    let Some((said, var)) = login::text(known, &["ip", "access_ip"], notes) else {
        return Ok(None);
    };
    address::address(said).map(Some).map_err(|error| {
        notes.error("invalid-address", var.place, error.message, &error.help);
        Stated
    })
}

/// Refuses two hosts with one address where they are written.
fn same_addresses(draft: &Draft, inventory: &Inventory, notes: &mut Notes) {
    let mut seen: Vec<(String, usize)> = Vec::new();
    let place = |node: &DraftNode| {
        let mut hosts = inventory.hosts.iter();
        let own = hosts.find(|(name, _)| Names::default().like(name).as_ref() == Some(&node.name));
        own.and_then(|(_, host)| host.place)
    };
    for (number, node) in draft.nodes.iter().enumerate() {
        let address = node.address.map(|address| address.to_string());
        let login = node
            .ssh
            .host
            .clone()
            .map(|host| format!("{host}:{}", node.ssh.port.unwrap_or(22)));
        for key in [address, login].into_iter().flatten() {
            let earlier = seen
                .iter()
                .find(|(other, at)| *other == key && *at != number);
            if let (Some((_, first)), Some(at)) = (earlier, place(node)) {
                let first = &draft.nodes[*first];
                let message = format!("{} and {} are one host: {key}", first.name, node.name);
                let first = place(first).unwrap_or(at);
                notes.twice(at, first, message, "every node is a host of its own");
                break;
            }
            seen.push((key, number));
        }
    }
}
