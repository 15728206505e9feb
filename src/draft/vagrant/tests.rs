//! What real machines say, and what is made of it.

use std::path::Path;

use proptest::prelude::*;

use super::machines::{Error, Here, parse};
use super::network::choose;
use super::*;

fn name(text: &str) -> Name {
    Name::try_from(text.to_owned()).expect(text)
}

/// A machine by its `ip -o addr` and its `ip route show default`.
fn seen(addresses: &str, routes: &str) -> Seen {
    let mut output = String::new();
    for (section, text) in [
        ("host-name", "box"),
        ("machine-id", "0123"),
        ("addresses", addresses),
        ("routes", routes),
    ] {
        output += &format!("@{section} {}\n{text}\n", text.chars().count());
    }
    Seen::parse(output.as_bytes()).unwrap()
}

/// As Debian says it in VirtualBox: the NAT is the same on every machine.
fn virtualbox(host: u8) -> (Name, Seen) {
    let addresses = format!(
        "2: eth0    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0\\       valid_lft 86213sec preferred_lft 86213sec\n\
         2: eth0    inet6 fd00::a00:27ff:fe8d:c04d/64 scope global dynamic mngtmpaddr \\       valid_lft 86215sec preferred_lft 14215sec\n\
         3: eth1    inet 192.168.56.{host}/24 brd 192.168.56.255 scope global eth1\\       valid_lft forever preferred_lft forever"
    );
    let routes = "default via 10.0.2.2 dev eth0 proto dhcp src 10.0.2.15 metric 100\n\
                  default via fe80::2 dev eth0 proto ra metric 1024 expires 1796sec hoplimit 64";
    (name(&format!("m-{host}")), seen(&addresses, routes))
}

/// As in vagrant-libvirt: the management network has addresses of their own.
fn libvirt(host: u8) -> (Name, Seen) {
    let addresses = format!(
        "2: eth0    inet 192.168.121.{}/24 brd 192.168.121.255 scope global dynamic eth0\\       valid_lft 3501sec preferred_lft 3501sec\n\
         3: eth1    inet 192.168.56.{host}/24 brd 192.168.56.255 scope global eth1\\       valid_lft forever preferred_lft forever",
        host + 100
    );
    let routes = "default via 192.168.121.1 dev eth0 proto dhcp src 192.168.121.7 metric 100";
    (name(&format!("m-{host}")), seen(&addresses, routes))
}

fn addresses(machines: &[(Name, Seen)], wish: &Wish) -> Result<Vec<String>, String> {
    let chosen = choose(machines, wish).map_err(|error| error.to_string())?;
    Ok(chosen.iter().map(ToString::to_string).collect())
}

fn guess(machines: &[(Name, Seen)]) -> Result<Vec<String>, String> {
    addresses(machines, &Wish::Guess)
}

#[test]
fn the_private_network_is_taken_and_not_vagrants_own() {
    let expected = ["192.168.56.21", "192.168.56.41"].map(str::to_owned);
    for machine in [virtualbox, libvirt] {
        assert_eq!(guess(&[machine(21), machine(41)]).unwrap(), expected);
        assert_eq!(guess(&[machine(21)]).unwrap(), expected[..1]);
    }
}

