//! What runs on a control plane: the arguments of its processes, what they
//! were last given by kdiy, and what the cluster remembers.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::cluster::{Arguments, ResolvedCluster};
use crate::kubeadm::{PlaneComponent, PlaneSettings, Stage};
use crate::plan::serving::{self, Request};
use crate::resource::{Answers, certificate, section};
use crate::shell::{Script, sh};

/// What runs on a control plane. Empty on other hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaneView {
    /// Arguments of the processes that run, by the component's name.
    pub running: BTreeMap<String, Arguments>,
    /// What was last applied to the components.
    pub last_applied: Option<PlaneSettings>,
    /// The host and port at which admin.conf reaches the API, which is where
    /// kubeadm told all nodes to.
    pub endpoint: Option<String>,
    /// How all secrets were rewritten, as the cluster remembers it.
    pub encrypted: Option<String>,
    /// Whether the cluster lets API servers into kubelets.
    pub kubelet_access: bool,
    /// Names and addresses in the certificate that its API server serves with;
    /// none where it is not there, or cannot be read.
    pub server_names: Option<BTreeSet<String>>,
    /// Requests of kubelets that wait, where kdiy approves them.
    pub requests: Vec<Request>,
}

/// The binding of [`KUBELET_USER`], whom `apiserver-kubelet-client.crt` is of,
/// to [`KUBELET_ROLE`], Kubernetes' own: by it API servers may ask kubelets.
///
/// Facts: AllowAPIServerToAccessKubeletAPI in phases/bootstraptoken/node of
/// kubeadm at v1.36.3 and v1.37.2.
pub const KUBELET_ACCESS: &str = "kubeadm:apiserver-kubelet-client";
/// The role; see [`KUBELET_ACCESS`].
pub const KUBELET_ROLE: &str = "system:kubelet-api-admin";
/// The user; see [`KUBELET_ACCESS`].
pub const KUBELET_USER: &str = "kube-apiserver-kubelet-client";

/// Keeps what was last applied to the components. Only root reads it:
/// arguments are on command lines anyway, but there is no need to spread them.
pub const LAST_APPLIED: &str = "/var/lib/kdiy/last-applied/control-plane";

/// Defines `kdiy_planes`: the control plane's processes, their numbers and
/// names; `kdiy_planes etcd` has stacked etcd's, too. Static pods are processes
/// of the host, known by the name that the kernel has for them, which it cuts.
/// They are in the host's network: another cluster's control plane in a pod, or
/// what calls itself so, is not.
pub const PROCESSES: &str = sh!("probe/processes.sh");

/// The program says the whole of the name.
const ARGUMENTS: &str = sh!("probe/arguments.sh");

/// Defines `kdiy_kubectl`, for questions.
const KUBECTL: &str = sh!("probe/kubectl.sh");

/// Defines `kdiy_last_applied`, `kdiy_reached`, `kdiy_encrypted`,
/// `kdiy_server_certificate` and `kdiy_binding NAME`.
const PLANE: &str = sh!("probe/plane.sh");

/// The sections about a control plane whose API server has this URL;
/// `requests` is there when requests for serving certificates are kdiy's to
/// judge.
pub(super) fn script(server: &str, requests: Option<&ResolvedCluster>) -> Script {
    let run = |function| Script::new().call(function, [""; 0]);
    let access = Script::new().call("kdiy_binding", [KUBELET_ACCESS]);
    let script = section("processes", &Script::of(PROCESSES).with(ARGUMENTS))
        .with(KUBECTL)
        .with(PLANE)
        .set("kdiy_server", server)
        .then(&section("last_applied", &run("kdiy_last_applied")))
        .then(&section("reached", &run("kdiy_reached")))
        .then(&section(
            "server-certificate",
            &run("kdiy_server_certificate"),
        ))
        .then(&section("encrypted", &run("kdiy_encrypted")))
        .then(&section("kubelet-access", &access));
    match requests {
        None => script,
        Some(resolved) => script.then(&serving::probe(resolved)),
    }
}

impl PlaneView {
    pub(super) fn parse(answers: &Answers) -> Self {
        let section = |name| answers.get(name).unwrap_or_default();
        let some = |name| Some(section(name).trim().to_owned()).filter(|text| !text.is_empty());
        Self {
            running: processes(section("processes")),
            // One that cannot be read tells nothing, and is written anew.
            last_applied: serde_json::from_str(section("last_applied")).ok(),
            endpoint: some("reached"),
            encrypted: some("encrypted"),
            kubelet_access: allows(section("kubelet-access")),
            server_names: certificate::server_names(section("server-certificate")),
            requests: serving::parse(section("requests")),
        }
    }

