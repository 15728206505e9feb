//! From bare hosts to a cluster that is what the inventory says.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::cluster::{self, is_ready, name};
use super::super::kdiy;
use super::super::{TOKEN, eventually, figure};
use super::{CONTROL_PLANES, Life};
use crate::documents::{How, Shell, blocks};

/// Looks at all command lines, some times a second, for what looks like a token.
const WATCH: &str = r#"cat >/run/watch <<'END'
while :; do
    cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -aE "$1" >>/run/seen
    echo >>/run/rounds
    sleep 0.2
done
END
systemd-run --quiet --unit watch sh /run/watch "$TOKEN"
token=abcdef.
token=${token}0123456789abcdef
rounds=0
until grep -q 'abcdef[.]0' /run/seen; do
    rounds=$((rounds + 1))
    [ "$rounds" -lt 20 ]
    sh -c 'sleep 0.5; :' planted "$token"
done
sleep 0.5
: >/run/seen"#;

pub fn comes_up(life: &Life) {
    // The watch shows that it can see: a token is planted for it.
    let watch = WATCH.replace("$TOKEN", TOKEN);
    for host in ["cp-1", "cp-2", "w-1"] {
        life.lab.sh(host, &watch);
    }
    let began = Instant::now();
    as_documents_say(life);
    figure("from `kdiy init` to `kubectl get nodes`", began.elapsed());

    // What only this test has: labels, taints, another login.
    let ran = life.kdiy().run(0, &["apply", "--yes"]);
    assert!(!ran.out.contains("initialise"), "{}", ran.out);
    ran.says(&["kdiy kubeconfig --merge"]);
    for host in ["cp-1", "cp-2", "w-1"] {
        life.lab.sh(host, "systemctl stop watch");
        let rounds = life.lab.sh(host, "wc -l </run/rounds");
        assert!(
            rounds.trim().parse::<u32>().expect("a number") > 20,
            "{rounds}"
        );
        let seen = life
            .lab
            .sh(host, "cat /run/seen; rm /run/seen /run/rounds /run/watch");
        assert_eq!(seen.trim(), "", "{host}: a command line had a token");
    }
}

/// Types what README tells for machines of one's own, with the lab's addresses.
fn as_documents_say(life: &Life) {
    let settings = life.lab.write("settings.yaml", &settings(&life.inventory));
    let shell = Shell::new(&kdiy::binary())
        .within(life.lab.folder.path())
        .with("KDIY_BASE", &settings.display().to_string());
    shell.program("kubectl", &cluster::binary());
    let keys = shell.home().join(".ssh");
    fs::create_dir(&keys).expect("a folder");
    fs::copy(life.lab.file("id_ed25519"), keys.join("id_ed25519")).expect("a key");
    let blocks = blocks(How::Hosts);
    let said: Vec<_> = blocks
        .into_iter()
        .map(|mut block| {
            block.text = block.text.replace("192.0.2.", "172.29.2.");
            shell.run(&block)
        })
        .collect();
    let said = said.join("\n");
    for wanted in ["complete the control plane", "w-2    Ready"] {
        assert!(said.contains(wanted), "no `{wanted}`:\n{said}");
    }
    let remembered = fs::read(keys.join("known_hosts")).expect("what was trusted");
    fs::write(life.lab.folder.path().join("known_hosts"), remembered).expect("a file");
}

/// An inventory without its hosts: what `kdiy init` takes as its base.
fn settings(inventory: &str) -> String {
    let (own, rest) = inventory.split_once("version:").expect("a version");
    assert!(own.contains("name: e2e"), "{own}");
    let (_, rest) = rest.split_once("network:").expect("a network");
    format!("name: e2e\nversion: \"1.37\"\nnetwork:{rest}")
}

pub fn is_as_the_inventory_says(life: &Life) {
    assert_eq!(life.kubectl.ready_nodes(), life.kubelets());
    nodes(life);
    proxies(life);
    names_are_served(life);
    life.etcd_is_whole();
    leader_election(life);
    for host in life.kubelets() {
        let held = life.lab.sh(host, "apt-mark showhold");
        let held: Vec<_> = held.lines().collect();
        assert_eq!(
            held,
            ["containerd", "cri-tools", "kubeadm", "kubectl", "kubelet"],
            "{host}"
        );
    }
}

