//! `kdiy inventory import terraform` where something is missing or wrong.

use super::{Place, all_refused, names_places, with_codes};

const COMMAND: &[&str] = &["inventory", "import", "terraform"];

/// An output with these nodes.
fn outputs(nodes: &str) -> String {
    format!("{{\"kdiy\": {{\"value\": {{\"name\": \"demo\", \"nodes\": [{nodes}]}}}}}}")
}

fn plane(number: u8) -> String {
    format!(
        "{{\"name\": \"cp-{number}\", \"role\": \"control-plane\", \
         \"address\": \"10.0.0.{number}\"}}"
    )
}

#[test]
fn malformed_outputs_are_refused_by_line_and_leave_nothing() {
    let said = all_refused(COMMAND, "terraform");
    with_codes(
        &said,
        &[
            ("misspelt-output.json", "missing-output"),
            ("nodes-empty.json", "no-control-plane"),
            ("kubeone-without-control-planes.json", "no-control-plane"),
            ("host-twice.json", "duplicate"),
            ("host-without-address.json", "no-address"),
            ("kubeone-without-addresses.json", "no-address"),
            ("cut-off.json", "json-syntax"),
            ("sensitive.json", "sensitive-output"),
        ],
    );
    assert!(
        said.values().all(|err| !err.contains("hush")),
        "a secret was shown"
    );
}

#[test]
fn mappings_that_do_not_fit_are_refused() {
    let place = Place::new(COMMAND);
    let both = "{\"a\": {\"value\": [\"10.0.0.1\", \"10.0.0.2\"]}, \"b\": {\"value\": [\"x\"]}}";
    place.write("out.json", both);
    for (maps, code) in [
        (&["worker=a"][..], "no-control-plane"),
        (&["control-plane=none"], "missing-output"),
        (&["control-plane=a[7]"], "missing-output"),
        (&["control-plane=a", "control-plane.ssh=b"], "unpaired"),
        (&["control-plane=a", "worker=a[0]"], "duplicate"),
        (&["control-plane=a", "vip=b[0]"], "invalid-address"),
    ] {
        let mut words = vec!["out.json"];
        words.extend(maps.iter().flat_map(|map| ["--map", map]));
        let err = place.refused(&mut place.kdiy(&words), 3);
        assert!(names_places(&err, "out.json"), "{err}");
        assert!(err.contains(&format!("error[{code}]: ")), "{maps:?}: {err}");
    }
    for words in [
        &["--map", "boss=a"][..],
        &["--map", "worker=a["],
        &["--map", "control-plane=a", "--from-output", "a"],
    ] {
        let err = place.refused(place.kdiy(&["out.json"]).args(words), 64);
        assert!(err.contains("--map"), "{err}");
    }
}

#[test]
fn standard_input_is_named_and_files_that_cannot_be_read() {
    let place = Place::new(COMMAND);
    let err = place.refused(place.kdiy(&[]).write_stdin("{\n\"kdiy\": 1,\n}"), 3);
    assert!(err.contains("--> standard input:3:1"), "{err}");
    place.write("binary", [b'{', 0xff, 0xfe]);
    for file in ["binary", "nowhere", "."] {
        let err = place.refused(&mut place.kdiy(&[file]), 3);
        assert!(err.contains(&format!("cannot read {file}: ")), "{err}");
    }
}

#[test]
fn hosts_that_make_no_cluster_are_shown_and_not_written() {
    let place = Place::new(COMMAND);
    let three = [plane(1), plane(2), plane(3)].join(", ");
    place.write("out.json", outputs(&three));
    let err = place.refused(&mut place.kdiy(&["out.json"]), 3);
    assert!(err.contains("error[no-balancer]: "), "{err}");
    assert!(err.contains("--> kdiy.yaml (not written):"), "{err}");
    assert!(err.contains("   do: say what spreads"), "{err}");
    // The same with what was missing, once.
    let words = ["out.json", "--vip", "10.0.0.9"];
    place.kdiy(&words).assert().success();
    let err = place.refused(&mut place.kdiy(&words), 1);
    assert!(err.contains("kdiy.yaml is there already"), "{err}");
}

#[test]
fn settings_to_start_from_are_refused_by_line() {
    let place = Place::new(COMMAND);
    place.write("out.json", outputs(&plane(1)));
    for (text, why) in [
        ("nodes: []\n", "--> base.yaml:1:1"),
        ("network: {cni: \n", "--> base.yaml:"),
        ("- a\n", "--> base.yaml:1:1"),
        ("colour: red\n", "(not written):"),
    ] {
        place.write("base.yaml", text);
        let err = place.refused(&mut place.kdiy(&["out.json", "--base", "base.yaml"]), 3);
        assert!(err.contains(why), "{text:?}: no {why:?} in {err}");
    }
    let err = place.refused(&mut place.kdiy(&["out.json", "--base", "none.yaml"]), 3);
    assert!(err.contains("cannot read none.yaml: "), "{err}");
}
