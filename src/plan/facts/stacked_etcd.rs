//! What a control plane says of the member of stacked etcd on it: its files,
//! and what the member itself answers.

use crate::cluster::{Node, ResolvedCluster, Role, Topology};
use crate::etcd::Client;
use crate::etcd::members::View;
use crate::resource::{AnswerError, Answers, section};
use crate::shell::{Script, sh};

/// The member of stacked etcd on a control plane. Nothing on other hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackedEtcd {
    /// Whether a member's data is there.
    pub data: bool,
    /// What the member answers; `None` when it does not.
    pub view: Option<View>,
}

/// The name of the section.
const SECTION: &str = "stacked-etcd";

const MEMBER: &str = sh!("probe/etcd-member.sh");

/// How a node speaks to the member of stacked etcd that it has or shall have.
#[must_use]
pub fn client(resolved: &ResolvedCluster, node: &Node) -> Option<Client> {
    let topology = &resolved.cluster.topology;
    let has_member = node.roles.has(Role::ControlPlane) && *topology == Topology::Stacked;
    has_member.then(|| Client::of(topology, resolved.address(node)))
}

/// The fragment that asks; nothing where there is no member.
#[must_use]
pub(super) fn script(client: Option<&Client>) -> Script {
    let Some(client) = client else {
        return section(SECTION, &Script::new());
    };
    let script = client
        .functions()
        .with(MEMBER)
        .set("kdiy_url", &client.url)
        .run("kdiy_data")
        .run("kdiy_tell_etcd");
    section(SECTION, &script)
}

impl StackedEtcd {
    /// Reads the answer.
    ///
    /// # Errors
    /// When the section is missing.
    pub(super) fn parse(answers: &Answers) -> Result<Self, AnswerError> {
        let line = |key: &str| answers.line(SECTION, key);
        let members = line("members")?.unwrap_or_default();
        Ok(Self {
            data: line("data")?.is_some(),
            view: line("status")?.and_then(|status| View::read(status, members)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::SECTION_FUNCTION;
    use std::net::Ipv4Addr;

    /// What is read where curl gives these answers.
    fn read(status: &str, members: &str) -> StackedEtcd {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key").display().to_string();
        std::fs::write(&key, "key").unwrap();
        let client = Client::of(&Topology::Stacked, Ipv4Addr::LOCALHOST.into());
        let probe = script(Some(&client)).as_str().replace(client.key, &key);
        let curl = "curl() { for a; do case $a in */status) echo \"$STATUS\" ;; \
                    */list) echo \"$MEMBERS\" ;; esac; done; }\n";
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("{SECTION_FUNCTION}{curl}{probe}")])
            .envs([("STATUS", status), ("MEMBERS", members)])
            .output()
            .unwrap();
        StackedEtcd::parse(&Answers::parse(&output.stdout).unwrap()).unwrap()
    }

    #[test]
    fn a_member_is_asked_by_a_real_shell() {
        let status = r#"{"header":{"cluster_id":"1","member_id":"2"},"leader":"2"}"#;
        let members = r#"{"members":[{"ID":"2","name":"cp-1"}]}"#;
        let view = read(status, members).view.unwrap();
        assert_eq!(view.members[0].name, "cp-1");
        assert_eq!(read("", "").view, None);
    }
}
