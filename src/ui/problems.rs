//! Reasons not to begin, of all hosts together.

use std::collections::{BTreeMap, BTreeSet};

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{count, names, wrap};
use crate::cluster::Name;
use crate::plan::{PlanError, Problem};

/// Problems by kind, each with the hosts that have it and its fix once.
/// Empty when there are none.
#[must_use]
pub fn render(problems: &[Problem], style: &Style) -> String {
    let mut kinds: BTreeMap<(&str, &str), BTreeMap<&str, BTreeSet<&Name>>> = BTreeMap::new();
    for problem in problems {
        let whats = kinds.entry((problem.code, &problem.fix)).or_default();
        whats
            .entry(&problem.what)
            .or_default()
            .insert(&problem.host);
    }
    let mut out = String::new();
    for ((code, fix), whats) in &kinds {
        out.push_str(&format!("{}\n", style.paint(Tone::Bad, code)));
        for (what, hosts) in whats {
            let names = names(hosts);
            let text = format!("{names}: {}", sanitise(what));
            for (place, line) in wrap(&text, style.width - 4).into_iter().enumerate() {
                let line = match line.strip_prefix(&names).filter(|_| place == 0) {
                    Some(rest) => style.paint(Tone::Active, &names) + rest,
                    None => line,
                };
                out.push_str(&format!("  {}{line}\n", if place == 0 { "" } else { "  " }));
            }
        }
        for (place, line) in wrap(&sanitise(fix), style.width - 7)
            .into_iter()
            .enumerate()
        {
            let label = if place == 0 { "fix:" } else { "    " };
            out.push_str(&format!("  {} {line}\n", style.paint(Tone::Good, label)));
        }
        out.push('\n');
    }
    if !problems.is_empty() {
        let hosts: BTreeSet<_> = problems.iter().map(|problem| &problem.host).collect();
        let total = count(problems.len(), "problem");
        let hosts = count(hosts.len(), "host");
        let codes: BTreeSet<_> = kinds.keys().map(|(code, _)| *code).collect();
        // What scrolled away is named once more.
        let codes = match codes.len() {
            1 => String::new(),
            _ => format!(" ({})", codes.into_iter().collect::<Vec<_>>().join(", ")),
        };
        let all = format!("{total} on {hosts}{codes}. Nothing was changed.");
        for (place, line) in wrap(&all, style.width).into_iter().enumerate() {
            let line = match line.strip_prefix(&total).filter(|_| place == 0) {
                Some(rest) => style.paint(Tone::Bad, &total) + rest,
                None => line,
            };
            out.push_str(&format!("{line}\n"));
        }
    }
    out
}

/// Warnings, a text for each kind with the hosts that it is about.
#[must_use]
pub fn advice(warnings: &[Problem]) -> Vec<String> {
    let mut kinds: BTreeMap<(&str, &str, &str), BTreeSet<&Name>> = BTreeMap::new();
    for Problem {
        host,
        code,
        what,
        fix,
    } in warnings
    {
        kinds.entry((code, what, fix)).or_default().insert(host);
    }
    let text = |((code, what, fix), hosts): ((&str, &str, &str), BTreeSet<&Name>)| {
        format!("{}: {what} [{code}]; {fix}", names(&hosts))
    };
    let texts = kinds.into_iter().map(text);
    texts.map(|text| sanitise(&text)).collect()
}

/// Resources that must not be replaced, as problems.
#[must_use]
pub fn of_errors(refused: &[PlanError]) -> Vec<Problem> {
    let problem = |refused: &PlanError| Problem {
        host: refused.host.clone(),
        code: "must-not-be-replaced",
        what: format!("{} holds something else", refused.error.what),
        fix: refused.error.why.clone(),
    };
    refused.iter().map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::ReplaceError;

    fn problem(host: &str, code: &'static str, what: &str, fix: &str) -> Problem {
        Problem {
            host: Name::try_from(host.to_owned()).unwrap(),
            code,
            what: what.to_owned(),
            fix: fix.to_owned(),
        }
    }

    fn several() -> Vec<Problem> {
        let clock = "enable systemd-timesyncd or chrony on these hosts, then run kdiy again when \
                     the clocks agree";
        let uuid = "give each virtual machine its own UUID (with libvirt: remove <uuid> from the \
                    copied definition)";
        vec![
            problem("cp-1", "clock-skew", "the clock is 93 s behind", clock),
            problem("w-2", "clock-skew", "the clock is 12 s ahead", clock),
            problem(
                "cp-1",
                "same-product-uuid",
                "shares its product_uuid with cp-2",
                uuid,
            ),
            problem(
                "cp-3",
                "port-taken",
                "port 6443/tcp is taken by nginx (pid 812)",
                "stop it",
            ),
            problem(
                "cp-2",
                "port-taken",
                "port 6443/tcp is taken by nginx (pid 812)",
                "stop it",
            ),
        ]
    }

    #[test]
    fn the_same_problem_is_reported_once() {
        insta::assert_snapshot!(render(&several(), &Style::test(80, false)));
    }

    #[test]
    fn colour_only_adds_colour() {
        let plain = render(&several(), &Style::test(60, false));
        let colored = render(&several(), &Style::test(60, true));
        assert_ne!(plain, colored);
        let stripped: Vec<_> = colored
            .lines()
            .map(crate::ui::sanitise::sanitise_output)
            .collect();
        assert_eq!(plain.lines().collect::<Vec<_>>(), stripped);
    }

    #[test]
    fn the_same_advice_is_given_once() {
        let old = |host| {
            problem(
                host,
                "containerd-version",
                "containerd 1.7 is old",
                "take 2",
            )
        };
        let all = [
            old("w-1"),
            old("w-2"),
            problem("w-1", "other", "it is so", "do it"),
        ];
        assert_eq!(
            advice(&all),
            [
                "w-1, w-2: containerd 1.7 is old [containerd-version]; take 2",
                "w-1: it is so [other]; do it"
            ]
        );
    }

    #[test]
    fn none_are_nothing() {
        assert_eq!(render(&[], &Style::test(80, false)), "");
    }

    #[test]
    fn refusals_are_problems() {
        let refused = PlanError {
            host: Name::try_from("cp-2".to_owned()).unwrap(),
            error: ReplaceError {
                what: "/etc/kubernetes/pki/ca.crt".to_owned(),
                why: "it is of another cluster; take it away or restore .kdiy".to_owned(),
            },
        };
        insta::assert_snapshot!(render(&of_errors(&[refused]), &Style::test(80, false)));
    }
}
