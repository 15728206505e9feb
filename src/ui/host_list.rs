//! Which host does what, one line for those that do the same.

use std::collections::{BTreeMap, BTreeSet};

use unicode_width::UnicodeWidthStr as _;

use super::sanitise::sanitise;
use super::style::Style;
use super::text::{self, pack};
use crate::cluster::{AddressSpec, Cluster, Node, Role};

/// Up to this many hosts of the same roles are told with their addresses.
const WITH_ADDRESSES: usize = 5;

/// Hosts by their roles, in the order of the inventory; many of one kind by
/// their names alone.
#[must_use]
pub fn host_list(cluster: &Cluster, style: &Style) -> String {
    let mut groups: Vec<(&[Role], Vec<&Node>)> = Vec::new();
    let mut known = BTreeMap::new();
    for node in &cluster.nodes {
        let place = *known.entry(node.roles.all()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, nodes)) => nodes.push(node),
            None => groups.push((node.roles.all(), vec![node])),
        }
    }
    let rows = groups.iter().map(|(roles, nodes)| {
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        (roles.join(", "), hosts(nodes))
    });
    let rows: Vec<_> = rows.collect();
    let label = rows.iter().map(|(label, _)| label.width()).max();
    let label = label.unwrap_or_default();
    let mut out = String::new();
    for (roles, hosts) in rows {
        let room = style.width.saturating_sub(label + 4).max(1);
        for (place, line) in pack(&hosts, ", ", room).iter().enumerate() {
            let roles = if place == 0 { roles.as_str() } else { "" };
            out.push_str(&format!("  {roles:label$}  {line}\n"));
        }
    }
    out
}

/// Hosts that have the same roles.
fn hosts(nodes: &[&Node]) -> Vec<String> {
    if nodes.len() > WITH_ADDRESSES {
        let names: BTreeSet<_> = nodes.iter().map(|node| &node.name).collect();
        let count = text::count(nodes.len(), "host");
        return vec![format!("{count}: {}", text::names(&names))];
    }
    let host = |node: &&Node| {
        let address = match &node.address {
            AddressSpec::Fixed(address) => address.to_string(),
            AddressSpec::Interface(_) => sanitise(&node.login.host),
        };
        // The name of a host that was given by name says it all.
        match address.split('.').next() == Some(node.name.as_str()) {
            true => address,
            false => format!("{} {address}", node.name),
        }
    };
    nodes.iter().map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Verbosity;

    fn drawn(nodes: &str, width: usize) -> String {
        let text = format!(
            "apiVersion: kdiy/v1alpha1\nname: demo\nversion: \"1.34\"\nendpoint: 192.0.2.10:6443\n\
             loadBalancer: haproxy\nnetwork: {{cni: bridge}}\nnodes:\n{nodes}"
        );
        let unread = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let loaded = crate::inventory::load(&text, &unread);
        let cluster = loaded
            .cluster
            .unwrap_or_else(|| panic!("{:#?}", loaded.findings));
        let style = Style {
            width,
            color: false,
            verbosity: Verbosity::Normal,
        };
        host_list(&cluster, &style)
    }

    #[test]
    fn hosts_are_listed_by_their_roles() {
        let node = |name: &str, ssh: &str, roles: &str| {
            format!("- {{name: {name}, ssh: {ssh}, roles: [{roles}]}}\n")
        };
        let mut nodes = node("lb-1", "192.0.2.10", "load-balancer");
        for place in 1..=3 {
            let roles = "control-plane, worker";
            nodes += &node(&format!("cp-{place}"), &format!("192.0.2.1{place}"), roles);
        }
        let few = nodes.clone() + &node("w-1", "192.0.2.21", "worker");
        insta::assert_snapshot!("few", drawn(&few, 80));
        insta::assert_snapshot!("narrow", drawn(&few, 50));
        for place in 1..=20 {
            nodes += &node(
                &format!("w-{place}"),
                &format!("192.0.2.{}", 20 + place),
                "worker",
            );
        }
        nodes += "- {name: db, ssh: db.example.org, interface: eth0, \
                  roles: [control-plane]}\n";
        nodes += "- {name: cp-9, ssh: planes.example.org, interface: eth0, \
                  role: control-plane}\n";
        insta::assert_snapshot!("many", drawn(&nodes, 80));
    }
}
