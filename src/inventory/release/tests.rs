//! What is said of flags and gates, version by version.

use super::gates::GATES;
use super::*;
use crate::inventory::{Severity, load};

/// Findings of an inventory with this section, as `code line:column message`.
fn said(version: &str, section: &str) -> Vec<String> {
    said_with(version, "", section)
}

/// [`said`], with more nodes.
fn said_with(version: &str, nodes: &str, section: &str) -> Vec<String> {
    let text = format!(
        "apiVersion: kdiy/v1alpha1\nname: demo\nversion: \"{version}\"\nnetwork: {{cni: bridge}}\n\
         nodes:\n  - {{name: cp-1, ssh: 192.0.2.11, role: [control-plane, worker]}}\n{nodes}{section}"
    );
    let loaded = load(&text, &|_| Err(std::io::ErrorKind::NotFound.into()));
    let codes = [
        "argument-order",
        "removed-flag",
        "feature-gate",
        "early-feature-gate",
        "unknown-feature-gate",
        "unknown-flag",
    ];
    let findings = loaded.findings.into_iter();
    findings
        .filter(|finding| codes.contains(&finding.code))
        .map(|finding| {
            let (line, column) = finding.span.line_column(&text);
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let help = finding.help.unwrap_or_default();
            format!(
                "{severity} {} {line}:{column} {}; {help}",
                finding.code, finding.message
            )
        })
        .collect()
}

/// Gates that kube-apiserver 1.36.3 was seen to accept and 1.37.2 to refuse.
#[test]
fn gates_that_were_seen_to_be_refused() {
    for gate in [
        "SidecarContainers",
        "JobSuccessPolicy",
        "JobBackoffLimitPerIndex",
        "JobPodReplacementPolicy",
        "OrderedNamespaceDeletion",
        "PodLifecycleSleepAction",
        "RelaxedDNSSearchValidation",
        "SchedulerQueueingHints",
        "StructuredAuthenticationConfiguration",
        "AnonymousAuthConfigurableEndpoints",
        "AuthorizeWithSelectors",
        "BtreeWatchCache",
        "APIServerTracing",
        "ConsistentListFromCache",
        "StreamingCollectionEncodingToJSON",
        "ResilientWatchCacheInitialization",
    ] {
        let section =
            format!("controlPlane: {{apiServer: {{extraArgs: {{feature-gates: {gate}=true}}}}}}\n");
        assert_eq!(said("1.36.3", &section), [""; 0], "{gate}");
        let found = said("1.37.2", &section);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("error feature-gate 7:"), "{found:?}");
        assert!(found[0].contains("gone since Kubernetes 1.37"), "{found:?}");
    }
}

#[test]
fn gates_are_found_wherever_they_are_written() {
    let section = "controlPlane:\n  apiServer: {extraArgs: {feature-gates: \"AllAlpha=false,kube:SidecarContainers=true\"}}\n  \
                   controllerManager: {extraArgs: {feature-gates: SidecarContainers=true}}\n  \
                   scheduler: {extraArgs: {feature-gates: SidecarContainers=true}}\n\
                   kubelet:\n  extraArgs: {feature-gates: SidecarContainers=true}\n  \
                   extraConfig: {featureGates: {SidecarContainers: true}}\n\
                   kubeProxy: {extraConfig: {featureGates: {SidecarContainers: true}}}\n";
    let found = said("1.37", section);
    let places: Vec<_> = found
        .iter()
        .map(|line| line.split(' ').nth(2).unwrap())
        .collect();
    assert_eq!(
        places,
        ["8:42", "9:50", "10:42", "12:30", "13:32", "14:42"],
        "{found:#?}"
    );
}

