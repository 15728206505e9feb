//! Data that outlive what is done to etcd: a thousand ConfigMaps.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::cluster::Kubectl;
use super::eventually;
use super::lab::{self, Lab};

/// How many there are.
pub const NUMBER: usize = 1000;

/// Where they are in etcd.
const PREFIX: &str = "/registry/configmaps/default/data-";

/// One curl for all of them: kubectl takes no more than five a second.
const WRITE: &str = r#"umask 077
cd "$(mktemp -d)"
for part in certificate key; do
    sed -n "s/^ *client-$part-data: //p" /etc/kubernetes/admin.conf | base64 -d >"$part"
done
seq 1 "$NUMBER" | awk -v url="$URL/api/v1/namespaces/default/configmaps" '{
    if (NR > 1) print "next"
    printf "url = \"%s\"\ncacert = /etc/kubernetes/pki/ca.crt\ncert = certificate\nkey = key\n", url
    printf "noproxy = *\noutput = /dev/null\nwrite-out = \"%%{http_code}\\n\"\nheader = \"Content-Type: application/json\"\n"
    printf "data = \"{\\\"apiVersion\\\":\\\"v1\\\",\\\"kind\\\":\\\"ConfigMap\\\",\\\"metadata\\\":{\\\"name\\\":\\\"data-%04d\\\"},\\\"data\\\":{\\\"number\\\":\\\"%d\\\"}}\"\n", NR, NR
}' >all
curl -sS --parallel --parallel-max 10 --config all | sort | uniq -c
rm certificate key"#;

/// Writes them, through the API server of a control plane.
pub fn write(lab: &Lab, control_plane: &str, address: &str) {
    let script = WRITE
        .replace("$NUMBER", &NUMBER.to_string())
        .replace("$URL", &format!("https://{address}:6443"));
    let said = lab.sh(control_plane, &script);
    assert_eq!(said.trim(), format!("{NUMBER} 201"));
}

/// All of them are there, by the API.
pub fn is_all_there(kubectl: &Kubectl) {
    let said = kubectl.run(&["get", "configmaps", "-o", "name"]);
    let found = said
        .lines()
        .filter_map(|line| line.strip_prefix("configmap/data-"));
    let found: BTreeSet<_> = found.map(str::to_owned).collect();
    let wanted: BTreeSet<_> = (1..=NUMBER).map(|number| format!("{number:04}")).collect();
    let lost: Vec<_> = wanted.difference(&found).collect();
    assert_eq!(found, wanted, "lost: {lost:?}");
}

/// Where the restored member is.
const CLIENT: &str = "http://127.0.0.1:23790";
const PEER: &str = "http://127.0.0.1:23800";

/// The data directory of a new member, made of a snapshot.
pub fn restored_folder(snapshot: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    // It must not exist yet.
    let data = folder.path().join("member-data");
    lab::ok(
        etcd("etcdutl")
            .args(["snapshot", "restore"])
            .arg(snapshot)
            .args(["--name", "restored", "--initial-cluster"])
            .arg(format!("restored={PEER}"))
            .args(["--initial-advertise-peer-urls", PEER, "--data-dir"])
            .arg(&data),
    );
    std::fs::rename(data.join("member"), folder.path().join("member")).expect("its data");
    std::fs::remove_dir(data).expect("nothing else in it");
    folder
}

/// Restores a snapshot with etcd's own tools to a member on this machine; all
/// of them are there.
pub fn is_all_in(snapshot: &Path) {
    let data = restored_folder(snapshot);
    let member = etcd("etcd")
        .args(["--name", "restored", "--data-dir"])
        .arg(data.path())
        .args([
            "--listen-client-urls",
            CLIENT,
            "--advertise-client-urls",
            CLIENT,
        ])
        .args(["--listen-peer-urls", PEER])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _member = Running(member.expect("etcd can be run"));
    let keys = || {
        let output = etcd("etcdctl")
            .args([
                "--endpoints",
                CLIENT,
                "get",
                "--prefix",
                PREFIX,
                "--keys-only",
            ])
            .output()
            .expect("etcdctl");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    };
    let limit = Duration::from_secs(30);
    let (keys, _) = eventually("the restored member answers", limit, keys);
    let keys = keys.lines().filter(|line| line.starts_with(PREFIX));
    assert_eq!(keys.count(), NUMBER);
}

/// A value out of a stacked etcd, as it is kept there.
pub fn kept(lab: &Lab, member: &str, key: &str) -> String {
    let script = format!(
        "cd /etc/kubernetes/pki/etcd
curl -fsS --max-time 5 --cacert ca.crt --cert healthcheck-client.crt --key healthcheck-client.key \
https://127.0.0.1:2379/v3/kv/range -d \"{{\\\"key\\\":\\\"$(printf %s {key} | base64 -w0)\\\"}}\" |
sed -n 's/.*\"value\":\"\\([^\"]*\\)\".*/\\1/p' | base64 -d | tr -c '[:print:]' ."
    );
    lab.sh(member, &script)
}

/// A program of etcd's, of the newest that the lab has.
fn etcd(program: &str) -> Command {
    Command::new(lab::program(program, None))
}

/// Ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
