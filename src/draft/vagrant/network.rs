//! Which of its addresses a machine has in the cluster. Vagrant's own NIC is
//! the wrong one: in VirtualBox it is 10.0.2.15 on every machine.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;

use super::seen::Seen;
use crate::cluster::Name;

/// What VirtualBox's NAT gives to every machine; nobody else can reach it.
const VIRTUALBOX_NAT: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15));

/// How interfaces begin that are no NICs: bridges of engines and pod networks.
const VIRTUAL: [&str; 9] = [
    "docker", "br-", "cni", "kdiy", "virbr", "veth", "flannel", "cali", "kube-",
];

/// What the user says of the network.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    Guess,
    /// The interface, on all machines.
    Interface(String),
    /// The network that addresses are in.
    Network(IpNet),
}

/// Why there are no addresses; with what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No network is shared by all machines.
    #[error("the machines share no network in which each has an address of its own\n{0}")]
    None(String),
    /// Several are.
    #[error("{} would do, and nothing says which one is meant\n{seen}", .networks.join(" and "))]
    Several {
        /// The networks.
        networks: Vec<String>,
        /// What was seen.
        seen: String,
    },
    /// A machine has nothing of what was wished for.
    #[error("{name} has no address {wish}\n{seen}")]
    Unmet {
        /// The machine.
        name: Name,
        /// As in `on eth1`.
        wish: String,
        /// What was seen.
        seen: String,
    },
    /// What was wished for is the same on several machines.
    #[error("{first} and {second} both have {address}, so it can be no node's address\n{seen}")]
    Shared {
        /// One machine.
        first: Name,
        /// The other.
        second: Name,
        /// The address.
        address: IpAddr,
        /// What was seen.
        seen: String,
    },
}

/// One network, and each machine's address in it.
struct Candidate {
    network: IpNet,
    addresses: Vec<IpAddr>,
    interfaces: Vec<String>,
    /// On some machine it is the way to the world outside.
    leads_out: bool,
}

/// Each machine's address, in the same order.
///
/// # Errors
/// When no network fits, or several do.
pub fn choose(machines: &[(Name, Seen)], wish: &Wish) -> Result<Vec<IpAddr>, Error> {
    match wish {
        Wish::Guess => guess(machines),
        Wish::Interface(wanted) => fulfil(machines, &format!("on {wanted}"), |seen| {
            seen.of(wanted).next()
        }),
        Wish::Network(wanted) => fulfil(machines, &format!("in {wanted}"), |seen| {
            let own = seen.addresses.iter().map(|(_, address)| address.addr());
            own.into_iter().find(|address| wanted.contains(address))
        }),
    }
}

fn fulfil(
    machines: &[(Name, Seen)],
    wish: &str,
    address: impl Fn(&Seen) -> Option<IpAddr>,
) -> Result<Vec<IpAddr>, Error> {
    let mut found: Vec<(&Name, IpAddr)> = Vec::new();
    for (name, seen) in machines {
        let Some(address) = address(seen) else {
            return Err(Error::Unmet {
                name: name.clone(),
                wish: wish.to_owned(),
                seen: table(machines),
            });
        };
        if let Some((first, _)) = found.iter().find(|(_, other)| *other == address) {
            return Err(Error::Shared {
                first: (*first).clone(),
                second: name.clone(),
                address,
                seen: table(machines),
            });
        }
        found.push((name, address));
    }
    Ok(found.into_iter().map(|(_, address)| address).collect())
}

fn guess(machines: &[(Name, Seen)]) -> Result<Vec<IpAddr>, Error> {
    let mut candidates = candidates(machines);
    // The NIC that leads out is Vagrant's own, unless there is no other.
    if candidates.iter().any(|candidate| !candidate.leads_out) {
        candidates.retain(|candidate| !candidate.leads_out);
    }
    // Both families on the same NICs are one network.
    if let Some(first) = candidates.first()
        && candidates
            .iter()
            .all(|other| other.interfaces == first.interfaces)
        && candidates
            .iter()
            .any(|other| other.network.addr().is_ipv4())
    {
        candidates.retain(|candidate| candidate.network.addr().is_ipv4());
    }
    match &mut candidates[..] {
        [] => Err(Error::None(table(machines))),
        [only] => Ok(std::mem::take(&mut only.addresses)),
        several => {
            let networks = several.iter().map(|one| one.network.to_string());
            Err(Error::Several {
                networks: networks.collect(),
                seen: table(machines),
            })
        }
    }
}

/// Networks in which every machine has an address, and each another one.
fn candidates(machines: &[(Name, Seen)]) -> Vec<Candidate> {
    let all = machines.iter().flat_map(|(_, seen)| &seen.addresses);
    let networks: BTreeSet<IpNet> = all
        .filter(|(interface, address)| {
            let host = address.prefix_len() == address.max_prefix_len();
            !host && !VIRTUAL.iter().any(|begin| interface.starts_with(begin))
        })
        .map(|(_, address)| address.trunc())
        .collect();
    let found = networks.into_iter().filter_map(|network| {
        let mut candidate = Candidate {
            network,
            addresses: Vec::new(),
            interfaces: Vec::new(),
            leads_out: false,
        };
        for (_, seen) in machines {
            let mut own = seen.addresses.iter();
            let (interface, address) = own.find(|(_, address)| address.trunc() == network)?;
            let address = address.addr();
            if address == VIRTUALBOX_NAT || candidate.addresses.contains(&address) {
                return None;
            }
            candidate.addresses.push(address);
            candidate.interfaces.push(interface.clone());
            candidate.leads_out |= seen.leads_out.contains(interface);
        }
        Some(candidate)
    });
    found.collect()
}

/// What was seen, a line for each machine.
fn table(machines: &[(Name, Seen)]) -> String {
    let width = machines.iter().map(|(name, _)| name.as_str().len()).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    for (name, seen) in machines {
        let _ = writeln!(text, "  {name:<width$}  {seen}");
    }
    text.trim_end().to_owned()
}
