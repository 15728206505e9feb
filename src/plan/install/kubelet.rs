//! What holds of kubelets once they have joined: who may ask them, and who may
//! read how they are set up.

use serde_json::json;

use super::{Bootstrapped, Context};
use crate::kubeadm::document;
use crate::plan::facts::plane::{KUBELET_ACCESS, KUBELET_ROLE, KUBELET_USER};
use crate::plan::operation::{Manifest, Operation};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Resource, Verb};
use crate::shell::{Script, sh};

/// Lets API servers into the kubelets, for logs and exec. Their certificate is
/// of no group since patches of 2026 (1.33.12, 1.34.8, 1.35.5, 1.36.1), and
/// only one phase of `kubeadm init` binds its user: a cluster that was
/// bootstrapped by an earlier patch, or without that phase, loses both by a
/// certificate that is made anew.
pub(super) fn let_in(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
) -> StepId {
    let allowed = |facts: &crate::plan::Facts| facts.plane.kubelet_access;
    let done = context.is_bootstrapped() && context.facts.values().any(allowed);
    let operation = Operation::Apply(Manifest {
        name: "API servers' access to kubelets".to_owned(),
        detail: format!("bind {KUBELET_USER} to {KUBELET_ROLE}"),
        text: binding(),
        note: None,
    });
    blueprint.operate(
        "let API servers into kubelets",
        operation,
        !done,
        &[bootstrapped.reachable],
    )
}

/// As kubeadm makes it.
fn binding() -> String {
    let group = "rbac.authorization.k8s.io";
    let binding = json!({
        "apiVersion": format!("{group}/v1"),
        "kind": "ClusterRoleBinding",
        "metadata": {"name": KUBELET_ACCESS},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": KUBELET_ROLE},
        "subjects": [{"apiGroup": group, "kind": "User", "name": KUBELET_USER}],
    });
    document::yaml(&binding).to_string()
}

/// The kubelet's configuration, and the drop-in of its unit by kubeadm's
/// package: CIS 4.1.9 and 4.1.1 want that only root reads them. kubeadm keeps
/// the mode of a file that is there, dpkg does so where it is told to. A
/// drop-in that somebody else put there gets the mode as well: nobody but root
/// has to read it. A link is left alone, since it may lead anywhere (to
/// /dev/null, say), and has no mode.
pub(super) fn restrict(context: &Context, blueprint: &mut Blueprint) {
    let nodes = context.resolved.cluster.kubelets();
    for node in nodes.filter(|node| context.will_have_joined(node)) {
        let command = Command {
            name: "files of the kubelet".to_owned(),
            verb: Verb::Run,
            details: vec![format!("mode 0600: {CONFIGURATION}, {DROP_IN}")],
            done: Done::Ask(Script::of(MODES).run("kdiy_modes")),
            script: Script::of(MODES).with(RESTRICT),
            inputs: Vec::new(),
        };
        blueprint.add(
            &node.name,
            "restrict the kubelet's files",
            vec![Resource::Command(command)],
            &[],
        );
    }
}

/// Written by kubeadm.
const CONFIGURATION: &str = "/var/lib/kubelet/config.yaml";

/// In kubeadm's package.
const DROP_IN: &str = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";

/// Defines `kdiy_modes`: whether the configuration is there, and both are
/// readable by root alone; and `kdiy_drop_in`: whether there is a drop-in that
/// has a mode.
const MODES: &str = sh!("kubeadm/modes.sh");

/// An override of before, by whomever, gives way: it let others read.
const RESTRICT: &str = sh!("kubeadm/restrict.sh");

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(script: &str) -> bool {
        let status = std::process::Command::new("sh")
            .args(["-euc", script])
            .stderr(std::process::Stdio::null())
            .status();
        status.unwrap().success()
    }

    #[test]
    fn the_binding_is_kubeadms() {
        insta::assert_snapshot!(binding());
    }

    #[test]
    fn files_that_others_can_read_are_seen_and_restricted() {
        assert!(MODES.contains(CONFIGURATION) && MODES.contains(DROP_IN));
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let here = |script: &str| {
            script
                .replace(CONFIGURATION, &path("config.yaml"))
                .replace(DROP_IN, &path("kubelet.service.d/10-kubeadm.conf"))
        };
        let restricted = || runs(&here(&format!("{MODES}kdiy_modes")));
        let mode = |name: &str, mode: u32| {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::write(path(name), "x").unwrap();
            std::fs::set_permissions(path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        };
        assert!(!restricted(), "nothing is there yet");
        mode("config.yaml", 0o600);
        assert!(restricted(), "another package may have no drop-in");
        std::fs::create_dir(path("kubelet.service.d")).unwrap();
        mode("kubelet.service.d/10-kubeadm.conf", 0o644);
        mode("config.yaml", 0o644);
        assert!(!restricted());
        // dpkg as far as it matters here.
        let dpkg = r#"dpkg() { echo /usr/share/doc; echo "$file"; }
dpkg-statoverride() {
case $1 in
--list) [ -e "$folder/told" ] ;;
--remove) rm "$folder/told" ;;
--update) echo "$*" >> "$folder/told"; chmod "$5" "$6" ;;
esac
}
"#;
        let dpkg = dpkg.replace("dpkg-statoverride", "dpkg_statoverride");
        let restrict = format!("{MODES}{RESTRICT}");
        let script = here(&restrict).replace("dpkg-statoverride", "dpkg_statoverride");
        let file = path("kubelet.service.d/10-kubeadm.conf");
        let folder = folder.path().display();
        let script = format!("file={file}\nfolder={folder}\n{dpkg}{script}");
        for _ in 0..2 {
            assert!(runs(&script), "{script}");
            assert!(restricted());
        }
        let told = std::fs::read_to_string(path("told")).unwrap();
        assert_eq!(told, format!("--update --add root root 0600 {file}\n"));
        // Put there by somebody else: dpkg knows nothing of it.
        let other = script.replace("echo \"$file\"", ":");
        assert_ne!(other, script);
        mode("kubelet.service.d/10-kubeadm.conf", 0o644);
        assert!(runs(&other), "{other}");
        assert!(restricted());
        // A link says nothing, and what it leads to stays as it is.
        mode("elsewhere", 0o644);
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(path("elsewhere"), &file).unwrap();
        assert!(restricted());
        assert!(runs(&other), "{other}");
        let mode_of = |name: &str| std::fs::metadata(path(name)).unwrap().permissions();
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&mode_of("elsewhere")) & 0o777,
            0o644
        );
        // What stays readable is no success.
        mode("config.yaml", 0o644);
        assert!(!runs(&format!("chmod() {{ :; }}\n{other}")));
    }
}
