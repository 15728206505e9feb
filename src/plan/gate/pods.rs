//! Pods that are not well on nodes that are waited for: which, why, and what
//! their containers said last. All of it is read as JSON.

use serde::Deserialize;

use crate::resource::{Answers, SECTION_FUNCTION};
use crate::shell::{Script, sh};
use crate::transport::sanitise::sanitise_short;

/// Groups of pods that are told of, and whose words are asked for.
const GROUPS: usize = 5;
/// Last lines of a container that are shown.
const SHOWN: usize = 4;

/// Defines `kdiy_kubectl` for an API server by its URL.
pub(super) fn kubectl(server: &str) -> Script {
    Script::of(sh!("gate/kubectl.sh")).set("kdiy_server", server)
}

/// The script that asks for the pods of a node.
#[must_use]
pub fn script(server: &str, node: &str) -> Script {
    let of_node = format!("spec.nodeName={node}");
    let get = ["get", "pods", "--all-namespaces", "-o", "json"];
    let words = get.into_iter().chain(["--field-selector", &of_node]);
    kubectl(server).call("kdiy_kubectl", words)
}

#[derive(Deserialize)]
struct List {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    namespace: String,
    #[serde(rename = "ownerReferences", default)]
    owners: Vec<Owner>,
}

#[derive(Deserialize)]
struct Owner {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    node_name: String,
    host_network: bool,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    phase: String,
    reason: String,
    message: String,
    init_container_statuses: Vec<Container>,
    container_statuses: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    ready: bool,
    restart_count: u64,
    state: State,
    last_state: State,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<serde::de::IgnoredAny>,
    terminated: Option<Terminated>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Waiting {
    reason: String,
    message: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    exit_code: i64,
    reason: String,
    message: String,
}

/// How much a pod's state says about why a node is not ready; less is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Relevance {
    /// It fails, and is on the node's own network, as what makes a network is.
    FailsForNode,
    /// It fails.
    Fails,
    /// It runs, and is not ready.
    Unready,
    /// It has not begun: often for want of a network.
    Begins,
}

/// Pods of one owner that are not well for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwell {
    relevance: Relevance,
    namespace: String,
    /// What made them, or the pod itself.
    owner: String,
    /// One of them, whose words are asked for.
    pod: String,
    nodes: Vec<String>,
    /// Such as `Init:CrashLoopBackOff`.
    reason: String,
    message: String,
    restarts: u64,
    /// The container that it is about, where that has been started.
    container: Option<String>,
    /// What that wrote down as its last words.
    testament: String,
}

/// Pods that are not well, the most relevant first. Each answer to [`script`]
/// that is no list of pods is passed over.
#[must_use]
pub fn unwell(answers: &[Vec<u8>]) -> Vec<Unwell> {
    let mut all: Vec<Unwell> = Vec::new();
    let lists = answers
        .iter()
        .filter_map(|answer| serde_json::from_slice::<List>(answer).ok());
    for found in lists.flat_map(|list| list.items).filter_map(Pod::unwell) {
        let same = all.iter_mut().find(|other| {
            (
                &other.namespace,
                &other.owner,
                &other.reason,
                &other.container,
            ) == (
                &found.namespace,
                &found.owner,
                &found.reason,
                &found.container,
            )
        });
        match same {
            Some(other) => {
                other.restarts = other.restarts.max(found.restarts);
                other.nodes.extend(found.nodes);
            }
            None => all.push(found),
        }
    }
    all.sort_by(|a, b| {
        let order = |of: &Unwell| (of.relevance, u64::MAX - of.restarts, of.owner.clone());
        order(a).cmp(&order(b))
    });
    all
}

impl Pod {
    fn unwell(self) -> Option<Unwell> {
        let status = self.status;
        if status.phase == "Succeeded" {
            return None;
        }
        let found = Self::container(&status.init_container_statuses, "Init:", |of| {
            // One that ran to its end, or goes on beside the others.
            let ended = of.state.terminated.as_ref();
            ended.is_some_and(|ended| ended.exit_code == 0) || of.state.running.is_some()
        });
        let found =
            found.or_else(|| Self::container(&status.container_statuses, "", |of| of.ready));
        let nothing = ContainerProblem {
            relevance: match status.phase.as_str() {
                "Failed" => Relevance::Fails,
                _ => Relevance::Begins,
            },
            reason: match status.reason.is_empty() {
                true => status.phase.clone(),
                false => status.reason,
            },
            message: status.message,
            ..ContainerProblem::default()
        };
        let found = match (found, status.phase.as_str()) {
            (Some(found), _) => found,
            (None, "Running") => return None,
            (None, _) => nothing,
        };
        let relevance = match found.relevance {
            Relevance::Fails if self.spec.host_network => Relevance::FailsForNode,
            other => other,
        };
        let owner = self.metadata.owners.into_iter().next();
        Some(Unwell {
            relevance,
            namespace: self.metadata.namespace,
            owner: owner.map_or_else(|| self.metadata.name.clone(), |owner| owner.name),
            pod: self.metadata.name,
            nodes: vec![self.spec.node_name],
            reason: found.reason,
            message: found.message,
            restarts: found.restarts,
            container: found.container,
            testament: found.testament,
        })
    }

