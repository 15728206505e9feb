//! Arguments that are given several times.

use super::*;
use crate::cluster::Values;

/// The small cluster, whose API servers are given these issuers.
fn issuing(issuers: &[&str]) -> ResolvedCluster {
    let issuers = issuers.iter().map(|&issuer| issuer.to_owned());
    let given =
        Values::of(issuers.collect()).map(|values| ("service-account-issuer".to_owned(), values));
    changed(|cluster| cluster.control_plane.api_server.extra_args = given.into_iter().collect())
}

#[test]
fn a_repeated_argument_that_is_changed_is_rolled_out() {
    let before = issuing(&["https://b", "https://a"]);
    for (after, line) in [
        (&["https://b"][..], "[https://b, https://a] -> https://b"),
        (
            &["https://a", "https://b"],
            "[https://b, https://a] -> [https://a, https://b]",
        ),
        (
            &["https://b", "https://c"],
            "[https://b, https://a] -> [https://b, https://c]",
        ),
        (
            &["https://b", "https://a", "https://c"],
            "[https://b, https://a] -> [https://b, https://a, https://c]",
        ),
        (&[], "[https://b, https://a] -> kubeadm's"),
    ] {
        let plan = running(issuing(after), |_| plane_with(&before, Stage::Plain)).plan();
        let told = told(&plan);
        let line = format!("       kube-apiserver: --service-account-issuer {line}");
        assert_eq!(
            told.lines().filter(|told| *told == line).count(),
            3,
            "{told}"
        );
    }
    let one = issuing(&["https://b"]);
    let plan = running(before, |_| plane_with(&one, Stage::Plain)).plan();
    let rollouts = plan
        .steps
        .iter()
        .filter(|step| step.title == "restart the control plane with new settings");
    for step in rollouts {
        let Resource::Command(command) = &step.changes()[0].resource else {
            panic!("{:?}", step.changes());
        };
        let wanted = command
            .inputs
            .iter()
            .find(|input| input.name == "want-kube-apiserver");
        let Content::Plain(text) = &wanted.unwrap().content else {
            panic!("{wanted:?}");
        };
        assert_eq!(
            text,
            "--service-account-issuer=https://b\n--service-account-issuer=https://a\n\
             --shutdown-delay-duration=5s\n--shutdown-watch-termination-grace-period=5s\n"
        );
    }
}

#[test]
fn a_repeated_argument_that_stays_is_no_difference() {
    let resolved = || issuing(&["https://b", "https://a"]);
    let hosts = running(resolved(), |_| plane_with(&resolved(), Stage::Plain));
    assert_eq!(told(&hosts.plan()), "");
    // As the processes tell it, without a note.
    let view = |_: &str| PlaneView {
        last_applied: None,
        ..plane_with(&resolved(), Stage::Plain)
    };
    assert_eq!(told(&running(resolved(), view).plan()), "");
}
