//! Whatever flags and lists say, what would be written is valid.

use std::path::Path;

use clap::Parser as _;
use proptest::prelude::*;

use super::ask::Many;
use super::*;
use crate::cli::{Cli, Command};
use crate::inventory;

fn init(line: &str) -> Init {
    let words = ["kdiy", "init"].into_iter().chain(line.split_whitespace());
    let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    match cli.command {
        Command::Init(init) => init,
        other => panic!("init became {other:?}"),
    }
}

fn drafted(init: &Init, list: &str) -> Result<Draft, CliError> {
    let named = init.named();
    let hosts = match named.as_slice() {
        [] => hosts::list(list).expect("a list"),
        _ => named,
    };
    draft(init.shape, hosts, &init.about)
}

fn load(text: &str) -> inventory::Loaded {
    let unread = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    inventory::load(text, &unread)
}

#[test]
fn the_shapes_are_written_with_what_a_newcomer_should_know() {
    let six = "10.0.0.1\n10.0.0.2\n10.0.0.3\n10.0.0.4\n10.0.0.5\n10.0.0.6\n10.0.0.7\n10.0.0.8\n";
    for (name, line, list) in [
        ("single", "--control-plane ops@192.0.2.11", ""),
        ("stacked", "--shape stacked --user ops", six),
        ("external", "--shape external --name prod", six),
        ("kube-vip", "--vip 10.0.0.99 --kubernetes 1.34.1", six),
        (
            "pair",
            "--load-balancer 10.0.0.8,10.0.0.9 --vip 10.0.0.99 --cni none \
             --control-plane [fd00::1]:22,cp-b=10.0.0.2,10.0.0.3 --worker 10.0.0.4",
            "",
        ),
        (
            "local",
            "--balancer local --endpoint api.example.org --interface eth1 \
             --control-plane a.example.org,b.example.org,c.example.org",
            "",
        ),
        (
            "external-balancer",
            "--endpoint api.example.org:443 --etcd 10.0.1.1,10.0.1.2,10.0.1.3 \
             --control-plane 10.0.0.1,10.0.0.2 --worker 10.0.0.4 --identity ~/.ssh/lab",
            "",
        ),
    ] {
        let text = drafted(&init(line), list).expect(name).text();
        insta::assert_snapshot!(name, text);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(79), "{name}: {widest:?}");
        let loaded = load(&text);
        if name != "pair" {
            assert!(loaded.cluster.is_some(), "{name}: {:?}", loaded.findings);
        }
    }
}

#[test]
fn answers_are_refused_for_what_is_wrong_with_them() {
    let above = hosts::list("cp-1=192.0.2.1").expect("a list");
    let vip = "192.0.2.10".parse().ok();
    let read = |text: &str, many| {
        let read = ask::read(text, Role::Worker, (&above, vip), many);
        read.map(|hosts| hosts.len())
    };
    assert_eq!(read("192.0.2.2, 192.0.2.3", Many::Some), Ok(2));
    assert_eq!(read("", Many::Any), Ok(0));
    assert_eq!(read("192.0.2.2", Many::One), Ok(1));
    assert_eq!(read("192.0.2.2 192.0.2.3 192.0.2.4", Many::Odd), Ok(3));
    for (wrong, many) in [
        ("", Many::Some),
        ("", Many::One),
        ("192.0.2.1", Many::Any),
        ("192.0.2.10", Many::Any),
        ("cp-1=192.0.2.9", Many::Any),
        ("192.0.2.2 192.0.2.2", Many::Any),
        ("192.0.2.2 192.0.2.3", Many::One),
        ("192.0.2.2 192.0.2.3", Many::Odd),
        ("192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5", Many::Odd),
        ("x y z=", Many::Any),
    ] {
        assert!(read(wrong, many).is_err(), "{wrong}");
    }
}

/// `count` addresses of a network of their own.
fn addresses(third: u8, count: usize) -> Vec<String> {
    (1..=count)
        .map(|last| format!("10.1.{third}.{last}"))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn what_flags_say_is_valid(
        (planes, workers, etcd, balancers) in (1_usize..8, 0_usize..4, prop_oneof![Just(0_usize), Just(3), Just(5)], 0_usize..3),
        (vip, endpoint, named, port) in (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        kind in prop_oneof![Just(None), Just(Some("haproxy")), Just(Some("nginx"))],
        cni in prop_oneof![Just(None), Just(Some("bridge")), Just(Some("none"))],
    ) {
        // etcd members are odd in number on control planes, too.
        let planes = if etcd == 0 { planes / 2 * 2 + 1 } else { planes };
        let single = planes == 1 && etcd == 0 && balancers == 0;
        let planes = if single || etcd > 0 { planes } else { planes.max(3) };
        let planes = if etcd == 0 && !single && planes > 7 { 7 } else { planes };
        // What several control planes need.
        let vip = (vip || balancers > 1 || (balancers == 0 && !endpoint)) && planes > 1 || balancers > 1;
        let endpoint = endpoint && planes > 1 && balancers == 0 && !vip;
        let mut line = format!("--control-plane {}", addresses(1, planes).join(","));
        for (flag, third, count) in [("worker", 2, workers), ("etcd", 3, etcd), ("load-balancer", 4, balancers)] {
            if count > 0 {
                line += &format!(" --{flag} {}", addresses(third, count).join(","));
            }
        }
        if vip { line += " --vip 10.1.9.9"; }
        if endpoint { line += if named { " --endpoint api.example.org" } else { " --endpoint 10.1.9.8:8443" }; }
        if let (Some(kind), true) = (kind, balancers > 0) { line += &format!(" --balancer {kind}"); }
        if let Some(cni) = cni { line += &format!(" --cni {cni}"); }
        if named { line += " --user ops --name prod-1"; }
        if port { line += " --identity ~/.ssh/it --kubernetes 1.33"; }
        let text = drafted(&init(&line), "").map_err(|failed| failed.error).expect(&line).text();
        let loaded = load(&text);
        prop_assert!(loaded.cluster.is_some(), "{line}\n{text}\n{:#?}", loaded.findings);
        let cluster = loaded.cluster.expect("valid");
        prop_assert_eq!(cluster.nodes.len(), planes + workers + etcd + balancers);
    }

    #[test]
    fn what_a_list_says_is_valid(count in 1_usize..20, vip in any::<bool>(), shape in 0_usize..4) {
        let shape = ["", "--shape single", "--shape stacked", "--shape external"][shape];
        let line = format!("{shape} {}", if vip { "--vip 10.1.9.9" } else { "" });
        if let Ok(draft) = drafted(&init(&line), &addresses(1, count).join("\n")) {
            let text = draft.text();
            let loaded = load(&text);
            let single = draft.with_role(Role::ControlPlane).count() == 1;
            prop_assert!(loaded.cluster.is_some() || (single && vip), "{text}\n{:#?}", loaded.findings);
            prop_assert_eq!(draft.nodes.len(), count);
        } else {
            prop_assert!(count < 7, "{line}: {count} hosts are enough for every shape");
        }
    }
}
