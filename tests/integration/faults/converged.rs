//! What every bring-up has to end with, whatever was done to it on its way.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::Scene;
use crate::e2e::cluster::{self, Kubectl};

/// What a run may leave on no host: folders and files of scripts, marks of
/// steps that did not end, and scripts that still run.
const LEFT: &str = r#"find /run /var/tmp /tmp -xdev -name 'kdiy*' ! -path /run/kdiy
find /run/kdiy -mindepth 1 ! -name at-work ! -name owner.guard ! -name last-owner
find / -xdev \( -name '*.kdiy-new' -o -path /var/lib/kdiy/unfinished \)
pgrep -af 'kdiy[_]' || :"#;

/// A stacked cluster with one load balancer.
pub struct Shape {
    pub cluster: &'static str,
    pub hosts: &'static [(&'static str, &'static str)],
}

impl Shape {
    fn of_role(&self, start: &str) -> Vec<(&'static str, &'static str)> {
        let hosts = self.hosts.iter().copied();
        hosts.filter(|(host, _)| host.starts_with(start)).collect()
    }

    /// The cluster is whole, and nothing else is left; the text of its plan,
    /// which is empty.
    pub fn holds(&self, scene: &Scene) -> String {
        let kdiy = scene.kdiy();
        let plan = kdiy.run(0, &["plan", "--detailed-exitcode"]);
        kdiy.has_nothing_to_do();

        let planes = self.of_role("cp-");
        let nodes: Vec<_> = [planes.clone(), self.of_role("w-")].concat();
        let nodes: Vec<_> = nodes.iter().map(|(host, _)| *host).collect();
        let kubectl = Kubectl::of(&scene.lab, self.cluster);
        assert_eq!(kubectl.ready_nodes(), nodes);
        let known: Vec<_> = kubectl.list(&["nodes"]).iter().map(cluster::name).collect();
        assert_eq!(known, nodes, "Nodes that nobody wanted");
        cluster::etcd_is(&scene.lab, planes[0].0, &planes);

        for (host, _) in self.hosts {
            let left = scene.lab.sh(host, LEFT);
            assert_eq!(left, "", "left on {host}");
        }
        state_is_sound(&scene.lab.folder.path().join(".kdiy").join(self.cluster));
        plan.out
    }

    /// The same, with the plan of the first round that has ended.
    pub fn holds_as(&self, first: &mut Option<String>, scene: &Scene) {
        let end = self.holds(scene);
        let first = first.get_or_insert_with(|| end.clone());
        assert_eq!(*first, end, "the plan at the end differs between rounds");
    }
}

/// Private, nothing half-written, and every record of a run can be read.
fn state_is_sound(folder: &Path) {
    assert!(folder.join("kubeconfig").exists());
    let mut records = 0;
    for path in walk(folder) {
        let name = path.display();
        let mode = fs::symlink_metadata(&path)
            .expect("a file")
            .permissions()
            .mode();
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode & 0o7777, wanted, "{name}");
        // Nobody is left to take it away where a run was killed as it wrote
        // its record; the record itself is whole.
        assert!(
            !path.to_string_lossy().contains(".partial") || path.ends_with("run.json.partial"),
            "{name} is left"
        );
        if path.ends_with("run.json") {
            let text = fs::read_to_string(&path).expect("a record");
            let record: Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(record["command"], "apply", "{name}");
            records += 1;
        }
    }
    assert!(records > 0, "no run was recorded");
}

/// A folder with all that is in it.
pub fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        if fs::symlink_metadata(&path).is_ok_and(|it| it.is_dir()) {
            let entries = fs::read_dir(&path).expect("a folder");
            found.extend(entries.map(|entry| entry.expect("an entry").path()));
        }
    }
    found
}
