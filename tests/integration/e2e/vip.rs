//! Two balancers and the address that moves between them.

use std::time::{Duration, Instant};

use super::cluster::Kubectl;
use super::lab::Lab;
use super::writes::Writes;
use super::{eventually, figure};

/// The limit for the API to be back.
const BACK: Duration = Duration::from_secs(5);

pub struct Vip<'a> {
    pub lab: &'a Lab,
    pub kubectl: &'a Kubectl,
    /// The balancers' hosts.
    pub hosts: [&'static str; 2],
    pub address: &'static str,
    /// The unit that balances.
    pub unit: &'static str,
}

impl Vip<'_> {
    fn holds(&self, host: &str) -> bool {
        let addresses = self.lab.sh(host, "ip -o addr show");
        addresses.contains(&format!(" {}/", self.address))
    }

    /// The host that holds the address, and the other.
    pub fn holder(&self) -> (&'static str, &'static str) {
        let [one, two] = self.hosts;
        match (self.holds(one), self.holds(two)) {
            (true, false) => (one, two),
            (false, true) => (two, one),
            held => panic!("{} is held by {:?}: {held:?}", self.address, self.hosts),
        }
    }

    /// A balancer that is stopped loses the address, and does not take it
    /// back.
    pub fn moves_when_its_balancer_stops(&self) {
        let (holder, other) = self.holder();
        let writes = Writes::begin(self.lab, self.kubectl);
        let began = Instant::now();
        self.lab
            .sh(holder, &format!("systemctl stop {}", self.unit));
        let moved = || match (self.holds(holder), self.holds(other)) {
            (false, true) => Ok(()),
            held => Err(format!("held by {holder}, by {other}: {held:?}")),
        };
        eventually("the address moves", Duration::from_secs(20), moved);
        figure(
            &format!("{} stopped: until the address has moved", self.unit),
            began.elapsed(),
        );
        let written = writes.end();
        figure(
            &format!("{} stopped: longest time without a write", self.unit),
            written.gap,
        );
        assert!(written.gap < BACK, "{:?} without a write", written.gap);

        let writes = Writes::begin(self.lab, self.kubectl);
        let now = self.lab.sh(holder, "date +'%F %T'");
        self.lab
            .sh(holder, &format!("systemctl start {}", self.unit));
        let seen = format!(
            "journalctl -u keepalived -S '{}' | grep -i succe",
            now.trim()
        );
        eventually("its health is seen", Duration::from_secs(20), || {
            self.lab.try_sh(holder, &seen)
        });
        let written = writes.end();
        assert!(
            written.gap < Duration::from_secs(2),
            "{:?} without a write while nothing fails",
            written.gap
        );
        assert_eq!(self.holder().0, other, "the address went back");
    }

    /// The host that holds the address loses its power.
    pub fn moves_when_its_host_is_lost(&self) {
        let (holder, other) = self.holder();
        let writes = Writes::begin(self.lab, self.kubectl);
        self.lab.power("kill", holder);
        let written = writes.end();
        figure(
            "the balancer's host lost: longest time without a write",
            written.gap,
        );
        assert!(self.holds(other));
        self.lab.power("start", holder);
    }
}