/// Versions, addresses, labels and taints of the nodes.
fn nodes(life: &Life) {
    for node in life.kubectl.list(&["nodes"]) {
        let name = name(&node);
        let version = &node["status"]["nodeInfo"]["kubeletVersion"];
        assert_eq!(version, "v1.37.2", "the newest patch of 1.37 on {name}");
        assert_eq!(node["status"]["capacity"]["pods"], "50", "{name}");
        let addresses = node["status"]["addresses"].to_string();
        let (_, address) = super::HOSTS[..]
            .iter()
            .find(|(host, _)| *host == name)
            .expect("a host");
        assert!(
            addresses.contains(&format!("\"{address}\"")),
            "{name}: {addresses}"
        );
        let disk = &node["metadata"]["labels"]["disk"];
        let taints = taints(&node);
        match name.as_str() {
            "w-1" => assert_eq!((disk, taints.len()), (&Value::from("ssd"), 0)),
            "w-2" => assert_eq!(
                (disk, &taints[..]),
                (&Value::Null, &["dedicated=lab:NoSchedule".to_owned()][..])
            ),
            _ => assert_eq!(
                taints,
                ["node-role.kubernetes.io/control-plane=:NoSchedule"],
                "{name}"
            ),
        }
    }
}

fn taints(node: &Value) -> Vec<String> {
    let taints = node["spec"]["taints"].as_array();
    let text = |taint: &Value, key: &str| taint[key].as_str().unwrap_or_default().to_owned();
    let line = |taint: &Value| {
        format!(
            "{}={}:{}",
            text(taint, "key"),
            text(taint, "value"),
            text(taint, "effect")
        )
    };
    taints.into_iter().flatten().map(line).collect()
}

/// CoreDNS is there, as soon as there are workers for it.
fn names_are_served(life: &Life) {
    let path = "jsonpath={.status.availableReplicas}";
    let get = [
        "-n",
        "kube-system",
        "get",
        "deployment",
        "coredns",
        "-o",
        path,
    ];
    let served = || match life.kubectl.run(&get) {
        replicas if replicas == "2" => Ok(()),
        replicas => Err(format!("{replicas} of 2")),
    };
    eventually("CoreDNS", Duration::from_secs(60), served);
}

/// kube-proxy runs on all nodes.
fn proxies(life: &Life) {
    let pods = life
        .kubectl
        .list(&["-n", "kube-system", "pods", "-l", "k8s-app=kube-proxy"]);
    let ready = pods.iter().filter(|pod| is_ready(pod));
    let mut on: Vec<_> = ready
        .filter_map(|pod| pod["spec"]["nodeName"].as_str())
        .collect();
    on.sort_unstable();
    assert_eq!(on, life.kubelets());
}

/// The flags of the processes that run are those of the inventory.
fn leader_election(life: &Life) {
    for (host, _) in CONTROL_PLANES {
        for (process, wanted) in [
            (
                "kube-controller-manager",
                &[
                    "--leader-elect=true",
                    "--leader-elect-lease-duration=30s",
                    "--leader-elect-renew-deadline=20s",
                    "--leader-elect-retry-period=4s",
                    "--terminated-pod-gc-threshold=1000",
                ][..],
            ),
            (
                "kube-scheduler",
                &[
                    "--leader-elect=true",
                    "--leader-elect-lease-duration=20s",
                    "--leader-elect-renew-deadline=12s",
                    "--leader-elect-retry-period=3s",
                ],
            ),
        ] {
            let script = format!("tr '\\0' '\\n' </proc/$(pgrep -f ^{process})/cmdline");
            let flags = life.lab.sh(host, &script);
            for flag in wanted {
                let found = flags.lines().filter(|line| line == flag).count();
                assert_eq!(found, 1, "{host}: {process} {flag}:\n{flags}");
            }
        }
    }
}
