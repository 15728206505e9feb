//! What holds of every plan and of every step, whatever befell the cluster.
//! Each gives the reason where it does not.

use std::collections::BTreeSet;

use kdiy::plan::{Action, Actor, Plan, Problem};

use super::effects::Made;
use super::world::{Entry, Kind, World};
use crate::plans::hosts::Hosts;

pub type Held = Result<(), String>;

fn must(holds: bool, why: impl FnOnce() -> String) -> Held {
    match holds {
        true => Ok(()),
        false => Err(why()),
    }
}

/// Whose member a plan forgets.
fn forgotten(plan: &Plan) -> impl Iterator<Item = &str> {
    let titles = plan.steps.iter().map(|step| step.title.as_str());
    titles.filter_map(|title| title.strip_prefix("forget "))
}

/// The machine whose member has this name in the cluster that answers.
fn with_member(world: &World, cluster: usize, name: &str) -> Option<usize> {
    let own = |machine: &usize| {
        let data = world.machines[*machine].data;
        data.is_some_and(|data| data.cluster == cluster)
            && world
                .member(*machine)
                .is_some_and(|member| member.name == name)
    };
    (0..world.machines.len()).find(own)
}

/// No plan that would be carried out means to remove a member that has a vote
/// and answers, or whose kubelet does after its join had come to its end. Of a
/// host that the inventory does not lead to, only the step itself can know.
pub fn a_living_voter_is_never_removed(world: &World, plan: &Plan) -> Held {
    for name in forgotten(plan) {
        for cluster in 0..world.etcds.len() {
            let listed = |machine: &usize| {
                let at = world.machines[*machine].at;
                world.inventory.iter().any(|entry| entry.at == at)
            };
            let Some(machine) = with_member(world, cluster, name).filter(listed) else {
                continue;
            };
            must(!world.is_living_voter(machine), || {
                format!("the plan forgets {name}, whose member has a vote and answers")
            })?;
            let of = &world.machines[machine];
            let finished = of.pods.noted && of.kubelet.runs && of.kubelet.kubeconfig;
            let votes = { world.member(machine) }.is_some_and(|member| !member.learner);
            must(!(finished && votes), || {
                format!("the plan forgets {name}, which has a vote and whose kubelet answers")
            })?;
        }
    }
    Ok(())
}

/// A step leaves a cluster its quorum.
pub fn quorum_is_never_given_up(before: &World, after: &World) -> Held {
    for cluster in 0..before.etcds.len() {
        let kept = !before.has_quorum(cluster) || after.has_quorum(cluster);
        must(kept, || format!("cluster {cluster} has lost its quorum"))?;
    }
    Ok(())
}

/// A step leaves a cluster every voter that lived.
pub fn no_step_ends_a_living_voter(before: &World, after: &World) -> Held {
    for cluster in 0..before.etcds.len() {
        let left = after.living_voters(cluster);
        let mut lived = before.living_voters(cluster).into_iter();
        if let Some(lost) = lived.find(|machine| !left.contains(machine)) {
            let lost = &before.machines[lost].id;
            return Err(format!("{lost} has lost its living voter"));
        }
    }
    Ok(())
}

/// Nodes and members that no host of the inventory stands for are told.
pub fn who_the_inventory_leaves_out_is_told(world: &World, cluster: usize, hosts: &Hosts) -> Held {
    let etcd = &world.etcds[cluster];
    let members = etcd.members.iter().map(|member| member.name.as_str());
    let planes = |name: &str| world.planes().any(|entry| entry.name == name);
    let members = members.filter(|name| !name.is_empty() && !planes(name));
    let nodes = etcd.objects.nodes.keys().map(String::as_str);
    let nodes = nodes.filter(|name| world.entry(name).is_none());
    let warnings = &hosts.comparison.warnings;
    for name in members.chain(nodes) {
        let told = warnings.iter().any(|warning| warning.contains(name));
        must(told, || format!("nobody is told of {name}: {warnings:#?}"))?;
    }
    Ok(())
}

/// No cluster is made while a member of another lives on any host, listed or
/// silent.
pub fn there_is_never_a_second_bootstrap(made: &[Made]) -> Held {
    let mut made = made.iter();
    let second = made.find(|made| !made.beside.is_empty());
    must(second.is_none(), || {
        format!("a second cluster is made: {second:?}")
    })
}

/// What a worker says of itself changes neither the plan nor what is found on
/// others.
pub fn what_a_worker_says_changes_nothing_for_others(
    liars: &BTreeSet<&str>,
    with: &Hosts,
    without: &Hosts,
) -> Held {
    let others = |problem: &Problem| !liars.contains(problem.host.as_str());
    let problems =
        |hosts: &Hosts| -> Vec<_> { hosts.problems().into_iter().filter(others).collect() };
    let (of, by) = (problems(with), problems(without));
    must(of == by, || {
        format!("problems of others differ: {of:#?} and {by:#?}")
    })?;
    let (with, without) = (with.plan.as_ref().ok(), without.plan.as_ref().ok());
    must(with == without, || {
        let titles = |plan: Option<&Plan>| plan.map(lines);
        format!(
            "the plan differs: {:#?} and {:#?}",
            titles(with),
            titles(without)
        )
    })
}

