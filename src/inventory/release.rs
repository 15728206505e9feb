//! Flags and feature gates that the wanted release does not have: a program
//! that is given one does not start, which otherwise shows by a time-out only.

mod etcd;
mod flags;
mod gates;

use super::finding::{Finding, Span, Spanned, quoted};
use super::reader::{Reader, nearest};
use super::yaml::{Key, Node, Value};
use crate::cluster::version::{NEWEST_MINOR, OLDEST_MINOR};
use crate::cluster::{Version, VersionSpec};
use crate::kubeadm::keeps_order;
pub use etcd::find as etcd_flag;
use gates::Gate;

/// A program of Kubernetes whose flags and gates can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    ApiServer,
    ControllerManager,
    Scheduler,
    Kubelet,
    KubeProxy,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
            Self::Scheduler => "kube-scheduler",
            Self::Kubelet => "kubelet",
            Self::KubeProxy => "kube-proxy",
        }
    }
}

/// Looks at `extraArgs` and `extraConfig` of a program's section. Of a release
/// newer than the newest known one it is said what that one has.
pub fn check(
    reader: &Reader<'_>,
    version: Option<&Spanned<VersionSpec>>,
    program: Program,
    section: Option<&Node>,
) {
    let (Some(version), Some(section)) = (version, section) else {
        return;
    };
    let judge = Judge {
        reader,
        version,
        program,
    };
    for (name, value) in entries_of(section, "extraArgs") {
        match flags::find(program, &name.text) {
            Some(flag) if judge.minor() >= flag.gone => judge.flag(name, flag),
            Some(_) => {}
            None => judge.known(name),
        }
        if let Value::Sequence(items) = &value.value {
            judge.order(name, items, value.span);
        }
        if name.text == "feature-gates" {
            let several = match &value.value {
                Value::Sequence(items) => items.as_slice(),
                _ => std::slice::from_ref(value),
            };
            several.iter().for_each(|gates| judge.gates(gates));
        }
    }
    let gates = entries_of(section, "extraConfig").iter();
    for (_, gates) in gates.filter(|(key, _)| key.text == "featureGates") {
        for (name, value) in entries(gates) {
            if let Value::Scalar { text, .. } = &value.value {
                judge.gate(&name.text, text, name.span);
            }
        }
    }
}

fn entries(node: &Node) -> &[(Key, std::rc::Rc<Node>)] {
    match &node.value {
        Value::Mapping(entries) => entries,
        _ => &[],
    }
}

fn entries_of<'n>(section: &'n Node, key: &str) -> &'n [(Key, std::rc::Rc<Node>)] {
    let found = entries(section).iter().find(|(name, _)| name.text == key);
    found.map_or(&[], |(_, node)| entries(node))
}

struct Judge<'j, 'r> {
    reader: &'j Reader<'r>,
    version: &'j Spanned<VersionSpec>,
    program: Program,
}

impl Judge<'_, '_> {
    fn minor(&self) -> u64 {
        self.version.value.minor().1
    }

    fn report(&self, finding: Finding) {
        self.reader
            .report(finding.related(self.version.span, "the version"));
    }

    fn flag(&self, name: &Key, flag: &flags::Flag) {
        let message = format!(
            "{} has no flag {} from Kubernetes 1.{} on, and does not start with it",
            self.program.name(),
            quoted(&name.text),
            flag.gone
        );
        self.report(Finding::error("removed-flag", name.span, message).help(flag.instead));
    }

    /// A flag that no release is known to have, or only a later one: a patch
    /// may have it, or a program hides it.
    fn known(&self, name: &Key) {
        // Of dashes it is said elsewhere.
        if flags::known(self.program).next().is_none() || name.text.starts_with('-') {
            return;
        }
        let flag = flags::normal(&name.text);
        let found = flags::known(self.program).find(|known| known.name == flag);
        let (program, quoted) = (self.program.name(), quoted(&name.text));
        let (message, help) = match found {
            Some(known) if known.since > flags::LOOKED_AT && self.minor() < known.since => (
                format!(
                    "the flag {quoted} of {program} came with Kubernetes 1.{}",
                    known.since
                ),
                format!(
                    "take it out, or take `version: \"1.{}\"` or later, unless a patch of 1.{} has it",
                    known.since,
                    self.minor()
                ),
            ),
            Some(_) => return,
            None => (
                format!(
                    "no {program} from 1.{} to 1.{NEWEST_MINOR} is known to have a flag {quoted}",
                    flags::LOOKED_AT
                ),
                match nearest(&flag, flags::known(self.program).map(|known| known.name)) {
                    Some(near) => format!("is `{near}` meant?"),
                    None => "take it out, unless this very release has it".to_owned(),
                },
            ),
        };
        let message = format!("{message}, and it does not start with one that it does not know");
        self.report(Finding::warning("unknown-flag", name.span, message).help(help));
    }

