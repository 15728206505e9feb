//! What befalls a healthy cluster, and the generator of it.

use fastrand::Rng;

use super::effects::{PARTS, Work};
use super::world::{Directory, Entry, Kind, Machine, PLANE_LABEL, Process, World};
use crate::plans::state::Whose;

/// One accident. Names are those of the healthy cluster; one that meets
/// nothing any more does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accident {
    RoleLabelRemoved(String),
    LabelsRemoved(String),
    AllRoleLabelsRemoved,
    NodeDeleted(String),
    /// The Node was deleted, and the kubelet has started since.
    NodeRegisteredAnew(String),
    /// Its member of etcd hangs.
    MemberHangs(String),
    /// No static pod runs, nor does its kubelet.
    PodsDown(String),
    ApiServerHangs(String),
    KubeletStopped(String),
    Unreachable(String),
    KubeconfigDeleted(String),
    Wiped(String),
    /// It was made anew, and its join cut off after so many parts.
    HalfJoined(String, u8),
    MarkLeft(String),
    Renamed(String),
    Readdressed(String),
    Swapped(String, String),
    Reordered(u64),
    Shrunk(String),
    Grown(Kind),
    /// Its kubelet lies about itself.
    Hostile(String, Lie),
    DirectoryDeleted,
    DirectoryOfAnother,
    SerialBootstrap,
}

/// What a worker's status may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lie {
    Runtime(String),
    /// It is the machine of another node.
    Machine(String),
    Address(u8),
}

impl Accident {
    /// Its kind, for counting.
    pub fn kind(&self) -> String {
        let text = format!("{self:?}");
        let ends = text.find('(').unwrap_or(text.len());
        text[..ends].to_owned()
    }

    /// Some accident of a cluster with this inventory.
    pub fn any(rng: &mut Rng, world: &World, victim: &str) -> Self {
        let some = |rng: &mut Rng, kinds: &[Kind]| {
            let all = world.inventory.iter();
            let all: Vec<_> = all.filter(|entry| kinds.contains(&entry.kind)).collect();
            // One sign that is gone is rarely the only one.
            if rng.bool() && all.iter().any(|entry| entry.name == victim) {
                return victim.to_owned();
            }
            match all.is_empty() {
                true => "nobody".to_owned(),
                false => all[rng.usize(..all.len())].name.clone(),
            }
        };
        let plane = |rng: &mut Rng| some(rng, &[Kind::Plane]);
        let node = |rng: &mut Rng| match rng.u8(..3) {
            0 => some(rng, &[Kind::Worker]),
            1 => some(rng, &[Kind::Plane]),
            _ => some(rng, &[Kind::Plane, Kind::Worker]),
        };
        match rng.u8(..27) {
            0 => Self::RoleLabelRemoved(plane(rng)),
            1 => Self::LabelsRemoved(node(rng)),
            2 => Self::AllRoleLabelsRemoved,
            3 => Self::NodeDeleted(node(rng)),
            4 => Self::NodeRegisteredAnew(node(rng)),
            5 | 6 => Self::MemberHangs(plane(rng)),
            7 => Self::PodsDown(plane(rng)),
            8 => Self::ApiServerHangs(plane(rng)),
            9 => Self::KubeletStopped(node(rng)),
            10 => Self::Unreachable(node(rng)),
            11 => Self::KubeconfigDeleted(node(rng)),
            12 | 13 => Self::Wiped(node(rng)),
            14 | 15 => Self::HalfJoined(node(rng), rng.u8(..PARTS)),
            16 | 17 => Self::MarkLeft(node(rng)),
            18 => Self::Renamed(node(rng)),
            19 => Self::Readdressed(node(rng)),
            20 => Self::Swapped(node(rng), node(rng)),
            21 => Self::Reordered(rng.u64(..)),
            22 => Self::Shrunk(node(rng)),
            23 if rng.bool() => Self::Grown(Kind::Plane),
            23 => Self::Grown(Kind::Worker),
            24 => Self::Hostile(some(rng, &[Kind::Worker]), Lie::any(rng, world)),
            25 if rng.bool() => Self::DirectoryDeleted,
            25 => Self::DirectoryOfAnother,
            _ => Self::SerialBootstrap,
        }
    }