fn lines(plan: &Plan) -> Vec<String> {
    let lines = plan.steps.iter();
    lines
        .map(|step| format!("{}: {}", step.actor, step.title))
        .collect()
}

/// The order of the inventory means nothing, but for who speaks for the
/// cluster.
pub fn the_order_of_the_inventory_means_nothing(one: &Hosts, other: &Hosts) -> Held {
    let ((of, found), (by, found_then)) = (without_order(one), without_order(other));
    must(found == found_then, || {
        format!("in another order the problems differ: {found:#?} and {found_then:#?}")
    })?;
    // What is refused is not carried out.
    let refused = !one.problems().is_empty() || !other.problems().is_empty();
    must(of == by || refused, || {
        format!("in another order the plan differs: {of:#?} and {by:#?}")
    })
}

/// Titles of what some control plane does for all of them.
const OF_THE_LEAD: [&str; 5] = [
    "wait for the endpoint",
    "look for another cluster at the endpoint",
    "upload kubeadm's configuration",
    "set up the cluster",
    "approve serving certificates",
];

/// Steps with what they change, and problems, in an order of their own.
fn without_order(hosts: &Hosts) -> (BTreeSet<String>, BTreeSet<String>) {
    // A host that is not seen, and is to bootstrap the cluster, is told by the
    // first that is seen, or refused as left out.
    let problems = { hosts.problems().into_iter() }
        .filter(|problem| problem.code != "control-plane-unseen")
        .map(|problem| match problem.code {
            "setting-fixed" => format!("{}: {}", problem.code, problem.what),
            code => format!("{}: {code}: {}", problem.host, problem.what),
        });
    let steps = hosts.plan.iter().flat_map(|plan| &plan.steps).map(|step| {
        let leads = OF_THE_LEAD.contains(&step.title.as_str()) || step.title.starts_with("forget ");
        let actor = match &step.actor {
            Actor::Host(_) if leads => "lead".to_owned(),
            actor => actor.to_string(),
        };
        let what: Vec<_> = match &step.action {
            Action::Converge(changes) => {
                let keys = changes.iter().map(|change| change.resource.key());
                keys.collect()
            }
            Action::Do(operation) => {
                let mut nodes: Vec<_> = operation.nodes().iter().map(ToString::to_string).collect();
                nodes.sort();
                nodes
            }
        };
        format!("{actor}: {}: {what:?}", step.title)
    });
    // A gate of one control plane is planned for who joins or needs the lead.
    let steps = steps.filter(|step| !step.contains(": wait for etcd and the API server: "));
    (steps.collect(), problems.collect())
}

/// Where nothing is planned and nobody complains, each node that kdiy sees is
/// one of the cluster's; otherwise it is told of by name.
pub fn who_is_not_whole_is_named(world: &World, hosts: &Hosts) -> Held {
    let Some(cluster) = world.answers(world.cas().unwrap_or_default()) else {
        return Err("nothing is planned, and no API server answers".to_owned());
    };
    let warnings = &hosts.comparison.warnings;
    for entry in &world.inventory {
        let Some(machine) = world.seen(&entry.name) else {
            continue;
        };
        let told = warnings.iter().any(|warning| warning.contains(&entry.name));
        let whole = is_whole(world, cluster, entry, machine);
        must(whole || told, || {
            format!(
                "nothing is planned, and {} is not whole: {warnings:#?}",
                entry.name
            )
        })?;
    }
    Ok(())
}

/// Whether a node is what it shall be to the cluster.
fn is_whole(world: &World, cluster: usize, entry: &Entry, machine: usize) -> bool {
    let node = world.etcds[cluster].objects.nodes.get(&entry.name);
    let own = &world.machines[machine];
    let name = own.kubelet.name.as_deref() == Some(&entry.name);
    match entry.kind {
        Kind::Balancer => true,
        Kind::Worker => node.is_some() && name && own.kubelet.kubeconfig,
        Kind::Plane => {
            let member = world
                .member(machine)
                .map(|member| (member.name.as_str(), member.at));
            node.is_some()
                && name
                && own.mark.is_none()
                && world.serves(machine) == Some(cluster)
                && member == Some((&entry.name, entry.at))
        }
    }
}

/// Who keeps a plan from being carried out is a host of the inventory, with
/// what to do about it.
pub fn a_problem_names_its_host(world: &World, problems: &[Problem]) -> Held {
    for problem in problems {
        let named = world.entry(problem.host.as_str()).is_some();
        let told = !problem.what.is_empty() && !problem.fix.is_empty();
        must(named && told, || {
            format!("{problem:?} names no host or no way out")
        })?;
    }
    Ok(())
}