#[test]
fn gates_have_to_be_there_and_free() {
    let kubelet = |gate: &str, value: &str| {
        format!("kubelet: {{extraConfig: {{featureGates: {{{gate}: {value}}}}}}}\n")
    };
    insta::assert_snapshot!(
        [
            said("1.36", &kubelet("AtomicWriteVolumeUserFields", "true")),
            said("1.36.3", &kubelet("AtomicWriteVolumeUserFields", "true")),
            said("1.36.4", &kubelet("AtomicWriteVolumeUserFields", "true")),
            said("1.37", &kubelet("CRDValidationRatcheting", "false")),
            said("1.37", &kubelet("CRDValidationRatcheting", "true")),
            said("1.37", &kubelet("GangScheduling", "true")),
            said("1.37", &kubelet("NodeSwop", "true")),
            said("1.37", &kubelet("Qwertyuiop", "true")),
            said("1.40", &kubelet("SidecarContainers", "true")),
        ]
        .concat()
        .join("\n")
    );
}

#[test]
fn flags_that_are_gone() {
    let kubelet = |flag: &str| format!("kubelet: {{extraArgs: {{{flag}: x}}}}\n");
    insta::assert_snapshot!(
        [
            said("1.36", &kubelet("container-hints")),
            said("1.37", &kubelet("container-hints")),
            said("1.37", &kubelet("container_hints")),
            said("1.33", &kubelet("register-schedulable")),
            said("1.34", &kubelet("register-schedulable")),
            said(
                "1.37",
                "controlPlane: {controllerManager: {extraArgs: {concurrent-service-syncs: 2}}}\n"
            ),
            said(
                "1.37",
                "controlPlane: {scheduler: {extraArgs: {concurrent-service-syncs: 2, logtostderr: true}}}\n"
            ),
        ]
        .concat()
        .join("\n")
    );
}

#[test]
fn flags_that_are_unknown_and_those_of_a_later_version() {
    let kubelet = |flag: &str| format!("kubelet: {{extraArgs: {{{flag}: x}}}}\n");
    let of = |program: &str, flag: &str| {
        format!("controlPlane: {{{program}: {{extraArgs: {{{flag}: x}}}}}}\n")
    };
    let manager = |flag: &str| of("controllerManager", flag);
    insta::assert_snapshot!(
        [
            said("1.37", &kubelet("max-podz")),
            said("1.37", &kubelet("qwertyuiop")),
            said("1.37", &of("scheduler", "max-pods")),
            said("1.36", &manager("concurrent-disruption-syncs")),
            said("1.40", &manager("concurrent-disruption-synks")),
        ]
        .concat()
        .join("\n")
    );
    for (version, section) in [
        ("1.37", manager("concurrent-disruption-syncs")),
        ("1.37", kubelet("max_pods")),
        ("1.31", kubelet("max-pods")),
        ("1.36", kubelet("container-hints")),
        // klog's, and what --help leaves out.
        ("1.37", of("apiServer", "v")),
        ("1.37", of("scheduler", "vmodule")),
        ("1.37", of("apiServer", "kubelet-port")),
        ("1.37", manager("allow-untagged-cloud")),
    ] {
        assert_eq!(said(version, &section), [""; 0], "{version} {section}");
    }
}

#[test]
fn the_tables_are_in_order_and_make_sense() {
    assert_eq!(GATES.len(), 335);
    for pair in GATES.windows(2) {
        assert!(
            pair[0].name < pair[1].name,
            "{} after {}",
            pair[1].name,
            pair[0].name
        );
    }
    for gate in GATES.iter() {
        let known = OLDEST_MINOR..=NEWEST_MINOR;
        let end = gate.gone.map_or(NEWEST_MINOR + 1, |(minor, _)| minor);
        assert!(known.contains(&gate.since) && gate.since < end, "{gate:?}");
        if let Some((locked, value)) = gate.locked {
            assert!(gate.since <= locked && locked < end, "{gate:?}");
            assert!(gate.gone.is_none_or(|(_, was)| was == value), "{gate:?}");
        }
    }
    let mut names: Vec<_> = flags::FLAGS
        .iter()
        .flat_map(|flag| {
            flag.programs
                .iter()
                .map(|program| (program.name(), flag.name))
        })
        .collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a flag is told of twice");
    assert!(flags::FLAGS.iter().all(|flag| flag.gone <= NEWEST_MINOR));
    for program in [
        Program::ApiServer,
        Program::ControllerManager,
        Program::Scheduler,
        Program::Kubelet,
    ] {
        assert!(flags::known(program).count() > 60, "{program:?}");
        for known in flags::known(program) {
            assert!(
                (flags::LOOKED_AT..=NEWEST_MINOR).contains(&known.since),
                "{known:?}"
            );
            assert_eq!(flags::find(program, known.name), None, "{known:?}");
        }
    }
}

