//! etcd on hosts of its own and two balancers with a virtual address: refused
//! while something is in the way, brought up, and then losing hosts.

mod bring_up;
mod members;
mod refusals;

use super::cluster::Kubectl;
use super::health;
use super::kdiy::Kdiy;
use super::lab::Lab;
use super::vip::Vip;

const HOSTS: [(&str, &str); 8] = [
    ("e-1", "172.29.2.41"),
    ("e-2", "172.29.2.42"),
    ("e-3", "172.29.2.43"),
    ("cp-1", "172.29.2.44"),
    ("cp-2", "172.29.2.45"),
    ("lb-1", "172.29.2.46"),
    ("lb-2", "172.29.2.47"),
    ("w-1", "172.29.2.48"),
];
const MEMBERS: [&str; 3] = ["e-1", "e-2", "e-3"];
const VIP: &str = "172.29.2.50";

/// The lab, the cluster in it, and its inventory.
struct External {
    lab: Lab,
    kubectl: Kubectl,
    inventory: String,
}

impl External {
    fn kdiy(&self) -> Kdiy<'_> {
        Kdiy::with(&self.lab, "kdiy.yaml", &self.inventory)
    }

    fn vip(&self) -> Vip<'_> {
        Vip {
            lab: &self.lab,
            kubectl: &self.kubectl,
            hosts: ["lb-1", "lb-2"],
            address: VIP,
            unit: "haproxy",
        }
    }

    /// The hosts but for some.
    fn hosts_without(&self, but: &[&str]) -> Vec<&'static str> {
        let hosts = HOSTS.iter().map(|(host, _)| *host);
        hosts.filter(|host| !but.contains(host)).collect()
    }
}

fn address(host: &str) -> &'static str {
    let found = HOSTS.iter().find(|(name, _)| *name == host);
    found.expect("a host").1
}

#[test]
#[ignore = "needs the lab; make e2e"]
fn an_external_cluster_lives() {
    let lab = Lab::up("ext", &HOSTS);
    let identity = lab.file("id_ed25519").display().to_string();
    let known = std::fs::read_to_string(lab.file("known_hosts")).expect("known_hosts");
    lab.write("known_hosts", &known);
    let mut external = External {
        kubectl: Kubectl::of(&lab, "ext"),
        inventory: include_str!("external.yaml").replace("@identity@", &identity),
        lab,
    };
    refusals::what_is_in_the_way(&external);
    bring_up::comes_up(&mut external);
    bring_up::is_as_the_inventory_says(&external);
    external.kdiy().has_nothing_to_do();
    super::data::write(&external.lab, "cp-1", address("cp-1"));
    health::is_well(&external.kdiy(), &["cp-1", "cp-2", "w-1"], 2);
    health::tells_the_holder(&external.kdiy(), &external.vip());
    external.vip().moves_when_its_balancer_stops();
    health::tells_the_holder(&external.kdiy(), &external.vip());
    external.vip().moves_when_its_host_is_lost();
    let lost = members::the_leader_can_be_lost(&external);
    let snapshot = members::a_snapshot_holds_everything(&external);
    members::another_clusters_data_are_refused(&external, lost, &snapshot);
    members::a_wiped_one_comes_back(&external, lost);
    external.kdiy().has_nothing_to_do();
}