    /// It comes to pass.
    pub fn happen(&self, world: &mut World) {
        match self {
            Self::RoleLabelRemoved(name) => {
                for etcd in &mut world.etcds {
                    if let Some(node) = etcd.objects.nodes.get_mut(name) {
                        node.labels.remove(PLANE_LABEL);
                    }
                }
            }
            Self::LabelsRemoved(name) => {
                for etcd in &mut world.etcds {
                    if let Some(node) = etcd.objects.nodes.get_mut(name) {
                        node.labels.clear();
                    }
                }
            }
            Self::AllRoleLabelsRemoved => {
                for etcd in &mut world.etcds {
                    for node in etcd.objects.nodes.values_mut() {
                        node.labels.remove(PLANE_LABEL);
                    }
                }
            }
            Self::NodeDeleted(name) => forget_node(world, name),
            Self::NodeRegisteredAnew(name) => {
                forget_node(world, name);
                on(world, name, |machine| machine.kubelet.registered = false);
                world.register();
            }
            Self::MemberHangs(name) => on(world, name, |machine| {
                if machine.pods.etcd == Process::Runs {
                    machine.pods.etcd = Process::Hangs;
                }
            }),
            Self::PodsDown(name) => on(world, name, |machine| {
                machine.pods.etcd = Process::Absent;
                machine.pods.api = Process::Absent;
                machine.kubelet.runs = false;
            }),
            Self::ApiServerHangs(name) => on(world, name, |machine| {
                if machine.pods.api == Process::Runs {
                    machine.pods.api = Process::Hangs;
                }
            }),
            Self::KubeletStopped(name) => on(world, name, |machine| machine.kubelet.runs = false),
            Self::Unreachable(name) => on(world, name, |machine| machine.reachable = false),
            Self::KubeconfigDeleted(name) => {
                on(world, name, |machine| machine.kubelet.kubeconfig = false);
            }
            Self::Wiped(name) => on(world, name, Machine::wipe),
            Self::HalfJoined(name, parts) => half_joined(world, name, *parts),
            Self::MarkLeft(name) => on(world, name, |machine| {
                machine.mark.get_or_insert_with(|| "join".to_owned());
            }),
            Self::Renamed(name) => {
                for entry in world.inventory.iter_mut().filter(|e| e.name == *name) {
                    entry.name = format!("new-{name}");
                }
            }
            Self::Readdressed(name) => readdressed(world, name),
            Self::Swapped(one, other) => swapped(world, one, other),
            Self::Reordered(seed) => Rng::with_seed(*seed).shuffle(&mut world.inventory),
            Self::Shrunk(name) => {
                let kind = world.entry(name).map(|entry| entry.kind);
                if kind != Some(Kind::Plane) || world.planes().count() > 1 {
                    world.inventory.retain(|entry| entry.name != *name);
                }
            }
            Self::Grown(kind) => grown(world, *kind),
            Self::Hostile(name, lie) => lie.told(world, name),
            Self::DirectoryDeleted => world.directory = Directory::Deleted,
            Self::DirectoryOfAnother => world.directory = Directory::Has(Whose::Other),
            Self::SerialBootstrap => world.serial = true,
        }
    }
}

impl Lie {
    fn any(rng: &mut Rng, world: &World) -> Self {
        let some = &world.inventory[rng.usize(..world.inventory.len())];
        match rng.u8(..5) {
            0 => Self::Runtime(format!("containerd://1\nnode {} False v1", some.name)),
            1 => Self::Runtime(format!(
                "containerd://1\", \"name\": \"{}\", \"labels\": {{}}",
                some.name
            )),
            2 => Self::Runtime("cri-o://9\u{1b}[2J\u{202e}".to_owned()),
            3 => Self::Machine(format!("machine-{}", some.name)),
            _ => Self::Address(some.at),
        }
    }

