//! What the steps of a plan do to the model. A step that nobody modelled
//! panics: a fake fails on what nobody scripted.

mod bootstrap;
mod join;

use std::rc::Rc;

use kdiy::cluster::Name;
use kdiy::kubeadm::kubelet_client;
use kdiy::plan::operation::{NodeIdentity, NodeMarks};
use kdiy::plan::{Action, Actor, Operation, PlannedStep};
use kdiy::resource::{Command, Done, Resource, Verb};

use super::world::{Kind, Process, World};
use crate::plans::state::Whose;

/// Titles of steps on the hosts of haproxy.
const TAKE_OUT: &str = "take the control plane out of rotation";
const PUT_IN: &str = "put the control plane into rotation";

pub use join::PARTS;

/// Why a step did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// It failed: why.
    Failed(String),
    /// kdiy and its script were killed in the middle.
    Cut,
}

pub type Ended = Result<(), Stop>;

fn failed(why: impl Into<String>) -> Ended {
    Err(Stop::Failed(why.into()))
}

/// One step at work.
pub struct Work<'a> {
    pub world: &'a mut World,
    /// Whose CAs kdiy works with.
    pub whose: Whose,
    /// How many of its own parts the step gets to do before it is killed.
    pub parts: Option<u8>,
    /// Clusters that were made, each beside those that lived then.
    pub made: &'a mut Vec<Made>,
}

/// A cluster that was made, and what was left of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub on: String,
    /// Machines with a member of another cluster's.
    pub beside: Vec<String>,
}

