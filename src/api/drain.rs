//! Emptying a node: all pods that can go are evicted side by side, and waited
//! for until they are gone.

mod run;

use std::fmt;
use std::time::Duration;

pub use run::drain;

use super::error::ErrorKind;
use super::pods::{self, Budget, Eviction, Kind, Pod, would_evict};
use super::{Client, Error};

/// How a node is drained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether pods go that lose the content of an `emptyDir` with it.
    pub empty_dir: bool,
    /// Whether pods go that no controller would make anew.
    pub bare: bool,
    /// How long pods may take to end; none leaves it to them.
    pub grace: Option<Duration>,
    /// How many evictions go on at a time.
    pub at_once: usize,
    /// How long a disruption budget may hold a pod.
    pub held: Duration,
    /// How often a pod that is held is asked for again.
    pub every: Duration,
    /// How long a pod may take to be gone after its eviction was accepted.
    pub gone: Duration,
}

impl Default for Options {
    /// Nothing is lost, 16 at once, held for five minutes, gone within two
    /// beyond the usual grace period of 30 s.
    fn default() -> Self {
        Self {
            empty_dir: false,
            bare: false,
            grace: None,
            at_once: 16,
            held: Duration::from_secs(300),
            every: Duration::from_secs(5),
            gone: Duration::from_secs(150),
        }
    }
}

/// What a drain would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Pods that go.
    pub evicted: Vec<Pod>,
    /// Pods that stay, because of what they are.
    pub staying: Vec<Pod>,
    /// Pods that would have to go, but would lose something.
    pub at_risk: Vec<(Pod, Loss)>,
    /// Pods that a disruption budget would hold now.
    pub held: Vec<(Pod, Vec<Budget>)>,
}

/// What would be lost with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The content of a volume.
    EmptyDir,
    /// The pod itself.
    Bare,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EmptyDir => "has an emptyDir volume, whose content would be lost",
            Self::Bare => "has no controller that would make it anew",
        })
    }
}

/// What happens during a drain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The eviction of a pod was accepted.
    Evicted(Pod),
    /// A disruption budget holds a pod; told when it begins or changes.
    Held {
        /// The pod.
        pod: Pod,
        /// What holds it.
        budgets: Vec<Budget>,
        /// Since when.
        since: Duration,
    },
    /// A pod is not there any more.
    Gone(Pod),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evicted(pod) => write!(f, "evicted pod {pod}"),
            Self::Held {
                pod,
                budgets,
                since,
            } => {
                let names: Vec<_> = budgets.iter().map(ToString::to_string).collect();
                let (names, since) = (names.join(", "), since.as_secs());
                write!(f, "waiting for pod {pod}, held for {since} s by {names}")
            }
            Self::Gone(pod) => write!(f, "pod {pod} is gone"),
        }
    }
}

/// Looks at what a drain would do, and asks of each pod whether a disruption
/// budget would hold it. Changes nothing.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn inspect(client: &Client, node: &str, options: &Options) -> Result<Inspection, Error> {
    let pods = pods::of_node(client, node).await?;
    let mut inspection = sort(pods, options);
    for pod in &inspection.evicted {
        if let Eviction::Held { budgets, .. } = would_evict(client, pod).await? {
            inspection.held.push((pod.clone(), budgets));
        }
    }
    Ok(inspection)
}

/// Who goes, who stays, and who would lose something.
fn sort(pods: Vec<Pod>, options: &Options) -> Inspection {
    let mut inspection = Inspection::default();
    for pod in pods {
        match loss(&pod, options) {
            _ if pod.kind.stays() => inspection.staying.push(pod),
            Some(loss) => inspection.at_risk.push((pod, loss)),
            None => inspection.evicted.push(pod),
        }
    }
    inspection
}

/// A pod that is ending anyway loses nothing by an eviction.
fn loss(pod: &Pod, options: &Options) -> Option<Loss> {
    if pod.terminating || pod.kind == Kind::Ended {
        None
    } else if pod.kind == Kind::Bare && !options.bare {
        Some(Loss::Bare)
    } else if pod.empty_dir && !options.empty_dir {
        Some(Loss::EmptyDir)
    } else {
        None
    }
}

/// The error of pods that would lose something.
fn would_lose(node: &str, at_risk: &[(Pod, Loss)]) -> Error {
    let lines = at_risk.iter().map(|(pod, loss)| format!("{pod} {loss}"));
    Error {
        action: format!("drain node {node}"),
        kind: ErrorKind::WouldLose(lines.collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(name: &str, kind: Kind, empty_dir: bool) -> Pod {
        Pod {
            namespace: "default".to_owned(),
            name: name.to_owned(),
            uid: name.to_owned(),
            kind,
            empty_dir,
            terminating: false,
            labels: [].into(),
        }
    }

    #[test]
    fn what_would_be_lost_is_asked_for_by_name() {
        let ending = Pod {
            terminating: true,
            ..pod("ending", Kind::Bare, true)
        };
        let pods = vec![
            pod("web", Kind::Controlled, false),
            pod("cache", Kind::Controlled, true),
            pod("alone", Kind::Bare, false),
            pod("job", Kind::Ended, true),
            pod("proxy", Kind::DaemonSet, true),
            pod("etcd", Kind::Mirror, true),
            ending,
        ];
        let names = |pods: &[Pod]| pods.iter().map(|pod| pod.name.clone()).collect::<Vec<_>>();
        let sorted = sort(pods.clone(), &Options::default());
        assert_eq!(names(&sorted.evicted), ["web", "job", "ending"]);
        assert_eq!(names(&sorted.staying), ["proxy", "etcd"]);
        insta::assert_snapshot!(would_lose("w-1", &sorted.at_risk), @"drain node w-1: default/cache has an emptyDir volume, whose content would be lost; default/alone has no controller that would make it anew");
        let all = Options {
            empty_dir: true,
            bare: true,
            ..Options::default()
        };
        assert_eq!(sort(pods, &all).at_risk, []);
    }
}
