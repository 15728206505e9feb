//! The script under a real sh, with commands that fail on what nobody expects.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::cluster::Version;
use crate::kubeadm::tests::{few, ipv6};

const LIST: &str = "kubectl --cache-dir=$S/cache get nodes --no-headers -o custom-columns=\
    NAME:.metadata.name,CIDR:.spec.podCIDR,ADDRESS:.status.addresses[?(@.type==\"InternalIP\")].address";

const NODES: &str = "cp1   10.244.0.0/24   192.0.2.11\n\
    w1    10.244.1.0/24   192.0.2.14,2001:db8::14\n\
    w2    <none>          192.0.2.15\n";

/// A host in a folder: commands that keep its routes and rules in files, and
/// the script running.
struct Host {
    dir: tempfile::TempDir,
    script: Child,
}

impl Host {
    /// Starts the script; `family` is `-4` or `-6`.
    fn start(pod_cidr: &str, family: &str, nodes: Option<&str>, prepare: impl Fn(&Path)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        for folder in ["bin", "state", "cni"] {
            fs::create_dir(path.join(folder)).unwrap();
        }
        for file in ["calls", "unexpected", "routes", "rules"] {
            fs::write(path.join(file), "").unwrap();
        }
        if let Some(nodes) = nodes {
            fs::write(path.join("nodes"), nodes).unwrap();
        }
        fs::write(path.join("events"), "").unwrap();
        fs::write(path.join("kubeconfig"), "kubeconfig").unwrap();
        prepare(path);
        let stub = stub(pod_cidr, family);
        for command in ["kubectl", "ip", "iptables", "ip6tables", "sleep"] {
            program(&path.join("bin").join(command), &stub);
        }
        program(&path.join("bridge-cni"), &script());
        let script = Command::new(path.join("bridge-cni"))
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", path.join("bin").display()),
            )
            .env("T", path)
            .env("NODE_NAME", "cp1")
            .env("POD_CIDR", pod_cidr)
            .env("KUBECONFIG", path.join("kubeconfig"))
            .env("CNI_DIRECTORY", path.join("cni"))
            .env("STATE_DIRECTORY", path.join("state"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self { dir, script }
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.dir.path().join(file)).unwrap_or_default()
    }

    fn write(&self, file: &str, text: &str) {
        // In one step: the script reads at any time.
        let new = self.dir.path().join("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.dir.path().join(file)).unwrap();
    }

    /// Waits until it has followed an answer, and watches for the next change:
    /// its first watch was for its own pod CIDR.
    fn watches(&self) {
        self.until_that("it watches", || {
            self.read("calls").matches("--watch\n").count() > 1
        });
    }

    /// Waits until a file holds a text.
    fn until(&self, file: &str, holds: &str) {
        self.until_that(&format!("{file} holds {holds}"), || {
            self.read(file).contains(holds)
        });
    }

    fn until_that(&self, what: &str, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() {
            let late = start.elapsed() > Duration::from_secs(20);
            let (calls, bad) = (self.read("calls"), self.read("unexpected"));
            assert!(!late, "never: {what}\ncalls:\n{calls}\nunexpected:\n{bad}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn conflist(&self) -> String {
        self.read("cni/10-kdiy-bridge.conflist")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The commands end by themselves when this is gone.
        let _ = fs::remove_file(self.dir.path().join("events"));
        // The script's subshells too, as systemd ends a unit: one may wait for
        // the script to open the other end of its pipe.
        let group = format!("-{}", self.script.id());
        let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
        assert!(killed.unwrap().success());
        let _ = self.script.wait();
        if !std::thread::panicking() {
            assert_eq!(self.read("unexpected"), "", "commands that nobody expects");
        }
    }
}

/// By another process: a file that this one has open for writing, even in a
/// child that another test is just forking, cannot be executed.
fn program(path: &Path, text: &str) {
    let mut install = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    install
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    assert!(install.wait().unwrap().success());
}

/// One program for all commands. Each accepts whole command lines only.
fn stub(pod_cidr: &str, family: &str) -> String {
    let tables = if family == "-6" {
        "ip6tables"
    } else {
        "iptables"
    };
    r#"#!/bin/sh
S=$T/state
line="${0##*/} $*"
echo "$line" >>"$T/calls"
rule() { grep -Fqx -- "$1" "$T/rules"; }
case $line in
    "@LIST@") cat "$T/nodes" ;;
    "@LIST@ --watch")
        cat "$T/nodes" || exit 1
        # What a real watch does: lines as they come, until it is cut.
        seen=0
        while [ -e "$T/events" ] && [ ! -e "$T/cut" ]; do
            all=$(wc -l <"$T/events")
            [ "$all" = "$seen" ] || tail -n +$((seen + 1)) "$T/events"
            seen=$all
            /bin/sleep 0.05
        done
        exit 1
        ;;
    "ip @F@ route show proto 171") cat "$T/routes" ;;
    "ip @F@ route replace "*" via 192.0.2.99 proto 171") exit 2 ;;
    "ip @F@ route replace "*" via "*" proto 171")
        grep -v "^$4 " "$T/routes" >"$T/routes.new"
        echo "$4 via $6 dev eth1 " >>"$T/routes.new"
        mv "$T/routes.new" "$T/routes"
        ;;
    "ip @F@ route del "*" proto 171")
        grep -v "^$4 " "$T/routes" >"$T/routes.new"
        mv "$T/routes.new" "$T/routes"
        ;;
    "ip link delete cni0") ;;
    "@TABLES@ -w -t nat -n -L KDIY-BRIDGE") rule "nat -N KDIY-BRIDGE" ;;
    "@TABLES@ -w -t filter -n -L KDIY-BRIDGE") rule "filter -N KDIY-BRIDGE" ;;
    "@TABLES@ -w -t nat -N KDIY-BRIDGE" | \
    "@TABLES@ -w -t filter -N KDIY-BRIDGE" | \
    "@TABLES@ -w -t nat -A POSTROUTING -j KDIY-BRIDGE" | \
    "@TABLES@ -w -t nat -A KDIY-BRIDGE -s @P@ ! -d @P@ -j MASQUERADE" | \
    "@TABLES@ -w -t filter -A FORWARD -j KDIY-BRIDGE" | \
    "@TABLES@ -w -t filter -A KDIY-BRIDGE -s @P@ -j ACCEPT" | \
    "@TABLES@ -w -t filter -A KDIY-BRIDGE -d @P@ -j ACCEPT")
        echo "${line#* -w -t }" >>"$T/rules"
        ;;
    "@TABLES@ -w -t nat -C POSTROUTING -j KDIY-BRIDGE" | \
    "@TABLES@ -w -t nat -C KDIY-BRIDGE -s @P@ ! -d @P@ -j MASQUERADE" | \
    "@TABLES@ -w -t filter -C FORWARD -j KDIY-BRIDGE" | \
    "@TABLES@ -w -t filter -C KDIY-BRIDGE -s @P@ -j ACCEPT" | \
    "@TABLES@ -w -t filter -C KDIY-BRIDGE -d @P@ -j ACCEPT")
        rule "$(echo "${line#* -w -t }" | sed 's/ -C / -A /')"
        ;;
    "sleep 1" | "sleep 2" | "sleep 4") /bin/sleep 0.05 ;;
    *)
        echo "$line" >>"$T/unexpected"
        exit 97
        ;;