    /// The stage of encryption that the API server is in: the process's word,
    /// or, where it does not run, what was last applied to it.
    #[must_use]
    pub fn stage(&self) -> Stage {
        let name = PlaneComponent::ApiServer.name();
        let last_applied = || Some(&self.last_applied.as_ref()?.get(name)?.arguments);
        let arguments = self.running.get(name).or_else(last_applied);
        arguments.map_or(Stage::Plain, Stage::running)
    }
}

/// Reads the role and the users of the binding.
fn allows(text: &str) -> bool {
    let mut words = text.split_whitespace();
    words.next() == Some(KUBELET_ROLE) && words.any(|user| user == KUBELET_USER)
}

fn processes(text: &str) -> BTreeMap<String, Arguments> {
    let mut all = BTreeMap::new();
    let mut current: Option<&mut Arguments> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("process ") {
            current = Some(all.entry(name.to_owned()).or_default());
        } else if let (Some(arguments), Some(argument)) =
            (&mut current, line.strip_prefix("argument --"))
        {
            let (name, value) = argument.split_once('=').unwrap_or((argument, "true"));
            match arguments.entry(name.to_owned()) {
                Entry::Vacant(vacant) => drop(vacant.insert(value.into())),
                Entry::Occupied(mut again) => again.get_mut().push(value.to_owned()),
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_tell_their_arguments() {
        let text = "process kube-scheduler\nargument --leader-elect\nargument --v=2\n\
                    argument positional\nprocess kube-apiserver\nargument --a=b=c\n\
                    argument --b=2\nargument --c\nargument --b=1\n";
        let all = processes(text);
        let of = |name: &str| {
            let all = all[name].iter();
            all.map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>()
        };
        assert_eq!(of("kube-scheduler"), ["leader-elect=true", "v=2"]);
        assert_eq!(of("kube-apiserver"), ["a=b=c", "b=[2, 1]", "c=true"]);
    }

    #[test]
    fn the_binding_is_known_by_role_and_user() {
        assert!(allows(
            "system:kubelet-api-admin kube-apiserver-kubelet-client"
        ));
        assert!(allows(
            "system:kubelet-api-admin me kube-apiserver-kubelet-client"
        ));
        assert!(!allows("cluster-admin kube-apiserver-kubelet-client"));
        assert!(!allows("system:kubelet-api-admin me"));
        assert!(!allows(""));
    }

    /// A process of this name, which lasts for a minute.
    fn running(name: &str) -> (tempfile::TempDir, std::process::Child) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join(name);
        std::os::unix::fs::symlink("/bin/sleep", &program).unwrap();
        let mut command = std::process::Command::new(&program);
        (folder, command.arg("60").spawn().unwrap())
    }

    fn found(script: String) -> String {
        let output = std::process::Command::new("sh")
            .args(["-euc", &script])
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[test]
    fn etcd_is_among_them_where_it_is_asked_for() {
        let (_folder, mut child) = running("etcd");
        let line = format!("{} etcd\n", child.id());
        let planes = |words: &str| found(format!("{PROCESSES}{words} || :\n"));
        let (unasked, asked) = (planes("kdiy_planes"), planes("kdiy_planes etcd"));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!unasked.contains(&line), "{unasked}");
        assert!(asked.contains(&line), "{asked}");
    }

    #[test]
    fn a_real_process_is_found_by_the_kernels_name_for_it() {
        let (_folder, mut child) = running("kube-controller-manager");
        let script = [PROCESSES, ARGUMENTS].concat();
        let here = found(script.clone());
        // As if the host's network were another.
        let elsewhere = found(script.replace("/proc/self/ns/net", "/proc/self/ns/uts"));
        child.kill().unwrap();
        child.wait().unwrap();
        let argument = "process kube-controller-manager\nargument 60\n";
        assert!(here.contains(argument), "{here}");
        assert_eq!(elsewhere, "");
    }

    #[test]
    fn the_note_is_read_where_it_is_kept() {
        assert_eq!(PLANE.matches(LAST_APPLIED).count(), 2);
    }

    #[test]
    fn a_broken_note_is_as_good_as_none() {
        let answers = Answers::parse(b"@last_applied 3\n{x}\n").unwrap();
        assert_eq!(PlaneView::parse(&answers), PlaneView::default());
    }
}
