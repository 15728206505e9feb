//! What hosts are, as a table and for programs.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Serialize;

use super::style::{Style, Tone};
use super::table::{Cell, table};
use super::text::bytes;
use crate::cluster::{Name, Node};
use crate::execute::survey::HostError;
use crate::plan::facts::HostInfo;

/// A clock that is further away is worth a look.
const SKEW: Duration = Duration::from_secs(1);

/// A node and what was found out about it.
pub type Row<'a> = (&'a Node, Result<&'a HostInfo, &'a HostError>);

const COLUMNS: [&str; 14] = [
    "HOST",
    "OS",
    "ARCH",
    "CPUS",
    "MEMORY",
    "FREE DISK",
    "CLOCK",
    "KUBELET",
    "RUNTIME",
    "ADDRESSES",
    "LISTENING",
    "KERNEL",
    "VIRT",
    "UP",
];

/// The hosts; of what listens only `ports` are shown.
#[must_use]
pub fn render(rows: &[Row<'_>], ports: &BTreeSet<u16>, style: &Style) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|(node, found)| match found {
            Ok(host_info) => cells(node, host_info, ports),
            Err(_) => {
                let mut cells = [(); COLUMNS.len()].map(|()| Cell::sanitised(""));
                cells[0] = Cell::sanitised(node.name.as_str()).tone(Tone::Strong);
                cells[1] = Cell::sanitised("no answer").tone(Tone::Bad);
                cells
            }
        })
        .collect();
    table(COLUMNS, &rows, style)
}

fn cells(node: &Node, host_info: &HostInfo, ports: &BTreeSet<u16>) -> [Cell; COLUMNS.len()] {
    let facts = &host_info.facts;
    let kib = |kib: u64| bytes(kib.saturating_mul(1024));
    let clock = Cell::sanitised(clock(host_info.skew));
    let clock = if host_info.skew >= SKEW {
        clock.tone(Tone::Notable)
    } else {
        clock
    };
    let runtimes = host_info.runtimes.iter();
    let runtimes = runtimes.map(|runtime| format!("{} {}", runtime.name, runtime.version));
    let addresses = facts.addresses.iter();
    let addresses = addresses.map(|(interface, address)| format!("{interface} {address}"));
    let listening: BTreeSet<_> = facts
        .listening
        .iter()
        .filter(|(port, _)| ports.contains(port))
        .map(|(port, process)| (*port, process.as_str()))
        .collect();
    let listening = listening
        .iter()
        .map(|(port, process)| format!("{port} {process}"));
    let listed = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join("; ");
    [
        Cell::sanitised(node.name.as_str()).tone(Tone::Strong),
        Cell::sanitised(format!("{} {}", facts.os, facts.os_version)),
        Cell::sanitised(&facts.arch),
        Cell::sanitised(facts.cpus.to_string()),
        Cell::sanitised(kib(facts.memory)),
        Cell::sanitised(kib(facts.disk_free)),
        clock,
        Cell::sanitised(host_info.kubelet.as_deref().unwrap_or_default()),
        Cell::sanitised(listed(&mut { runtimes })),
        Cell::sanitised(listed(&mut { addresses })),
        Cell::sanitised(listed(&mut { listening })),
        Cell::sanitised(&host_info.kernel),
        Cell::sanitised(host_info.virtualization.as_deref().unwrap_or_default()),
        Cell::sanitised(uptime(host_info.uptime)),
    ]
}

/// How far a clock is away at least: less than a tenth cannot be told from
/// the time that the question took.
fn clock(skew: Duration) -> String {
    match skew.as_secs() {
        0 if skew.subsec_millis() < 100 => "right".to_owned(),
        0..100 => format!("{:.1}s off", skew.as_secs_f64()),
        _ => format!("{} off", super::text::duration(skew)),
    }
}

fn uptime(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => super::text::duration(Duration::from_secs(seconds)),
        days => format!("{days}d"),
    }
}

/// What a host is, as programs read it. Sizes are in bytes, times in seconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document<'a> {
    host: &'a Name,
    roles: Vec<&'static str>,
    /// Why it could not be asked; then there are no facts.
    error: Option<String>,
    /// The stable name of that.
    code: Option<&'static str>,
    facts: Option<Facts<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    host_name: &'a str,
    os: Os<'a>,
    arch: &'a str,
    kernel: &'a str,
    virtualization: Option<&'a str>,
    systemd: bool,
    uptime: u64,
    cpus: u64,
    memory: Room,
    swap: u64,
    /// Of the file system with /var.
    disk: Room,
    machine_id: &'a str,
    product_uuid: Option<&'a str>,
    /// At least.
    clock_skew: f64,
    addresses: Vec<Address<'a>>,
    listening: Vec<Listener<'a>>,
    kubelet: Option<&'a str>,
    kubeadm: Option<&'a str>,
    runtimes: Vec<Runtime<'a>>,
    /// Whether a kubelet has joined a cluster here.
    in_cluster: bool,
}

#[derive(Debug, Serialize)]
struct Os<'a> {
    id: &'a str,
    version: &'a str,
    codename: &'a str,
}

#[derive(Debug, Serialize)]
struct Room {
    total: u64,
    free: u64,
}

#[derive(Debug, Serialize)]
struct Address<'a> {
    interface: &'a str,
    address: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Listener<'a> {
    port: u16,
    process: &'a str,
}

#[derive(Debug, Serialize)]
struct Runtime<'a> {
    name: &'a str,
    version: &'a str,
}