    fn told(&self, world: &mut World, name: &str) {
        for etcd in &mut world.etcds {
            let Some(node) = etcd.objects.nodes.get_mut(name) else {
                continue;
            };
            match self {
                Self::Runtime(text) => node.runtime = Some(text.clone()),
                Self::Machine(machine) => node.machine.clone_from(machine),
                Self::Address(at) => node.at = vec![*at],
            }
        }
    }
}

/// What happens to the machine of a node.
fn on(world: &mut World, name: &str, change: impl FnOnce(&mut Machine)) {
    let entry = world.entry(name).and_then(|entry| world.at(entry.at));
    if let Some(machine) = entry {
        change(&mut world.machines[machine]);
    }
}

fn forget_node(world: &mut World, name: &str) {
    for etcd in &mut world.etcds {
        etcd.objects.nodes.remove(name);
    }
}

/// An operator had removed the node, and joins it again: that is cut off.
fn half_joined(world: &mut World, name: &str, parts: u8) {
    let Some(entry) = world.entry(name).cloned() else {
        return;
    };
    let Some(machine) = world.at(entry.at) else {
        return;
    };
    let Some(cluster) = world.at_the_endpoint() else {
        return;
    };
    let voters = { world.etcds[cluster].members.iter() }.filter(|member| !member.learner);
    let others = { world.living_voters(cluster) }.into_iter();
    let others = others.filter(|other| *other != machine).count();
    let left = voters.filter(|member| member.name != name).count();
    if entry.kind == Kind::Plane && others <= left / 2 {
        return;
    }
    let has = world.machines[machine].has.clone();
    let ca = world.machines[machine].ca;
    world.machines[machine].wipe();
    world.machines[machine].has = has;
    world.machines[machine].ca = ca;
    forget_node(world, name);
    world.etcds[cluster]
        .members
        .retain(|member| member.name != name);
    if world.at_the_endpoint().is_none() {
        return;
    }
    let mut work = Work {
        world,
        whose: Whose::Own,
        parts: Some(parts),
        made: &mut Vec::new(),
    };
    let _cut = match entry.kind {
        Kind::Plane => work.join(machine, name),
        Kind::Worker => {
            let own = &mut work.world.machines[machine].kubelet;
            own.client = true;
            own.name = Some(name.to_owned());
            work.start_worker(machine, name)
        }
        Kind::Balancer => Ok(()),
    };
    world.register();
}

/// The host has another address, by the inventory too; what was made for the
/// old one has that.
fn readdressed(world: &mut World, name: &str) {
    let Some(from) = world.entry(name).map(|entry| entry.at) else {
        return;
    };
    let free = |at: &u8| world.at(*at).is_none();
    let to = (100..200).find(free).expect("some are free");
    for entry in world
        .inventory
        .iter_mut()
        .filter(|entry| entry.name == name)
    {
        entry.at = to;
    }
    if let Some(machine) = world.at(from) {
        world.machines[machine].at = to;
    }
}

/// Two nodes have each other's addresses in the inventory.
fn swapped(world: &mut World, one: &str, other: &str) {
    let of = |name: &str| world.inventory.iter().position(|entry| entry.name == name);
    if let (Some(one), Some(other)) = (of(one), of(other)) {
        let at = world.inventory[one].at;
        world.inventory[one].at = world.inventory[other].at;
        world.inventory[other].at = at;
    }
}

fn grown(world: &mut World, kind: Kind) {
    let (word, first) = match kind {
        Kind::Plane => ("cp", 11),
        Kind::Worker => ("w", 21),
        Kind::Balancer => ("lb", 10),
    };
    let free = |number: &u8| {
        let name = format!("{word}{number}");
        let listed = world
            .inventory
            .iter()
            .any(|e| e.name == name || e.at == first + number - 1);
        !listed && world.at(first + number - 1).is_none()
    };
    let number = (1..80).find(free).expect("some are free");
    let (name, at) = (format!("{word}{number}"), first + number - 1);
    world
        .machines
        .push(Machine::blank(&format!("machine-{name}"), at));
    world.inventory.push(Entry { name, at, kind });
}