#[test]
fn a_list_of_gates_is_judged_entry_by_entry() {
    let section = "kubelet:\n  extraArgs:\n    feature-gates:\n      - AllAlpha=false\n      \
                   - SidecarContainers=true\n      - NodeSwap=true,NodeSwop=true\n";
    insta::assert_snapshot!(said("1.37", section).join("\n"));
}

#[test]
fn an_order_is_asked_for_where_kubeadm_keeps_it() {
    let section = |values: &str| {
        format!("controlPlane: {{scheduler: {{extraArgs: {{vmodule: [{values}]}}}}}}\n")
    };
    let refused = |version: &str, values: &str| match said(version, &section(values)).as_slice() {
        [] => false,
        [one] if one.starts_with("error argument-order 7:49 ") => true,
        other => panic!("{other:?}"),
    };
    for version in ["1.31", "1.33.7", "1.34.3", "1.35.0"] {
        assert!(refused(version, "b=2, a=1"), "{version}");
        assert!(!refused(version, "a=1, b=2, b=2"), "{version}");
    }
    for version in ["1.33", "1.34", "1.34.4", "1.35.1", "1.36.0", "1.37"] {
        assert!(!refused(version, "b=2, a=1"), "{version}");
    }
}

/// Findings of etcd's arguments, with the topology that is asked for.
fn said_of_etcd(version: &str, external: bool, etcd: &str) -> Vec<String> {
    let section = format!("controlPlane:\n  etcd: {{{etcd}}}\n");
    match external {
        false => said(version, &section),
        true => {
            let host = "  - {name: etcd-1, ssh: 192.0.2.31, role: etcd}\n";
            said_with(version, host, &format!("topology: external\n{section}"))
        }
    }
}

#[test]
fn flags_of_etcd_are_judged_by_the_version_that_runs() {
    let old =
        "extraArgs: {experimental-watch-progress-notify-interval: 5s, enable-v2: false, v: 2}";
    let count = |version: &str, external: bool, etcd: &str| {
        let found = said_of_etcd(version, external, etcd);
        assert!(
            found
                .iter()
                .all(|line| line.starts_with("error removed-flag ")),
            "{found:?}"
        );
        found.len()
    };
    // By kubeadm 3.5.24, 3.6.8 and 3.7.0.
    assert_eq!(count("1.33", false, old), 0);
    assert_eq!(count("1.36", false, old), 1);
    assert_eq!(count("1.37", false, old), 2);
    let tagged = format!("{old}, extraConfig: {{imageTag: 3.6.11-0}}");
    assert_eq!(count("1.37", false, &tagged), 1);
    // By the source.
    let source = |source: &str| format!("{old}, source: {source}");
    assert_eq!(count("1.37", true, old), 2);
    assert_eq!(count("1.36", true, old), 1);
    assert_eq!(count("1.37", true, &source("{version: 3.6.16}")), 1);
    assert_eq!(count("1.37", true, &source("distribution")), 0);
}

#[test]
fn each_flag_of_etcd_that_is_gone() {
    let names = etcd::FLAGS.iter().map(|flag| format!("{}: x", flag.name));
    let args = format!("extraArgs: {{{}}}", names.collect::<Vec<_>>().join(", "));
    let said = [
        said_of_etcd("1.37", false, &args),
        said_of_etcd("1.37", true, "extraArgs: {experimental-memory-mlock: true}"),
    ];
    insta::assert_snapshot!(said.concat().join("\n"));
    assert!(etcd::FLAGS.is_sorted_by_key(|flag| flag.name));
}
