//! What a machine is for, by its name or as the user says.

use std::str::FromStr;

use crate::cluster::{Name, Role};

/// Names without their number, and what they mean.
const MEANINGS: [(&str, Role); 18] = [
    ("cp", Role::ControlPlane),
    ("control-plane", Role::ControlPlane),
    ("controlplane", Role::ControlPlane),
    ("control", Role::ControlPlane),
    ("controller", Role::ControlPlane),
    ("master", Role::ControlPlane),
    ("kube-master", Role::ControlPlane),
    ("w", Role::Worker),
    ("worker", Role::Worker),
    ("kube-worker", Role::Worker),
    ("node", Role::Worker),
    ("kube-node", Role::Worker),
    ("agent", Role::Worker),
    ("etcd", Role::Etcd),
    ("lb", Role::LoadBalancer),
    ("loadbalancer", Role::LoadBalancer),
    ("load-balancer", Role::LoadBalancer),
    ("haproxy", Role::LoadBalancer),
];

/// `NAME=ROLE[,ROLE]`: what the user says that a machine is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The machine.
    pub name: Name,
    /// What it is for, at least one.
    pub roles: Vec<Role>,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "must be NAME=ROLE, such as db-1=etcd";
        let (name, roles) = text.split_once('=').ok_or(form)?;
        let name = Name::try_from(name.to_owned()).map_err(|why| format!("{name:?} {why}"))?;
        let roles = roles.split(',').map(|word| {
            let all = [
                Role::ControlPlane,
                Role::Worker,
                Role::Etcd,
                Role::LoadBalancer,
            ];
            let role = all.into_iter().find(|role| role.as_str() == word);
            role.ok_or_else(|| {
                format!("{word:?} is no role; roles are control-plane, worker, etcd, load-balancer")
            })
        });
        Ok(Self {
            name,
            roles: roles.collect::<Result<_, _>>()?,
        })
    }
}

/// What a machine of this name is for: `cp-1`, `master2` and the like.
#[must_use]
pub fn of_name(name: &Name) -> Option<Role> {
    let stem = name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = stem.strip_suffix('-').unwrap_or(stem);
    let known = MEANINGS.iter().find(|(known, _)| *known == stem);
    known.map(|(_, role)| *role)
}

/// Why it cannot be told what machines are for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing says it of these.
    #[error("nothing says what {} for", are(.0))]
    Unknown(Vec<Name>),
    /// The user spoke of a machine that is not there.
    #[error("there is no machine {name}, only {}", list(.known))]
    UnknownMachine {
        /// What the user said.
        name: Name,
        /// What there is.
        known: Vec<Name>,
    },
}

/// `a is`, or `a, b and c are`.
fn are(names: &[Name]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", list(names))
}

/// `a, b and c`.
fn list(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => names.concat(),
    }
}

/// What each machine is for, in the same order: as the user says, else by name.
///
/// # Errors
/// When nothing says it, or the user speaks of other machines.
pub fn assign(names: &[Name], said: &[Assignment]) -> Result<Vec<Vec<Role>>, Error> {
    if let Some(unknown) = said.iter().find(|one| !names.contains(&one.name)) {
        return Err(Error::UnknownMachine {
            name: unknown.name.clone(),
            known: names.to_vec(),
        });
    }
    let of = |name: &Name| -> Vec<Role> {
        let own = said.iter().filter(|one| one.name == *name);
        let own: Vec<Role> = own.flat_map(|one| one.roles.clone()).collect();
        match own.is_empty() {
            true => of_name(name).into_iter().collect(),
            false => own,
        }
    };
    let roles: Vec<Vec<Role>> = names.iter().map(of).collect();
    let open = names.iter().zip(&roles).filter(|(_, own)| own.is_empty());
    let open: Vec<Name> = open.map(|(name, _)| name.clone()).collect();
    match open.is_empty() {
        true => Ok(roles),
        false => Err(Error::Unknown(open)),
    }
}
