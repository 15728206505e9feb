//! The life of one cluster, in order: it comes up, carries pods, is fixed,
//! grows, outlives the loss of what kdiy keeps, of a host, and of its disk.

mod bring_up;
mod drift;
mod failover;
mod growth;
mod pods;
mod replace;
mod saved;
mod signs;
mod state;
mod traces;

use super::cluster::{self, Kubectl};
use super::health;
use super::kdiy::Kdiy;
use super::lab::Lab;

const HOSTS: [(&str, &str); 6] = [
    ("lb-1", "172.29.2.10"),
    ("cp-1", "172.29.2.11"),
    ("cp-2", "172.29.2.12"),
    ("cp-3", "172.29.2.13"),
    ("w-1", "172.29.2.21"),
    ("w-2", "172.29.2.22"),
];
const CONTROL_PLANES: [(&str, &str); 3] = [HOSTS[1], HOSTS[2], HOSTS[3]];

/// The lab, the cluster in it, and its inventory.
struct Life {
    lab: Lab,
    kubectl: Kubectl,
    inventory: String,
}

impl Life {
    fn kdiy(&self) -> Kdiy<'_> {
        Kdiy::with(&self.lab, "kdiy.yaml", &self.inventory)
    }

    /// All hosts, with those that came later.
    fn hosts(&self) -> Vec<&'static str> {
        let first = HOSTS.iter().map(|(host, _)| *host);
        let late = self.inventory.contains(growth::LINE).then_some("w-3");
        first.chain(late).collect()
    }

    fn etcd_is_whole(&self) {
        cluster::etcd_is(&self.lab, "cp-2", &CONTROL_PLANES);
    }

    fn kubelets(&self) -> Vec<&'static str> {
        let mut hosts = self.hosts();
        hosts.retain(|host| *host != "lb-1");
        hosts
    }
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn a_cluster_lives() {
    let lab = Lab::up("e2e", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let mut life = Life {
        kubectl: Kubectl::of(&lab, "e2e"),
        inventory: include_str!("e2e.yaml").replace("@identity@", &identity),
        lab,
    };
    bring_up::comes_up(&life);
    bring_up::is_as_the_inventory_says(&life);
    life.kdiy().has_nothing_to_do();
    health::is_well(&life.kdiy(), &life.kubelets(), CONTROL_PLANES.len());
    pods::reach_services_and_each_other(&life);
    drift::is_seen_and_fixed_alone(&life);
    saved::plans_are_applied_exactly_or_not_at_all(&life);
    growth::touches_the_new_host_alone(&mut life);
    traces::logs_are_private(&life);
    signs::can_be_lost(&life);
    state::can_be_lost(&life);
    state::of_another_cluster_is_refused(&life);
    state::merges_into_a_kubeconfig(&life);
    failover::a_control_plane_can_be_lost(&life);
    replace::a_wiped_control_plane_joins_again(&life);
    traces::nothing_is_left_on_hosts(&life);
}
