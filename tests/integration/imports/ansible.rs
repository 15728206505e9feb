//! `kdiy inventory import ansible` where something is missing or wrong.

use super::{Place, all_refused, names_places, with_codes};

const COMMAND: &[&str] = &["inventory", "import", "ansible"];

const ONE: &str = "[kube_control_plane]\nn1 ip=10.0.0.1\n";

#[test]
fn malformed_ini_is_refused_by_line_and_leaves_nothing() {
    let said = all_refused(COMMAND, "ansible-ini");
    with_codes(
        &said,
        &[
            ("no-control-planes.ini", "missing-group"),
            ("child-that-is-not-there.ini", "missing-group"),
            ("empty.ini", "missing-group"),
            ("host-with-two-addresses.ini", "duplicate"),
            ("two-hosts-of-one-address.ini", "duplicate"),
            ("two-hosts-of-one-name.ini", "duplicate"),
            ("host-without-address.ini", "no-address"),
            ("open-quote.ini", "ini-syntax"),
        ],
    );
}

#[test]
fn malformed_yaml_is_refused_by_line_and_leaves_nothing() {
    let said = all_refused(COMMAND, "ansible-yaml");
    with_codes(
        &said,
        &[
            ("no-control-planes.yaml", "missing-group"),
            ("host-twice.yaml", "duplicate-key"),
            ("two-hosts-of-one-address.yaml", "duplicate"),
            ("host-without-address.yaml", "no-address"),
            ("open-bracket.yaml", "yaml-syntax"),
        ],
    );
}

#[test]
fn variables_beside_the_hosts_are_named_with_their_file() {
    let place = Place::new(COMMAND);
    place.write("inv/hosts.ini", ONE);
    for (file, text) in [
        ("inv/group_vars/all.yml", "a: [\n"),
        ("inv/group_vars/all/more.yml", "- a\n"),
        ("inv/host_vars/n1.yaml", "ip: 10.0.0.300\n"),
    ] {
        place.write(file, text);
        let err = place.refused(&mut place.kdiy(&["inv"]), 3);
        assert!(names_places(&err, file), "{file}: {err}");
        std::fs::remove_file(place.path().join(file)).expect("a file");
    }
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let place = Place::new(COMMAND);
    place.write("binary", [b'[', 0xff, 0xfe]);
    place.write("program", "#!/usr/bin/env python3\n");
    place.write("empty/.hidden", "");
    for (path, why) in [
        ("binary", "cannot read binary: "),
        ("nowhere", "cannot read nowhere: "),
        ("program", "program is a program, which is not run"),
        ("empty", "no file in empty has hosts"),
    ] {
        let err = place.refused(&mut place.kdiy(&[path]), 3);
        assert!(err.contains(why), "{err}");
    }
}

#[test]
fn groups_that_are_said_are_roles_and_groups() {
    let place = Place::new(COMMAND);
    place.write("hosts.ini", ONE);
    let err = place.refused(&mut place.kdiy(&["hosts.ini", "--group", "boss=x"]), 64);
    assert!(err.contains("write ROLE=GROUP"), "{err}");
    let err = place.refused(&mut place.kdiy(&["hosts.ini", "--group", "worker=x"]), 3);
    assert!(err.contains("error[missing-group]: "), "{err}");
}

#[test]
fn hosts_that_make_no_cluster_are_shown_and_not_written() {
    let place = Place::new(COMMAND);
    place.write("hosts.ini", format!("{ONE}n2 ip=10.0.0.2\n"));
    let err = place.refused(&mut place.kdiy(&["hosts.ini", "--vip", "10.0.0.9"]), 3);
    assert!(err.contains("error[even-members]: "), "{err}");
    assert!(err.contains("--> kdiy.yaml (not written):"), "{err}");
}
