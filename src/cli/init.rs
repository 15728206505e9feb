//! `kdiy init`.

mod ask;
mod choices;

use std::io::{self, IsTerminal as _};
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::write_inventory::{self, Destination};
use super::{CliError, Exit, Global};
use crate::cluster::{Endpoint, Name, Role, VersionSpec};
use crate::draft::hosts::{self, Listed};
use crate::draft::shape::{Shape, ShapeError};
use crate::draft::{Balancing, Draft, DraftCni};
use crate::transport::local;
use crate::ui::Ui;

/// Write an inventory to begin with
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "HOST is [NAME=][user@]ADDRESS[:PORT]; hosts without a name become cp-1, w-1 and
so on. Without hosts on the command line they are asked for on a terminal, or
read from standard input: one a line, perhaps with its role behind it. Those
without a role get theirs in order:
  single    a control plane, then workers
  stacked   a load-balancer, three control planes, then workers
  external  a load-balancer, three control planes, three etcd, then workers
No load-balancer is taken where --vip, --endpoint or --balancer says what
balances. Without workers the control planes take workloads.

No host is contacted. What is written is valid; nothing is overwritten.

Examples:
  kdiy init                                        asks
  kdiy init --control-plane 192.0.2.11             one machine
  kdiy init --control-plane 192.0.2.11,192.0.2.12,192.0.2.13 \\
      --worker 192.0.2.21 --vip 192.0.2.10 --user ops
  kdiy init --shape stacked < hosts.txt"
)]
pub struct Init {
    /// single, stacked or external (etcd apart); default: by the hosts
    #[arg(long, value_name = "SHAPE", value_parser = choices::shape)]
    pub shape: Option<Shape>,
    /// Hosts that become control planes
    #[arg(long, value_name = "HOST,...", value_delimiter = ',', value_parser = hosts::host)]
    pub control_plane: Vec<Listed>,
    /// Hosts that run workloads
    #[arg(long, value_name = "HOST,...", value_delimiter = ',', value_parser = hosts::host)]
    pub worker: Vec<Listed>,
    /// Hosts of an external etcd
    #[arg(long, value_name = "HOST,...", value_delimiter = ',', value_parser = hosts::host)]
    pub etcd: Vec<Listed>,
    /// Hosts that balance the endpoint
    #[arg(long, value_name = "HOST,...", value_delimiter = ',', value_parser = hosts::host)]
    pub load_balancer: Vec<Listed>,
    /// What is not a host.
    #[command(flatten)]
    pub about: About,
    /// Where it goes.
    #[command(flatten)]
    pub destination: Destination,
}

/// What is said of the cluster as a whole; imports take it, too.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct About {
    /// Name of the cluster
    #[arg(long, value_name = "NAME", value_parser = super::node_name)]
    pub name: Option<Name>,
    /// Version of Kubernetes, such as 1.37 or 1.37.2
    #[arg(long, value_name = "VERSION", value_parser = choices::version)]
    pub kubernetes: Option<VersionSpec>,
    /// Where clients reach the API servers
    #[arg(long, value_name = "HOST[:PORT]", value_parser = choices::endpoint)]
    pub endpoint: Option<Endpoint>,
    /// Virtual IP: of the load-balancers, or else of kube-vip
    #[arg(long, value_name = "ADDRESS", value_parser = choices::vip)]
    pub vip: Option<IpAddr>,
    /// haproxy, nginx, kube-vip, local (on every node) or external
    #[arg(long, value_name = "KIND", value_parser = choices::balancing)]
    pub balancer: Option<Balancing>,
    /// bridge, none, or a manifest (file or https:// URL)
    #[arg(long, value_name = "CNI", value_parser = choices::cni)]
    pub cni: Option<DraftCni>,
    /// User that logs in
    #[arg(long, value_name = "USER", value_parser = choices::user)]
    pub user: Option<String>,
    /// Private key that logs in
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Interface with the nodes' addresses, where ssh hosts are names
    #[arg(long, value_name = "NAME", value_parser = choices::interface)]
    pub interface: Option<String>,
}

