//! Members of etcd are lost and come back.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::super::lab::ok;
use super::super::writes::Writes;
use super::super::{data, figure, snapshot};
use super::{External, HOSTS, MEMBERS};

impl External {
    /// What `kdiy etcd status` says of each member, and its exit code.
    fn status(&self, code: i32) -> Vec<Value> {
        let ran = self.kdiy().run(
            code,
            &[
                "etcd",
                "status",
                "--output",
                "json",
                "--connect-timeout",
                "3",
            ],
        );
        let document: Value = serde_json::from_str(&ran.out).expect("JSON");
        document["members"].as_array().expect("members").clone()
    }
}

/// The host of the leader loses its power; writes go on.
pub fn the_leader_can_be_lost(external: &External) -> &'static str {
    let members = external.status(0);
    let leader = members.iter().find(|member| member["leader"] == true);
    let leader = leader.expect("a leader")["name"].as_str().expect("a name");
    let lost = MEMBERS.into_iter().find(|host| *host == leader);
    let lost = lost.expect("one of the members");
    let writes = Writes::begin(&external.lab, &external.kubectl);
    external.lab.power("kill", lost);
    let written = writes.end();
    figure(
        "etcd leader's host lost: longest time without a write",
        written.gap,
    );
    let members = external.status(9);
    let healthy = members.iter().filter(|member| member["state"] == "healthy");
    assert_eq!(healthy.count(), MEMBERS.len() - 1, "{members:#?}");
    lost
}

/// It can be taken while a member is lost.
pub fn a_snapshot_holds_everything(external: &External) -> PathBuf {
    snapshot::holds_everything(&external.lab, &external.kdiy())
}

/// Somebody put another cluster's data where a member should be.
pub fn another_clusters_data_are_refused(external: &External, host: &str, snapshot: &Path) {
    external.lab.power("reset-host", host);
    let other = data::restored_folder(snapshot);
    let mut tar = Command::new("tar")
        .args([
            "-C".as_ref(),
            other.path().as_os_str(),
            "-c".as_ref(),
            ".".as_ref(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar");
    let archive = tar.stdout.take().expect("a pipe");
    let unpack = [
        "sh",
        "-ec",
        "mkdir -p -m 700 /var/lib/etcd; tar -C /var/lib/etcd -x",
    ];
    ok(external.lab.exec(host, &unpack).stdin(archive));
    tar.wait().expect("an end");

    let hosts: Vec<_> = HOSTS.iter().map(|(host, _)| *host).collect();
    let kdiy = external.kdiy();
    let ran = external
        .lab
        .untouched(&hosts, || kdiy.run(5, &["apply", "--yes"]));
    ran.says(&[host, "/var/lib/etcd", "that kdiy did not make"]);
    external
        .lab
        .sh(host, "find /var/lib/etcd -mindepth 1 -delete");
}

/// A blank host takes the place of the lost one, and only it is changed, but
/// for what one member is asked to do.
pub fn a_wiped_one_comes_back(external: &External, lost: &str) {
    let kdiy = external.kdiy();
    let steps = kdiy.plan(&[]).steps();
    let own = format!("{lost} ");
    let elsewhere: Vec<_> = steps
        .iter()
        .filter(|step| !step.starts_with(&own))
        .collect();
    let asked: Vec<_> = elsewhere
        .iter()
        .filter(|step| step.ends_with('!'))
        .collect();
    assert!(asked.len() <= 1, "{steps:#?}");
    assert!(
        elsewhere
            .iter()
            .all(|step| !step.contains('+') && !step.contains('~')),
        "{steps:#?}"
    );
    let others = external.hosts_without(&[lost]);
    let began = Instant::now();
    external
        .lab
        .untouched(&others, || kdiy.run(0, &["apply", "--yes"]));
    figure("a wiped member came back", began.elapsed());
    let members = external.status(0);
    let mut names: Vec<_> = members
        .iter()
        .filter_map(|member| member["name"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, MEMBERS);
    data::is_all_there(&external.kubectl);
    assert_eq!(external.kubectl.ready_nodes(), ["cp-1", "cp-2", "w-1"]);
}
