//! A plan as an operator reads it before saying yes.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::num::NonZeroUsize;

use unicode_width::UnicodeWidthStr;

use super::diff;
use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{count, names, pack, wrap};
use crate::cluster::Name;
use crate::plan::{Action, Actor, Change, Counts, Plan, PlannedStep};
use crate::resource::{Content, Resource, Verb};

/// The plan of a cluster of `hosts` observed hosts: its steps in an order in
/// which they can run, the same step of several hosts once, and the numbers.
#[must_use]
pub fn render(plan: &Plan, hosts: usize, style: &Style) -> String {
    if plan.is_empty() {
        return unchanged(hosts, style);
    }
    let mut out = String::new();
    for group in groups(plan, style) {
        out.push_str(&heading(&group, style));
        out.push_str(&group.body);
        out.push('\n');
    }
    out.push_str(&legend(plan, style));
    out.push_str(&by_host(plan, style));
    out.push_str(&totals(plan, style));
    out
}

/// The last line of a plan with nothing to do.
fn unchanged(hosts: usize, style: &Style) -> String {
    let are = if hosts == 1 { "is" } else { "are" };
    let hosts = count(hosts, "host");
    let none = style.paint(Tone::Good, "No changes.");
    format!("{none} {hosts} {are} as the inventory says.\n")
}

/// The last line of a plan; empty when there is nothing to do.
#[must_use]
pub fn totals(plan: &Plan, style: &Style) -> String {
    if plan.is_empty() {
        return String::new();
    }
    let counts = plan.counts();
    let place = where_to(counts.hosts);
    let plan = style.paint(Tone::Strong, "Plan:");
    format!("{plan} {} on {place}.\n", numbers(&counts, style))
}

/// So many hosts, or the cluster alone.
pub(super) fn where_to(hosts: usize) -> String {
    match hosts {
        0 => "the cluster".to_owned(),
        hosts => count(hosts, "host"),
    }
}

fn numbers(counts: &Counts, style: &Style) -> String {
    let remove = match counts.remove {
        0 => String::new(),
        some => style.paint(Tone::Bad, &format!(", {some} to remove")),
    };
    let (create, change, run) = (counts.create, counts.change, counts.run);
    format!("{create} to create, {change} to change{remove}, {run} to run")
}

/// The numbers of each host, those of hosts that are alike once; nothing where
/// the last line says it all.
fn by_host(plan: &Plan, style: &Style) -> String {
    let counts = plan.counts_by_actor();
    let mut alike: Vec<(Counts, BTreeSet<&Actor>)> = Vec::new();
    for (actor, counts) in counts {
        match alike.iter_mut().find(|(same, _)| *same == counts) {
            Some((_, actors)) => _ = actors.insert(actor),
            None => alike.push((counts, BTreeSet::from([actor]))),
        }
    }
    if alike.len() < 2 {
        return String::new();
    }
    let rows: Vec<_> = alike
        .iter()
        .map(|(counts, actors)| (names(actors), numbers(counts, style)))
        .collect();
    let most = style.width.saturating_sub(48);
    let widths = rows.iter().map(|(names, _)| names.width());
    let column = widths.filter(|width| *width <= most).max().unwrap_or(0);
    let mut out = String::new();
    for (names, numbers) in rows {
        let mut lines = wrap(&names, column.max(most));
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            out.push_str(&format!("  {}\n", style.paint(Tone::Active, &line)));
        }
        let blank = " ".repeat(column.saturating_sub(last.width()));
        let last = style.paint(Tone::Active, &last);
        out.push_str(&format!("  {last}{blank}  {numbers}\n"));
    }
    out
}

/// Steps of several hosts that read the same.
struct Group<'a> {
    title: &'a str,
    /// How many hosts at a time, where not all side by side.
    at_once: Option<NonZeroUsize>,
    /// Hosts, the cluster, or members of a rolling group, whoever works on them.
    subjects: BTreeSet<&'a str>,
    body: String,
}

