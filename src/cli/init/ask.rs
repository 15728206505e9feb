//! The questions of `kdiy init`. Nothing is written before the last answer.

use std::net::IpAddr;

use super::{About, Init, choices};
use crate::cli::{CliError, Exit, node_name};
use crate::cluster::Role;
use crate::draft::hosts::{self, Listed};
use crate::draft::shape::Shape;
use crate::inventory::NEWEST_MINOR;
use crate::ui::{PromptError, Ui};

/// What was answered.
pub struct Answers {
    /// What the cluster looks like.
    pub shape: Shape,
    /// Its hosts, each with its role.
    pub hosts: Vec<Listed>,
    /// The rest.
    pub about: About,
}

/// Asks for what the command line does not say.
pub fn ask(init: &Init, ui: &Ui) -> Result<Answers, CliError> {
    asked(init, ui).map_err(|unasked| {
        let failed = CliError::new(Exit::Declined, unasked);
        failed.hint("nothing was written; kdiy init --help shows how to say it all at once")
    })
}

fn asked(init: &Init, ui: &Ui) -> Result<Answers, PromptError> {
    let mut about = init.about.clone();
    ui.tell(
        "A few questions; Enter takes what is in brackets, Ctrl-C ends without a file.\n\
         Hosts are [NAME=][user@]ADDRESS[:PORT], several with blanks between them.\n\n",
    );
    let shape = match init.shape {
        Some(shape) => shape,
        None => {
            ui.tell(
                "Shapes: single, one control plane; stacked, three or five with etcd on them;\n\
                 external, etcd on hosts of its own.\n",
            );
            question(ui, "Shape", "stacked", choices::shape)?
        }
    };
    if about.name.is_none() {
        let name = |text: &str| node_name(text).map_err(|error| format!("a name {error}"));
        about.name = Some(question(ui, "Name of the cluster", "demo", name)?);
    }
    if about.kubernetes.is_none() {
        let newest = format!("1.{NEWEST_MINOR}");
        about.kubernetes = Some(question(
            ui,
            "Version of Kubernetes",
            &newest,
            choices::version,
        )?);
    }
    let mut hosts = Vec::new();
    let balanced = about.balanced();
    if shape != Shape::Single && !balanced {
        let label = "Load-balancer hosts (none: kube-vip on the control planes)";
        let balancers = several(
            ui,
            label,
            Role::LoadBalancer,
            (&hosts, about.vip),
            Many::Any,
        )?;
        if balancers.len() != 1 {
            let vip = "Virtual IP: a free address of the hosts' network";
            about.vip = Some(question(ui, vip, "", choices::vip)?);
        }
        hosts.extend(balancers);
    }
    let (label, many) = match shape {
        Shape::Single => ("Control plane", Many::One),
        Shape::Stacked => ("Control planes, three or five", Many::Odd),
        Shape::External => ("Control planes, two or more", Many::Some),
    };
    let planes = several(ui, label, Role::ControlPlane, (&hosts, about.vip), many)?;
    hosts.extend(planes);
    if shape == Shape::External {
        let label = "etcd hosts, three or five";
        let etcd = several(ui, label, Role::Etcd, (&hosts, about.vip), Many::Odd)?;
        hosts.extend(etcd);
    }
    let label = "Workers (none: workloads run on the control planes)";
    let workers = several(ui, label, Role::Worker, (&hosts, about.vip), Many::Any)?;
    hosts.extend(workers);
    if about.user.is_none() {
        let user = |text: &str| match text {
            "as in ~/.ssh/config" => Ok(None),
            text => choices::user(text).map(Some),
        };
        about.user = question(ui, "User that logs in", "as in ~/.ssh/config", user)?;
    }
    let by_name = |host: &Listed| {
        let host = host.ssh.host.as_deref().unwrap_or_default();
        host.parse::<IpAddr>().is_err()
    };
    if about.interface.is_none() && hosts.iter().any(by_name) {
        let label = "Interface that has the addresses of hosts given by name";
        about.interface = Some(question(ui, label, "eth0", choices::interface)?);
    }
    Ok(Answers {
        shape,
        hosts,
        about,
    })
}

fn question<T>(
    ui: &Ui,
    label: &str,
    default: &str,
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<T, PromptError> {
    let instead = "name the hosts with options, or pipe a list of them in";
    ui.question(label, default, instead, check)
}

/// How many hosts a question wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Many {
    /// As many as there are, or none.
    Any,
    /// At least one.
    Some,
    /// Exactly one.
    One,
    /// Members of etcd: three, or a larger odd number.
    Odd,
}

impl Many {
    fn check(self, found: usize) -> Result<(), String> {
        match (self, found) {
            (Self::Some | Self::One, 0) => Err("at least one host is needed".to_owned()),
            (Self::One, 2..) => Err(format!("one host is wanted, not {found}")),
            (Self::Odd, ..3) => Err("at least 3 are needed: with fewer none may fail".to_owned()),
            (Self::Odd, even) if even % 2 == 0 => Err(format!(
                "{even} members of etcd tolerate no more failures than {}; take one more or less",
                even - 1
            )),
            _ => Ok(()),
        }
    }
}

/// What was said before: hosts, and perhaps the virtual IP.
type Above<'a> = (&'a [Listed], Option<IpAddr>);

/// Asks for hosts that nothing was said of yet.
fn several(
    ui: &Ui,
    label: &str,
    role: Role,
    above: Above<'_>,
    many: Many,
) -> Result<Vec<Listed>, PromptError> {
    question(ui, label, "", |text| read(text, role, above, many))
}

/// Reads hosts with blanks or commas between them.
pub fn read(
    text: &str,
    role: Role,
    (above, vip): Above<'_>,
    many: Many,
) -> Result<Vec<Listed>, String> {
    let mut hosts: Vec<Listed> = Vec::new();
    let words = text.split([' ', ',', '\t']);
    for word in words.filter(|word| !word.is_empty()) {
        let host = Listed {
            role: Some(role),
            ..hosts::host(word).map_err(|error| error.to_string())?
        };
        let same = |other: &&Listed| {
            (&other.ssh.host, other.ssh.port) == (&host.ssh.host, host.ssh.port)
                || (host.name.is_some() && other.name == host.name)
        };
        if above.iter().chain(&hosts).any(|other| same(&other)) {
            return Err(format!("{word} is named already"));
        }
        let address = host.ssh.host.as_deref().map(str::parse::<IpAddr>);
        if let (Some(vip), Some(Ok(address))) = (vip, address)
            && vip == address
        {
            return Err(format!(
                "{vip} is the virtual IP, which moves; name the host by an address of its own"
            ));
        }
        hosts.push(host);
    }
    many.check(hosts.len()).map(|()| hosts)
}
