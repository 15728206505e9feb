//! `kdiy inventory import vagrant`.

mod program;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ipnet::IpNet;

use crate::cli::write_inventory::{self, Destination};
use crate::cli::{CliError, ConnectionArgs, Exit, Global, connector, node_name, source, survey};
use crate::cluster::{Login, Name};
use crate::draft::vagrant::machines::{self, Here, Machine};
use crate::draft::vagrant::{self, Assignment, QueriedMachine, Seen, Wish, network, roles, seen};
use crate::draft::{Draft, DraftLogin};
use crate::execute::query_hosts::query_hosts;
use crate::execute::survey::{HostError, HostErrors};
use crate::transport::known_hosts::{KnownHosts, entry_name};
use crate::transport::local;
use crate::transport::ssh::UnknownHostKey;
use crate::ui::Ui;

/// Import machines of a Vagrantfile
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "kdiy runs `vagrant ssh-config`, then asks each machine for its addresses. It
takes those in the private network that all machines share, not those that
Vagrant itself uses: in VirtualBox every machine is 10.0.2.15 there. Host keys
are pinned as they are seen now; nothing else vouches for them.

Names say what machines are for: cp-1, control-plane-1, master1; w-1, worker-1,
node1; etcd-1; lb-1. For others there is --role.

Examples:
  kdiy inventory import vagrant
  kdiy inventory import vagrant --vip 192.168.56.10     for several balancers
  kdiy inventory import vagrant --role db-1=etcd --role box=control-plane,worker
  vagrant ssh-config | kdiy inventory import vagrant -"
)]
pub struct Vagrant {
    /// Output of `vagrant ssh-config`, instead of running it; - is standard
    /// input
    #[arg(value_name = "FILE", conflicts_with = "dir")]
    pub file: Option<PathBuf>,
    /// The folder of the Vagrantfile
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".",
        hide_default_value = true
    )]
    pub dir: PathBuf,
    /// Name of the cluster
    #[arg(long, value_name = "NAME", default_value = "vagrant", value_parser = node_name)]
    pub name: Name,
    /// What a machine is for, where its name does not say it
    #[arg(long = "role", value_name = "NAME=ROLE,...")]
    pub roles: Vec<Assignment>,
    /// The interface that has the machines' addresses
    #[arg(long, value_name = "NAME", conflicts_with = "network")]
    pub interface: Option<String>,
    /// The network that the machines' addresses are in
    #[arg(long, value_name = "CIDR")]
    pub network: Option<IpNet>,
    /// The virtual IP of several load balancers, or of kube-vip
    #[arg(long, value_name = "ADDR")]
    pub vip: Option<IpAddr>,
    /// Seconds that connecting to a machine may take
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = crate::cli::connection_args::seconds)]
    pub connect_timeout: Duration,
    /// Where the inventory goes.
    #[command(flatten)]
    pub destination: Destination,
}

impl Vagrant {
    /// Asks Vagrant and its machines, and writes an inventory.
    ///
    /// # Errors
    /// When there are no machines, they cannot be asked, or what they say
    /// makes no valid inventory.
    pub async fn run(&self, global: &Global, ui: &Ui, _: Instant) -> Result<Exit, CliError> {
        self.destination.check(global)?;
        let (text, source) = self.text(ui).await?;
        let (home, user) = connector::user()?;
        let here = Here {
            source: &source,
            home: &home,
            user: &user,
        };
        let machines = machines::parse(&text, here).map_err(|error| {
            let failed = CliError::new(Exit::Inventory, error);
            failed.hint("give what `vagrant ssh-config` prints for machines that run, as it is")
        })?;
        let queried = self.query_hosts(machines, ui).await?;
        let mut draft =
            vagrant::draft(self.name.clone(), &queried, &self.wish()).map_err(no_network)?;
        draft.vip = self.vip;
        for names in vagrant::same_identity(&queried) {
            let names: Vec<&str> = names.into_iter().map(Name::as_str).collect();
            ui.warn(&format!(
                "{} have the same machine-id: on all but one of them run `sudo rm \
                 /etc/machine-id && sudo systemd-machine-id-setup`",
                names.join(", ")
            ));
        }
        let folder = source::folder(self.destination.file(global).unwrap_or(Path::new(".")));
        shorten(&mut draft, folder);
        let pinned = draft.nodes.iter().any(|node| node.ssh.host_key.is_some());
        let ended = write_inventory::finish(draft, &self.destination, global, ui)?;
        if pinned {
            ui.note(
                "Host keys are pinned as the machines showed them just now; nothing vouched for \
                 them.",
            );
        }
        Ok(ended)
    }

    /// What `vagrant ssh-config` says, and what that is called in messages.
    async fn text(&self, ui: &Ui) -> Result<(String, PathBuf), CliError> {
        match &self.file {
            None => {
                let text = program::ssh_config(&self.dir, ui).await?;
                Ok((text, "vagrant ssh-config".into()))
            }
            Some(path) if path == Path::new("-") => {
                let text = local::text_of(std::io::stdin()).map_err(|error| {
                    let error = anyhow::Error::new(error).context("cannot read standard input");
                    CliError::new(Exit::Inventory, error)
                })?;
                Ok((text, "standard input".into()))
            }
            Some(path) => Ok((write_inventory::read(path)?, path.clone())),
        }
    }

