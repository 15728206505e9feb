//! The parts of a cluster, one table each.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, Topology};
use crate::etcd::status::{Row, State as Member};
use crate::status::balancing::{BalancerRow, Balancing};
use crate::status::expiry::{CertificateRow, Kind, SOON};
use crate::status::planes::{Component, State};
use crate::status::rows::{NodeRow, NodeState};
use crate::status::{ClusterStatus, Drift};
use crate::ui::etcd::quorum;
use crate::ui::sanitise::sanitise;
use crate::ui::style::{Style, Tone};
use crate::ui::table::{Cell, paragraph, table};
use crate::ui::text::count;

/// All parts, in order.
pub(super) fn all(cluster_status: &ClusterStatus, cluster: &Cluster, style: &Style) -> Vec<String> {
    let mut parts = vec![
        nodes(&cluster_status.nodes, style),
        planes(cluster_status, cluster, style),
    ];
    if let Topology::External(_) = cluster.topology {
        parts.push(members(&cluster_status.etcd.members, style));
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(&paragraph(&quorum(&cluster_status.etcd), 0, style));
    }
    parts.push(balancer(&cluster_status.load_balancer, style));
    if !cluster_status.certificates.is_empty() {
        parts.push(certificates(&cluster_status.certificates, style));
    }
    parts
}

