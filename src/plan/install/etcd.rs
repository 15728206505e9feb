//! External etcd: bootstrapped together, restarted one at a time, and joined
//! one at a time by hosts that were lost or are new.

mod program;

use super::{Context, file};
use crate::cluster::{Node, Role, Topology};
use crate::etcd::member::{self, CA_FILE, PKI, UNIT};
use crate::etcd::script;
use crate::plan::etcd::{EtcdClusterState, HostState};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Directory, Done, OnChange, OnDiffer, Resource, Service, Verb};
use crate::secret_store::SecretStore;
use crate::shell::Script;
use crate::template::HostFile;

/// A member as it shall be on one host.
struct Member<'a> {
    node: &'a Node,
    state: HostState,
    service: Service,
}

/// Steps after which all members serve; none where etcd is stacked.
pub(super) fn group(
    context: &Context,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) -> Vec<StepId> {
    let Topology::External(source) = &context.resolved.cluster.topology else {
        return Vec::new();
    };
    let members: Vec<_> = context
        .resolved
        .with_role(Role::Etcd)
        .map(|node| {
            program::install(context, node, source, blueprint, secrets);
            place_certificates(context, node, blueprint, secrets);
            configure(context, node, blueprint, secrets)
        })
        .collect();
    let begun = start(context, &members, blueprint);
    let mut healed = finish(context, &members, &begun, blueprint);
    healed.extend(join(context, &members, &healed, blueprint));
    let restarted = restart(context, &members, &healed, blueprint);
    let mut serving = gates(context, &members, blueprint);
    serving.extend(healed);
    serving.extend(restarted);
    serving
}

/// The key of the authority is not among them: leaves are issued by kdiy.
fn place_certificates(
    context: &Context,
    node: &Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) {
    let authority = &context.trust.etcd_certificate;
    let mut ca = file(HostFile::public(CA_FILE, authority.clone()), secrets);
    ca.on_differ = OnDiffer::Refuse(
        "this host has another etcd authority than kdiy's state directory; an etcd lives or lived \
         here. If it is this cluster's, restore the state directory; if it is another's, stop it \
         and move /etc/etcd and /var/lib/etcd away first"
            .to_owned(),
    );
    let directories = ["/etc/etcd", PKI].map(|path| {
        Resource::Directory(Directory {
            path: path.to_owned(),
            mode: 0o755,
        })
    });
    let mut all: Vec<_> = directories.into();
    all.push(Resource::File(ca));
    let leaves = member::certificates(context.resolved, node, authority);
    all.extend(leaves.map(Resource::Certificate));
    blueprint.add(&node.name, "place etcd's certificates", all, &[]);
}

fn configure<'a>(
    context: &Context<'a>,
    node: &'a Node,
    blueprint: &mut Blueprint,
    secrets: &mut SecretStore,
) -> Member<'a> {
    let rendered = member::files(context.resolved, node, &context.trust.etcd_certificate);
    let files = rendered.map(|rendered| file(rendered, secrets));
    // Certificates are not among what it reads: it takes them up by itself.
    let service = Service::new(UNIT, OnChange::Restart, &[&files[0], &files[1]]);
    let group = &context.cluster_state.etcd;
    let state = *group.hosts.get(&node.name).unwrap_or(&HostState::Serving);
    let mut all: Vec<_> = files.map(Resource::File).into();
    if state == HostState::Serving {
        all.push(Resource::Command(Command {
            name: "the first start of etcd".to_owned(),
            verb: Verb::Run,
            details: vec!["bring one that broke off to its end".to_owned()],
            done: Done::Ask(script::is_start_complete(&context.trust.etcd_certificate)),
            script: script::complete_start(&context.trust.etcd_certificate),
            inputs: Vec::new(),
        }));
    }
    blueprint.add(&node.name, "configure etcd", all, &[]);
    Member {
        node,
        state,
        service,
    }
}

