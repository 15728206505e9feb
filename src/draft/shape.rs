//! Shapes of clusters, and which host does what in them.

use std::collections::BTreeSet;

use super::hosts::Listed;
use super::{Draft, DraftNode};
use crate::cluster::{Name, Role};

/// What a cluster looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One control plane; with nothing beside it, it is a worker, too.
    Single,
    /// Three or more control planes with etcd on them.
    Stacked,
    /// Control planes, and etcd on hosts of its own.
    External,
}

/// Why hosts do not make a shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// No host at all.
    #[error("no hosts are named")]
    NoHosts,
    /// Too many for one.
    #[error("{0} control planes are named, and `single` has one")]
    NotSingle(usize),
    /// Control planes are too few for the shape.
    #[error("`{shape}` has at least {least} control planes, and {found} would be there")]
    FewControlPlanes {
        /// The shape.
        shape: &'static str,
        /// Least of them.
        least: usize,
        /// As many are there.
        found: usize,
    },
    /// etcd hosts are too few.
    #[error("`external` has at least 3 etcd hosts, and {0} would be there")]
    FewEtcd(usize),
    /// etcd hosts that nothing would run on.
    #[error("etcd hosts are named, but with `{0}` etcd is on the control planes")]
    UnusedEtcd(&'static str),
    /// A name for two hosts.
    #[error("two hosts have the name {0}")]
    SameName(Name),
}

/// Control planes, or etcd hosts, of a cluster in which any one may fail.
const MAJORITY: usize = 3;

impl Shape {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Stacked => "stacked",
            Self::External => "external",
        }
    }

    /// The shape that hosts suggest where none was said. `balanced` is whether
    /// something that is no host of the list spreads the endpoint.
    #[must_use]
    pub fn suggested(hosts: &[Listed], balanced: bool) -> Self {
        let with = |role| hosts.iter().filter(|host| host.role == Some(role)).count();
        let open = hosts.iter().filter(|host| host.role.is_none()).count();
        let front = usize::from(!balanced && with(Role::LoadBalancer) == 0);
        let planes = with(Role::ControlPlane);
        if with(Role::Etcd) > 0 {
            Self::External
        } else if planes > 1 || (planes == 0 && open >= MAJORITY + front) {
            Self::Stacked
        } else {
            Self::Single
        }
    }

    /// Gives every host a role. Those without one get theirs in order: a
    /// load-balancer (where several control planes have none yet and nothing
    /// else balances), the control planes, the etcd hosts, then workers.
    ///
    /// # Errors
    /// When the hosts do not make this shape.
    pub fn assign(self, hosts: &mut [Listed], balanced: bool) -> Result<(), ShapeError> {
        if hosts.is_empty() {
            return Err(ShapeError::NoHosts);
        }
        let with = |hosts: &[Listed], role| {
            let those = hosts.iter().filter(|host| host.role == Some(role));
            those.count()
        };
        let missing = |there: usize, wanted: usize| if there > 0 { 0 } else { wanted };
        let planes = with(hosts, Role::ControlPlane);
        let etcd = with(hosts, Role::Etcd);
        let balancers = with(hosts, Role::LoadBalancer);
        let wanted = match self {
            Self::Single => [(Role::ControlPlane, missing(planes, 1))].to_vec(),
            Self::Stacked | Self::External => {
                // Of hosts that were all said to be something none becomes a
                // load-balancer.
                let front = usize::from(!balanced && balancers == 0);
                let members = if self == Self::External { MAJORITY } else { 0 };
                vec![
                    (Role::LoadBalancer, front),
                    (Role::ControlPlane, missing(planes, MAJORITY)),
                    (Role::Etcd, missing(etcd, members)),
                ]
            }
        };
        let mut roles = wanted
            .into_iter()
            .flat_map(|(role, count)| std::iter::repeat_n(role, count));
        for host in hosts.iter_mut().filter(|host| host.role.is_none()) {
            host.role = Some(roles.next().unwrap_or(Role::Worker));
        }
        let planes = with(hosts, Role::ControlPlane);
        let etcd = with(hosts, Role::Etcd);
        match self {
            Self::Single if planes > 1 => Err(ShapeError::NotSingle(planes)),
            Self::Stacked if planes < MAJORITY => Err(self.few(planes, MAJORITY)),
            Self::Single | Self::External if planes == 0 => Err(self.few(planes, 1)),
            Self::Single | Self::Stacked if etcd > 0 => Err(ShapeError::UnusedEtcd(self.as_str())),
            Self::External if etcd < MAJORITY => Err(ShapeError::FewEtcd(etcd)),
            _ => Ok(()),
        }
    }

    const fn few(self, found: usize, least: usize) -> ShapeError {
        ShapeError::FewControlPlanes {
            shape: self.as_str(),
            least,
            found,
        }
    }
}