/// Folds steps that read the same. A step joins the first such group that
/// comes after everything it needs, so the order shown is one that can run.
fn groups<'a>(plan: &'a Plan, style: &Style) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut alike: BTreeMap<(&str, String, Option<usize>), Vec<usize>> = BTreeMap::new();
    let mut group_of = Vec::with_capacity(plan.steps.len());
    for (own, step) in plan.steps.iter().enumerate() {
        let rolling = plan.rolling_of(own);
        let member = rolling.and_then(|group| plan.rolling[group].member_of(own));
        let body = body(step, member.is_some(), style);
        let subject = member.map_or(step.actor.as_str(), Name::as_str);
        let needed = step.needs.iter().map(|&need| group_of[need]).max();
        let places = alike
            .entry((&step.title, body.clone(), rolling))
            .or_default();
        let found = places.iter().copied().find(|&place| {
            needed.is_none_or(|needed| place > needed) && !groups[place].subjects.contains(subject)
        });
        let place = found.unwrap_or_else(|| {
            places.push(groups.len());
            groups.push(Group {
                title: &step.title,
                at_once: rolling.map(|group| plan.rolling[group].at_once),
                subjects: BTreeSet::new(),
                body,
            });
            groups.len() - 1
        });
        groups[place].subjects.insert(subject);
        group_of.push(place);
    }
    groups
}

/// `install packages  cp-1, cp-2, w-1`, on more lines where there are many.
fn heading(group: &Group<'_>, style: &Style) -> String {
    let title = style.paint(Tone::Strong, group.title);
    let names = names(&group.subjects);
    let pace = match group.at_once.map(NonZeroUsize::get) {
        Some(at_once) if at_once < group.subjects.len() => pace(at_once),
        _ => String::new(),
    };
    let faint = style.paint(Tone::Faint, &pace);
    if group.title.width() + 2 + names.width() + pace.width() <= style.width {
        return format!("{title}  {}{faint}\n", style.paint(Tone::Active, &names));
    }
    let mut out = format!("{title}{faint}\n");
    for line in wrap(&names, style.width - 2) {
        out.push_str(&format!("  {}\n", style.paint(Tone::Active, &line)));
    }
    out
}

/// `, one at a time`.
fn pace(at_once: usize) -> String {
    match at_once {
        1 => ", one at a time".to_owned(),
        more => format!(", {more} at a time"),
    }
}

/// A step of a rolling group stands below its node's name.
fn body(step: &PlannedStep, rolling: bool, style: &Style) -> String {
    let lines: Vec<_> = match &step.action {
        Action::Converge(changes) => changes.iter().flat_map(|c| lines(c, style)).collect(),
        Action::Do(operation) => {
            let name = match rolling {
                true => operation.name_of_one(),
                false => operation.name(),
            };
            let details = operation.details();
            let details = details.iter().map(|detail| sanitise(detail)).collect();
            head(operation.verb(), &sanitise(&name), details, style)
        }
    };
    lines
        .iter()
        .fold(String::new(), |out, line| out + line + "\n")
}

fn lines(change: &Change, style: &Style) -> Vec<String> {
    let resource = &change.resource;
    let details = change.difference.details.iter();
    let mut details: Vec<_> = details.map(|detail| sanitise(detail)).collect();
    let text = change.difference.text.as_ref();
    let pem = text
        .and_then(|text| pem(&text.after))
        .filter(|_| !style.verbose());
    details.extend(pem.clone());
    if is_secret(resource) && !details.iter().any(|detail| detail.contains("secret")) {
        details.push("secret".to_owned());
    }
    let mut out = head(change.difference.verb, &name(resource), details, style);
    for removed in &change.difference.removes {
        let lines = wrap(&format!("remove {}", sanitise(removed)), style.width - 8);
        let lines = lines.iter().zip(iter::once("-").chain(iter::repeat(" ")));
        out.extend(lines.map(|(line, sign)| {
            let line = format!("{sign} {line}");
            format!("      {}", style.paint(Tone::Bad, &line))
        }));
    }
    if let Some(text) = change.difference.text.as_ref().filter(|_| pem.is_none()) {
        out.extend(diff::render(text, 6, style));
    }
    out
}

