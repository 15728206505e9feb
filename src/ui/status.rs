//! How a cluster is: what is wrong first, then part by part.

mod parts;
#[cfg(test)]
mod tests;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::table::paragraph;
use super::text::count;
use crate::cluster::Cluster;
use crate::status::picture::Tolerates;
use crate::status::planes::State;
use crate::status::rows::NodeState;
use crate::status::{Drift, Picture, Severity, Verdict};

/// The whole of it. `drift` is `None` where it was not asked for.
#[must_use]
pub fn render(
    cluster: &Cluster,
    picture: &Picture,
    drift: Option<&Drift>,
    style: &Style,
) -> String {
    let (tone, word) = word(picture.verdict);
    let mut out = format!(
        "{} {}\n",
        style.paint(Tone::Strong, &format!("{}:", cluster.name)),
        style.paint(tone, word)
    );
    if picture.verdict == Verdict::Absent {
        out.push_str(&problems(picture, style));
        out.push_str("No control plane has joined a cluster: kdiy apply brings it up.\n");
        return out;
    }
    if picture.verdict != Verdict::Unknown {
        out.push_str(&paragraph(&format!("{}.", summary(picture)), 0, style));
        out.push_str(&paragraph(&may_fail(&picture.tolerates), 0, style));
    }
    out.push_str(&problems(picture, style));
    if picture.verdict == Verdict::Unknown {
        return out;
    }
    for part in parts::all(picture, cluster, style) {
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
pub fn line(cluster: &Cluster, picture: &Picture) -> String {
    let (_, word) = word(picture.verdict);
    let mut out = format!("{}: {word}", cluster.name);
    if !matches!(picture.verdict, Verdict::Absent | Verdict::Unknown) {
        out.push_str(&format!("; {}", summary(picture)));
    }
    for problem in &picture.problems {
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

/// `3 of 3 API servers, 3 of 3 members of etcd, 5 of 5 nodes ready`.
fn summary(picture: &Picture) -> String {
    let ok = picture.control_planes.iter();
    let ok = ok.filter(|row| row.api_server.state == State::Ok).count();
    let mut parts = vec![format!(
        "{ok} of {} API servers ready",
        picture.control_planes.len()
    )];
    let votes = picture.etcd.votes;
    parts.push(format!(
        "{} of {} members of etcd serve",
        votes.alive, votes.members
    ));
    let nodes = picture.nodes.iter().filter(|row| row.in_inventory);
    let (all, known) = (
        nodes.clone().count(),
        nodes.clone().any(|row| row.state != NodeState::Unknown),
    );
    let ready = nodes.filter(|row| row.state == NodeState::Ready).count();
    parts.push(match known {
        true => format!("{ready} of {all} nodes ready"),
        false => "how the nodes are is not known".to_owned(),
    });
    let balancers = &picture.load_balancer.balancers;
    if !balancers.is_empty() {
        let works = balancers.iter().filter(|row| row.works()).count();
        parts.push(format!("{works} of {} balancers work", balancers.len()));
    }
    parts.join(", ")
}

/// What the cluster survives now.
fn may_fail(tolerates: &Tolerates) -> String {
    let mut parts = vec![
        count(tolerates.control_planes, "control plane"),
        count(tolerates.etcd_members, "member") + " of etcd",
    ];
    parts.extend(
        tolerates
            .balancers
            .map(|balancers| count(balancers, "load balancer")),
    );
    format!("May still fail: {}.", parts.join(", "))
}

fn problems(picture: &Picture, style: &Style) -> String {
    let mut out = String::new();
    for problem in &picture.problems {
        let (tone, label) = match problem.severity {
            Severity::Down => (Tone::Bad, "down:"),
            Severity::Degraded => (Tone::Notable, "wrong:"),
            Severity::Warning => (Tone::Faint, "note:"),
        };
        let host = problem.host.as_ref().map(|host| format!("{host}: "));
        let text = sanitise(&format!("{}{}", host.unwrap_or_default(), problem.what));
        out.push_str(&labelled(label, tone, &text, style));
        if let Some(fix) = &problem.fix {
            out.push_str(&labelled("do:", Tone::Good, &sanitise(fix), style));
        }
    }
    match out.is_empty() {
        true => out,
        false => format!("\n{out}"),
    }
}

/// Columns of the labels.
const LABEL: usize = 8;

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
                style.paint(tone, &format!("{label:<6}"))
            )),
            _ => out.push_str(&format!("{:LABEL$}{line}\n", "")),
        }
    }
    out
}
