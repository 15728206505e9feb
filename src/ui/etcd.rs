//! etcd's members as a table, and what they come to.

mod saved;

use unicode_width::UnicodeWidthStr as _;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{bytes, count, cut, pack, wrap};
use crate::cluster::Name;
use crate::etcd::Verdict;
use crate::etcd::status::{EtcdStatus, Measured, Row, State, Votes};

pub use saved::{restore, saved};

/// Columns of a member's name at most: its host's may have 63.
const NAME: usize = 16;

/// What a cell shows where there is nothing to show.
const NOTHING: &str = "-";

/// The members and what they come to.
#[must_use]
pub fn status(cluster: &Name, etcd_status: &EtcdStatus, style: &Style) -> String {
    let tone = match etcd_status.verdict {
        Verdict::Healthy => Tone::Good,
        Verdict::Degraded | Verdict::Unknown => Tone::Notable,
        Verdict::Down => Tone::Bad,
    };
    let mut out = format!(
        "etcd of {cluster}: {}\n\n",
        style.paint(tone, word(etcd_status.verdict))
    );
    table(&etcd_status.members, &mut out, style);
    out.push('\n');
    paragraph(&quorum(etcd_status), &mut out, style);
    let alarms: Vec<_> = etcd_status
        .members
        .iter()
        .filter(|row| !row.alarms.is_empty())
        .map(|row| sanitise(&format!("{} {}", row.name, row.alarms.join(", "))))
        .collect();
    if !alarms.is_empty() {
        let text = format!("Alarms: {}.", alarms.join("; "));
        out.push_str(&format!("{}\n", style.paint(Tone::Bad, &text)));
        let mut raised = etcd_status.members.iter().flat_map(|row| &row.alarms);
        let advice = if raised.any(|alarm| alarm == "NOSPACE") {
            "NOSPACE stops all writes: make room with etcdctl compact and defrag, or raise the \
             quota, then run etcdctl alarm disarm."
        } else {
            "A member that is corrupt has to be replaced: wipe its host and run kdiy apply."
        };
        paragraph(advice, &mut out, style);
    } else if etcd_status.members.iter().any(|row| row.measured.is_some()) {
        out.push_str("Alarms: none.\n");
    }
    for row in &etcd_status.members {
        if let Some(problem) = &row.problem {
            let text = sanitise(&format!("{}: {problem}", row.name));
            paragraph(&text, &mut out, style);
        }
    }
    out
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Degraded => "degraded",
        Verdict::Down => "down",
        Verdict::Unknown => "unknown, as no host can be asked",
    }
}

pub(super) fn quorum(etcd_status: &EtcdStatus) -> String {
    let Votes {
        members,
        quorum,
        alive,
        tolerates,
    } = etcd_status.votes;
    let now = match etcd_status.verdict {
        Verdict::Down => "no quorum, it takes no writes".to_owned(),
        _ if tolerates == 0 => "tolerates no failure now".to_owned(),
        _ => format!("tolerates {}", count(tolerates, "more failure")),
    };
    let voters = count(members, "voting member");
    if etcd_status.verdict == Verdict::Unknown {
        return format!("Quorum: {voters}, {quorum} must agree; how many do is not known.");
    }
    format!("Quorum: {voters}, {quorum} must agree, {alive} alive: {now}.")
}

fn paragraph(text: &str, out: &mut String, style: &Style) {
    for line in wrap(text, style.width) {
        out.push_str(&line);
        out.push('\n');
    }
}

/// A row of cells for each member; where that is too wide, what nobody
/// compares stands on a line below.
fn table(members: &[Row], out: &mut String, style: &Style) {
    let led = members.iter().any(|row| row.leader);
    let head = HEAD.map(str::to_owned);
    let rows: Vec<_> = members.iter().map(|row| cells(row, led)).collect();
    let all: Vec<_> = std::iter::once(&head).chain(&rows).collect();
    let width = |column: usize| all.iter().map(|cells| cells[column].width()).max();
    let widths: Vec<_> = (0..head.len()).map(|at| width(at).unwrap_or(0)).collect();
    let whole = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
    let shown = if whole <= style.width {
        head.len()
    } else {
        WIDE
    };
    let line = |cells: &[String], tone: &dyn Fn(usize) -> Option<Tone>| {
        let mut text = String::new();
        for (at, cell) in cells[..shown].iter().enumerate() {
            let pad = " ".repeat(widths[at] - cell.width());
            let cell = tone(at).map_or_else(|| cell.clone(), |tone| style.paint(tone, cell));
            let gap = if at == 0 { "" } else { "  " };
            text.push_str(&match RIGHT.contains(&at) {
                true => format!("{gap}{pad}{cell}"),
                false => format!("{gap}{cell}{pad}"),
            });
        }
        format!("{}\n", text.trim_end())
    };
    out.push_str(&line(&head, &|_| Some(Tone::Faint)));
    for (row, cells) in members.iter().zip(&rows) {
        out.push_str(&line(cells, &|at| match at {
            0 => Some(Tone::Strong),
            1 => Some(tone(row.state)),
            _ => None,
        }));
        let rest: Vec<_> = (shown..head.len())
            .filter(|&at| cells[at] != NOTHING)
            .map(|at| match at {
                ENDPOINT => cells[at].clone(),
                _ => format!("{} {}", HEAD[at].to_lowercase(), cells[at]),
            })
            .collect();
        for line in pack(&rest, "  ", style.width - 2) {
            out.push_str(&format!("  {}\n", style.paint(Tone::Faint, &line)));
        }
    }
}

/// Columns; those from [`WIDE`] on need a wide terminal.
const HEAD: [&str; 11] = [
    "MEMBER", "STATUS", "ROLE", "TERM", "INDEX", "LAG", "VERSION", "DB SIZE", "IN USE", "ID",
    "ENDPOINT",
];
const WIDE: usize = 8;
const ENDPOINT: usize = HEAD.len() - 1;
/// Columns of numbers.
const RIGHT: std::ops::Range<usize> = 3..6;

fn cells(row: &Row, led: bool) -> [String; HEAD.len()] {
    let measured = |value: &dyn Fn(&Measured) -> String| {
        let value = row.measured.as_ref().map(value);
        value.unwrap_or_else(|| NOTHING.to_owned())
    };
    let role = match row.state {
        State::Learner => "learner",
        _ if row.leader => "leader",
        _ if led && row.measured.is_some() => "follower",
        _ => NOTHING,
    };
    [
        cut(&sanitise(&row.name), NAME),
        row.state.as_str().to_owned(),
        role.to_owned(),
        measured(&|of| of.raft_term.to_string()),
        measured(&|of| of.raft_index.to_string()),
        measured(&|of| of.lag.to_string()),
        measured(&|of| cut(&sanitise(&of.version), 10)),
        measured(&|of| bytes(of.db_size)),
        measured(&|of| bytes(of.db_size_in_use)),
        row.id
            .map_or_else(|| NOTHING.to_owned(), |id| format!("{id:x}")),
        row.endpoint
            .as_deref()
            .map_or_else(|| NOTHING.to_owned(), sanitise),
    ]
}

const fn tone(state: State) -> Tone {
    match state {
        State::Healthy => Tone::Good,
        State::Learner | State::NotStarted | State::NoMember | State::Unlisted => Tone::Notable,
        State::Unhealthy | State::NoAnswer | State::Unreachable | State::OtherCluster => Tone::Bad,
    }
}

#[cfg(test)]
mod tests;
