//! A new cluster whose control planes come up all at once, by the phases of
//! `kubeadm init`: their members of etcd found one cluster. Each step can be
//! run again, on whichever hosts are left.

mod end;

use super::balancer::{self, Balanced};
use super::control_plane::{self, gate, pull_images, renew_token, taking_up};
use super::{Founded, Site, config, settings};
use crate::cluster::{Node, Role};
use crate::kubeadm::phases::{self, Phase};
use crate::kubeadm::{self, Stage};
use crate::plan::facts::UNFINISHED;
use crate::plan::founding::{self, FOUND, Progress};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Done, Input, Resource, Verb, sha256_hex};
use crate::shell::Script;

/// The configuration of the phase that makes etcd's manifest.
const ETCD_CONFIG: &str = "etcd.yaml";
/// kubeadm's option that names it.
const ETCD_OPTION: &str = " --config \"$kdiy_tmp/etcd.yaml\"";

/// What founds the cluster on one control plane, before the API is asked.
struct Founder<'a> {
    node: &'a Node,
    config: Input,
    prepare: Script,
    start: Script,
    /// What else than the configuration the start reads.
    inputs: Vec<Input>,
    /// Of all the above: with another one it is done again.
    hash: String,
    progress: Progress,
}

/// Founds the cluster, or brings what is left of it to its end.
pub(super) fn found(
    site: &Site,
    blueprint: &mut Blueprint,
    balanced: Balanced,
    etcd: Vec<StepId>,
) -> Founded {
    let founders: Vec<_> = site
        .founders
        .iter()
        .map(|node| founder(site, node))
        .collect();
    let mut ready = Vec::new();
    for founder in &founders {
        ready.push(prepare(site, founder, blueprint, &etcd));
    }
    ready.push(balancer::try_endpoint(site, &balanced, blueprint));
    for founder in &founders {
        let mut needs = ready.clone();
        needs.extend(balanced.joining(founder.node));
        start(site, founder, blueprint, &needs);
    }
    let gates: Vec<_> = founders
        .iter()
        .map(|founder| gate(site, founder.node, blueprint))
        .collect();
    let reachable = control_plane::reachable(site, blueprint);
    let mut before = vec![reachable];
    let token = match site.is_founded() {
        true => renew_token(site, blueprint),
        false => {
            let set_up = end::set_up(site, blueprint, reachable);
            before.push(set_up);
            set_up
        }
    };
    let mut together = Vec::new();
    for (founder, gate) in founders.iter().zip(gates) {
        let needs = [&before[..], &[gate]].concat();
        together.push(end::complete(site, founder.node, blueprint, &needs));
    }
    Founded {
        reachable,
        token: Some(token),
        balanced,
        etcd,
        together,
    }
}

fn founder<'a>(site: &Site<'a>, node: &'a Node) -> Founder<'a> {
    let stage = Stage::wanted(site.resolved.cluster.control_plane.encryption);
    let members = founding::members(site.resolved);
    let config = settings::configuration(site, node, stage);
    let mut inputs = Vec::new();
    // The kubelet takes its time to start, and waits for manifests then.
    let prepare = run(site, Phase::Certs)
        .then(&run(site, Phase::Kubeconfig))
        .then(&run(site, Phase::KubeletStart));
    let mut start = Script::new();
    let around = balancer::around_init(site);
    if node.name == site.lead.name && !around.before_inputs.is_empty() {
        inputs.extend(around.before_inputs);
        start = run(site, Phase::SuperAdmin).then(&around.before);
    }
    if site.is_stacked() {
        let text = kubeadm::founding_etcd(site.resolved, node, &members);
        inputs.push(Input::plain(ETCD_CONFIG, text));
        start = start.then(&run_with(site, Phase::Etcd, ETCD_OPTION));
    }
    let start = start.then(&run(site, Phase::ControlPlane));
    let all = (&config, &prepare, &start, &inputs);
    let all = serde_json::to_string(&all).expect("plain structs are JSON");
    Founder {
        node,
        config,
        prepare,
        start,
        inputs,
        hash: sha256_hex(all.as_bytes())[..16].to_owned(),
        progress: Progress {
            members,
            ..site
                .standing
                .founders
                .get(&node.name)
                .cloned()
                .unwrap_or_default()
        },
    }
}

