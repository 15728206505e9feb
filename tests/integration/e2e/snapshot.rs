//! A snapshot is a whole cluster's data, whatever the topology.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::data;
use super::kdiy::Kdiy;
use super::lab::Lab;

/// Saves one; it is private, and restored by etcd's own tool it holds all data.
pub fn holds_everything(lab: &Lab, kdiy: &Kdiy<'_>) -> PathBuf {
    let path = lab.folder.path().join("etcd.snapshot");
    kdiy.run(0, &["etcd", "snapshot", "save", "etcd.snapshot"]);
    let mode = std::fs::metadata(&path)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
    data::is_all_in(&path);
    let again = kdiy.run(1, &["etcd", "snapshot", "save", "etcd.snapshot"]);
    again.says(&["etcd.snapshot", "--force"]);
    path
}
