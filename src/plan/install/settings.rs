//! Settings of running control planes: applied one control plane after
//! the other, each behind the health of the others.

mod certificates;
mod static_pods;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use super::balancer::rotation;
use super::control_plane::{gate, pull_images};
use super::{Bootstrapped, Context, config, file, kubectl, resources};
use crate::cluster::{Arguments, Encryption, Node, Role, Values};
use crate::kubeadm::encryption::{self, Stage};
use crate::kubeadm::settings::plane_settings;
use crate::kubeadm::{self, ETCD, PlaneComponent, PlaneSettings, Settings, audit, same_values};
use crate::plan::facts::plane::PlaneView;
use crate::plan::{Blueprint, Facts, StepId};
use crate::resource::{Command, Directory, Done, File, Input, OnDiffer, Resource, Verb};
use crate::secret_store::SecretStore;
use crate::shell::{Script, sh};

/// Control planes that are restarted at a time.
const ONE: NonZeroUsize = NonZeroUsize::MIN;

/// What the cluster remembers once all secrets were rewritten.
const ENCRYPTED: &str = "secretbox";

/// Files that the static pods of a control plane read.
fn pod_files(context: &Context, secrets: &mut SecretStore) -> Vec<Resource> {
    let plane = &context.resolved.cluster.control_plane;
    let mut all = Vec::new();
    if let Some(audit) = &plane.audit {
        all.extend([audit::POLICIES, audit::LOGS].map(|path| {
            Resource::Directory(Directory {
                path: path.to_owned(),
                mode: 0o700,
            })
        }));
        let mut policy = audit::policy(audit);
        // Only root reads it, but it is no secret: its changes are shown.
        all.push(Resource::File(File::plain(
            std::mem::take(&mut policy.path),
            policy.mode,
            std::mem::take(&mut policy.text),
        )));
    }
    if let Some(key) = &context.trust.encryption_key {
        // So that it is masked wherever it might appear.
        let _ = secrets.keep(Zeroizing::new(key.expose_secret().to_owned()));
        let mut files = encryption::files(key.expose_secret()).map(|text| file(text, secrets));
        for file in &mut files {
            file.on_differ = OnDiffer::Refuse(
                "this host encrypts secrets with another key than kdiy's state directory has. \
                 Restore pki/secretbox.key there, or remove that file, so that kdiy reads the \
                 key back; API servers with different keys cannot read each other's secrets"
                    .to_owned(),
            );
        }
        all.extend(resources(&files));
    }
    all
}

/// Those files, on a control plane without a rollout:
/// before it joins, or in order. Others get them in the same step.
pub(super) fn files(context: &Context, node: &Node, secrets: &mut SecretStore) -> Vec<Resource> {
    if rolls(context)
        .iter()
        .any(|roll| roll.node.name == node.name)
    {
        return Vec::new();
    }
    pod_files(context, secrets)
}

/// The script that notes what was last applied to a control plane.
pub(super) fn note(context: &Context) -> Script {
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    note_of(&plane_settings(context.resolved, stage))
}

fn note_of(settings: &PlaneSettings) -> Script {
    let text = serde_json::to_string(settings).expect("plain structs are JSON");
    Script::of(sh!("kubeadm/applied.sh")).call("kdiy_note_applied", [text])
}

/// One control plane whose settings are rolled out.
struct Roll<'a> {
    node: &'a Node,
    stage: Stage,
    settings: PlaneSettings,
    differs: Differences,
    /// Lines about the certificate that its API server serves with.
    certificate: Vec<String>,
}

/// What is different between static pods and what they should be.
#[derive(Default)]
struct Differences {
    /// Line by line.
    lines: Vec<String>,
    /// Whether stacked etcd restarts, too.
    etcd: bool,
    /// Whether a component gets another image.
    images: bool,
}

/// All that has to be done, in order. Where encryption comes to several
/// running API servers, all of them read before the first one writes.
fn rolls<'a>(context: &Context<'a>) -> Vec<Roll<'a>> {
    let wanted = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let mut joined: Vec<_> = context
        .resolved
        .with_role(Role::ControlPlane)
        .filter(|node| context.has_joined(node))
        .filter_map(|node| Some((node, context.facts.get(&node.name)?.plane.clone())))
        .collect();
    // One that is broken is fixed before the others are touched.
    joined.sort_by_key(|(_, view)| view.running.len());
    let mut passes = vec![wanted];
    if enables(&joined, wanted) {
        passes.insert(0, Stage::Reads);
    }
    let mut rolls = Vec::new();
    for stage in passes {
        let settings = plane_settings(context.resolved, stage);
        for (node, view) in &mut joined {
            if stage != wanted && view.stage() != Stage::Plain {
                continue;
            }
            let certificate = certificates::differences(context, view);
            let differs = differences(&settings, view);
            if certificate.is_empty() && differs.lines.is_empty() {
                continue;
            }
            note_applied(view, &settings);
            rolls.push(Roll {
                node,
                stage,
                settings: settings.clone(),
                differs,
                certificate,
            });
        }
    }
    rolls
}

