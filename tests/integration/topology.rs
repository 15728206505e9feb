//! The diagram of the cluster, as files and for programs.

use std::fs;

use assert_cmd::Command;

use super::cli::{self, root, run};

fn kdiy(inventory: &str) -> Command {
    let mut command = cli::kdiy();
    let inventory = root().join("inventories").join(inventory);
    command
        .args(["topology", "-i"])
        .arg(inventory)
        .env_remove("LC_CTYPE")
        .env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn diagrams_of_the_documents_are_those_of_the_inventories() {
    for (inventory, diagram) in [
        ("stacked-ha.yaml", "docs/topology-stacked.svg"),
        ("external-etcd-ha.yaml", "docs/topology-external.svg"),
    ] {
        let (out, _) = run(kdiy(inventory).args(["--svg", "-"]), 0);
        let committed = fs::read_to_string(root().join(diagram)).unwrap_or_default();
        assert!(
            out == committed,
            "{diagram} is not what is drawn now; look at the picture, then\n\
             kdiy topology -i inventories/{inventory} --svg {diagram}"
        );
    }
}

#[test]
fn the_locale_and_the_flag_choose_the_characters() {
    let (boxes, _) = run(&mut kdiy("stacked-ha.yaml"), 0);
    assert!(boxes.contains("┌ 3 control planes ─"), "{boxes}");
    let (flag, _) = run(kdiy("stacked-ha.yaml").arg("--ascii"), 0);
    let (locale, _) = run(kdiy("stacked-ha.yaml").env("LC_ALL", "C"), 0);
    assert!(
        flag.is_ascii() && flag.contains("+ 3 control planes -"),
        "{flag}"
    );
    assert_eq!(flag, locale);
}

#[test]
fn programs_get_tiers_and_links() {
    let (out, _) = run(kdiy("external-etcd-ha.yaml").args(["-o", "json"]), 0);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let places = document["tiers"].as_array().expect("tiers").iter();
    let places: Vec<_> = places
        .map(|tier| tier["place"].as_str().expect("a place"))
        .collect();
    let all = [
        "clients",
        "endpoint",
        "loadBalancers",
        "controlPlanes",
        "etcd",
        "workers",
    ];
    assert_eq!(places, all);
    let etcd = &document["tiers"][4];
    assert_eq!(etcd["tolerates"]["failures"], 1);
    assert_eq!(etcd["boxes"][0]["member"]["peerPort"], 2380);
    let links = document["links"].as_array().expect("links");
    assert_eq!(links.len(), 6);
    assert!(
        links
            .iter()
            .any(|link| link["from"] == "workers" && link["to"] == "endpoint")
    );
}

#[test]
fn only_own_diagrams_are_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let diagram = folder.path().join("c.svg");
    let write = |more: &[&str], code| {
        run(
            kdiy("local.yaml").arg("--svg").arg(&diagram).args(more),
            code,
        )
    };
    let (out, err) = write(&[], 0);
    assert_eq!(out, "");
    assert!(err.contains("c.svg"), "{err}");
    let first = fs::read_to_string(&diagram).expect("a picture");
    assert!(first.starts_with("<svg ") && first.ends_with("</svg>\n"));
    write(&[], 0);
    fs::write(&diagram, "<svg>by hand</svg>").expect("written");
    let (_, err) = write(&[], 1);
    assert!(
        err.contains("no diagram of kdiy's") && err.contains("--force"),
        "{err}"
    );
    assert_eq!(
        fs::read_to_string(&diagram).expect("still there"),
        "<svg>by hand</svg>"
    );
    write(&["--force"], 0);
    assert_eq!(fs::read_to_string(&diagram).expect("written"), first);
    // A folder that is not there: an error that names the file, nothing left.
    let nowhere = folder.path().join("no/c.svg");
    let (_, err) = run(kdiy("local.yaml").arg("--svg").arg(&nowhere), 1);
    assert!(err.contains("no/c.svg"), "{err}");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 1);
}