    /// The first container that is not as it should be.
    fn container(
        all: &[Container],
        stage: &str,
        well: impl Fn(&Container) -> bool,
    ) -> Option<ContainerProblem> {
        let of = all.iter().find(|of| !well(of))?;
        let ended = of.state.terminated.as_ref();
        let before = of.last_state.terminated.as_ref();
        let (relevance, reason, message) = match (&of.state.waiting, ended) {
            (Some(waiting), _) => {
                let begins = ["ContainerCreating", "PodInitializing", ""];
                let relevance = match begins.contains(&waiting.reason.as_str()) {
                    true => Relevance::Begins,
                    false => Relevance::Fails,
                };
                (relevance, waiting.reason.clone(), waiting.message.clone())
            }
            (None, Some(ended)) => {
                let reason = match ended.reason.is_empty() {
                    true => format!("ExitCode:{}", ended.exit_code),
                    false => ended.reason.clone(),
                };
                let code = format!("exit code {}", ended.exit_code);
                (Relevance::Fails, reason, code)
            }
            (None, None) if of.restart_count > 0 => {
                (Relevance::Fails, "not ready".to_owned(), String::new())
            }
            (None, None) => (Relevance::Unready, "not ready".to_owned(), String::new()),
        };
        let ran = of.restart_count > 0 || ended.is_some() || of.state.running.is_some();
        let testament = ended.or(before).map(|ended| ended.message.clone());
        Some(ContainerProblem {
            relevance,
            reason: format!("{stage}{reason}"),
            message,
            restarts: of.restart_count,
            container: (ran || before.is_some()).then(|| of.name.clone()),
            testament: testament.unwrap_or_default(),
        })
    }
}

struct ContainerProblem {
    relevance: Relevance,
    reason: String,
    message: String,
    restarts: u64,
    container: Option<String>,
    testament: String,
}

impl Default for ContainerProblem {
    fn default() -> Self {
        Self {
            relevance: Relevance::Begins,
            reason: String::new(),
            message: String::new(),
            restarts: 0,
            container: None,
            testament: String::new(),
        }
    }
}

/// The script that asks for the last words of the most relevant groups: of the
/// container that ended, else of the one that runs; where none was started, for
/// the pod's warnings.
#[must_use]
pub fn words_script(server: &str, unwell: &[Unwell]) -> Script {
    let head = Script::of(SECTION_FUNCTION)
        .then(&kubectl(server))
        .with(sh!("gate/words.sh"));
    let ask = |script: Script, (place, group): (usize, &Unwell)| {
        let place = place.to_string();
        let pod = [place.as_str(), &group.namespace, &group.pod];
        match &group.container {
            Some(container) => {
                let words = pod.into_iter().chain([container.as_str()]);
                script.call("kdiy_words_of_container", words)
            }
            None => script.call("kdiy_words_about_pod", pod),
        }
    };
    let groups = unwell.iter().take(GROUPS).enumerate();
    groups.fold(head, ask).run(":")
}

/// What is told of the groups, with the answer to [`words_script`] where there
/// is one.
#[must_use]
pub fn tell(unwell: &[Unwell], words: &[u8]) -> Vec<String> {
    let words = Answers::parse(words).unwrap_or_default();
    let mut told = Vec::new();
    for (place, group) in unwell.iter().take(GROUPS).enumerate() {
        let mut line = format!(
            "{}/{} on {}: {}",
            group.namespace,
            group.owner,
            group.nodes.join(", "),
            group.reason
        );
        if group.restarts > 0 {
            line.push_str(&format!(", {} restarts", group.restarts));
        }
        if !group.message.is_empty() {
            line.push_str(&format!(": {}", group.message));
        }
        told.push(sanitise_short(&line));
        let said = words.get(&format!("words-{place}")).unwrap_or_default();
        told.extend(last_words(group, said));
    }
    if unwell.len() > GROUPS {
        told.push(format!(
            "and other pods that are not well: {} kinds",
            unwell.len() - GROUPS
        ));
    }
    told
}

fn last_words(group: &Unwell, said: &str) -> Vec<String> {
    let Some(container) = &group.container else {
        let warning = warning(said).map(|text| format!("  {}", sanitise_short(&text)));
        return warning.into_iter().collect();
    };
    let of = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        lines
            .map(|line| sanitise_short(&format!("  {container}: {line}")))
            .collect()
    };
    let mut lines = of(said);
    if lines.is_empty() {
        lines = of(&group.testament);
    }
    lines.split_off(lines.len().saturating_sub(SHOWN))
}

/// The newest of a pod's warnings.
fn warning(events: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Events {
        items: Vec<Event>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Event {
        #[serde(default)]
        reason: String,
        #[serde(default)]
        message: String,
        last_timestamp: Option<String>,
        event_time: Option<String>,
    }
    let events: Events = serde_json::from_str(events).ok()?;
    let at = |event: &Event| event.last_timestamp.clone().or(event.event_time.clone());
    let newest = events.items.into_iter().max_by_key(at)?;
    Some(format!("{}: {}", newest.reason, newest.message))
}

#[cfg(test)]
mod tests;