esac
"#
    .replace("@LIST@", &LIST.replace('"', "\\\""))
    .replace("@TABLES@", tables)
    .replace("@F@", family)
    .replace("@P@", pod_cidr)
}

#[test]
fn a_host_gets_its_network() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |_| ());
    host.until_that("a conflist", || !host.conflist().is_empty());
    host.watches();
    assert_eq!(
        host.read("routes"),
        "10.244.1.0/24 via 192.0.2.14 dev eth1 \n"
    );
    insta::assert_snapshot!("rules", host.read("rules"));
    let conflist = host.conflist();
    insta::assert_snapshot!("conflist", conflist);
    serde_json::from_str::<serde_json::Value>(&conflist).unwrap();
}

#[test]
fn ipv6_pods_go_through_ipv6_addresses() {
    let nodes = "cp1 fd00:244::/64 2001:db8::11\nw1 fd00:244:0:1::/64 192.0.2.14,2001:db8::14\n";
    let host = Host::start("fd00:244::/56", "-6", Some(nodes), |_| ());
    host.until_that("a conflist", || !host.conflist().is_empty());
    assert_eq!(
        host.read("routes"),
        "fd00:244:0:1::/64 via 2001:db8::14 dev eth1 \n"
    );
    assert!(host.conflist().contains(r#""dst": "::/0""#));
}

#[test]
fn the_watch_tells_of_a_new_node_long_before_the_next_list() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |_| ());
    host.watches();
    let start = Instant::now();
    let line = "w2 10.244.2.0/24 192.0.2.15\n";
    host.write(
        "nodes",
        &NODES.replace("w2    <none>          192.0.2.15\n", line),
    );
    host.write("events", line);
    host.until("routes", "10.244.2.0/24 via 192.0.2.15");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_heartbeat_asks_nothing() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |_| ());
    host.watches();
    host.write("events", "w1 10.244.1.0/24 192.0.2.14,2001:db8::14\n");
    let calls = host.read("calls");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(host.read("calls"), calls);
}

#[test]
fn only_routes_of_its_own_protocol_go() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |dir| {
        let routes =
            "10.244.1.0/24 via 192.0.2.14 dev eth1 \n10.244.9.0/24 via 192.0.2.19 dev eth1 \n";
        fs::write(dir.join("routes"), routes).unwrap();
    });
    host.watches();
    assert_eq!(
        host.read("routes"),
        "10.244.1.0/24 via 192.0.2.14 dev eth1 \n"
    );
    let calls = host.read("calls");
    assert!(calls.contains("ip -4 route del 10.244.9.0/24 proto 171"));
    assert!(
        !calls.contains("route replace"),
        "the present route was right:\n{calls}"
    );
}

