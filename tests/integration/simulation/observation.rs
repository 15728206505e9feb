//! The model as a state of `tests/plans`: what kdiy would be answered.

use std::collections::BTreeMap;
use std::rc::Rc;

use kdiy::plan::facts::UNFINISHED;
use kdiy::resource::{Done, Resource};
use serde_json::{Map, Value, json};

use super::world::{
    Data, Entry, Kind, Machine, PLANE_LABEL, Process, WORKER_LABEL, World, address,
};
use crate::plans::folder;
use crate::plans::hosts::{Has, Hosts};
use crate::plans::state::{State, Whose};

/// Under which everything else is laid.
const INVENTORY: &str = "inventories/stacked.yaml";

/// What kdiy sees and plans with CAs.
pub fn observe(world: &World, whose: Whose) -> Hosts {
    let value = Value::Object(state(world, whose, "a state of the simulation"));
    let state = State::from_value(value.clone(), &folder());
    let state = state.unwrap_or_else(|error| panic!("{error}: {value:#}"));
    Hosts::with(&state, Some(&has(world)))
}

/// The same as a file of `tests/plans`, for people. What hosts have is said by
/// what they lack.
pub fn written(world: &World, whose: Whose, what: &str) -> String {
    let mut state = state(world, whose, what);
    let read = State::from_value(Value::Object(state.clone()), &folder());
    let asked = Hosts::with(&read.unwrap(), Some(&has(world))).asked;
    let hosts = state["hosts"].as_object_mut().unwrap();
    for (name, host) in hosts.iter_mut().filter(|(_, host)| host["is"] == "joined") {
        let has = &world.machines[world.seen(name).unwrap()].has;
        let name = name.clone().try_into().unwrap();
        let asked = asked.resources(&name);
        let asks = |resource: &&&Resource| match resource {
            Resource::Command(command) => matches!(command.done, Done::Ask(_)),
            Resource::Swap(_) => false,
            _ => true,
        };
        let missing = asked.iter().filter(asks).map(|resource| resource.key());
        let missing = missing.filter(|key| !has.contains_key(key));
        let missing: Map<_, _> = missing.map(|key| (key, json!("absent"))).collect();
        if !missing.is_empty() {
            host["resources"] = missing.into();
        }
    }
    serde_yaml::to_string(&Value::Object(state)).unwrap()
}

/// What each host that kdiy reaches has.
fn has(world: &World) -> BTreeMap<String, Rc<Has>> {
    let names = world.inventory.iter().map(|entry| &entry.name);
    let seen = names.filter_map(|name| Some((name.clone(), world.seen(name)?)));
    let has = seen.map(|(name, machine)| (name, Rc::clone(&world.machines[machine].has)));
    has.collect()
}

fn state(world: &World, whose: Whose, what: &str) -> Map<String, Value> {
    let nodes: Vec<_> = { world.inventory.iter() }
        .map(|entry| {
            let role = match entry.kind {
                Kind::Plane => "control-plane",
                Kind::Worker => "worker",
                Kind::Balancer => "load-balancer",
            };
            json!({"name": entry.name, "ssh": address(entry.at), "role": role})
        })
        .collect();
    let bootstrap = if world.serial { "serial" } else { "parallel" };
    let hosts: Map<_, _> = { world.inventory.iter() }
        .map(|entry| (entry.name.clone(), host(world, whose, entry)))
        .collect();
    let mut state = json!({
        "what": what,
        "inventory": INVENTORY,
        "settings": {
            "bootstrap": bootstrap,
            "controlPlane": {"etcd": {"allowEvenMembers": true}},
            "nodes": nodes,
        },
        "hosts": hosts,
    });
    let unseen = world.unseen();
    if !unseen.is_empty() {
        let names = world.inventory.iter().map(|entry| entry.name.as_str());
        state["limit"] = names.filter(|name| !unseen.contains(name)).collect();
    }
    if whose == Whose::Other {
        state["cas"] = "other".into();
    }
    if let Some(cluster) = world.answers(whose) {
        state["nodes"] = listed_nodes(world, cluster).into();
        let objects = &world.etcds[cluster].objects;
        let lacks = [
            ("manifest", objects.manifest),
            ("settings", objects.settings),
        ];
        let lacks = lacks.iter().filter(|(_, has)| !has);
        let lacks: Vec<_> = lacks.map(|(lack, _)| *lack).collect();
        if !lacks.is_empty() {
            state["lacks"] = lacks.into();
        }
    }
    match state {
        Value::Object(state) => state,
        _ => unreachable!("it is written as one"),
    }
}

