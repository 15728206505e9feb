//! The configuration as text, and as keepalived's own check sees it.

use super::*;
use crate::cluster::{Balancer, LoadBalancer, Version};
use crate::lb::tests::{pair, program};

const PASSWORD: &str = "hunter2x";

fn software(vip: Option<IpAddr>, interface: &str) -> Software {
    of(
        &pair(Version::new(1, 34, 1), Balancer::Haproxy),
        vip,
        interface,
    )
}

/// A host that has an address ahead of the second host.
fn lone(interface: &str) -> Software {
    let mut resolved = pair(Version::new(1, 34, 1), Balancer::Haproxy);
    resolved.cluster.nodes.pop();
    of(&resolved, None, interface)
}

fn of(resolved: &ResolvedCluster, vip: Option<IpAddr>, interface: &str) -> Software {
    let LoadBalancer::Hosts {
        failover: Some(failover),
        ..
    } = &resolved.cluster.load_balancer
    else {
        panic!("a pair has an address that moves");
    };
    let mut failover = failover.clone();
    failover.vip.address = vip.unwrap_or(failover.vip.address);
    let node = resolved.with_role(Role::LoadBalancer).next().unwrap();
    on_host(resolved, node, &failover, interface, &PASSWORD.into())
}

#[test]
fn one_of_two_hosts() {
    let software = software(None, "eth1");
    let [secret, config] = &software.files[..] else {
        panic!("{software:?}");
    };
    insta::assert_snapshot!("pair", config.text);
    insta::assert_snapshot!("authentication", secret.text);
    assert!(secret.is_secret() && !config.text.contains(PASSWORD));
}

#[test]
fn ipv6_has_no_password() {
    let software = software(Some("2001:db8::100".parse().unwrap()), "eth1");
    let [config] = &software.files[..] else {
        panic!("{software:?}");
    };
    insta::assert_snapshot!("ipv6", config.text);
}

#[test]
fn one_host_alone_says_its_password_to_nobody() {
    let software = lone("eth1");
    let [config] = &software.files[..] else {
        panic!("{software:?}");
    };
    insta::assert_snapshot!("lone", config.text);
}

/// Its check asks for the interface. Where a host is alone it takes none that
/// cannot multicast (IFF_MULTICAST), as the loopback one and ifb0 cannot.
fn multicasting() -> String {
    let interfaces = std::fs::read_dir("/sys/class/net").unwrap();
    let mut interfaces = interfaces.map(|entry| entry.unwrap());
    let can = |interface: &std::fs::DirEntry| {
        // bonding_masters is a file, and no interface.
        let Ok(flags) = std::fs::read_to_string(interface.path().join("flags")) else {
            return false;
        };
        let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16).unwrap();
        flags & 0x1000 != 0
    };
    let interface = interfaces.find(can);
    let interface = interface.expect("a machine that tests has a network");
    interface.file_name().into_string().unwrap()
}

#[test]
fn keepalived_itself_takes_the_configuration() {
    let interface = multicasting();
    let dir = tempfile::tempdir().unwrap();
    let check = |software: &Software, text: &str| {
        let file = dir.path().join("new.conf");
        std::fs::write(&file, text).unwrap();
        let Check { functions, command } = software.check;
        let script = format!("{functions}{} \"$1\"", command.join(" "));
        let check = program("sh")
            .args(["-c", script.as_str(), "sh"])
            .arg(&file)
            .env("kdiy_tmp", dir.path())
            .output()
            .unwrap();
        let said = [check.stdout, check.stderr].concat();
        (
            check.status.success(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    for software in [software(None, &interface), lone(&interface)] {
        let secret = dir.path().join("secret.conf");
        std::fs::write(&secret, &software.files[0].text).unwrap();
        let text = &software.files.last().unwrap().text;
        let text = text.replace(SECRET, secret.to_str().unwrap());
        let (taken, said) = check(&software, &text);
        assert!(taken, "{said}");
        let (taken, said) = check(&software, &text.replace("nopreempt", "noprempt"));
        assert!(!taken, "{said}");
    }
}
