//! What a member of etcd says of itself and of the others, as its JSON gateway
//! answers: the one place where members are read.
//!
//! Facts: `rpc.proto` of etcd 3.5 to 3.7. Numbers of 64 bits are text, and what
//! is zero, empty or false is left out.

use serde::Deserialize;

use crate::cluster::Version;

/// What a member says of itself and of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The id of its cluster, decimal.
    pub cluster: String,
    /// Its own id, decimal.
    pub id: String,
    /// The version of its program, where it can be read.
    pub version: Option<Version>,
    /// Whether it knows a leader.
    pub led: bool,
    /// Whether it has no vote yet.
    pub learner: bool,
    /// The members that it knows; a learner is not asked.
    pub members: Vec<MemberView>,
}

/// An entry of etcd's list of members.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberView {
    /// Its id, decimal.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name; empty when it has never started.
    #[serde(default)]
    pub name: String,
    /// Where the others reach it.
    #[serde(default, rename = "peerURLs")]
    pub peer_urls: Vec<String>,
    /// Whether it has no vote yet.
    #[serde(default, rename = "isLearner")]
    pub learner: bool,
}

#[derive(Deserialize)]
struct StatusAnswer {
    header: Header,
    #[serde(default)]
    version: String,
    #[serde(default)]
    leader: String,
    #[serde(default, rename = "isLearner")]
    learner: bool,
}

#[derive(Deserialize)]
struct Header {
    cluster_id: String,
    #[serde(default)]
    member_id: String,
}

#[derive(Deserialize)]
struct MembersAnswer {
    #[serde(default)]
    members: Vec<MemberView>,
}

impl View {
    /// Reads the answers to `/v3/maintenance/status` and
    /// `/v3/cluster/member/list`; `None` where the first is no status. A list
    /// that cannot be read is an empty one.
    #[must_use]
    pub fn read(status: &str, members: &str) -> Option<Self> {
        let status: StatusAnswer = serde_json::from_str(status).ok()?;
        let members = serde_json::from_str(members);
        let members = members.map(|MembersAnswer { members }| members);
        Some(Self {
            cluster: status.header.cluster_id,
            id: status.header.member_id,
            version: status.version.parse().ok(),
            led: !matches!(status.leader.as_str(), "" | "0"),
            learner: status.learner,
            members: members.unwrap_or_default(),
        })
    }

    /// Whether the list of members can be relied on: a voter with a leader
    /// gives what the cluster has agreed on.
    #[must_use]
    pub fn knows_members(&self) -> bool {
        self.led && !self.learner && !self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As etcd 3.7.0 answers; the last member was added and has not started.
    const STATUS: &str = r#"{"header":{"cluster_id":"7797801124135783237","member_id":"4433102505813165043","raft_term":"2"},"version":"3.7.0","dbSize":"20480","leader":"4433102505813165043","raftIndex":"8","raftTerm":"2","storageVersion":"3.7.0"}"#;
    const MEMBERS: &str = r#"{"header":{"cluster_id":"7797801124135783237"},"members":[{"ID":"4433102505813165043","name":"e2","peerURLs":["https://127.0.0.1:17201"],"clientURLs":["https://127.0.0.1:17200"]},{"ID":"6419250490114079386","peerURLs":["https://127.0.0.1:17901"],"isLearner":true}]}"#;

    #[test]
    fn a_member_is_read_with_the_others() {
        let view = View::read(STATUS, MEMBERS).unwrap();
        assert_eq!(view.cluster, "7797801124135783237");
        assert_eq!(view.id, "4433102505813165043");
        assert!(view.led && !view.learner && view.knows_members());
        let [own, added] = &view.members[..] else {
            panic!("{view:?}")
        };
        assert_eq!((own.name.as_str(), own.learner), ("e2", false));
        assert_eq!((added.name.as_str(), added.learner), ("", true));
        assert_eq!(added.peer_urls, ["https://127.0.0.1:17901"]);
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let refused = r#"{"code":14,"message":"etcdserver: unhealthy cluster"}"#;
        for status in ["", "x", "{}", refused] {
            assert_eq!(View::read(status, MEMBERS), None, "{status}");
        }
        let view = View::read(STATUS, refused).unwrap();
        assert!(!view.knows_members());
        let leaderless = STATUS.replace(r#""leader":"4433102505813165043","#, "");
        assert!(!View::read(&leaderless, MEMBERS).unwrap().knows_members());
    }
}