    /// What an argument `feature-gates` is given.
    fn gates(&self, node: &Node) {
        let Value::Scalar { text, .. } = &node.value else {
            return;
        };
        for pair in text.split(',') {
            let (name, to) = pair.split_once('=').unwrap_or((pair, ""));
            // The API server's are of one component or another.
            let name = name.trim().trim_start_matches("kube:");
            if !name.is_empty() && !name.contains(':') {
                self.gate(name, to.trim(), node.span);
            }
        }
    }

    /// Values in an order that kubeadm does not keep. Of a minor version the
    /// newest patch is meant.
    fn order(&self, name: &Key, items: &[std::rc::Rc<Node>], span: Span) {
        let version = match self.version.value {
            VersionSpec::Exact(version) => version,
            VersionSpec::Minor(major, minor) => Version::new(major, minor, u64::MAX),
        };
        let texts = items.iter().filter_map(|item| match &item.value {
            Value::Scalar { text, .. } => Some(text.trim()),
            _ => None,
        });
        if keeps_order(version) || texts.is_sorted() {
            return;
        }
        let message = format!(
            "kubeadm {} sorts the values of {}, so that they would not be given in this order",
            self.version.value,
            quoted(&name.text)
        );
        self.report(Finding::error("argument-order", span, message).help(
            "take a later version (the order is kept from 1.35.1, 1.34.4, 1.33.8 and 1.32.12 on), \
             or write them sorted where their order means nothing",
        ));
    }

    fn gate(&self, name: &str, value: &str, span: Span) {
        let Some(gate) = gates::find(name) else {
            self.unknown(name, span);
            return;
        };
        let (program, minor) = (self.program.name(), self.minor());
        let name = quoted(name);
        let (message, help) = match *gate {
            Gate {
                gone: Some((gone, on)),
                ..
            } if minor >= gone => (
                format!("the feature gate {name} is gone since Kubernetes 1.{gone}"),
                format!("take it out; what it is about is always {} now", word(on)),
            ),
            Gate { since, .. } if minor < since && self.is_covered() => (
                format!("the feature gate {name} came with Kubernetes 1.{since}"),
                format!("take it out, or take `version: \"1.{since}\"` or later"),
            ),
            Gate { since, .. } if minor < since => return self.early(&name, since, span),
            Gate {
                locked: Some((locked, on)),
                ..
            } if minor >= locked && boolean(value) == Some(!on) => (
                format!("the feature gate {name} can only be {on} since Kubernetes 1.{locked}"),
                format!("take it out; what it is about is always {} now", word(on)),
            ),
            _ => return,
        };
        let message = format!("{message}, and {program} does not start with it");
        self.report(Finding::error("feature-gate", span, message).help(help));
    }

    /// Whether no patch is meant that is newer than what the tables were made
    /// of.
    fn is_covered(&self) -> bool {
        let VersionSpec::Exact(version) = self.version.value else {
            return false;
        };
        let mut looked_at = gates::LOOKED_AT.iter();
        looked_at.any(|(minor, patch)| *minor == version.minor && version.patch <= *patch)
    }

    /// A gate of a later minor version may have come with a patch since.
    fn early(&self, name: &str, since: u64, span: Span) {
        let message = format!(
            "the feature gate {name} came with Kubernetes 1.{since}, and {} does not start with one \
             that it does not know",
            self.program.name()
        );
        let help = format!(
            "take it out, or take `version: \"1.{since}\"` or later, unless a patch of 1.{} has it",
            self.minor()
        );
        self.report(Finding::warning("early-feature-gate", span, message).help(help));
    }

    /// A gate may come with a patch, or with a release that is not known here.
    fn unknown(&self, name: &str, span: Span) {
        let message = format!(
            "no Kubernetes from 1.{OLDEST_MINOR} to 1.{NEWEST_MINOR} has a feature gate {}, and {} \
             does not start with one that it does not know",
            quoted(name),
            self.program.name()
        );
        let near = nearest(name, gates::GATES.iter().map(|gate| gate.name));
        let help = match near {
            Some(near) => format!("is `{near}` meant?"),
            None => "take it out, unless this very release has it".to_owned(),
        };
        self.report(Finding::warning("unknown-feature-gate", span, message).help(help));
    }
}

const fn word(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// What Go's strconv.ParseBool makes of a text.
fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