/// All that can be done before the others are there. Kubeadm's checks wait
/// five seconds for an etcd elsewhere that does not answer yet.
fn prepare(site: &Site, founder: &Founder, blueprint: &mut Blueprint, etcd: &[StepId]) -> StepId {
    let pulled = pull_images(site, founder.node, blueprint);
    let found = format!("{FOUND} {}", founder.progress.members);
    let script = taking_up(site, "a founding that did not come to its end")
        .then(&preflight(site))
        .lit("kdiy_line=\n[ ! -e ")
        .lit(UNFINISHED)
        .lit(" ] || read -r kdiy_line < ")
        .lit(UNFINISHED)
        .lit(" || :\n[ \"$kdiy_line\" = ")
        .arg(&found)
        .lit(" ] || echo ")
        .arg(&found)
        .lit(" > ")
        .then(&onto_the_disk())
        .then(&founder.prepare)
        .then(&noted("prepared", &founder.hash));
    let command = Command {
        name: "certificates, kubeconfigs and kubelet".to_owned(),
        verb: Verb::Run,
        details: vec!["make and start them, after kubeadm's checks of the host".to_owned()],
        done: Done::Known(founder.progress.prepared.as_ref() == Some(&founder.hash)),
        script,
        inputs: vec![founder.config.clone()],
    };
    blueprint.add(
        &founder.node.name,
        "prepare the control plane",
        vec![Resource::Command(command)],
        &[&[pulled], etcd].concat(),
    )
}

/// Starts etcd, API server and the rest; does not wait, since members of etcd
/// wait for each other.
fn start(site: &Site, founder: &Founder, blueprint: &mut Blueprint, needs: &[StepId]) -> StepId {
    let members = site.resolved.with_role(Role::ControlPlane);
    let members: Vec<_> = members.map(|member| member.name.as_str()).collect();
    let details = match (site.is_stacked(), members.len()) {
        (true, 2..) => format!("start it; its etcd is one of {}", members.join(", ")),
        (true, _) => "start it and its etcd".to_owned(),
        (false, _) => "start it".to_owned(),
    };
    let mut inputs = vec![founder.config.clone()];
    inputs.extend(founder.inputs.iter().cloned());
    let command = Command {
        name: "the control plane".to_owned(),
        verb: Verb::Run,
        details: vec![details],
        done: Done::Known(founder.progress.started.as_ref() == Some(&founder.hash)),
        script: noted("starting", &founder.hash)
            .then(&founder.start)
            .then(&noted("started", &founder.hash)),
        inputs,
    };
    blueprint.add(
        &founder.node.name,
        "start the control plane",
        vec![Resource::Command(command)],
        needs,
    )
}

/// How far a host has come, on the disk before anything else is.
fn noted(what: &'static str, hash: &str) -> Script {
    Script::of("echo ")
        .args([what, hash])
        .lit(" >> ")
        .then(&onto_the_disk())
}

/// Where a note is written to, and that it is there for good before anything
/// else happens.
fn onto_the_disk() -> Script {
    Script::of(UNFINISHED)
        .lit("\nsync /var/lib/kdiy ")
        .lit(UNFINISHED)
        .lit("\n")
}

fn preflight(site: &Site) -> Script {
    let mut runs = phases::runs(site.resolved, Phase::Preflight);
    match runs.pop() {
        None => Script::new(),
        Some(words) => phase(&words, config::OPTION).lit(" $kdiy_again\n"),
    }
}

/// Runs a phase of `kubeadm init` with the command's own kubeadm.yaml.
pub(super) fn run(site: &Site, phase: Phase) -> Script {
    run_with(site, phase, config::OPTION)
}

fn run_with(site: &Site, of: Phase, option: &'static str) -> Script {
    let runs = phases::runs(site.resolved, of);
    let one = |script: Script, words: &Vec<String>| script.then(&phase(words, option)).lit("\n");
    runs.iter().fold(Script::new(), one)
}

fn phase(words: &[String], option: &'static str) -> Script {
    Script::of("kubeadm init phase ").args(words).lit(option)
}