/// What is done to what, with its particulars beside it or below.
fn head(verb: Verb, name: &str, details: Vec<String>, style: &Style) -> Vec<String> {
    let (sign, tone) = sign(verb);
    let head = format!("  {} {name}", style.paint(tone, sign));
    let inline = details.join("; ");
    if details.is_empty() {
        return vec![head];
    }
    if 6 + name.width() + inline.width() <= style.width {
        return vec![format!("{head}  {}", style.paint(Tone::Faint, &inline))];
    }
    let details = pack(&details, "; ", style.width - 6);
    let details = details
        .into_iter()
        .map(|line| format!("      {}", style.paint(Tone::Faint, &line)));
    std::iter::once(head).chain(details).collect()
}

/// A command's name says what it does; other names need their kind.
fn name(resource: &Resource) -> String {
    let name = sanitise(resource.name());
    match resource {
        Resource::Command(_) => name,
        _ => format!("{} {name}", resource.kind()),
    }
}

/// What a PEM file holds, such as `certificate`. Its letters say nothing to a
/// reader.
fn pem(text: &str) -> Option<String> {
    let (label, _) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    Some(label.to_lowercase())
}

fn is_secret(resource: &Resource) -> bool {
    match resource {
        Resource::File(file) => matches!(file.content, Content::Secret { .. }),
        _ => false,
    }
}

const fn sign(verb: Verb) -> (&'static str, Tone) {
    match verb {
        Verb::Create => ("+", Tone::Good),
        Verb::Change => ("~", Tone::Notable),
        Verb::Run => ("!", Tone::Active),
        Verb::Wait => ("·", Tone::Faint),
    }
}

