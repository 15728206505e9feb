//! A control plane's disk is lost; its host joins again like any other.

use std::time::Instant;

use super::super::figure;
use super::Life;

pub fn a_wiped_control_plane_joins_again(life: &Life) {
    // The one that bootstrapped the cluster: no host is special.
    life.lab.power("reset-host", "cp-1");
    // Its member of etcd is all that is left of it, and must not stay.
    life.kubectl.run(&["delete", "node", "cp-1"]);
    let kdiy = life.kdiy();
    let steps = kdiy.plan(&[]).steps();
    for step in [
        "cp-2 forget cp-1 !",
        "cp-3 wait for etcd and the API server .",
        "cp-1 join the cluster !",
    ] {
        assert!(steps.contains(step), "{step} is not in {steps:?}");
    }
    assert!(!steps.iter().any(|step| step.contains("initialise")));
    let began = Instant::now();
    kdiy.run(0, &["apply", "--yes"]);
    figure("a wiped control plane joined again", began.elapsed());
    assert_eq!(life.kubectl.ready_nodes(), life.kubelets());
    life.etcd_is_whole();
    assert!(
        life.kubectl
            .run(&["get", "configmaps"])
            .contains("written-without-cp-1")
    );
    kdiy.has_nothing_to_do();
}