/// Whether API servers that know of no encryption run beside others.
fn enables(joined: &[(&Node, PlaneView)], wanted: Stage) -> bool {
    wanted == Stage::Writes
        && joined.len() > 1
        && joined.iter().any(|(_, view)| view.stage() == Stage::Plain)
}

/// The view after its settings were applied.
fn note_applied(view: &mut PlaneView, settings: &PlaneSettings) {
    for (component, settings) in settings {
        if component == ETCD {
            continue;
        }
        let running = view.running.entry(component.clone()).or_default();
        running.extend(settings.arguments.clone());
    }
    view.last_applied = Some(settings.clone());
    view.server_names = None;
}

/// What is different on one control plane, line by line.
fn differences(wanted: &PlaneSettings, view: &PlaneView) -> Differences {
    let mut all = Differences::default();
    for (component, wanted) in wanted {
        let before = all.lines.len();
        // Before the first note there is only the processes' word.
        let noted = view.last_applied.as_ref();
        let last = noted.and_then(|all| all.get(component));
        match view.running.get(component) {
            Some(running) => all
                .lines
                .extend(of_process(component, wanted, running, last)),
            None if component == ETCD => all
                .lines
                .extend(last.iter().flat_map(|last| of_etcd(wanted, last))),
            None => {
                all.lines.push(format!("{component}: does not run"));
                continue;
            }
        }
        let Some(last) = last else { continue };
        if last.image != wanted.image {
            let (was, is) = (&last.image, &wanted.image);
            all.lines.push(format!("{component}: image {was} -> {is}"));
            all.images = true;
        }
        if last.pod != wanted.pod {
            all.lines
                .push(format!("{component}: other volumes or patches"));
        }
        all.etcd |= component == ETCD && all.lines.len() > before;
    }
    all
}

/// Arguments that a process has and should not have, or the other way round.
fn of_process(
    component: &str,
    wanted: &Settings,
    running: &Arguments,
    last: Option<&Settings>,
) -> Vec<String> {
    let differs = |(name, value): (&String, &Values)| match running.get(name) {
        Some(runs) if same_values(runs, value) => None,
        Some(runs) => Some(format!("{component}: --{name} {runs} -> {value}")),
        None => Some(format!("{component}: --{name} none -> {value}")),
    };
    let last = last.into_iter().flat_map(|last| &last.arguments);
    let gone = last.filter(|(name, value)| {
        !wanted.arguments.contains_key(*name) && running.get(*name) == Some(value)
    });
    let gone = gone.map(|(name, value)| format!("{component}: --{name} {value} -> kubeadm's"));
    { wanted.arguments.iter() }
        .filter_map(differs)
        .chain(gone)
        .collect()
}

/// Arguments of etcd, by what was last applied: it is restarted for nothing
/// else.
fn of_etcd(wanted: &Settings, last: &Settings) -> Vec<String> {
    of_process(ETCD, wanted, &last.arguments, Some(last))
}