/// What the signs mean, of those that are there.
fn legend(plan: &Plan, style: &Style) -> String {
    let words = [
        (Verb::Create, "create"),
        (Verb::Change, "change"),
        (Verb::Run, "run"),
        (Verb::Wait, "wait for"),
    ];
    let verbs: BTreeSet<_> = { plan.steps.iter() }
        .flat_map(|step| match &step.action {
            Action::Do(operation) => vec![operation.verb()],
            Action::Converge(all) => all.iter().map(|change| change.difference.verb).collect(),
        })
        .collect();
    let parts: Vec<_> = words
        .into_iter()
        .filter(|(verb, _)| verbs.contains(verb))
        .map(|(verb, word)| {
            let (sign, tone) = sign(verb);
            format!("{} {word}", style.paint(tone, sign))
        })
        .collect();
    format!("{}\n", parts.join("   "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Name;
    use crate::plan::RollingGroup;
    use crate::plan::rolling::Member;
    use crate::resource::{
        Command, Difference, Done, File, OnChange, OnDiffer, Package, Packages, Seen, Service,
        TextChange,
    };
    use crate::shell::Script;
    use crate::ui::style::Verbosity;

    fn change(resource: Resource, difference: Difference) -> Change {
        let seen = Seen::Command(false);
        Change {
            resource,
            difference,
            seen,
        }
    }

    fn step(host: &str, title: &str, changes: Vec<Change>, needs: &[usize]) -> PlannedStep {
        PlannedStep {
            actor: Name::try_from(host.to_owned()).unwrap().into(),
            title: title.to_owned(),
            action: Action::Converge(changes),
            needs: needs.to_vec(),
            gate: None,
        }
    }

    fn file(path: &str, verb: Verb, before: &str, after: &str) -> Change {
        let text = Some(TextChange {
            before: before.to_owned(),
            after: after.to_owned(),
        });
        let details = match verb {
            Verb::Create => vec!["mode 0644".to_owned()],
            _ => Vec::new(),
        };
        let difference = Difference {
            verb,
            details,
            removes: Vec::new(),
            text,
        };
        change(Resource::File(File::plain(path, 0o644, after)), difference)
    }

    fn certificate() -> Change {
        let text = "-----BEGIN CERTIFICATE-----\nMIIBazCCARCgAwIB\n-----END CERTIFICATE-----\n";
        file("/etc/kubernetes/pki/ca.crt", Verb::Create, "", text)
    }

    fn secret(path: &str) -> Change {
        let content = Content::Secret {
            sha256: "f00d".repeat(16),
        };
        let file = File {
            path: path.to_owned(),
            mode: 0o600,
            content,
            check: None,
            on_differ: OnDiffer::Replace,
        };
        let details = vec!["mode 0600".to_owned()];
        change(
            Resource::File(file),
            Difference::with(Verb::Create, details),
        )
    }

    fn command(name: &str, verb: Verb, details: &[&str]) -> Change {
        let details: Vec<_> = details.iter().map(|&detail| detail.to_owned()).collect();
        let command = Command {
            name: name.to_owned(),
            verb,
            details: details.clone(),
            done: Done::Known(false),
            script: Script::of("true"),
            inputs: Vec::new(),
        };
        change(Resource::Command(command), Difference::with(verb, details))
    }

    fn packages() -> Change {
        let details = [
            "kubeadm 1.34.1, held",
            "kubectl 1.34.1, held",
            "kubelet 1.34.1, held",
        ];
        let others = ["conntrack", "ethtool", "socat", "cri-tools"];
        let details = details.into_iter().chain(others).map(str::to_owned);
        let all = vec![Package::any("kubeadm")];
        let resource = Resource::Packages(Packages::new("of kubernetes", all));
        change(resource, Difference::with(Verb::Create, details.collect()))
    }

    fn haproxy() -> Change {
        let before = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\nbackend api\n  \
                      option httpchk GET /readyz\n  server cp-1 10.0.0.11:6443 check\n";
        let after = before.replace("connect 5s", "connect 10s")
            + "  server cp-2 10.0.0.12:6443 check check-ssl verify none inter 2s fall 2 rise 2 weight 1\n";
        file("/etc/haproxy/haproxy.cfg", Verb::Change, before, &after)
    }

    fn reload() -> Change {
        let service = Service::new("haproxy.service", OnChange::Reload, &[]);
        let details = vec!["reload".to_owned()];
        change(
            Resource::Service(service),
            Difference::with(Verb::Run, details),
        )
    }

    fn handful() -> Plan {
        let modules = || {
            let text = "# Written by kdiy.\noverlay\nbr_netfilter\n";
            vec![file(
                "/etc/modules-load.d/kdiy.conf",
                Verb::Create,
                "",
                text,
            )]
        };
        let join = |host| {
            command(
                &format!("kubeadm join {host}"),
                Verb::Run,
                &["as control plane"],
            )
        };
        Plan {
            steps: vec![
                step("lb", "load balancer", vec![haproxy(), reload()], &[]),
                step("cp-1", "kernel", modules(), &[]),
                step("cp-2", "kernel", modules(), &[]),
                step("w-1", "kernel", modules(), &[]),
                step("cp-1", "packages", vec![packages()], &[1]),
                step("cp-2", "packages", vec![packages()], &[2]),
                step("w-1", "packages", vec![packages()], &[3]),
                step(
                    "cp-1",
                    "authorities",
                    vec![certificate(), secret("/etc/kubernetes/pki/ca.key")],
                    &[4],
                ),
                step(
                    "cp-1",
                    "first control plane",
                    vec![
                        command("kubeadm init", Verb::Run, &[]),
                        command("the API server answers", Verb::Wait, &["at most 240 s"]),
                    ],
                    &[0, 7],
                ),
                step("cp-2", "join", vec![join("cp-2")], &[5, 8]),
            ],
            ..Plan::default()
        }
    }

    fn visible(text: &str) -> String {
        text.replace('\x1b', "␛")
    }

    #[test]
    fn a_handful_of_steps() {
        let plan = handful();
        insta::assert_snapshot!("plan-80", render(&plan, 6, &Style::test(80, false)));
        insta::assert_snapshot!("plan-200", render(&plan, 6, &Style::test(200, false)));
        let colored = render(&plan, 6, &Style::test(80, true));
        insta::assert_snapshot!("plan-80-color", visible(&colored));
    }

    #[test]
    fn fits_in_its_columns() {
        for width in [60, 80, 132] {
            let shown = render(&handful(), 6, &Style::test(width, false));
            let widest = shown.lines().map(UnicodeWidthStr::width).max().unwrap();
            assert!(widest <= width, "{widest} of {width} columns:\n{shown}");
        }
    }

    #[test]
    fn verbose_shows_whole_files() {
        let text: String = (1..40).map(|n| format!("line {n}\n")).collect();
        let created = file("/etc/long", Verb::Create, "", &text);
        let plan = Plan {
            steps: vec![step("a", "files", vec![created], &[])],
            ..Plan::default()
        };
        let normal = Style::test(80, false);
        let verbose = Style {
            verbosity: Verbosity::Verbose,
            ..normal
        };
        assert!(render(&plan, 1, &normal).contains("… 34 more lines, -v shows all"));
        assert!(render(&plan, 1, &verbose).contains("+ line 39\n"));
    }

    #[test]
    fn a_rolling_group_is_one_block_with_its_pace() {
        let restart = || vec![command("static pods", Verb::Run, &["--v 2 -> 4"])];
        let hosts = ["cp-1", "cp-2", "cp-3"];
        let steps = hosts.map(|host| step(host, "restart the control plane", restart(), &[]));
        let members = hosts.iter().enumerate().map(|(place, host)| Member {
            host: Name::try_from((*host).to_owned()).unwrap(),
            steps: vec![place],
        });
        let group = RollingGroup {
            title: "restart the control plane".to_owned(),
            at_once: NonZeroUsize::MIN,
            members: members.collect(),
        };
        let plan = Plan {
            steps: steps.into(),
            rolling: vec![group],
        };
        let shown = render(&plan, 3, &Style::test(80, false));
        let first = "restart the control plane  cp-1, cp-2, cp-3, one at a time\n";
        assert!(shown.starts_with(first), "{shown}");
        let narrow = render(&plan, 3, &Style::test(50, false));
        let first = "restart the control plane, one at a time\n  cp-1, cp-2, cp-3\n";
        assert!(narrow.starts_with(first), "{narrow}");
    }

    #[test]
    fn folding_keeps_an_order_that_can_run() {
        let run = |name: &str| vec![command(name, Verb::Run, &[])];
        // b starts on the second host only after the first host has done c.
        let plan = Plan {
            steps: vec![
                step("h-1", "b", run("b"), &[]),
                step("h-1", "c", run("c"), &[0]),
                step("h-2", "b", run("b"), &[1]),
                step("h-3", "b", run("b"), &[]),
            ],
            ..Plan::default()
        };
        let groups = groups(&plan, &Style::test(80, false));
        let shown: Vec<_> = groups
            .iter()
            .map(|g| (g.title, names(&g.subjects)))
            .collect();
        let wanted = [("b", "h-1, h-3"), ("c", "h-1"), ("b", "h-2")];
        assert_eq!(
            shown,
            wanted.map(|(title, hosts)| (title, hosts.to_owned()))
        );
    }

    #[test]
    fn what_is_removed_stands_out() {
        let mut change = packages();
        change.difference.verb = Verb::Change;
        change.difference.removes = vec![
            "docker.io 20.10.24+dfsg1-1, conflicts with docker-ce; its configuration and data stay"
                .to_owned(),
        ];
        let plan = Plan {
            steps: vec![step("w-1", "install packages", vec![change], &[])],
            ..Plan::default()
        };
        insta::assert_snapshot!(render(&plan, 1, &Style::test(80, false)), @r"
        install packages  w-1
          ~ packages of kubernetes
              kubeadm 1.34.1, held; kubectl 1.34.1, held; kubelet 1.34.1, held
              conntrack; ethtool; socat; cri-tools
              - remove docker.io 20.10.24+dfsg1-1, conflicts with docker-ce; its
                configuration and data stay

        ~ change
        Plan: 0 to create, 1 to change, 1 to remove, 0 to run on 1 host.
        ");
    }

    #[test]
    fn nothing_to_do() {
        let none = Plan::default();
        let style = Style::test(80, false);
        assert_eq!(
            render(&none, 6, &style),
            "No changes. 6 hosts are as the inventory says.\n"
        );
        assert_eq!(
            render(&none, 1, &style),
            "No changes. 1 host is as the inventory says.\n"
        );
    }

    #[test]
    fn hosts_cannot_write_to_the_terminal() {
        let plan = Plan {
            steps: vec![step(
                "a",
                "files",
                vec![file(
                    "/etc/issue",
                    Verb::Change,
                    "\x1b]0;owned\x07\n",
                    "hello\n",
                )],
                &[],
            )],
            ..Plan::default()
        };
        let shown = render(&plan, 1, &Style::test(80, false));
        assert!(
            !shown.contains('\x1b') && shown.contains("␛]0;owned␇"),
            "{shown}"
        );
    }
}