impl About {
    /// Puts what was said into a draft; it wins over what was known before.
    pub fn apply_to(&self, draft: &mut Draft) {
        if let Some(name) = &self.name {
            draft.name = name.clone();
        }
        draft.version = self.kubernetes.or(draft.version);
        draft.vip = self.vip.or(draft.vip);
        draft.balancing = self.balancer.or(draft.balancing);
        if let Some(endpoint) = &self.endpoint {
            draft.endpoint = Some(endpoint.clone());
        }
        if let Some(cni) = &self.cni {
            draft.network.cni = Some(cni.clone());
        }
        if let Some(user) = &self.user {
            draft.ssh.user = Some(user.clone());
        }
        if let Some(identity) = &self.identity {
            draft.ssh.identities = vec![identity.clone()];
        }
        for node in &mut draft.nodes {
            if self.user.is_some() {
                node.ssh.user = None;
            }
            if self.identity.is_some() {
                node.ssh.identities.clear();
            }
            let host = node.ssh.host.as_ref();
            let by_name = host.is_some_and(|host| host.parse::<IpAddr>().is_err());
            if by_name && node.address.is_none() {
                node.interface.clone_from(&self.interface);
            }
        }
    }

    /// Whether something spreads the endpoint that is no host of the list.
    const fn balanced(&self) -> bool {
        let by_hosts = matches!(self.balancer, Some(Balancing::Haproxy | Balancing::Nginx));
        !by_hosts && (self.endpoint.is_some() || self.vip.is_some() || self.balancer.is_some())
    }
}

impl Init {
    /// Writes an inventory.
    ///
    /// # Errors
    /// When there are no hosts, they do not make the shape, or the file is
    /// there already.
    pub fn run(&self, global: &Global, ui: &Ui) -> Result<Exit, CliError> {
        self.destination.check(global)?;
        let named = self.named();
        let (shape, hosts, about) = if !named.is_empty() {
            (self.shape, named, self.about.clone())
        } else if io::stdin().is_terminal() {
            let answers = ask::ask(self, ui)?;
            (Some(answers.shape), answers.hosts, answers.about)
        } else {
            (self.shape, listed(ui)?, self.about.clone())
        };
        let draft = draft(shape, hosts, &about)?;
        write_inventory::finish(draft, &self.destination, global, ui)
    }

    /// Hosts of the command line, each with its role.
    fn named(&self) -> Vec<Listed> {
        let groups = [
            (Role::LoadBalancer, &self.load_balancer),
            (Role::ControlPlane, &self.control_plane),
            (Role::Etcd, &self.etcd),
            (Role::Worker, &self.worker),
        ];
        let hosts = groups.into_iter().flat_map(|(role, hosts)| {
            hosts.iter().map(move |host| Listed {
                role: Some(role),
                ..host.clone()
            })
        });
        hosts.collect()
    }
}

/// Hosts of standard input.
fn listed(ui: &Ui) -> Result<Vec<Listed>, CliError> {
    let text = local::text_of(io::stdin())
        .map_err(|error| anyhow::Error::new(error).context("cannot read standard input"))?;
    hosts::list(&text).map_err(|findings| {
        write_inventory::draw(&findings, "standard input", &text, ui);
        CliError::shown(Exit::Inventory)
    })
}

/// The draft of these hosts.
fn draft(shape: Option<Shape>, mut hosts: Vec<Listed>, about: &About) -> Result<Draft, CliError> {
    let balanced = about.balanced();
    let shape = shape.unwrap_or_else(|| Shape::suggested(&hosts, balanced));
    shape
        .assign(&mut hosts, balanced)
        .map_err(|error| failed(error, shape, balanced))?;
    let name = Name::try_from("demo".to_owned())?;
    let mut draft = Draft::new(name, "`kdiy init`");
    draft.external_etcd = shape == Shape::External;
    draft
        .add_hosts(hosts)
        .map_err(|error| failed(error, shape, balanced))?;
    about.apply_to(&mut draft);
    Ok(draft)
}

fn failed(error: ShapeError, shape: Shape, balanced: bool) -> CliError {
    let hint = match &error {
        ShapeError::NoHosts => {
            "name them: kdiy init --control-plane 192.0.2.11, or pipe a list of \
             addresses in: kdiy init < hosts.txt"
                .to_owned()
        }
        ShapeError::NotSingle(_) => "leave --shape out, or write --shape stacked".to_owned(),
        ShapeError::FewControlPlanes { .. } if shape == Shape::Stacked && !balanced => {
            "with fewer than three none may fail. Name more hosts (a load-balancer takes the \
             first without a role; --vip ADDRESS does without), or take --shape single, which \
             has one control plane"
                .to_owned()
        }
        ShapeError::FewControlPlanes { .. } => {
            "name more with --control-plane, or take --shape single, which has one".to_owned()
        }
        ShapeError::FewEtcd(_) => "name three with --etcd, or take --shape stacked".to_owned(),
        ShapeError::UnusedEtcd(_) => "leave --shape out, or write --shape external".to_owned(),
        ShapeError::SameName(_) => "give them names of their own: NAME=ADDRESS".to_owned(),
    };
    CliError::new(Exit::Inventory, error).hint(hint)
}

#[cfg(test)]
mod tests;
