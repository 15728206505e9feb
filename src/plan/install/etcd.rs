//! External etcd: founded together, restarted one at a time, and joined one
//! at a time by hosts that were lost or are new.

mod program;

use super::{Site, file};
use crate::cluster::{Node, Role, Topology};
use crate::etcd::member::{self, CA_FILE, PKI, UNIT};
use crate::etcd::script;
use crate::plan::etcd::{GroupState, HostState};
use crate::plan::{Blueprint, StepId};
use crate::resource::{Command, Directory, Done, OnChange, OnDiffer, Resource, Service, Verb};
use crate::shell::Script;
use crate::template::HostFile;
use crate::vault::Vault;

/// A member as it shall be on one host.
struct Member<'a> {
    node: &'a Node,
    state: HostState,
    service: Service,
}

/// Steps after which all members serve; none where etcd is stacked.
pub(super) fn group(site: &Site, blueprint: &mut Blueprint, vault: &mut Vault) -> Vec<StepId> {
    let Topology::External(source) = &site.resolved.cluster.topology else {
        return Vec::new();
    };
    let members: Vec<_> = site
        .resolved
        .with_role(Role::Etcd)
        .map(|node| {
            program::install(site, node, source, blueprint, vault);
            place_certificates(site, node, blueprint, vault);
            configure(site, node, blueprint, vault)
        })
        .collect();
    let begun = start(site, &members, blueprint);
    let mut healed = finish(site, &members, &begun, blueprint);
    healed.extend(join(site, &members, &healed, blueprint));
    let restarted = restart(site, &members, &healed, blueprint);
    let mut serving = gates(site, &members, blueprint);
    serving.extend(healed);
    serving.extend(restarted);
    serving
}

/// The key of the authority is not among them: leaves are issued by kdiy.
fn place_certificates(site: &Site, node: &Node, blueprint: &mut Blueprint, vault: &mut Vault) {
    let authority = &site.trust.etcd_certificate;
    let mut ca = file(HostFile::public(CA_FILE, authority.clone()), vault);
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
    let leaves = member::certificates(site.resolved, node, authority);
    all.extend(leaves.map(Resource::Certificate));
    blueprint.add(&node.name, "place etcd's certificates", all, &[]);
}

fn configure<'a>(
    site: &Site<'a>,
    node: &'a Node,
    blueprint: &mut Blueprint,
    vault: &mut Vault,
) -> Member<'a> {
    let rendered = member::files(site.resolved, node, &site.trust.etcd_certificate);
    let files = rendered.map(|rendered| file(rendered, vault));
    // Certificates are not among what it reads: it takes them up by itself.
    let service = Service::new(UNIT, OnChange::Restart, &[&files[0], &files[1]]);
    let group = &site.standing.etcd;
    let state = *group.hosts.get(&node.name).unwrap_or(&HostState::Serving);
    let mut all: Vec<_> = files.map(Resource::File).into();
    if state == HostState::Serving {
        all.push(Resource::Command(Command {
            name: "the first start of etcd".to_owned(),
            verb: Verb::Run,
            details: vec!["bring one that broke off to its end".to_owned()],
            done: Done::Ask(script::is_start_complete(&site.trust.etcd_certificate)),
            script: script::complete_start(&site.trust.etcd_certificate),
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
fn start(site: &Site, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let authority = &site.trust.etcd_certificate;
    let founding = matches!(
        site.standing.etcd.state,
        GroupState::Blank | GroupState::Founding
    );
    let started =
        |member: &&Member| matches!(member.state, HostState::Founder | HostState::Stopped);
    let mut begun = Vec::new();
    for member in members.iter().filter(started) {
        let (script, details) = if founding {
            let script = script::found(site.resolved, authority, &member.service);
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
    site: &Site,
    members: &[Member],
    begun: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let authority = &site.trust.etcd_certificate;
    let mut finished = Vec::new();
    for member in members {
        if matches!(member.state, HostState::Founder | HostState::Stopped) {
            let script = script::finish(member.node, &site.etcd(member.node), authority);
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
fn gates(site: &Site, members: &[Member], blueprint: &mut Blueprint) -> Vec<StepId> {
    let mut gates = Vec::new();
    for member in members {
        if member.state == HostState::Serving {
            let host = &member.node.name;
            let wait = script::wait(member.node, &site.etcd(member.node));
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

/// One after the other, after those that only had to be started. A host runs it all by
/// itself and asks whichever member answers, so nothing is done on the others.
fn join(
    site: &Site,
    members: &[Member],
    started: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut joining: Vec<_> = members
        .iter()
        .filter(|member| member.state == HostState::Joining)
        .collect();
    // etcd takes one learner at a time: one that is there comes first.
    joining.sort_by_key(|member| !is_learner(site, member.node));
    let mut joined = Vec::new();
    let names: Vec<_> = joining
        .iter()
        .map(|member| member.node.name.as_str())
        .collect();
    let mut before = started.to_vec();
    for (place, member) in joining.iter().enumerate() {
        // Those before it are members again by then.
        let script = script::join(
            site.resolved,
            member.node,
            &names[place..],
            &site.trust.etcd_certificate,
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

fn is_learner(site: &Site, node: &Node) -> bool {
    match &site.standing.etcd.state {
        GroupState::Live(members) => members.iter().any(|entry| {
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
    site: &Site,
    members: &[Member],
    healed: &[StepId],
    blueprint: &mut Blueprint,
) -> Vec<StepId> {
    let mut restarted: Vec<StepId> = Vec::new();
    for member in members.iter().filter(|m| m.state == HostState::Serving) {
        let host = &member.node.name;
        let others = members.iter().filter(|other| other.node.name != *host);
        let script = others.fold(Script::new(), |script, other| {
            script.then(&script::wait(other.node, &site.etcd(other.node)))
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
