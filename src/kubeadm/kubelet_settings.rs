//! What kdiy decides about the kubelet of one node: known here once, for
//! kubeadm's documents and for the comparison with what a host notes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kubelet::{Resolver, configuration, resolv_conf};
use super::node::kubelet_arguments;
use crate::cluster::{Arguments, Node, ResolvedCluster};

/// What kubeadm is given for one kubelet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubeletSettings {
    /// Arguments, without dashes; kubeadm adds its own.
    pub arguments: Arguments,
    /// Fields of KubeletConfiguration, with what is this host's own.
    pub configuration: Map<String, Value>,
    /// Patches of the inventory for it, by the names of their files.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub patches: BTreeMap<String, String>,
}

/// The settings of the kubelet on a node whose host has this resolver.
#[must_use]
pub fn kubelet_settings(
    resolved: &ResolvedCluster,
    node: &Node,
    resolver: Resolver,
) -> KubeletSettings {
    let mut configuration = match configuration(resolved) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let file = resolv_conf(resolved, resolver);
    configuration.insert("resolvConf".to_owned(), file);
    let patches = resolved.cluster.kubeadm.patches.iter();
    KubeletSettings {
        arguments: kubelet_arguments(resolved, node),
        configuration,
        patches: patches
            .filter(|(name, _)| name.starts_with("kubeletconfiguration"))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect(),
    }
}

impl KubeletSettings {
    /// Where the kubelet says on its own host whether it is well; `None` where
    /// the inventory has it say so nowhere.
    #[must_use]
    pub fn health(&self) -> Option<String> {
        let port = self.configuration.get("healthzPort");
        let port = port.and_then(Value::as_u64).unwrap_or(10248);
        let address = self.configuration.get("healthzBindAddress");
        let host = match address.and_then(Value::as_str) {
            None | Some("0.0.0.0") => "127.0.0.1".to_owned(),
            Some("::") => "[::1]".to_owned(),
            Some(address) if address.contains(':') => format!("[{address}]"),
            Some(address) => address.to_owned(),
        };
        (port != 0).then(|| format!("http://{host}:{port}/healthz"))
    }

    /// As a host notes it: one line of JSON.
    ///
    /// # Panics
    /// Never: plain maps are JSON.
    #[must_use]
    pub fn note(&self) -> String {
        serde_json::to_string(self).expect("plain maps are JSON")
    }

    /// What is different in these, line by line: `maxPods 110 -> 200`.
    #[must_use]
    pub fn differences(&self, wanted: &Self) -> Vec<String> {
        let (ours, theirs) = (flat(&self.configuration), flat(&wanted.configuration));
        let mut all = changes(&ours, &theirs, "kubelet's default");
        let dashed = |arguments: &Arguments| -> BTreeMap<String, String> {
            let dashed = arguments.iter();
            dashed
                .map(|(n, v)| (format!("--{n}"), v.to_string()))
                .collect()
        };
        let (ours, theirs) = (dashed(&self.arguments), dashed(&wanted.arguments));
        all.extend(changes(&ours, &theirs, "kubeadm's"));
        if self.patches != wanted.patches {
            all.push("other patches".to_owned());
        }
        all
    }
}

/// Fields by their paths: `evictionHard.memory.available`.
fn flat(fields: &Map<String, Value>) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (name, value) in fields {
        match value {
            Value::Object(below) if !below.is_empty() => {
                let below = flat(below).into_iter();
                all.extend(below.map(|(path, text)| (format!("{name}.{path}"), text)));
            }
            Value::String(text) => drop(all.insert(name.clone(), text.clone())),
            other => drop(all.insert(name.clone(), other.to_string())),
        }
    }
    all
}

fn changes(
    was: &BTreeMap<String, String>,
    is: &BTreeMap<String, String>,
    unset: &str,
) -> Vec<String> {
    let set = is.iter().filter_map(|(name, is)| match was.get(name) {
        Some(was) if was == is => None,
        Some(was) => Some(format!("{name} {was} -> {is}")),
        None => Some(format!("{name} none -> {is}")),
    });
    let gone = was.iter().filter(|(name, _)| !is.contains_key(*name));
    let gone = gone.map(|(name, was)| format!("{name} {was} -> {unset}"));
    set.chain(gone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::few;

    fn settings(change: impl FnOnce(&mut ResolvedCluster)) -> KubeletSettings {
        let mut resolved = few(Version::new(1, 37, 2));
        change(&mut resolved);
        let node = resolved.cluster.nodes[0].clone();
        kubelet_settings(&resolved, &node, Resolver::ResolvConf)
    }

    #[test]
    fn differences_name_fields_and_arguments() {
        let before = settings(|resolved| {
            let kubelet = &mut resolved.cluster.kubelet;
            kubelet.extra_args.insert("v".to_owned(), "2".into());
            let hard = serde_json::json!({"memory.available": "100Mi"});
            kubelet.extra_config.insert("evictionHard".to_owned(), hard);
        });
        let after = settings(|resolved| {
            let kubelet = &mut resolved.cluster.kubelet;
            let hard = serde_json::json!({"memory.available": "200Mi"});
            kubelet.extra_config.insert("evictionHard".to_owned(), hard);
            kubelet
                .extra_config
                .insert("maxPods".to_owned(), 200.into());
        });
        assert_eq!(
            before.differences(&after),
            [
                "evictionHard.memory.available 100Mi -> 200Mi",
                "maxPods none -> 200",
                "--v 2 -> kubeadm's",
            ]
        );
        assert_eq!(after.differences(&after), [""; 0]);
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let settings = settings(|resolved| {
            let patch = ("kubeletconfiguration0.yaml".to_owned(), "x: 1\n".to_owned());
            resolved.cluster.kubeadm.patches.extend([patch]);
        });
        let note = settings.note();
        assert!(!note.contains('\n'), "{note}");
        assert_eq!(
            serde_json::from_str::<KubeletSettings>(&note).unwrap(),
            settings
        );
    }

    #[test]
    fn health_is_where_the_configuration_says() {
        let at = |fields: Value| {
            settings(|resolved| {
                let Value::Object(fields) = fields else {
                    return;
                };
                resolved.cluster.kubelet.extra_config.extend(fields);
            })
            .health()
        };
        let url = |url: &str| Some(url.to_owned());
        assert_eq!(at(Value::Null), url("http://127.0.0.1:10248/healthz"));
        let other = serde_json::json!({"healthzPort": 1, "healthzBindAddress": "::1"});
        assert_eq!(at(other), url("http://[::1]:1/healthz"));
        assert_eq!(at(serde_json::json!({"healthzPort": 0})), None);
    }
}