fn nodes(rows: &[NodeRow], style: &Style) -> String {
    let row = |row: &NodeRow| {
        let mut state = row.state.as_str().to_owned();
        if !row.schedulable {
            state.push_str(",SchedulingDisabled");
        }
        if row.reachable == Some(false) {
            state = match row.state {
                // What the API says may be right, or be old.
                NodeState::Ready => format!("unreachable, {state}"),
                _ => "unreachable".to_owned(),
            };
        }
        if !row.in_inventory {
            state.push_str(",unlisted");
        }
        let tone = match row.state {
            _ if row.reachable == Some(false) => Tone::Bad,
            NodeState::Ready if row.schedulable && row.in_inventory => Tone::Good,
            NodeState::Ready | NodeState::Unknown => Tone::Notable,
            NodeState::NotReady | NodeState::Lost | NodeState::NotRegistered => Tone::Bad,
        };
        let text = |text: &Option<String>| sanitise(text.as_deref().unwrap_or_default());
        [
            Cell::toned(Tone::Strong, sanitise(&row.name)),
            Cell::plain(row.roles.join(",")),
            Cell::toned(tone, state),
            Cell::plain(text(&row.version)),
            Cell::plain(
                row.address
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
            ),
            Cell::plain(text(&row.runtime)),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let head = ["NODE", "ROLE", "STATUS", "VERSION", "ADDRESS", "RUNTIME"];
    table(head, &rows, style)
}

fn component(component: &Component) -> Cell {
    let tone = match component.state {
        State::Ok => Tone::Good,
        State::Absent => Tone::Notable,
        State::Failing | State::Silent | State::Unreachable => Tone::Bad,
    };
    let leads = if component.leader == Some(true) {
        ", leads"
    } else {
        ""
    };
    Cell::toned(tone, format!("{}{leads}", component.state.as_str()))
}

fn planes(cluster_status: &ClusterStatus, cluster: &Cluster, style: &Style) -> String {
    let stacked = cluster.topology == Topology::Stacked;
    let rows = cluster_status.control_planes.iter().map(|row| {
        let mut members = cluster_status.etcd.members.iter();
        let member = members.find(|member| stacked && member.host.as_ref() == Some(&row.name));
        [
            Cell::toned(Tone::Strong, row.name.as_str()),
            component(&row.api_server),
            component(&row.controller_manager),
            component(&row.scheduler),
            member.map_or_else(|| Cell::plain(""), state),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let head = [
        "CONTROL PLANE",
        "API SERVER",
        "CONTROLLERS",
        "SCHEDULER",
        "ETCD",
    ];
    if stacked {
        return table(head, &rows, style);
    }
    let rows: Vec<_> = rows
        .into_iter()
        .map(|[a, b, c, d, _]| [a, b, c, d])
        .collect();
    table([head[0], head[1], head[2], head[3]], &rows, style)
}

fn state(row: &Row) -> Cell {
    let tone = match row.state {
        Member::Healthy => Tone::Good,
        Member::Learner | Member::NotStarted | Member::NoMember | Member::Unlisted => Tone::Notable,
        Member::Unhealthy | Member::NoAnswer | Member::Unreachable | Member::OtherCluster => {
            Tone::Bad
        }
    };
    let leads = if row.leader { ", leads" } else { "" };
    Cell::toned(tone, format!("{}{leads}", row.state.as_str()))
}

fn members(rows: &[Row], style: &Style) -> String {
    let row = |row: &Row| {
        let version = row.measured.as_ref().map(|of| sanitise(&of.version));
        [
            Cell::toned(Tone::Strong, sanitise(&row.name)),
            state(row),
            Cell::plain(version.unwrap_or_default()),
            Cell::plain(row.endpoint.as_deref().map(sanitise).unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    table(["ETCD", "STATUS", "VERSION", "ENDPOINT"], &rows, style)
}

fn balancer(of: &Balancing, style: &Style) -> String {
    let kind = match of.kind {
        "none" => "none, the API server itself".to_owned(),
        "local" => "haproxy on every node".to_owned(),
        kind => kind.to_owned(),
    };
    let tried = of.probes.len();
    let answers = of.probes.iter().filter(|probes| probes.answers).count();
    let tone = match answers {
        0 => Tone::Bad,
        _ if answers < tried => Tone::Notable,
        _ => Tone::Good,
    };
    let verb = if answers == 1 { "reaches" } else { "reach" };
    let probes = format!("{answers} of {}", count(tried, "node"));
    let endpoint = &of.endpoint;
    let mut out = match of.kind {
        // Nodes reach the API at their own address, and clients at another.
        "local" => paragraph(
            &format!("Load balancer: {kind}. Endpoint for clients {endpoint}."),
            0,
            style,
        ),
        _ => {
            let text = format!("Load balancer: {kind}. Endpoint {endpoint}: {probes} {verb} it.");
            stressed(&text, &probes, tone, style)
        }
    };
    if let Some(vip) = &of.vip {
        let holders: Vec<_> = vip.holders.iter().map(|name| name.as_str()).collect();
        let (tone, holders) = match holders[..] {
            [] => (Tone::Bad, "nobody that could be asked".to_owned()),
            [one] => (Tone::Good, one.to_owned()),
            _ => (Tone::Bad, format!("{} at once", holders.join(" and "))),
        };
        let text = format!("Virtual address {}: held by {holders}.", vip.address);
        out.push_str(&stressed(&text, &holders, tone, style));
    }
    if !of.balancers.is_empty() {
        let rows: Vec<_> = of.balancers.iter().map(balancer_row).collect();
        let head = ["BALANCER", "SERVICE", "API SERVERS UP", "DOWN"];
        out.push_str(&table(head, &rows, style));
    }
    out
}

/// Wrapped text, a part of it in the colour of a tone where that stays on one
/// line.
fn stressed(text: &str, part: &str, tone: Tone, style: &Style) -> String {
    paragraph(text, 0, style).replacen(part, &style.paint(tone, part), 1)
}

fn balancer_row(row: &BalancerRow) -> [Cell; 4] {
    let stopped: Vec<_> = row
        .services
        .iter()
        .filter(|service| service.state != "active")
        .map(|service| {
            let name = service.unit.trim_end_matches(".service");
            format!("{name} {}", sanitise(&service.state))
        })
        .collect();
    let service = match (row.reachable, stopped.is_empty()) {
        (false, _) => Cell::toned(Tone::Bad, "unreachable"),
        (true, true) => Cell::toned(Tone::Good, "active"),
        (true, false) => Cell::toned(Tone::Bad, stopped.join(", ")),
    };
    let named = |up: bool| {
        let of = row
            .backends
            .iter()
            .flatten()
            .filter(|backend| backend.up == up);
        let names: Vec<_> = of.map(|backend| sanitise(&backend.name)).collect();
        names.join(", ")
    };
    let up = match row.backends {
        None => Cell::plain("not known"),
        Some(_) => Cell::toned(Tone::Good, named(true)),
    };
    let down = match named(false) {
        none if none.is_empty() => Cell::plain(none),
        some => Cell::toned(Tone::Bad, some),
    };
    [
        Cell::toned(Tone::Strong, row.host.as_str()),
        service,
        up,
        down,
    ]
}

/// The one of each kind that ends first, and all that end soon; all there are
/// when everything is to be shown.
fn certificates(rows: &[CertificateRow], style: &Style) -> String {
    let mut first = BTreeMap::<Kind, usize>::new();
    let mut number = BTreeMap::<Kind, usize>::new();
    for (place, row) in rows.iter().enumerate() {
        if row.days_left.is_some() {
            first.entry(row.kind).or_insert(place);
        }
        *number.entry(row.kind).or_default() += 1;
    }
    let shown = rows.iter().enumerate().filter(|(place, row)| {
        let soon = row.days_left.is_none_or(|days| days < SOON);
        soon || style.verbose() || first.get(&row.kind) == Some(place)
    });
    let shown: Vec<_> = shown
        .map(|(_, row)| {
            let (tone, days) = match row.days_left {
                None => (Tone::Notable, "?".to_owned()),
                Some(days @ ..0) => (Tone::Bad, format!("expired {} ago", ago(days))),
                Some(days @ ..SOON) => (Tone::Notable, days.to_string()),
                Some(days) => (Tone::Good, days.to_string()),
            };
            let end = row.not_after.map(|end| end.date().to_string());
            [
                Cell::plain(format!("{} ({})", row.kind.as_str(), number[&row.kind])),
                Cell::toned(tone, days),
                Cell::plain(end.unwrap_or_default()),
                Cell::toned(Tone::Strong, row.host.as_str()),
                Cell::plain(sanitise(&row.file)),
            ]
        })
        .collect();
    let head = ["CERTIFICATES", "DAYS LEFT", "ENDS", "HOST", "FILE"];
    if style.verbose() {
        return table(head, &shown, style);
    }
    let short: Vec<_> = shown
        .into_iter()
        .map(|[a, b, c, d, _]| [a, b, c, d])
        .collect();
    table([head[0], head[1], "FIRST ENDS", head[3]], &short, style)
}

fn ago(days: i64) -> String {
    count(usize::try_from(-days).unwrap_or(usize::MAX), "day")
}

/// What kdiy plan would change.
pub(super) fn drift(drift: &Drift, style: &Style) -> String {
    match drift {
        Drift::Unknown { why } => {
            paragraph(&format!("Drift: not known: {}.", sanitise(why)), 0, style)
        }
        Drift::Known {
            changes,
            hosts,
            problems,
            left_out,
        } => {
            let by_host: Vec<_> = hosts
                .iter()
                .map(|(host, of)| format!("{host} {of}"))
                .collect();
            let mut text = match changes {
                0 => "Drift: none, the hosts are as the inventory says".to_owned(),
                _ => {
                    let changes = count(*changes, "change");
                    format!("Drift: kdiy plan has {changes}: {}", by_host.join(", "))
                }
            };
            if !left_out.is_empty() {
                let names: Vec<_> = left_out.iter().map(|name| name.as_str()).collect();
                text.push_str(&format!("; {} left out", names.join(", ")));
            }
            text.push('.');
            if !problems.is_empty() {
                let problems = problems.join("; ");
                text.push_str(&format!(
                    " kdiy apply would not begin: {}.",
                    sanitise(&problems)
                ));
            }
            paragraph(&text, 0, style)
        }
    }
}
