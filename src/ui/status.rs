//! How a cluster is: what is wrong first, then part by part.

mod parts;
#[cfg(test)]
mod tests;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::table::paragraph;
use super::text::count;
use crate::cluster::{Cluster, Topology};
use crate::status::cluster_status::Tolerates;
use crate::status::planes::State;
use crate::status::rows::NodeState;
use crate::status::{ClusterStatus, Drift, Severity, Verdict};

/// The whole of it. `drift` is `None` where it was not asked for.
#[must_use]
pub fn render(
    cluster: &Cluster,
    cluster_status: &ClusterStatus,
    drift: Option<&Drift>,
    style: &Style,
) -> String {
    let (tone, word) = word(cluster_status.verdict);
    let mut out = format!(
        "{} {}\n",
        style.paint(Tone::Strong, &format!("{}:", cluster.name)),
        style.paint(tone, word)
    );
    if cluster_status.verdict == Verdict::Absent {
        out.push_str(&problems(cluster_status, style));
        out.push_str("No control plane has joined a cluster: kdiy apply brings it up.\n");
        return out;
    }
    if cluster_status.verdict != Verdict::Unknown {
        out.push_str(&paragraph(
            &format!("Ready: {}.", summary(cluster_status)),
            0,
            style,
        ));
        out.push_str(&paragraph(
            &may_fail(cluster, &cluster_status.tolerates),
            0,
            style,
        ));
    }
    out.push_str(&problems(cluster_status, style));
    if cluster_status.verdict == Verdict::Unknown {
        return out;
    }
    for part in parts::all(cluster_status, cluster, style) {
        out.push('\n');
        out.push_str(&part);
    }
    if let Some(drift) = drift {
        out.push('\n');
        out.push_str(&parts::drift(drift, style));
    }
    out
}

/// One line for logs: the verdict, numbers, and what is wrong.
#[must_use]
pub fn line(cluster: &Cluster, cluster_status: &ClusterStatus) -> String {
    let (_, word) = word(cluster_status.verdict);
    let mut out = format!("{}: {word}", cluster.name);
    if !matches!(cluster_status.verdict, Verdict::Absent | Verdict::Unknown) {
        out.push_str(&format!("; {}", summary(cluster_status)));
    }
    for problem in &cluster_status.problems {
        let host = problem.host.as_ref().map(|host| format!("{host}: "));
        let text = format!("; {}{}", host.unwrap_or_default(), problem.what);
        out.push_str(&sanitise(&text));
    }
    out
}

const fn word(verdict: Verdict) -> (Tone, &'static str) {
    match verdict {
        Verdict::Healthy => (Tone::Good, "healthy"),
        Verdict::Degraded => (Tone::Notable, "degraded"),
        Verdict::Down => (Tone::Bad, "down"),
        Verdict::Absent => (Tone::Notable, "not there yet"),
        Verdict::Unknown => (Tone::Notable, "unknown, as no host can be asked"),
    }
}

/// `API servers 3/3, etcd 3/3, nodes 5/5, balancers 1/1`.
#[must_use]
pub fn summary(cluster_status: &ClusterStatus) -> String {
    let planes = &cluster_status.control_planes;
    let ok = planes
        .iter()
        .filter(|row| row.api_server.state == State::Ok);
    let votes = cluster_status.etcd.votes;
    let nodes: Vec<_> = cluster_status
        .nodes
        .iter()
        .filter(|row| row.in_inventory)
        .collect();
    let ready = nodes
        .iter()
        .filter(|row| row.state == NodeState::Ready)
        .count();
    let known = nodes.iter().any(|row| row.state != NodeState::Unknown);
    let ready = if known {
        ready.to_string()
    } else {
        "?".to_owned()
    };
    let mut parts = vec![
        format!("API servers {}/{}", ok.count(), planes.len()),
        format!("etcd {}/{}", votes.alive, votes.members),
        format!("nodes {ready}/{}", nodes.len()),
    ];
    let balancers = &cluster_status.load_balancer.balancers;
    if !balancers.is_empty() {
        let works = balancers.iter().filter(|row| row.works()).count();
        parts.push(format!("balancers {works}/{}", balancers.len()));
    }
    parts.join(", ")
}

/// What the cluster survives now. Members of a stacked etcd are those of the
/// control planes.
fn may_fail(cluster: &Cluster, tolerates: &Tolerates) -> String {
    let mut parts = vec![count(tolerates.control_planes, "control plane")];
    if cluster.topology != Topology::Stacked {
        parts.push(count(tolerates.etcd_members, "member") + " of etcd");
    }
    parts.extend(
        tolerates
            .balancers
            .map(|balancers| count(balancers, "load balancer")),
    );
    format!("May still fail: {}.", parts.join(", "))
}

fn problems(cluster_status: &ClusterStatus, style: &Style) -> String {
    let mut out = String::new();
    for (place, problem) in cluster_status.problems.iter().enumerate() {
        let (tone, label) = match problem.severity {
            Severity::Down => (Tone::Bad, "down:"),
            Severity::Degraded => (Tone::Notable, "wrong:"),
            Severity::Warning => (Tone::Faint, "note:"),
        };
        let host = problem.host.as_ref().map(|host| format!("{host}: "));
        let text = sanitise(&format!("{}{}", host.unwrap_or_default(), problem.what));
        out.push_str(&labelled(label, tone, &text, style));
        // The same for several is said once, after the last of them.
        let next = cluster_status.problems.get(place + 1);
        let again = next.is_some_and(|next| next.fix == problem.fix);
        if let Some(fix) = problem.fix.as_ref().filter(|_| !again) {
            out.push_str(&labelled("do:", Tone::Good, &sanitise(fix), style));
        }
    }
    match out.is_empty() {
        true => out,
        false => format!("\n{out}"),
    }
}

/// Columns of the labels.
const LABEL: usize = 9;

fn labelled(label: &str, tone: Tone, text: &str, style: &Style) -> String {
    let narrow = Style {
        width: style.width - LABEL,
        ..*style
    };
    let mut out = String::new();
    for (place, line) in paragraph(text, 0, &narrow).lines().enumerate() {
        match place {
            0 => out.push_str(&format!(
                "  {}{line}\n",
                style.paint(tone, &format!("{label:<7}"))
            )),
            _ => out.push_str(&format!("{:LABEL$}{line}\n", "")),
        }
    }
    out
}
