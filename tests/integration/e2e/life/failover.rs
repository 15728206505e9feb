//! A control plane loses its power; the cluster goes on.

use std::time::{Duration, Instant};

use super::super::{eventually, figure, health};
use super::Life;

pub fn a_control_plane_can_be_lost(life: &Life) {
    // The one through which kdiy speaks to the API, and that was first.
    let lost = "cp-1";
    let kdiy = life.kdiy();
    let began = Instant::now();
    life.lab.power("kill", lost);
    let create = ["create", "configmap", "written-without-cp-1"];
    let minute = Duration::from_secs(60);
    let written = eventually("a write succeeds", minute, || {
        // What was written by an attempt whose answer was lost is written.
        life.kubectl.attempt(&create).or_else(|why| {
            why.contains("already exists")
                .then_some(String::new())
                .ok_or(why)
        })
    });
    figure(
        "power cut to the first write, the cut included",
        began.elapsed(),
    );
    figure("first write after the cut", written.1);
    assert!(
        life.kubectl
            .run(&["get", "configmaps"])
            .contains("written-without-cp-1")
    );

    health::misses(&kdiy, lost);
    let reach = ["--connect-timeout", "3"];
    let ran = kdiy.run(4, &[&["plan"], &reach[..]].concat());
    ran.says(&["cp-1: cannot reach 172.29.2.11:22"]);
    assert!(!ran.err.contains("cp-2: "), "{}", ran.err);
    ran.says(&["goes on with the others alone"]);
    let ran = kdiy.run(
        0,
        &[
            &["plan", "--limit", "w-1", "--detailed-exitcode"],
            &reach[..],
        ]
        .concat(),
    );
    assert!(ran.out.starts_with("No changes."), "{}", ran.out);
    ran.says(&["cp-1 is left out"]);

    life.lab.power("start", lost);
    // Asked of the host itself: its node may not even have been missed.
    let own = "curl -fsS --max-time 5 --cacert /etc/kubernetes/pki/ca.crt https://172.29.2.11:6443/readyz";
    let (_, took) = eventually("cp-1 is back", Duration::from_secs(180), || {
        life.lab.try_sh("cp-2", own)
    });
    figure("power back to its API server ready", took);
    // It was missed where that took longer than the grace of 40 s; its kubelet
    // then says that it is back when it has an API server to tell.
    let minute = Duration::from_secs(60);
    eventually("all nodes are ready", minute, || {
        let ready = life.kubectl.ready_nodes();
        let all = ready == life.kubelets();
        all.then_some(()).ok_or(format!("{ready:?}"))
    });
    life.etcd_is_whole();
    kdiy.has_nothing_to_do();
}
