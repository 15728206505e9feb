//! What a machine says of itself: one script, one answer.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::resource::{AnswerError, Answers, SECTION_FUNCTION};
use crate::shell::{Script, sh};

/// What a machine says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it calls itself.
    pub host_name: String,
    /// /etc/machine-id; empty if there is none.
    pub machine_id: String,
    /// Global addresses with their networks, by interface, in the kernel's
    /// order.
    pub addresses: Vec<(String, IpNet)>,
    /// Interfaces that default routes lead to.
    pub leads_out: Vec<String>,
}

/// The script that asks. Needs no root and changes nothing.
#[must_use]
pub fn script() -> Script {
    Script::of(SECTION_FUNCTION)
        .with(sh!("probe/machine.sh"))
        .run("kdiy_machine")
}

impl Seen {
    /// Reads the answer to [`script`].
    ///
    /// # Errors
    /// When it is not in the form of sections.
    pub fn parse(output: &[u8]) -> Result<Self, AnswerError> {
        let answers = Answers::parse(output)?;
        let line = |name| answers.get(name).map(|text| text.trim().to_owned());
        Ok(Self {
            host_name: line("host-name")?,
            machine_id: line("machine-id")?,
            addresses: answers
                .get("addresses")?
                .lines()
                .filter_map(address)
                .collect(),
            leads_out: answers.get("routes")?.lines().filter_map(way_out).collect(),
        })
    }

    /// Addresses of an interface, in the kernel's order.
    pub fn of<'a>(&'a self, interface: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
        let own = self.addresses.iter();
        let own = own.filter(move |(name, _)| name == interface);
        own.map(|(_, address)| address.addr())
    }
}

/// `eth0 10.0.2.15/24 (default route), eth1 192.168.56.21/24`.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.addresses.is_empty() {
            return f.write_str("no address");
        }
        for (place, (interface, address)) in self.addresses.iter().enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            write!(f, "{comma}{interface} {address}")?;
            if self.leads_out.contains(interface) {
                f.write_str(" (default route)")?;
            }
        }
        Ok(())
    }
}

/// A line of `ip -o addr`: `2: eth0    inet 10.0.0.1/24 …`. Temporary IPv6
/// addresses come and go.
fn address(line: &str) -> Option<(String, IpNet)> {
    let words: Vec<_> = line.split_whitespace().collect();
    if words.contains(&"temporary") {
        return None;
    }
    let interface = words.get(1)?.split('@').next()?;
    Some((interface.to_owned(), words.get(3)?.parse().ok()?))
}

/// A line of `ip route`: `default via 10.0.2.2 dev eth0 …`.
fn way_out(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.find(|word| *word == "dev")?;
    words.next().map(str::to_owned)
}