#[test]
fn an_outage_of_the_api_changes_nothing() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |_| ());
    host.watches();
    let (routes, conflist) = (host.read("routes"), host.conflist());
    fs::remove_file(host.dir.path().join("nodes")).unwrap();
    host.write("cut", "");
    let asked = |host: &Host| {
        host.read("calls")
            .lines()
            .filter(|line| line.ends_with("address"))
            .count()
    };
    let before = asked(&host);
    host.until_that("asked again", || asked(&host) >= before + 3);
    assert_eq!((host.read("routes"), host.conflist()), (routes, conflist));
    fs::remove_file(host.dir.path().join("cut")).unwrap();
    host.write("nodes", &NODES.replace("<none>", "10.244.2.0/24"));
    host.until("routes", "10.244.2.0/24 via 192.0.2.15");
}

#[test]
fn after_a_reboot_the_routes_are_back_before_the_api() {
    let host = Host::start("10.244.0.0/16", "-4", None, |dir| {
        fs::write(
            dir.join("state/nodes"),
            "cp1 10.244.0.0/24 192.0.2.11\nw1 10.244.1.0/24 192.0.2.14\n",
        )
        .unwrap();
    });
    host.until("routes", "10.244.1.0/24 via 192.0.2.14");
    host.until_that("a conflist", || !host.conflist().is_empty());
}

#[test]
fn a_node_without_a_pod_cidr_is_waited_for() {
    let host = Host::start(
        "10.244.0.0/16",
        "-4",
        Some("cp1 <none> 192.0.2.11\n"),
        |_| (),
    );
    host.until("calls", "--watch");
    assert_eq!((host.conflist(), host.read("routes")), Default::default());
    host.write("nodes", NODES);
    host.write("events", "cp1 10.244.0.0/24 192.0.2.11\n");
    host.until_that("a conflist", || !host.conflist().is_empty());
    assert!(!host.read("calls").contains("sleep 2"), "the watch told it");
}

#[test]
fn a_node_that_lost_its_pod_cidr_keeps_its_network() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |_| ());
    host.watches();
    let kept = (
        host.read("routes"),
        host.conflist(),
        host.read("state/nodes"),
    );
    let gone = "w1 10.244.1.0/24 192.0.2.14\nw2 10.244.2.0/24 192.0.2.15\n";
    host.write("nodes", gone);
    host.write("events", gone);
    host.until("calls", "sleep 4");
    let now = (
        host.read("routes"),
        host.conflist(),
        host.read("state/nodes"),
    );
    assert_eq!(now, kept);
}

#[test]
fn one_unreachable_node_does_not_stop_the_others() {
    let nodes = format!("cp0 10.244.8.0/24 192.0.2.99\n{NODES}");
    let host = Host::start("10.244.0.0/16", "-4", Some(&nodes), |_| ());
    host.until_that("a conflist", || !host.conflist().is_empty());
    assert_eq!(
        host.read("routes"),
        "10.244.1.0/24 via 192.0.2.14 dev eth1 \n"
    );
}

#[test]
fn another_pod_cidr_needs_another_bridge() {
    let host = Host::start("10.244.0.0/16", "-4", Some(NODES), |dir| {
        fs::write(
            dir.join("cni/10-kdiy-bridge.conflist"),
            r#"{ "subnet": "10.244.7.0/24" }"#,
        )
        .unwrap();
    });
    host.until(
        "cni/10-kdiy-bridge.conflist",
        r#""subnet": "10.244.0.0/24""#,
    );
    assert!(host.read("calls").contains("ip link delete cni0"));
}

#[test]
fn unit_and_manifest() {
    let resolved = few(Version::new(1, 34, 1));
    let [script, unit] = files(&resolved, &resolved.cluster.nodes[3]);
    assert_eq!((script.mode, unit.mode), (0o755, 0o644));
    assert!(script.text.starts_with("#!/bin/sh\n# Written by kdiy;"));
    insta::assert_snapshot!("unit", unit.text);
    insta::assert_snapshot!("manifest", manifest());
    let resolved = ipv6(Version::new(1, 34, 1));
    let [_, unit] = files(&resolved, &resolved.cluster.nodes[3]);
    assert!(unit.text.contains("\nEnvironment=POD_CIDR=fd00:244::/56\n"));
}

#[test]
fn shellcheck_has_nothing_to_say() {
    let mut check = Command::new("shellcheck")
        .args(["--shell=sh", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("shellcheck runs; Debian's package is shellcheck");
    check
        .stdin
        .take()
        .unwrap()
        .write_all(script().as_bytes())
        .unwrap();
    let said = check.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "");
    assert!(said.status.success());
}
