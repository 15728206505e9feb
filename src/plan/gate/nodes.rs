//! Nodes that are waited for, and why they are not ready: the API's own words,
//! read as JSON, since what a kubelet reports of itself may hold anything.

use serde::Deserialize;

use super::pods::kubectl;
use crate::shell::Script;
use crate::transport::sanitise::sanitise_short;

/// The script that asks for nodes by their names.
#[must_use]
pub fn script(server: &str, names: &[String]) -> Script {
    let selector = selector(names);
    let words = ["get", "nodes", "-o", "json", "--selector", &selector];
    kubectl(server).call("kdiy_kubectl", words)
}

/// Selects nodes by their names: unlike a list of names it does not fail for
/// one that is not there.
fn selector(names: &[String]) -> String {
    format!("kubernetes.io/hostname in ({})", names.join(","))
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    metadata: Metadata,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize, Default)]
struct Status {
    #[serde(default)]
    conditions: Vec<Condition>,
}

/// One of a Node object's conditions, as the API writes it.
#[derive(Deserialize)]
pub(crate) struct Condition {
    /// Such as `Ready` or `DiskPressure`.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word.
    #[serde(default)]
    pub reason: String,
    /// A sentence.
    #[serde(default)]
    pub message: String,
}

/// A node that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// Its name, one of those that were asked for.
    pub name: String,
    /// Why, as a fragment; harmless to show.
    pub why: String,
    /// Whether its kubelet is silent: it never came, or comes no more.
    pub silent: bool,
}

/// Those of the named nodes that are not ready, in their order; `None` where
/// the answer is no list of nodes.
#[must_use]
pub fn unready(answer: &[u8], names: &[String]) -> Option<Vec<Unready>> {
    let list: List = serde_json::from_slice(answer).ok()?;
    let of = |name: &String| {
        let Some(item) = list.items.iter().find(|item| item.metadata.name == *name) else {
            return Some(Unready {
                name: name.clone(),
                why: "there is no such node: its kubelet has not registered it".to_owned(),
                silent: true,
            });
        };
        let conditions = &item.status.conditions;
        let ready = conditions.iter().find(|of| of.kind == "Ready");
        if ready.is_some_and(|ready| ready.status == "True") {
            return None;
        }
        // Ready is false for the lack of something; the others say of what.
        let pressed = conditions
            .iter()
            .filter(|of| of.kind != "Ready" && of.status == "True" && bad(&of.kind));
        let told = ready.into_iter().chain(pressed);
        let told: Vec<_> = told
            .map(|of| format!("{}: {}", of.reason, of.message))
            .collect();
        Some(Unready {
            name: name.clone(),
            why: match told.is_empty() {
                true => "its kubelet has said nothing yet".to_owned(),
                false => sanitise_short(&told.join("; ")),
            },
            silent: ready.is_none_or(|ready| ready.status == "Unknown"),
        })
    };
    Some(names.iter().filter_map(of).collect())
}

fn bad(kind: &str) -> bool {
    kind.ends_with("Pressure") || kind == "NetworkUnavailable"
}

/// One line for all nodes that are not ready for the same reason.
#[must_use]
pub fn tell(unready: &[Unready]) -> Vec<String> {
    let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
    for node in unready {
        match alike.iter_mut().find(|(why, _)| *why == node.why) {
            Some((_, names)) => names.push(&node.name),
            None => alike.push((&node.why, vec![&node.name])),
        }
    }
    alike
        .into_iter()
        .map(|(why, names)| format!("{}: {why}", names.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NETWORK: &str = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized";

    fn node(name: &str, ready: &str, reason: &str, message: &str) -> serde_json::Value {
        json!({"metadata": {"name": name}, "status": {"conditions": [
            {"type": "DiskPressure", "status": "False", "reason": "KubeletHasNoDiskPressure", "message": "m"},
            {"type": "Ready", "status": ready, "reason": reason, "message": message},
        ]}})
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn nodes_say_why_they_are_not_ready_and_alike_ones_say_it_once() {
        let answer = json!({"items": [
            node("cp-1", "False", "KubeletNotReady", NETWORK),
            node("cp-2", "False", "KubeletNotReady", NETWORK),
            node("w-1", "True", "KubeletReady", ""),
            node("w-2", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status."),
        ]});
        let names = names(&["cp-1", "cp-2", "w-1", "w-2", "w-3"]);
        let unready = unready(answer.to_string().as_bytes(), &names).unwrap();
        let silent: Vec<_> = unready.iter().map(|node| node.silent).collect();
        assert_eq!(silent, [false, false, true, true]);
        assert_eq!(
            tell(&unready),
            [
                format!("cp-1, cp-2: KubeletNotReady: {NETWORK}"),
                "w-2: NodeStatusUnknown: Kubelet stopped posting node status.".to_owned(),
                "w-3: there is no such node: its kubelet has not registered it".to_owned(),
            ]
        );
    }

    #[test]
    fn a_node_cannot_speak_for_another() {
        let forged = "x\",\n\"metadata\": {\"name\": \"cp-2\"}";
        let answer = json!({"items": [
            node("cp-1", "False", "A\nnode cp-2 True", forged),
            node("cp-2", "False", "KubeletNotReady", NETWORK),
        ]});
        let unready = unready(answer.to_string().as_bytes(), &names(&["cp-1", "cp-2"])).unwrap();
        assert_eq!(unready.len(), 2);
        let told = tell(&unready);
        assert!(told.iter().all(|line| !line.contains('\n')), "{told:?}");
        assert!(told[1].starts_with("cp-2: KubeletNotReady"), "{told:?}");
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer in ".{0,80}", reason in "(?s).{0,900}") {
            let _ = unready(answer.as_bytes(), &names(&["a"]));
            let answer = json!({"items": [node("a", "False", &reason, &reason)]}).to_string();
            for line in tell(&unready(answer.as_bytes(), &names(&["a"])).unwrap()) {
                prop_assert!(line.len() < 6000 && !line.chars().any(char::is_control));
            }
        }
    }
}