    fn wish(&self) -> Wish {
        match (&self.interface, self.network) {
            (Some(interface), _) => Wish::Interface(interface.clone()),
            (None, Some(network)) => Wish::Network(network.trunc()),
            (None, None) => Wish::Guess,
        }
    }

    /// Asks all machines.
    async fn query_hosts(
        &self,
        machines: Vec<Machine>,
        ui: &Ui,
    ) -> Result<Vec<QueriedMachine>, CliError> {
        let names: Vec<Name> = machines.iter().map(|one| one.name.clone()).collect();
        let roles = roles::assign(&names, &self.roles).map_err(unassigned)?;

        // Keys are learnt into a file of their own: what ssh knows of this
        // port of the loopback address is of an earlier machine.
        let folder = tempfile::tempdir()?;
        let known_hosts = folder.path().join("known_hosts");
        let connection_args = ConnectionArgs {
            width: None,
            connect_timeout: self.connect_timeout,
            accept_new_host_keys: true,
        };
        let mut settings = connector::settings(&connection_args, ui)?;
        settings.unknown_host_key = UnknownHostKey::Accept;
        settings.global_known_hosts.clear();
        let logins: Vec<(Name, Login)> = machines
            .iter()
            .map(|one| {
                let mut login = one.login.clone();
                login.known_hosts = Some(known_hosts.clone());
                (one.name.clone(), login)
            })
            .collect();
        let connector = connector::with(settings, ui);
        let answers = query_hosts(
            &connector,
            &logins,
            &seen::script(),
            connection_args.width(),
        )
        .await;

        let known = std::fs::read_to_string(&known_hosts).unwrap_or_default();
        let known = KnownHosts::parse(&known);
        let mut queried = Vec::new();
        let mut host_errors = HostErrors::new();
        for ((machine, roles), answer) in machines.into_iter().zip(roles).zip(answers) {
            let seen = answer.and_then(|answer| Ok(Seen::parse(&answer)?));
            let login = &machine.login;
            let entry = entry_name(&login.host, login.port.unwrap_or(22));
            let host_key = known.of(&entry).next().map(|entry| entry.fingerprint());
            match seen {
                Ok(seen) => queried.push(QueriedMachine {
                    machine,
                    roles,
                    seen,
                    host_key,
                }),
                Err(host_error) => _ = host_errors.insert(machine.name, host_error),
            }
        }
        if host_errors.is_empty() {
            Ok(queried)
        } else {
            Err(unreachable(&host_errors))
        }
    }
}

fn unassigned(error: roles::Error) -> CliError {
    match &error {
        roles::Error::Unknown(names) => {
            let hint = format!(
                "say it, as in --role {}=worker; roles are control-plane, worker, etcd and \
                 load-balancer",
                names[0]
            );
            CliError::new(Exit::Inventory, error).hint(hint)
        }
        roles::Error::UnknownMachine { .. } => CliError::new(Exit::Usage, error)
            .hint("name machines in --role as the Vagrantfile does; only those that run are there"),
    }
}

fn no_network(error: network::Error) -> CliError {
    let hint = match &error {
        network::Error::None(_) => {
            "give each machine an address of its own in the Vagrantfile, as in \
             `node.vm.network \"private_network\", ip: \"192.168.56.21\"`, then `vagrant reload`"
        }
        network::Error::Several { .. } => "say which, with --network CIDR or --interface NAME",
        network::Error::Unmet { .. } | network::Error::Shared { .. } => {
            "choose another network with --network CIDR or --interface NAME, or leave it to kdiy"
        }
    };
    CliError::new(Exit::Inventory, error).hint(hint)
}

fn unreachable(host_errors: &HostErrors) -> CliError {
    let refused = |host_error: &HostError| matches!(host_error, HostError::Transport(_));
    let hint = if host_errors.values().any(refused) {
        "see what `vagrant status` and `vagrant ssh NAME` say, then import again"
    } else {
        "kdiy needs machines with a POSIX shell and iproute2's `ip`"
    };
    CliError {
        hint: Some(hint.to_owned()),
        ..survey::unreachable(host_errors)
    }
}

/// Keys below the inventory's folder are named from there, so that the folder
/// can be moved.
fn shorten(draft: &mut Draft, folder: &Path) {
    let Ok(folder) = folder.canonicalize() else {
        return;
    };
    let logins = draft.nodes.iter_mut().map(|node| &mut node.ssh);
    let files = logins.flat_map(|login: &mut DraftLogin| &mut login.identities);
    for file in files {
        if let Ok(rest) = file.strip_prefix(&folder) {
            *file = rest.to_owned();
        }
    }
}
