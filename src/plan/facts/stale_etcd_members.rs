//! Members of stacked etcd whose nodes are not there: the disk of a control
//! plane was lost before it was a node, or somebody has deleted the node alone.
//! kubeadm lets nobody join beside a member that is silent.

use crate::cluster::{Name, Node, ResolvedCluster, Role, Topology};
use crate::etcd::Client;
use crate::shell::{Script, sh};

/// Asks for the names of all members, where a control plane is no node.
#[derive(Debug, Clone, PartialEq)]
pub struct StaleEtcdMembers {
    /// How the host speaks to its member.
    pub client: Client,
    /// All control planes.
    pub planes: Vec<Name>,
}

/// Defines `kdiy_all_nodes NAME…`.
const ALL_NODES: &str = sh!("probe/all-nodes.sh");

impl StaleEtcdMembers {
    /// What a node is asked: nothing where it has no member of stacked etcd.
    #[must_use]
    pub fn of(resolved: &ResolvedCluster, node: &Node) -> Option<Self> {
        let topology = &resolved.cluster.topology;
        let has_member = node.roles.has(Role::ControlPlane) && *topology == Topology::Stacked;
        let planes = || resolved.with_role(Role::ControlPlane);
        has_member.then(|| Self {
            client: Client::of(topology, resolved.address(node)),
            planes: planes().map(|plane| plane.name.clone()).collect(),
        })
    }

    /// Reads `$nodes`, lines that begin with `node NAME`; prints `members` with
    /// the list of etcd's JSON gateway, since a host need not have etcdctl.
    pub(super) fn script(&self) -> Script {
        Script::of(ALL_NODES)
            .lit("kdiy_all_nodes ")
            .args(self.planes.iter().map(Name::as_str))
            .lit(" || echo \"members $(curl -fsS --noproxy '*' --max-time 5")
            .then(&self.client.curl())
            .lit("-d '{}' ")
            .arg(format!("{}/v3/cluster/member/list", self.client.url))
            .lit(" | tr -d '\\n')\"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::facts::ApiView;
    use std::net::Ipv4Addr;

    /// As etcd 3.4 answers; the last one was added and has not started.
    const ANSWER: &str = r#"{"header":{"cluster_id":"1","member_id":"2","raft_term":"3"},"members":[{"ID":"11","name":"cp-1","peerURLs":["https://192.0.2.1:2380"],"clientURLs":["https://192.0.2.1:2379"]},{"ID":"12","name":"cp-2","peerURLs":["https://192.0.2.2:2380"],"clientURLs":["https://192.0.2.2:2379"]},{"ID":"13","peerURLs":["https://192.0.2.3:2380"]}]}"#;

    /// The members of which a host with these nodes tells.
    fn told(nodes: &str) -> Vec<String> {
        let name = |name: &str| Name::try_from(name.to_owned()).unwrap();
        let stale_etcd_members = StaleEtcdMembers {
            client: Client::of(&Topology::Stacked, Ipv4Addr::LOCALHOST.into()),
            planes: vec![name("cp-1"), name("cp-2")],
        };
        let curl = "curl() { echo \"$ANSWER\"; }\n";
        let output = std::process::Command::new("sh")
            .args([
                "-c",
                &format!("{curl}{}", stale_etcd_members.script().as_str()),
            ])
            .env("ANSWER", ANSWER)
            .env("nodes", nodes)
            .output()
            .unwrap();
        assert_eq!(output.stderr, b"");
        let said = String::from_utf8(output.stdout).unwrap();
        match ApiView::parse(&format!("answers\n{nodes}\n{said}")) {
            ApiView::Nodes { members, .. } => members,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn members_are_asked_for_where_a_control_plane_is_no_node() {
        let all = ["cp-1", "cp-2"];
        assert_eq!(told("node cp-2 True v1.34.1 containerd://2.0"), all);
        assert_eq!(told("node cp-11 True v1\nnode cp-2 True v1"), all);
        let both = "node cp-1 True v1.34.1\nlabel cp-1 a=b\nnode cp-2 False v1.34.1";
        assert_eq!(told(both), [""; 0]);
    }
}