/// Members of a new cluster are started side by side, since each waits for
/// the others; so are those that only do not run.
fn start(context: &Context, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let authority = &context.trust.etcd_certificate;
    let bootstrapping = matches!(
        context.cluster_state.etcd.state,
        EtcdClusterState::Blank | EtcdClusterState::Bootstrapping
    );
    let started =
        |member: &&Member| matches!(member.state, HostState::Bootstrapping | HostState::Stopped);
    let mut begun = Vec::new();
    for member in members.iter().filter(started) {
        let (script, details) = if bootstrapping {
            let script = script::bootstrap(context.resolved, authority, &member.service);
            (script, "start it for the first time, with all others")
        } else {
            (script::start(&member.service), "start it")
        };
        let command = run("the etcd member", details, script);
        begun.push(blueprint.add(&member.node.name, "start etcd", vec![command], &[]));
    }
    begun
}

/// Waits for the members that were started.
fn finish(
    context: &Context,
    members: &[Member],
    begun: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let authority = &context.trust.etcd_certificate;
    let mut finished = Vec::new();
    for member in members {
        if matches!(member.state, HostState::Bootstrapping | HostState::Stopped) {
            let script = script::finish(member.node, &context.etcd(member.node), authority);
            let finish = run(
                "health of etcd",
                "wait for it and note whose its data is",
                script,
            );
            finished.push(blueprint.add(&member.node.name, "wait for etcd", vec![finish], begun));
        }
    }
    finished
}

/// A gate for each member that serves already.
fn gates(context: &Context, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let mut gates = Vec::new();
    for member in members {
        if member.state == HostState::Serving {
            let host = &member.node.name;
            let wait = script::wait(member.node, &context.etcd(member.node));
            let wait = Command::wait(format!("the etcd member of {host}"), wait);
            gates.push(blueprint.add_needed(
                host,
                "wait for etcd",
                vec![Resource::Command(wait)],
                &[],
            ));
        }
    }
    gates
}

/// One after the other, after those that only had to be started. A host runs it
/// all by itself and asks whichever member answers, so nothing is done on the
/// others.
fn join(
    context: &Context,
    members: &[Member],
    started: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut joining: Vec<_> = members
        .iter()
        .filter(|member| member.state == HostState::Joining)
        .collect();
    // etcd takes one learner at a time: one that is there comes first.
    joining.sort_by_key(|member| !is_learner(context, member.node));
    let mut joined = Vec::new();
    let names: Vec<_> = joining
        .iter()
        .map(|member| member.node.name.as_str())
        .collect();
    let mut before = started.to_vec();
    for (place, member) in joining.iter().enumerate() {
        // Those before it are members again by then.
        let script = script::join(
            context.resolved,
            member.node,
            &names[place..],
            &context.trust.etcd_certificate,
            &member.service,
        );
        let details = "remove its dead entry if there is one, join as a learner, vote once in sync";
        let command = run("membership of etcd", details, script);
        let step = blueprint.add(&member.node.name, "join etcd", vec![command], &before);
        before = vec![step];
        joined.push(step);
    }
    joined
}

fn is_learner(context: &Context, node: &Node) -> bool {
    match &context.cluster_state.etcd.state {
        EtcdClusterState::Live(members) => members.iter().any(|entry| {
            entry.learner && (entry.name.is_empty() || entry.name == node.name.as_str())
        }),
        _ => false,
    }
}

/// A member that runs takes up another configuration or program behind the
/// health of all others, one after the other. The others are asked from its own
/// host, so that one which kdiy does not reach counts as well. systemd calls it
/// started when it serves again.
fn restart(
    context: &Context,
    members: &[Member],
    healed: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut restarted: Vec<StepId> = Vec::new();
    for member in members.iter().filter(|m| m.state == HostState::Serving) {
        let host = &member.node.name;
        let others = members.iter().filter(|other| other.node.name != *host);
        let script = others.fold(Script::new(), |script, other| {
            script.then(&script::wait(other.node, &context.etcd(other.node)))
        });
        let mut before = healed.to_vec();
        before.extend(restarted.last());
        let wait = Command::wait("all other members of etcd".to_owned(), script);
        let wait = blueprint.add_needed(
            host,
            "wait for the other members of etcd",
            vec![Resource::Command(wait)],
            &before,
        );
        let service = vec![Resource::Service(member.service.clone())];
        restarted.push(blueprint.add(host, "restart etcd", service, &[wait]));
    }
    restarted
}

fn run(name: &str, details: &str, script: Script) -> Resource {
    Resource::Command(Command {
        name: name.to_owned(),
        verb: Verb::Run,
        details: vec![details.to_owned()],
        done: Done::Known(false),
        script,
        inputs: Vec::new(),
    })
}