/// Nodes of the API where they are not as the inventory has them; `null` for
/// those that it does not know.
fn listed_nodes(world: &World, cluster: usize) -> Map<String, Value> {
    let nodes = &world.etcds[cluster].objects.nodes;
    let mut all = Map::new();
    for entry in world.inventory.iter().filter(|e| e.kind != Kind::Balancer) {
        if !nodes.contains_key(&entry.name) {
            all.insert(entry.name.clone(), Value::Null);
        }
    }
    for (name, node) in nodes {
        let entry = world.entry(name);
        let mut listed = Map::new();
        listed.insert("uid".to_owned(), format!("uid-{}", node.uid).into());
        if !world.is_ready(cluster, name) {
            listed.insert("ready".to_owned(), false.into());
        }
        let label = match entry.map(|entry| entry.kind) {
            Some(Kind::Plane) => Some(PLANE_LABEL),
            Some(Kind::Worker) => Some(WORKER_LABEL),
            _ => None,
        };
        let labels: Vec<_> = node.labels.iter().map(String::as_str).collect();
        if labels != label.into_iter().collect::<Vec<_>>() {
            listed.insert("labels".to_owned(), json!(labels));
        }
        if !node.taints.is_empty() {
            listed.insert("taints".to_owned(), json!(node.taints));
        }
        if node.machine != format!("machine-{name}") {
            listed.insert("machine".to_owned(), json!(node.machine));
        }
        if entry.is_none_or(|entry| node.at != [entry.at]) {
            let all: Vec<_> = node.at.iter().map(|at| address(*at)).collect();
            listed.insert("addresses".to_owned(), json!(all));
        }
        if let Some(runtime) = &node.runtime {
            listed.insert("runtime".to_owned(), json!(runtime));
        }
        all.insert(name.clone(), listed.into());
    }
    all
}

/// One host as it answers.
fn host(world: &World, whose: Whose, entry: &Entry) -> Value {
    let Some(at) = world.seen(&entry.name) else {
        return json!({"is": "unseen"});
    };
    let machine = &world.machines[at];
    let mut facts = facts(machine, entry);
    if machine.is_blank() {
        facts.retain(|key, _| key.starts_with("machine") || key.starts_with("product"));
        return match facts.is_empty() {
            true => json!({"is": "blank"}),
            false => json!({"is": "blank", "facts": facts}),
        };
    }
    let mut host = json!({"is": "joined"});
    let endpoint = world.at_the_endpoint();
    if endpoint.is_some_and(|cluster| world.etcds[cluster].cas != whose)
        && entry.kind != Kind::Balancer
    {
        host["endpoint"] = json!(["other_cluster SSL certificate problem"]);
    }
    if entry.kind == Kind::Plane {
        plane(world, whose, at, &mut host);
    }
    if !facts.is_empty() {
        host["facts"] = facts.into();
    }
    host
}

/// Facts where they are not those of a host that has joined.
fn facts(machine: &Machine, entry: &Entry) -> Map<String, Value> {
    let mut facts = Map::new();
    if machine.id != format!("machine-{}", entry.name) {
        facts.insert("machine-id".to_owned(), json!(machine.id));
        facts.insert("product-uuid".to_owned(), json!(machine.id));
    }
    if let Some(mark) = &machine.mark {
        assert!(UNFINISHED.ends_with("/unfinished"));
        facts.insert("unfinished".to_owned(), json!(mark));
    }
    if entry.kind == Kind::Balancer {
        return facts;
    }
    let mut lacks = |key: &str, has: bool| {
        if !has {
            facts.insert(key.to_owned(), Value::Null);
        }
    };
    lacks("kubelet", machine.kubelet.kubeconfig);
    lacks("kubelet-client", machine.kubelet.client);
    lacks("ca", machine.ca.is_some());
    if entry.kind == Kind::Plane {
        lacks("api-server", machine.pods.manifests);
    }
    if machine.ca.is_some_and(|(whose, _)| whose == Whose::Other) {
        facts.insert("ca".to_owned(), json!("{other-ca}"));
    }
    facts
}

/// What only a control plane answers.
fn plane(world: &World, whose: Whose, at: usize, host: &mut Value) {
    let machine = &world.machines[at];
    let pods = machine.pods;
    let served = world.serves(at);
    let answers = served.filter(|cluster| world.etcds[*cluster].cas == whose);
    if answers.is_none() {
        host["silent"] = "connection refused".into();
    }
    let mut etcd = Map::new();
    let runs = pods.etcd == Process::Runs && world.member(at).is_some();
    etcd.insert("data".to_owned(), machine.data.is_some().into());
    etcd.insert("runs".to_owned(), runs.into());
    if let (Some(Data { cluster, .. }), true) = (machine.data, runs) {
        let led = world.has_quorum(cluster);
        etcd.insert("cluster".to_owned(), (cluster + 1).to_string().into());
        etcd.insert("led".to_owned(), led.into());
        let learner = world.member(at).is_some_and(|member| member.learner);
        etcd.insert("learner".to_owned(), learner.into());
        let members = world.etcds[cluster].members.iter().map(|member| {
            let name = if member.name.is_empty() {
                "-"
            } else {
                &member.name
            };
            let learner = if member.learner { " learner" } else { "" };
            format!("{name}{learner} at {}", address(member.at))
        });
        // Without a leader nobody is told the members.
        let members: Vec<_> = members.filter(|_| led).collect();
        etcd.insert("members".to_owned(), members.into());
    }
    host["etcd"] = etcd.into();
    let mut plane = Map::new();
    if pods.api == Process::Absent {
        let all = ["apiserver", "controller-manager", "scheduler"];
        let all = all.map(|component| (format!("kube-{component}"), Value::Null));
        plane.insert("running".to_owned(), Map::from_iter(all).into());
    }
    if !pods.manifests {
        plane.insert("reached".to_owned(), "".into());
    }
    if !pods.noted {
        plane.insert("noted".to_owned(), false.into());
    }
    let access = answers.is_some_and(|cluster| world.etcds[cluster].objects.access);
    if !access {
        plane.insert("kubeletAccess".to_owned(), false.into());
    }
    if !plane.is_empty() {
        host["plane"] = plane.into();
    }
}