#[test]
fn the_nat_of_virtualbox_is_nobodys_address() {
    let only_nat = |text| {
        let (_, mut seen) = virtualbox(21);
        seen.addresses
            .retain(|(_, address)| address.to_string() == "10.0.2.15/24");
        (name(text), seen)
    };
    insta::assert_snapshot!(guess(&[only_nat("cp-1"), only_nat("w-1")]).unwrap_err(), @r"
    the machines share no network in which each has an address of its own:
    cp-1: eth0 10.0.2.15/24 (default route)
    w-1: eth0 10.0.2.15/24 (default route)
    ");
    assert!(guess(&[only_nat("cp-1")]).is_err());
    let wish = Wish::Interface("eth0".to_owned());
    let error = addresses(&[only_nat("cp-1"), only_nat("w-1")], &wish).unwrap_err();
    assert!(
        error.starts_with("cp-1 and w-1 both have 10.0.2.15"),
        "{error}"
    );
}

#[test]
fn the_network_that_leads_out_is_taken_where_there_is_no_other() {
    let only_management = |host| {
        let (name, mut seen) = libvirt(host);
        seen.addresses.retain(|(interface, _)| interface == "eth0");
        (name, seen)
    };
    let expected = ["192.168.121.121", "192.168.121.141"].map(str::to_owned);
    assert_eq!(
        guess(&[only_management(21), only_management(41)]).unwrap(),
        expected
    );
}

#[test]
fn interfaces_may_have_other_names_and_more_addresses() {
    let routes = "default via 10.0.2.2 dev enp0s3";
    // A virtual IP, a pod network, an engine's bridge, both families.
    let first = seen(
        "2: enp0s3 inet 10.0.2.15/24 scope global enp0s3\n\
         3: enp0s8 inet 192.168.56.11/24 scope global enp0s8\n\
         3: enp0s8 inet 192.168.56.10/32 scope global enp0s8\n\
         3: enp0s8 inet6 fd56::11/64 scope global\n\
         4: docker0 inet 172.17.0.1/16 scope global docker0",
        routes,
    );
    let second = seen(
        "2: enp0s3 inet 10.0.2.15/24 scope global enp0s3\n\
         3: ens9@if4 inet 192.168.56.12/24 scope global ens9\n\
         3: ens9@if4 inet6 fd56::12/64 scope global\n\
         4: cni0 inet 10.244.1.1/24 scope global cni0",
        routes,
    );
    let machines = [(name("a"), first), (name("b"), second)];
    let expected = ["192.168.56.11", "192.168.56.12"].map(str::to_owned);
    assert_eq!(guess(&machines).unwrap(), expected);
    let ipv6 = Wish::Network("fd56::/64".parse().unwrap());
    assert_eq!(
        addresses(&machines, &ipv6).unwrap(),
        ["fd56::11", "fd56::12"]
    );
}

#[test]
fn two_networks_that_fit_are_a_question() {
    let two = |host: u8| {
        let (name, mut seen) = virtualbox(host);
        let more = format!("10.9.0.{host}/24").parse().unwrap();
        seen.addresses.push(("eth2".to_owned(), more));
        (name, seen)
    };
    let machines = [two(21), two(41)];
    insta::assert_snapshot!(guess(&machines).unwrap_err(), @r"
    10.9.0.0/24 and 192.168.56.0/24 would do, and nothing says which is meant:
    m-21: eth0 10.0.2.15/24 (default route), eth0 fd00::a00:27ff:fe8d:c04d/64 (default route), eth1 192.168.56.21/24, eth2 10.9.0.21/24
    m-41: eth0 10.0.2.15/24 (default route), eth0 fd00::a00:27ff:fe8d:c04d/64 (default route), eth1 192.168.56.41/24, eth2 10.9.0.41/24
    ");
    let wish = Wish::Interface("eth2".to_owned());
    assert_eq!(
        addresses(&machines, &wish).unwrap(),
        ["10.9.0.21", "10.9.0.41"]
    );
    let wish = Wish::Interface("eth7".to_owned());
    let error = addresses(&machines, &wish).unwrap_err();
    assert!(error.starts_with("m-21 has no address on eth7:"), "{error}");
}

#[test]
fn names_say_what_machines_are_for() {
    for (text, role) in [
        ("cp-1", Some(Role::ControlPlane)),
        ("control-plane-12", Some(Role::ControlPlane)),
        ("master1", Some(Role::ControlPlane)),
        ("w-1", Some(Role::Worker)),
        ("worker", Some(Role::Worker)),
        ("node03", Some(Role::Worker)),
        ("etcd-3", Some(Role::Etcd)),
        ("lb1", Some(Role::LoadBalancer)),
        ("web-1", None),
        ("default", None),
        ("7", None),
    ] {
        assert_eq!(roles::of_name(&name(text)), role, "{text}");
    }
}

#[test]
fn what_the_user_says_goes_before_the_name() {
    let names = [name("cp-1"), name("web-1"), name("db-1")];
    let said: Vec<Assignment> = ["cp-1=control-plane,worker", "web-1=worker"]
        .map(|text| text.parse().unwrap())
        .into();
    let error = roles::assign(&names, &said).unwrap_err();
    assert_eq!(error.to_string(), "nothing says what db-1 is for");
    let error = roles::assign(&names, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nothing says what web-1 and db-1 are for"
    );
    let both = vec![Role::ControlPlane, Role::Worker];
    let given = roles::assign(&names[..2], &said).unwrap();
    assert_eq!(given, [both, vec![Role::Worker]]);
    let unknown = ["db-2=etcd".parse().unwrap()];
    let error = roles::assign(&names, &unknown).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no machine db-2, only cp-1, web-1 and db-1"
    );
    for wrong in [
        "cp-1",
        "=worker",
        "cp-1=",
        "cp-1=boss",
        "CP=worker",
        "cp-1=worker,",
    ] {
        assert!(wrong.parse::<Assignment>().is_err(), "{wrong}");
    }
}

fn read(text: &str) -> Result<Vec<Machine>, Error> {
    let here = Here {
        source: Path::new("vagrant ssh-config"),
        home: Path::new("/home/me"),
        user: "me",
    };
    parse(text, here)
}

/// As Vagrant 2.4 writes it for VirtualBox.
const SSH_CONFIG: &str = "\
Host cp-1
  HostName 127.0.0.1
  User vagrant
  Port 2222
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile /home/me/lab/.vagrant/machines/cp-1/virtualbox/private_key
  IdentitiesOnly yes
  LogLevel FATAL
  PubkeyAcceptedKeyTypes +ssh-rsa
  HostKeyAlgorithms +ssh-rsa

Host w-1
  HostName 127.0.0.1
  User vagrant
  Port 2200
  IdentityFile \"/home/me/my lab/private_key\"
  IdentityFile ~/second
";

#[test]
fn a_configuration_of_vagrant_is_read() {
    let machines = read(SSH_CONFIG).unwrap();
    let lines: Vec<String> = machines
        .iter()
        .map(|one| {
            let login = &one.login;
            format!(
                "{} {}@{}:{} {:?}",
                one.name,
                login.user.as_deref().unwrap(),
                login.host,
                login.port.unwrap(),
                login.identities
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "cp-1 vagrant@127.0.0.1:2222 [\"/home/me/lab/.vagrant/machines/cp-1/virtualbox/private_key\"]",
            "w-1 vagrant@127.0.0.1:2200 [\"/home/me/my lab/private_key\", \"/home/me/second\"]",
        ]
    );
    // vagrant-libvirt with a remote engine jumps.
    let jump = "Host a\n HostName 192.168.121.7\n ProxyJump root@hypervisor:2222\n";
    let jumps = read(jump).unwrap()[0].login.jumps.clone().unwrap();
    assert_eq!(
        (jumps[0].host.as_str(), jumps[0].port),
        ("hypervisor", Some(2222))
    );
}

fn queried(machines: Vec<Machine>, of: fn(u8) -> (Name, Seen)) -> Vec<QueriedMachine> {
    let queried = machines
        .into_iter()
        .zip(21..)
        .map(|(machine, host)| QueriedMachine {
            roles: roles::of_name(&machine.name).into_iter().collect(),
            seen: of(host).1,
            host_key: Some("SHA256:jPWZpxNXZ8fQpAU3VyTkPEkVJP1sCGHKhUR4bV2JjB0".to_owned()),
            machine,
        });
    queried.collect()
}

#[test]
fn machines_of_virtualbox_become_an_inventory() {
    let queried = queried(read(SSH_CONFIG).unwrap(), virtualbox);
    let text = draft(name("vagrant"), &queried, &Wish::Guess)
        .unwrap()
        .text();
    insta::assert_snapshot!(text);
    // All of these boxes say the same machine-id.
    assert_eq!(same_identity(&queried), [[&name("cp-1"), &name("w-1")]]);
    assert!(same_identity(&queried[..1]).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(Host|HostName|Port|[a-z0-9.*\"'=%# \n-]){0,80}") {
        if let Ok(machines) = read(&text) {
            prop_assert!(!machines.is_empty());
        }
    }

    #[test]
    fn no_address_is_chosen_twice(
        machines in prop::collection::vec(
            prop::collection::vec((0..3_u8, 0..3_u8, 1..4_u8), 0..4),
            1..4,
        ),
    ) {
        let machine = |(place, own): (usize, &Vec<(u8, u8, u8)>)| {
            let addresses = own.iter().map(|(nic, net, host)| {
                (format!("eth{nic}"), format!("10.0.{net}.{host}/24").parse().unwrap())
            });
            let seen = Seen {
                host_name: String::new(),
                machine_id: String::new(),
                addresses: addresses.collect(),
                leads_out: vec!["eth0".to_owned()],
            };
            (name(&format!("m{place}")), seen)
        };
        let machines: Vec<_> = machines.iter().enumerate().map(machine).collect();
        for wish in [Wish::Guess, Wish::Interface("eth1".to_owned()), Wish::Network("10.0.1.0/24".parse().unwrap())] {
            if let Ok(chosen) = choose(&machines, &wish) {
                prop_assert_eq!(chosen.len(), machines.len());
                for (place, address) in chosen.iter().enumerate() {
                    prop_assert!(!chosen[..place].contains(address));
                    let own = machines[place].1.addresses.iter();
                    prop_assert!(own.into_iter().any(|(_, net)| net.addr() == *address));
                }
            }
        }
    }
}