impl Work<'_> {
    /// Carries one step out.
    pub fn carry_out(&mut self, step: &PlannedStep) -> Ended {
        let ended = match (&step.actor, &step.action) {
            (Actor::Cluster, Action::Do(operation)) => self.operate(operation),
            (Actor::Host(host), Action::Converge(changes)) => {
                let resources = changes.iter().map(|change| &change.resource);
                self.converge(host, &step.title, resources)
            }
            (actor, action) => panic!("{actor} does {action:?}"),
        };
        self.world.register();
        ended
    }

    /// The end of a part of a step.
    fn part(&mut self) -> Ended {
        match &mut self.parts {
            Some(0) => Err(Stop::Cut),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn converge<'r>(
        &mut self,
        host: &Name,
        title: &str,
        resources: impl Iterator<Item = &'r Resource>,
    ) -> Ended {
        let Some(machine) = self.world.seen(host.as_str()) else {
            return failed(format!("{host} cannot be reached"));
        };
        for resource in resources {
            match resource {
                Resource::Command(command) if matches!(command.done, Done::Known(_)) => {
                    self.command(machine, host.as_str(), title, command)?;
                }
                other => self.have(machine, other),
            }
        }
        Ok(())
    }

    /// A resource is as it shall be.
    fn have(&mut self, machine: usize, resource: &Resource) {
        let whose = self.whose;
        let machine = &mut self.world.machines[machine];
        let has = Rc::make_mut(&mut machine.has);
        has.insert(resource.key(), resource.clone());
        match resource {
            Resource::File(file) if file.path == "/etc/kubernetes/pki/ca.key" => {
                machine.ca = Some((whose, true));
            }
            Resource::Certificate(certificate) if certificate.path == kubelet_client::CURRENT => {
                machine.kubelet.client = true;
            }
            _ => {}
        }
    }

    fn command(&mut self, machine: usize, host: &str, title: &str, command: &Command) -> Ended {
        let name = command.name.as_str();
        if command.verb == Verb::Wait {
            return self.wait(machine, title);
        }
        match (title, name) {
            // Who balances is in no model.
            ("pull images" | TAKE_OUT | PUT_IN, _) => Ok(()),
            ("prepare the kubelet", "the kubelet's settings") => self.prepare_worker(machine, host),
            ("join the cluster", "the kubelet") => self.start_worker(machine, host),
            ("join the cluster", "kubeadm join") => self.join(machine, host),
            ("initialise the control plane", "kubeadm init") => self.init(machine, host),
            ("undo the join that broke off", _) => self.undo(machine),
            ("put the kubelet back", "the kubelet") => self.put_back(machine, host, command),
            ("prepare the control plane", _) => self.prepare_plane(machine, host, command),
            ("start the control plane", "the control plane") => self.start_plane(machine, host),
            ("set up the cluster", _) => self.set_up(machine),
            ("complete the control plane", _) => self.complete(machine, host),
            ("restart the control plane with new settings", "static pods") => {
                self.roll_out(machine)
            }
            ("upload kubeadm's configuration", _) => match self.world.serves(machine) {
                Some(_) => Ok(()),
                None => failed("the API does not answer"),
            },
            _ => match title.strip_prefix("forget ") {
                Some(who) => self.forget(machine, who),
                None => panic!("nobody modelled {title:?}, {name:?}"),
            },
        }
    }

    fn wait(&mut self, machine: usize, title: &str) -> Ended {
        let (is, what) = match title {
            "wait for the endpoint" => {
                let cluster = self.world.at_the_endpoint();
                let cluster = cluster.map(|cluster| self.world.etcds[cluster].cas);
                (cluster == Some(self.whose), "the API at the endpoint")
            }
            "wait for etcd and the API server" => (
                self.world.serves(machine).is_some(),
                "etcd and the API server",
            ),
            "check the load balancer" => {
                let has = &self.world.machines[machine].has;
                (has.contains_key("service haproxy.service"), "haproxy")
            }
            "look for another cluster at the endpoint" => {
                let cluster = self.world.at_the_endpoint();
                let cluster = cluster.map(|cluster| self.world.etcds[cluster].cas);
                (
                    cluster.is_none_or(|cas| cas == self.whose),
                    "no other cluster",
                )
            }
            _ => panic!("nobody modelled {title:?}"),
        };
        match is {
            true => Ok(()),
            false => failed(format!("timed out waiting for {what}")),
        }
    }

    /// An operation on the cluster, through any API server that answers.
    fn operate(&mut self, operation: &Operation) -> Ended {
        let Some(cluster) = self.world.answers(self.whose) else {
            return failed("no API server answers");
        };
        let not_ready = match operation {
            Operation::NodesReady(names) => names
                .iter()
                .find(|name| !self.world.is_ready(cluster, name)),
            _ => None,
        };
        if let Some(name) = not_ready {
            return failed(format!("{name} is not ready"));
        }
        let objects = &mut self.world.etcds[cluster].objects;
        match operation {
            Operation::NodesReady(_) | Operation::BootstrapToken => {}
            Operation::LabelNodes(marks) => {
                for marks in marks {
                    self.label(cluster, marks)?;
                }
            }
            Operation::Apply(manifest) => match manifest.name.as_str() {
                "network manifest" => objects.manifest = true,
                "API servers' access to kubelets" => objects.access = true,
                other => panic!("nobody modelled {other:?}"),
            },
            Operation::DeleteNode(NodeIdentity { node, uid }) => match objects.nodes.get(node) {
                Some(known) if format!("uid-{}", known.uid) != *uid => {
                    return failed(format!("{node} is another one by now"));
                }
                _ => _ = objects.nodes.remove(node),
            },
            Operation::Remember(_) => objects.settings = true,
            // Pods are in no model.
            other @ (Operation::Drain(_)
            | Operation::Uncordon(_)
            | Operation::RestartDaemonSet { .. }) => panic!("nobody modelled {other:?}"),
        }
        Ok(())
    }

    fn label(&mut self, cluster: usize, marks: &NodeMarks) -> Ended {
        let nodes = &mut self.world.etcds[cluster].objects.nodes;
        let Some(node) = nodes.get_mut(&marks.node) else {
            return failed(format!("{} does not register", marks.node));
        };
        let uid = format!("uid-{}", node.uid);
        if marks.uid.as_ref().is_some_and(|seen| *seen != uid) {
            return failed(format!("{} is another one by now", marks.node));
        }
        let labels = marks.labels.iter();
        node.labels
            .extend(labels.map(|(key, value)| format!("{key}={value}")));
        node.taints
            .extend(marks.taints.iter().map(ToString::to_string));
        Ok(())
    }

    /// As `kdiy_forget` does, and then kubectl.
    fn forget(&mut self, lead: usize, who: &str) -> Ended {
        let Some(cluster) = self.world.serves(lead) else {
            return failed("etcd does not answer");
        };
        let members = &self.world.etcds[cluster].members;
        let named = { members.iter() }.filter(|member| member.name == who);
        let named: Vec<_> = named.map(|member| member.id).collect();
        for id in named {
            let living = self.world.living_voters(cluster);
            let own = |machine: &usize| {
                self.world.machines[*machine].data.map(|data| data.member) == Some(id)
            };
            if living.iter().any(own) {
                return failed(format!("the member {who} has a vote and answers"));
            }
            let members = &mut self.world.etcds[cluster].members;
            members.retain(|member| member.id != id);
        }
        self.part()?;
        self.world.etcds[cluster].objects.nodes.remove(who);
        Ok(())
    }

    fn undo(&mut self, machine: usize) -> Ended {
        let machine = &mut self.world.machines[machine];
        machine.kubelet.runs = false;
        machine.pods.etcd = Process::Absent;
        machine.pods.api = Process::Absent;
        machine.pods.manifests = false;
        machine.data = None;
        Ok(())
    }

    /// The kubelet is restarted, with its kubeconfig written anew where that
    /// was gone.
    fn put_back(&mut self, machine: usize, host: &str, command: &Command) -> Ended {
        let own = &mut self.world.machines[machine];
        if !command.inputs.is_empty() {
            if !own.kubelet.client {
                return failed("nothing is left by which this kubelet could log in");
            }
            own.kubelet.kubeconfig = true;
        }
        self.part_of_registration(machine, host)
    }

    fn part_of_registration(&mut self, machine: usize, host: &str) -> Ended {
        let own = &mut self.world.machines[machine];
        own.kubelet.runs = true;
        own.kubelet.registered = false;
        self.part()?;
        self.world.register();
        let own = &mut self.world.machines[machine];
        if !own.kubelet.registered || own.kubelet.name.as_deref() != Some(host) {
            return failed(format!("the kubelet does not register {host}"));
        }
        own.mark = None;
        Ok(())
    }

    fn prepare_worker(&mut self, machine: usize, host: &str) -> Ended {
        let whose = self.whose;
        let own = &mut self.world.machines[machine];
        if own.ca.is_some_and(|(other, _)| other != whose) {
            return failed("ca.crt is of another cluster");
        }
        own.ca.get_or_insert((whose, false));
        own.kubelet.name = Some(host.to_owned());
        own.kubelet.runs = false;
        Ok(())
    }

    pub fn start_worker(&mut self, machine: usize, host: &str) -> Ended {
        let own = &mut self.world.machines[machine];
        own.mark = Some("join".to_owned());
        self.part()?;
        let own = &mut self.world.machines[machine];
        own.kubelet.kubeconfig = true;
        self.part()?;
        self.part_of_registration(machine, host)
    }

    /// Static pods are written anew; what hangs for reasons of its own does so
    /// on.
    fn roll_out(&mut self, machine: usize) -> Ended {
        let pods = &mut self.world.machines[machine].pods;
        if pods.api == Process::Absent && pods.etcd == Process::Runs {
            pods.api = Process::Runs;
        }
        match self.world.serves(machine) {
            Some(_) => {
                self.world.machines[machine].pods.noted = true;
                Ok(())
            }
            None => failed("the API server does not come up"),
        }
    }

    /// What kind of node a machine is to be.
    fn is_plane(&self, host: &str) -> bool {
        let entry = self.world.entry(host).expect("it is in the inventory");
        entry.kind == Kind::Plane
    }
}