/// The hosts for programs.
#[must_use]
pub fn documents<'a>(rows: &[Row<'a>]) -> Vec<Document<'a>> {
    let document = |(node, found): &Row<'a>| Document {
        host: &node.name,
        roles: node.roles.all().iter().map(|role| role.as_str()).collect(),
        error: found.err().map(ToString::to_string),
        code: found.err().map(HostError::code),
        facts: found.ok().map(document),
    };
    rows.iter().map(document).collect()
}

fn document(host_info: &HostInfo) -> Facts<'_> {
    let facts = &host_info.facts;
    let bytes = |kib: u64| kib.saturating_mul(1024);
    let listening = facts.listening.iter();
    let listening: BTreeSet<_> = listening
        .map(|(port, process)| Listener {
            port: *port,
            process,
        })
        .collect();
    Facts {
        host_name: &facts.host_name,
        os: Os {
            id: &facts.os,
            version: &facts.os_version,
            codename: &facts.os_codename,
        },
        arch: &facts.arch,
        kernel: &host_info.kernel,
        virtualization: host_info.virtualization.as_deref(),
        systemd: facts.systemd,
        uptime: host_info.uptime,
        cpus: facts.cpus,
        memory: Room {
            total: bytes(facts.memory),
            free: bytes(host_info.memory_available),
        },
        swap: bytes(host_info.swap),
        disk: Room {
            total: bytes(host_info.disk),
            free: bytes(facts.disk_free),
        },
        machine_id: &facts.machine_id,
        product_uuid: facts.product_uuid.as_deref(),
        clock_skew: (host_info.skew.as_secs_f64() * 1000.0).round() / 1000.0,
        addresses: facts
            .addresses
            .iter()
            .map(|(interface, address)| Address {
                interface,
                address: address.to_string(),
            })
            .collect(),
        listening: listening.into_iter().collect(),
        kubelet: host_info.kubelet.as_deref(),
        kubeadm: host_info.kubeadm.as_deref(),
        runtimes: host_info
            .runtimes
            .iter()
            .map(|runtime| Runtime {
                name: &runtime.name,
                version: &runtime.version,
            })
            .collect(),
        in_cluster: facts.kubelet_conf,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory;
    use crate::plan::facts::host_info;
    use crate::plan::observe::Window;

    /// What a host said, with the length of each section made right.
    fn said(sections: &[(&str, &str)]) -> Vec<u8> {
        let all = [
            "kubelet",
            "peers",
            "endpoint",
            "software",
            "etcd",
            "stacked-etcd",
        ]
        .map(|name| (name, ""));
        let all = sections.iter().copied().chain(all);
        let sections = all.map(|(name, text)| format!("@{name} {}\n{text}\n", text.len()));
        sections.collect::<String>().into_bytes()
    }

    fn host_info() -> HostInfo {
        let facts = "clock 102.5\nos debian\nos-version 12\nos-codename bookworm\narch x86_64\n\
                     hostname cp-1\nmachine-id 0123\ncpus 2\nmemory 8000000\n\
                     capabilities 0\ndisk 40000000\nsystemd yes";
        let addresses = "2: eth0    inet 10.0.0.11/24 brd 10.0.0.255 scope global eth0\n\
                         3: eth1    inet 192.0.2.1/24 scope global eth1";
        let listening = "LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=1,fd=3))\n\
                         LISTEN 0 128 *:6443 *:* users:((\"kube-api\x1bserver\",pid=9,fd=3))";
        let host_info = "kernel 6.1.0-18-amd64\nsystemd-detect-virt kvm\nuptime 400000\n\
                        available 6000000\nswap 0\nsize 60000000\nkubelet Kubernetes v1.34.1\n\
                        containerd containerd containerd.io 1.7.24 abc";
        let output = said(&[
            ("facts", facts),
            ("addresses", addresses),
            ("listening", listening),
            ("host_info", host_info),
        ]);
        let window = Window {
            from: 100.0,
            to: 101.0,
        };
        host_info::HostInfo::parse(&Name::try_from("cp-1".to_owned()).unwrap(), &output, window)
            .unwrap()
    }

    fn shown(width: usize) -> String {
        let text = include_str!("../../inventories/stacked-ha.yaml");
        let read = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
        let cluster = inventory::load(text, &read).cluster.unwrap();
        let host_error = HostError::Probe {
            exit: crate::transport::Exit::Code(1),
            last: "no".to_owned(),
        };
        let host_info = host_info();
        let rows = [
            (&cluster.nodes[0], Ok(&host_info)),
            (&cluster.nodes[1], Err(&host_error)),
        ];
        if width == 0 {
            return serde_json::to_string_pretty(&documents(&rows)).unwrap();
        }
        render(&rows, &[6443].into(), &Style::test(width, false))
    }

    #[test]
    fn a_row_for_each_host() {
        let narrow = shown(80);
        assert!(
            narrow.lines().all(|line| line.chars().count() <= 80),
            "{narrow}"
        );
        insta::assert_snapshot!("facts-80", narrow);
        insta::assert_snapshot!("facts-200", shown(200));
        insta::assert_snapshot!("facts-json", shown(0));
    }

    #[test]
    fn times_are_short() {
        assert_eq!(clock(Duration::from_millis(20)), "right");
        assert_eq!(clock(Duration::from_millis(1500)), "1.5s off");
        assert_eq!(clock(Duration::from_secs(7300)), "2h01m off");
        assert_eq!(uptime(59), "59s");
        assert_eq!(uptime(86_400 * 3), "3d");
    }
}