/// Settles the control planes that run with something else. Returns the steps
/// that nobody joins before: under a limit the upload at least, since who joins
/// runs with what is in the cluster.
pub(super) fn roll_out(
    context: &Context,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
    bootstrapped: &Bootstrapped,
) -> Vec<StepId> {
    let rolls = rolls(context);
    let encrypts = context.resolved.cluster.control_plane.encryption != Encryption::None;
    let enabling = encrypts && !is_encrypted(context);
    let mut before = Vec::new();
    let mut uploaded = None;
    let upgrades = rolls.iter().any(|roll| roll.differs.images);
    if !rolls.is_empty() {
        before = gates(context, blueprint);
    }
    if !rolls.is_empty() && !upgrades {
        uploaded = Some(upload(context, blueprint, &[bootstrapped.reachable]));
        before.extend(uploaded);
    }
    let mut done = Vec::new();
    for pass in rolls.chunk_by(|one, next| one.stage == next.stage) {
        let title = match pass[0].stage {
            Stage::Reads => "let the API server read encrypted secrets",
            _ if upgrades => "bring the control plane to new images",
            _ => "restart the control plane with new settings",
        };
        let needs = [&before[..], &done[..]].concat();
        let again: BTreeSet<_> = { rolls.iter() }
            .take_while(|roll| roll.stage != pass[0].stage)
            .map(|roll| &roll.node.name)
            .collect();
        let pulled: BTreeMap<_, _> = { pass.iter() }
            .filter(|roll| roll.differs.images)
            .map(|roll| {
                (
                    &roll.node.name,
                    pull_images(context, roll.node, blueprint, false),
                )
            })
            .collect();
        let members = pass.iter().map(|roll| (roll.node.name.clone(), roll));
        let rolled = blueprint.rolling(title, ONE, members, |blueprint, host, roll| {
            let mut resources = match again.contains(host) {
                true => Vec::new(),
                false => pod_files(context, secrets),
            };
            resources.push(Resource::Command(static_pods::command(context, roll)));
            // A limit takes all of it or nothing: rewritten secrets that one
            // API server still writes as they are would not be encrypted.
            let mut needs = needs.clone();
            needs.extend(pulled.get(host));
            let mut steps = rotation::take_out(context, blueprint, host, &needs);
            let out = steps.clone();
            needs.extend(&out);
            let step = match enabling {
                true => blueprint.add_needed(host, title, resources, &needs),
                false => blueprint.add(host, title, resources, &needs),
            };
            steps.push(step);
            steps.extend(rotation::put_in(context, blueprint, host, &out, step));
            steps
        });
        done.extend(rolled);
    }
    if upgrades {
        // What joins has the images of those that run.
        let needs = [&[bootstrapped.reachable], &done[..]].concat();
        let step = upload(context, blueprint, &needs);
        uploaded = Some(blueprint.planned(step));
    }
    if encrypts {
        rewrite(context, blueprint, bootstrapped, &done);
    }
    done.extend(uploaded);
    done
}

/// Control planes that have joined and whose processes all run. One of which
/// one does not run is what is to be fixed.
fn running<'a>(context: &Context<'a>) -> Vec<&'a Node> {
    let all = |node: &&Node| {
        let facts = context.facts.get(&node.name);
        facts.is_some_and(|facts| facts.plane.running.len() == PlaneComponent::ALL.len())
    };
    let joined = context.resolved.with_role(Role::ControlPlane);
    joined
        .filter(|node| context.has_joined(node))
        .filter(all)
        .collect()
}

/// Their health, before the first of them restarts.
fn gates(context: &Context, blueprint: &mut Blueprint) -> Vec<StepId> {
    let running = running(context).into_iter();
    running.map(|node| gate(context, node, blueprint)).collect()
}

/// What joining control planes read, once for all.
fn upload(context: &Context, blueprint: &mut Blueprint, needs: &[StepId]) -> StepId {
    let stage = Stage::wanted(context.resolved.cluster.control_plane.encryption);
    let command = Command {
        name: "kubeadm's configuration in the cluster".to_owned(),
        verb: Verb::Run,
        details: vec!["upload, for control planes that join".to_owned()],
        done: Done::Known(false),
        script: Script::of(config::PHASE_FUNCTION)
            .then(&config::phase(["upload-config", "kubeadm"])),
        inputs: vec![configuration(context, context.lead, stage)],
    };
    blueprint.add_needed(
        &context.lead.name,
        "upload kubeadm's configuration",
        vec![Resource::Command(command)],
        needs,
    )
}

pub(super) fn configuration(context: &Context, node: &Node, stage: Stage) -> Input {
    let text = kubeadm::phase(context.resolved, node, stage);
    config::plain(text)
}

/// Whether the cluster remembers that all its secrets were rewritten.
fn is_encrypted(context: &Context) -> bool {
    let known = |facts: &Facts| facts.plane.encrypted.as_deref() == Some(ENCRYPTED);
    context.is_bootstrapped() && context.facts.values().any(known)
}

/// Rewrites all secrets through an API server that encrypts, and has the
/// cluster remember it.
fn rewrite(
    context: &Context,
    blueprint: &mut Blueprint,
    bootstrapped: &Bootstrapped,
    rolled: &[StepId],
) {
    let mark = BTreeMap::from([("data", BTreeMap::from([("encryption", ENCRYPTED)]))]);
    let mark = serde_json::to_string(&mark).expect("plain texts are JSON");
    let script = kubectl(context, context.lead)
        .with(sh!("kubeadm/encrypt.sh"))
        .call("kdiy_encrypt_secrets", [mark]);
    let command = Command {
        name: "secrets at rest".to_owned(),
        verb: Verb::Run,
        details: vec!["rewrite all of them, encrypted, and note it in the cluster".to_owned()],
        done: Done::Known(is_encrypted(context)),
        script,
        inputs: Vec::new(),
    };
    let mut needs = vec![bootstrapped.reachable];
    needs.extend(rolled);
    blueprint.add(
        &context.lead.name,
        "encrypt the secrets",
        vec![Resource::Command(command)],
        &needs,
    );
}
