//! What holds of kubelets, and of kubeadm's runs on hosts where one broke off.

use super::*;

/// All scripts of a plan, one after the other.
fn scripts(plan: &Plan) -> String {
    let changes = plan.steps.iter().flat_map(|step| step.changes());
    let commands = changes.filter_map(|change| match &change.resource {
        Resource::Command(command) => Some(command.script.as_str()),
        _ => None,
    });
    commands.collect::<Vec<_>>().join("\n")
}

/// Both ways of bringing a cluster up.
fn bootstrap_plans(change: impl Fn(&mut ResolvedCluster)) -> [Plan; 2] {
    [few(VERSION), serial(few(VERSION))].map(|mut resolved| {
        change(&mut resolved);
        Hosts::of(resolved, facts, |_, resource| absent(resource)).plan()
    })
}

/// kubeadm refuses names beside `all`, whichever way they come.
#[test]
fn a_run_that_is_taken_up_names_no_checks_where_all_are_passed_over() {
    for plan in bootstrap_plans(|_| ()) {
        let taken_up = "did not come to its end' 'DirAvailable--etc-kubernetes-manifests,";
        assert!(scripts(&plan).contains(taken_up));
    }
    for word in ["all", "All"] {
        let all = |resolved: &mut ResolvedCluster| {
            resolved.cluster.kubeadm.ignore_preflight_errors = vec!["Mem".into(), word.into()];
        };
        for plan in bootstrap_plans(all) {
            assert!(scripts(&plan).contains("did not come to its end' ''\n"));
            assert!(!scripts(&plan).contains("DirAvailable"));
        }
    }
}

/// What is true of one host is a patch there, and no flag: kubelets warn of it.
#[test]
fn each_kubelet_is_given_its_own_resolver() {
    let facts = |resolved: &ResolvedCluster, host: &str| {
        let mut facts = facts(resolved, host);
        facts.systemd_resolved = host == "w1";
        facts
    };
    let hosts = Hosts::with(facts, |_, resource| absent(resource));
    let plan = hosts.plan();
    let text = serde_json::to_string(&plan).unwrap();
    assert!(!text.contains("resolv-conf"), "no flag");
    let patch = |host: &str| {
        let steps = plan.steps.iter().filter(|step| step.actor.as_str() == host);
        let mut changes = steps.flat_map(|step| step.changes());
        let patch = changes.find_map(|change| match &change.resource {
            Resource::File(file) if file.path.ends_with(crate::kubeadm::OWN_PATCH) => {
                Some(hosts.secrets.text(&file.content).to_string())
            }
            _ => None,
        });
        patch.unwrap()
    };
    assert_eq!(
        patch("w1"),
        "[{\"op\":\"add\",\"path\":\"/resolvConf\",\"value\":\"/run/systemd/resolve/resolv.conf\"}]\n"
    );
    assert!(patch("w2").contains("\"/etc/resolv.conf\""));
}

/// On a host that was upgraded by hand, or where others installed packages.
#[test]
fn no_older_version_is_put_in_a_newer_ones_place() {
    let hosts = |version: &'static str| {
        Hosts::with(member, move |host, resource| {
            match (resource, as_wanted(resource)) {
                (Resource::Packages(packages), Seen::Packages(mut seen))
                    if host.as_str() == "cp2" =>
                {
                    let names = packages.all.iter().zip(&mut seen);
                    for (package, seen) in names {
                        if package.name.starts_with("kube") {
                            seen.version = Some(version.to_owned());
                        }
                    }
                    Seen::Packages(seen)
                }
                (_, seen) => seen,
            }
        })
    };
    for newer in ["1.34.2-1.1", "1.37.2-1.1", "1.100.0-1.1"] {
        let hosts = hosts(newer);
        let refused = Plan::new(&hosts.blueprint, &hosts.seen, None).unwrap_err();
        let [refused] = refused.as_slice() else {
            panic!("{refused:?}")
        };
        let text = refused.to_string();
        let start = format!("cp2: kubeadm {newer} is newer than 1.34.1, kubectl {newer}");
        assert!(text.starts_with(&start), "{text}");
        assert!(
            text.contains("Write the `version` that is installed"),
            "{text}"
        );
    }
    for older in ["1.34.0-1.1", "1.33.9-1.1"] {
        assert!(lines(&hosts(older).plan()).contains("install packages"));
    }
}
