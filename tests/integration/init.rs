//! `kdiy init` where nothing can be written, or what is said contradicts
//! itself. What it writes is in the unit tests.

use crate::imports::Place;

const PLANES: &str = "192.0.2.1,192.0.2.2,192.0.2.3";

fn place() -> Place {
    Place::new(&["init"])
}

/// What is said, on one line.
fn refused(place: &Place, line: &str, code: i32) -> String {
    let words: Vec<_> = line.split(' ').collect();
    let err = place.refused(&mut place.kdiy(&words), code);
    err.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn places_that_cannot_be_written_are_reported_before_anything_else() {
    let place = place();
    place.write("file", "mine");
    place.write("folder/kdiy.yaml", "mine");
    for (out, why) in [
        ("nowhere/kdiy.yaml", "there is no folder nowhere"),
        ("file/kdiy.yaml", "file is no folder"),
        // Where not even root can make a file.
        ("/proc/kdiy.yaml", "write /proc/kdiy.yaml: "),
        ("file", "file is there already; nothing was written"),
        ("folder/kdiy.yaml", "folder/kdiy.yaml is there already"),
        ("folder --force", "write folder: is a directory"),
    ] {
        let line = format!("--control-plane 192.0.2.1 --out {out}");
        let said = refused(&place, &line, 1);
        assert!(said.starts_with(&format!("error: {why}")), "{said}");
        assert!(said.contains(" do: "), "{said}");
        assert!(said.matches("directory").count() <= 1, "told twice: {said}");
        // Before standard input is read.
        assert_eq!(refused(&place, &format!("--out {out}"), 1), said);
    }
}

#[test]
fn contradictions_are_refused() {
    let three = format!("--control-plane {PLANES}");
    let place = place();
    for (line, code, why) in [
        (
            format!("--shape single {three}"),
            3,
            "3 control planes are named, and `single` has one",
        ),
        (
            format!("--shape stacked {three} --etcd 192.0.2.4"),
            3,
            "with `stacked` etcd is on the control planes",
        ),
        (
            format!("--shape external {three} --vip 192.0.2.9"),
            3,
            "`external` has at least 3 etcd hosts, and 0",
        ),
        (
            "--control-plane 192.0.2.1,192.0.2.2".to_owned(),
            3,
            "`stacked` has at least 3 control planes",
        ),
        (
            format!("--balancer haproxy {three}"),
            3,
            "error[no-balancer]: ",
        ),
        (
            format!("--balancer kube-vip --load-balancer 192.0.2.4 {three}"),
            3,
            "error[unused-balancer]: ",
        ),
        (
            format!("--balancer local --vip 192.0.2.9 {three}"),
            3,
            "error[foreign-key]: ",
        ),
        (
            format!("--vip 192.0.2.1 {three}"),
            3,
            "error[vip-of-a-node]: ",
        ),
        (
            format!("--vip 192.0.2.9 {three} --worker 192.0.2.1"),
            3,
            "error[duplicate]: ",
        ),
        (
            "--control-plane a=192.0.2.1 --worker a=192.0.2.2".to_owned(),
            3,
            "two hosts have the name a",
        ),
        (
            "--control-plane a.example.org".to_owned(),
            3,
            "--interface NAME",
        ),
        (
            "--control-plane 192.0.2.300".to_owned(),
            64,
            "`192.0.2.300` is no IPv4 address",
        ),
        (
            format!("--shape round {three}"),
            64,
            "write single, stacked or external",
        ),
        (format!("--kubernetes new {three}"), 64, "--kubernetes"),
        (
            format!("--base none.yaml --vip 192.0.2.9 {three}"),
            3,
            "cannot read none.yaml",
        ),
    ] {
        let said = refused(&place, &line, code);
        assert!(said.contains(why), "{line}: no {why:?} in {said}");
    }
}

#[test]
fn lists_are_refused_by_line() {
    let place = place();
    for (list, why) in [
        ("192.0.2.1 master\n", "standard input:1:11"),
        ("192.0.2.1\n=x\n", "standard input:2:1"),
        ("\n192.0.2.1 worker etcd\n", "standard input:2:"),
        ("", "no hosts are named"),
    ] {
        let err = place.refused(place.kdiy(&[]).write_stdin(list), 3);
        assert!(err.contains(why), "{list:?}: {err}");
    }
}

#[test]
fn roles_given_by_order_are_reported() {
    let place = place();
    let list: String = (1..=12).map(|last| format!("192.0.2.{last}\n")).collect();
    let mut command = place.kdiy(&["--shape", "stacked"]);
    let output = command.write_stdin(list).output().expect("it runs");
    let err = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{err}");
    let told = "\
Wrote kdiy.yaml: cluster demo, endpoint 192.0.2.1:6443, 12 hosts:
  load-balancer  lb-1 192.0.2.1
  control-plane  cp-1 192.0.2.2, cp-2 192.0.2.3, cp-3 192.0.2.4
  worker         8 hosts: w-1..w-8
Read it, then look at what would be done: kdiy plan
";
    assert!(err.ends_with(told), "{err}");
    let mut quiet = place.kdiy(&["--control-plane", "192.0.2.1", "--force", "--quiet"]);
    let output = quiet.output().expect("it runs");
    let err = String::from_utf8(output.stderr).expect("text");
    assert!(!err.contains("Wrote"), "{err}");
}
