//! A worker is added; what the others have to do for it is little and named.

use super::super::figure;
use super::Life;

/// The new worker in the inventory.
pub const LINE: &str = "  - {name: w-3, ssh: 172.29.2.23, role: worker, labels: {disk: nvme}}\n";

pub fn touches_the_new_host_alone(life: &mut Life) {
    let others: Vec<_> = life.hosts();
    life.lab.add(&[("w-3", "172.29.2.23")]);
    life.inventory = life
        .inventory
        .replace("network:", &format!("{LINE}network:"));
    let kdiy = life.kdiy();
    let known = std::fs::read_to_string(life.lab.folder.path().join("known_hosts"));
    let steps = kdiy.plan(&["--accept-new-host-keys"]).steps();
    let wanted = [
        "cluster label the nodes !",
        "cp-1 wait for the endpoint .",
        "cluster wait for the nodes .",
        "w-3 add the package repository +",
        "w-3 configure the container runtime !+",
        "w-3 install packages ~",
        "w-3 join the cluster !",
        "w-3 prepare the kernel +",
        "w-3 prepare the kubelet !+",
        "w-3 pull images !",
        "w-3 restrict the kubelet's files !",
        "w-3 set up the kubelet !+",
    ];
    assert_eq!(steps, wanted.map(str::to_owned).into());
    let now = std::fs::read_to_string(life.lab.folder.path().join("known_hosts"));
    assert_ne!(
        known.expect("a file"),
        now.expect("a file"),
        "the new key is remembered"
    );

    let began = std::time::Instant::now();
    life.lab
        .untouched(&others, || kdiy.run(0, &["apply", "--yes"]));
    figure("one more worker", began.elapsed());
    assert_eq!(life.kubectl.ready_nodes(), life.kubelets());
    let node = life.kubectl.run(&[
        "get",
        "node",
        "w-3",
        "-o",
        "jsonpath={.metadata.labels.disk}",
    ]);
    assert_eq!(node, "nvme");
    kdiy.has_nothing_to_do();
}