impl Draft {
    /// Takes hosts in, those that balance first, and names those that have
    /// none. Without workers the control planes take workloads.
    ///
    /// # Errors
    /// When two of them have one name.
    pub fn add_hosts(&mut self, hosts: Vec<Listed>) -> Result<(), ShapeError> {
        const ORDER: [(Role, &str); 4] = [
            (Role::LoadBalancer, "lb"),
            (Role::ControlPlane, "cp"),
            (Role::Etcd, "etcd"),
            (Role::Worker, "w"),
        ];
        let mut taken = BTreeSet::new();
        for name in hosts.iter().filter_map(|host| host.name.as_ref()) {
            if !taken.insert(name.to_string()) {
                return Err(ShapeError::SameName(name.clone()));
            }
        }
        let workers = hosts.iter().any(|host| host.role == Some(Role::Worker));
        for (role, prefix) in ORDER {
            let mut names = (1..).map(|number| format!("{prefix}-{number}"));
            for host in hosts.iter().filter(|host| host.role == Some(role)) {
                let free = || {
                    let name = names.find(|name| !taken.contains(name))?;
                    Name::try_from(name).ok()
                };
                let Some(name) = host.name.clone().or_else(free) else {
                    continue;
                };
                let roles = match role {
                    Role::ControlPlane if !workers => vec![role, Role::Worker],
                    _ => vec![role],
                };
                let mut node = DraftNode::new(name, roles);
                node.ssh = host.ssh.clone();
                self.nodes.push(node);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hosts;
    use super::*;

    fn listed(text: &str) -> Vec<Listed> {
        let text = text.replace(' ', "\n").replace('+', " ");
        hosts::list(&text).expect("hosts")
    }

    fn roles(shape: Shape, text: &str, balanced: bool) -> Result<Vec<&'static str>, ShapeError> {
        let mut hosts = listed(text);
        shape.assign(&mut hosts, balanced)?;
        let role = |host: &Listed| host.role.map_or("?", Role::as_str);
        Ok(hosts.iter().map(role).collect())
    }

    const TEN: &str = "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8";

    #[test]
    fn hosts_get_roles_in_their_order() {
        let (lb, cp, etcd, w) = ("load-balancer", "control-plane", "etcd", "worker");
        assert_eq!(
            roles(Shape::Stacked, TEN, false),
            Ok(vec![lb, cp, cp, cp, w, w, w, w])
        );
        assert_eq!(
            roles(Shape::Stacked, TEN, true),
            Ok(vec![cp, cp, cp, w, w, w, w, w])
        );
        assert_eq!(
            roles(Shape::External, TEN, false),
            Ok(vec![lb, cp, cp, cp, etcd, etcd, etcd, w])
        );
        assert_eq!(
            roles(Shape::Single, "10.0.0.1 10.0.0.2", false),
            Ok(vec![cp, w])
        );
        assert_eq!(
            roles(
                Shape::Stacked,
                "10.0.0.1 10.0.0.2+worker 10.0.0.3 10.0.0.4 10.0.0.5+load-balancer",
                false
            ),
            Ok(vec![cp, w, cp, cp, lb])
        );
    }

    #[test]
    fn too_few_hosts_are_refused() {
        assert_eq!(
            roles(Shape::Stacked, "10.0.0.1 10.0.0.2 10.0.0.3", false),
            Err(Shape::Stacked.few(2, 3))
        );
        assert_eq!(
            roles(Shape::External, "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4", true),
            Err(ShapeError::FewEtcd(1))
        );
        assert_eq!(roles(Shape::Single, "", false), Err(ShapeError::NoHosts));
        assert_eq!(
            roles(
                Shape::Stacked,
                "a=10.0.0.1+etcd 10.0.0.2 10.0.0.3 10.0.0.4",
                true
            ),
            Err(ShapeError::UnusedEtcd("stacked"))
        );
    }

    #[test]
    fn the_number_of_hosts_suggests_a_shape() {
        let suggested = |text: &str, balanced| Shape::suggested(&listed(text), balanced);
        assert_eq!(suggested("10.0.0.1", false), Shape::Single);
        assert_eq!(
            suggested("10.0.0.1 10.0.0.2 10.0.0.3", false),
            Shape::Single
        );
        assert_eq!(
            suggested("10.0.0.1 10.0.0.2 10.0.0.3", true),
            Shape::Stacked
        );
        assert_eq!(suggested(TEN, false), Shape::Stacked);
        // Two are too few, which is not to be said of `single`.
        let two = "10.0.0.1+control-plane 10.0.0.2+control-plane";
        assert_eq!(suggested(two, false), Shape::Stacked);
        assert_eq!(suggested("10.0.0.1+etcd 10.0.0.2", false), Shape::External);
        let two = "10.0.0.1+control-plane 10.0.0.2+control-plane";
        assert_eq!(suggested(two, false), Shape::Stacked);
    }

    #[test]
    fn names_skip_those_that_are_taken() {
        let mut draft = Draft::new(Name::try_from("x".to_owned()).expect("x"), "test");
        let mut hosts = listed("10.0.0.1 cp-1=10.0.0.2 10.0.0.3");
        Shape::Stacked.assign(&mut hosts, true).expect("it fits");
        draft.add_hosts(hosts).expect("names");
        let names: Vec<_> = draft.nodes.iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["cp-2", "cp-1", "cp-3"]);
        assert!(draft.nodes.iter().all(|node| node.roles.len() == 2));
        assert_eq!(
            draft.add_hosts(listed("a=10.0.0.1 a=10.0.0.2")),
            Err(ShapeError::SameName(
                Name::try_from("a".to_owned()).expect("a")
            ))
        );
    }
}
