//! Names, logins and where packages come from.

use std::collections::HashMap;
use std::hash::Hash;

use super::super::document::Inventory;
use super::super::finding::{Finding, Span};
use super::super::hosts::RawNode;
use super::super::interpret;
use super::super::reader::Reader;
use crate::cluster::AddressSpec;

pub fn check(reader: &Reader<'_>, inventory: &Inventory) {
    let nodes = &inventory.nodes;
    let names = nodes.iter().filter_map(|node| {
        let name = node.name.as_ref()?;
        Some((
            name.value.to_string(),
            name.span,
            format!("the name `{}`", name.value),
        ))
    });
    unique(reader, names, "every node needs a name of its own");

    let logins = nodes.iter().filter_map(|node| {
        let host = interpret::ssh_host(node)?;
        let port = node.ssh.port.or(inventory.ssh.port);
        let shown = format!("the ssh host `{}`", host.value);
        Some(((host.value.to_lowercase(), port), host.span, shown))
    });
    unique(
        reader,
        logins,
        "every node is a host of its own; give one host several roles with `roles: [...]`",
    );

    let addresses = nodes
        .iter()
        .filter_map(|node| match interpret::address(node)?.value {
            AddressSpec::Fixed(address) => Some((
                address,
                interpret::address(node)?.span,
                format!("the address {address}"),
            )),
            AddressSpec::Interface(_) => None,
        });
    unique(reader, addresses, "every node needs an address of its own");

    for node in nodes {
        reachable(reader, node);
        jumps(reader, inventory, node);
    }
}

fn unique<T: Eq + Hash>(
    reader: &Reader<'_>,
    values: impl Iterator<Item = (T, Span, String)>,
    help: &str,
) {
    let mut first: HashMap<T, Span> = HashMap::new();
    for (value, span, shown) in values {
        let known = |finding: &Finding| finding.code == "duplicate" && finding.span == span;
        if reader.findings.borrow().iter().any(known) {
            // An ssh host that is an address is both; once is enough.
            continue;
        }
        if let Some(first) = first.get(&value) {
            let finding = Finding::error("duplicate", span, format!("{shown} is used twice"));
            reader.report(finding.related(*first, "first used here").help(help));
        } else {
            first.insert(value, span);
        }
    }
}

/// Every node has something to log in to, and an address for the others.
fn reachable(reader: &Reader<'_>, node: &RawNode) {
    if node.ssh.broken {
        return;
    }
    let (host, address) = (interpret::ssh_host(node), interpret::address(node));
    match (&node.ssh.host, address) {
        (None, None) if !node.has_address => {
            let message = format!("{} has neither `ssh` nor `address`", node.called());
            reader.report(
                Finding::error("no-address", node.name_span(), message)
                    .help("add `ssh: 192.0.2.11`; where it is an IP address it is the node's address, too"),
            );
        }
        (Some(host), None) if !node.has_address => {
            let kind = match host.value.parse::<std::net::IpAddr>() {
                Ok(_) => "an address that means nothing to the other hosts",
                Err(_) => "a name, which may mean something else on the other hosts",
            };
            let message = format!(
                "{} has no address: `{}` is {kind}",
                node.called(),
                host.value
            );
            reader.report(
                Finding::error("no-address", host.span, message)
                    .help("add `address: 192.0.2.11`, or `interface: eth1` to take it from a network interface"),
            );
        }
        (None, Some(address)) if host.is_none() => {
            let message = format!("it is not said how to log in to {}", node.called());
            reader.report(
                Finding::error("no-login", address.span, message)
                    .help("add `ssh:` with a host name, an alias of ~/.ssh/config or an address"),
            );
        }
        _ => {}
    }
}

fn jumps(reader: &Reader<'_>, inventory: &Inventory, node: &RawNode) {
    let (Some(chain), Some(host)) = (
        interpret::jumps(node, &inventory.ssh),
        interpret::ssh_host(node),
    ) else {
        return;
    };
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let port = node.ssh.port.or(inventory.ssh.port).unwrap_or(22);
    for hop in &chain.value {
        if same(&hop.value.host, &host.value) && hop.value.port.unwrap_or(22) == port {
            let message = format!("{} would be reached through itself", node.called());
            reader.report(
                Finding::error("jump-loop", host.span, message)
                    .related(hop.span, "the jump host")
                    .help("give this node `ssh: {host: ..., jump: []}` to reach it directly"),
            );
        }
    }
    for (index, hop) in chain.value.iter().enumerate() {
        let earlier = chain.value[..index]
            .iter()
            .find(|earlier| earlier.value == hop.value);
        if let Some(earlier) = earlier {
            let message = format!("the jump chain passes `{}` twice", hop.value.host);
            reader.report(
                Finding::error("jump-loop", hop.span, message)
                    .related(earlier.span, "first passed here")
                    .help("name every jump host once, nearest first"),
            );
        }
    }
}
