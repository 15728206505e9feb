//! The end of a run: what was done, what took long, what comes next.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{count, cut, duration, wrap};
use crate::execute::Event;
use crate::plan::Actor;

/// How many steps of the critical path are shown, the longest of them.
const SHOWN: usize = 8;

/// What the events of a run add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Steps that ended well.
    pub done: usize,
    /// Steps that failed.
    pub failed: usize,
    /// Steps that did not run.
    pub left: usize,
    /// From the start of the run; zero when it did not come to its end.
    pub took: Duration,
    /// Steps that ended, in the order of their ends.
    pub steps: Vec<Ended>,
    /// By whose end each step could begin; by their places in the plan.
    after: BTreeMap<usize, usize>,
}

/// A step that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its place in the plan.
    pub step: usize,
    /// The host's name in the inventory.
    pub actor: Actor,
    /// Title of the step, a fragment such as `install packages`.
    pub title: String,
    /// From its start.
    pub took: Duration,
    /// What went wrong, if it failed.
    pub failure: Option<String>,
}

/// What to do after a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next<'a> {
    /// Where the logs of the run are.
    pub logs: Option<&'a Path>,
    /// Commands to go on with, the first one first.
    pub commands: &'a [&'a str],
}

impl Tally {
    /// Takes in an event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::StepStarted {
                step,
                after: Some(after),
                ..
            } => _ = self.after.insert(*step, *after),
            Event::StepDone {
                step,
                actor,
                title,
                took,
            } => {
                self.done += 1;
                self.end(*step, actor, title, *took, None);
            }
            Event::StepFailed {
                step,
                actor,
                title,
                took,
                failure,
                ..
            } => {
                self.failed += 1;
                self.end(*step, actor, title, *took, Some(failure.what.clone()));
            }
            Event::RunStarted { steps, .. } => self.left = *steps,
            // The executor's own numbers count.
            Event::RunEnded {
                done,
                failed,
                left,
                took,
            } => {
                (self.done, self.failed, self.left) = (*done, *failed, *left);
                self.took = *took;
            }
            _ => {}
        }
    }

    fn end(
        &mut self,
        step: usize,
        actor: &Actor,
        title: &str,
        took: Duration,
        failure: Option<String>,
    ) {
        self.left = self.left.saturating_sub(1);
        self.steps.push(Ended {
            step,
            actor: actor.clone(),
            title: title.to_owned(),
            took,
            failure,
        });
    }

    /// The steps that made up the time of the run: the one that ended last,
    /// the one by whose end that could begin, and so on; the first one first.
    #[must_use]
    pub fn critical_path(&self) -> Vec<&Ended> {
        let find = |place: &usize| self.steps.iter().find(|ended| ended.step == *place);
        let before = |ended: &&Ended| self.after.get(&ended.step).and_then(find);
        let mut path: Vec<_> = std::iter::successors(self.steps.last(), before).collect();
        path.reverse();
        path
    }

    /// Whether every step ended well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.failed == 0 && self.left == 0
    }
}

/// The summary of a run.
#[must_use]
pub fn render(tally: &Tally, next: &Next<'_>, style: &Style) -> String {
    let mut out = String::new();
    let failures: Vec<_> = tally
        .steps
        .iter()
        .filter(|step| step.failure.is_some())
        .collect();
    let hosts = failures
        .iter()
        .map(|step| step.actor.as_str().width())
        .max();
    for step in &failures {
        let text = step.failure.as_deref().map(sanitise).unwrap_or_default();
        let pad = hosts.unwrap_or_default();
        let text = cut(
            &format!("{}: {text}", step.title),
            style.width - pad.min(20) - 12,
        );
        out.push_str(&format!(
            "{}  {}  {text}\n",
            style.paint(Tone::Bad, "failed"),
            style.paint(Tone::Active, &format!("{:<pad$}", step.actor)),
        ));
    }
    if !failures.is_empty() {
        out.push('\n');
    }
    if tally.steps.len() > 1 {
        critical_path(&mut out, tally, style);
    }
    if style.verbose() {
        by_host(&mut out, tally, style);
    }
    let took = duration(tally.took);
    let steps = count(tally.done, "step");
    if tally.succeeded() {
        let done = style.paint(Tone::Good, "Done:");
        out.push_str(&format!("{done} {steps} in {took}.\n"));
    } else {
        out.push_str(&format!(
            "{} {steps} done, {} failed, {} not run, in {took}.\n",
            style.paint(Tone::Bad, "Failed:"),
            tally.failed,
            tally.left
        ));
    }
    if let Some(logs) = next.logs {
        let logs = sanitise(&logs.display().to_string());
        out.push_str(&format!("{} {logs}\n", style.paint(Tone::Faint, "Logs:")));
    }
    for (place, command) in next.commands.iter().enumerate() {
        let label = if place == 0 { "Next:" } else { "     " };
        for (place, line) in wrap(command, style.width - 6).iter().enumerate() {
            let label = if place == 0 { label } else { "     " };
            out.push_str(&format!("{} {line}\n", style.paint(Tone::Strong, label)));
        }
    }
    out
}

/// The longest steps of the path, in the order in which they ran.
fn critical_path(out: &mut String, tally: &Tally, style: &Style) {
    let path = tally.critical_path();
    let mut places: Vec<_> = (0..path.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(path[*place].took));
    let shorter = places.split_off(SHOWN.min(places.len()));
    places.sort_unstable();
    let hosts = places
        .iter()
        .map(|place| path[*place].actor.as_str().width());
    let hosts = hosts.max().unwrap_or_default();
    let heading = style.paint(Tone::Strong, "Critical path:");
    out.push_str(&format!(
        "{heading} {}, one after the other\n",
        count(path.len(), "step")
    ));
    for step in places.into_iter().map(|place| path[place]) {
        let title = cut(&step.title, style.width.saturating_sub(hosts + 13).max(20));
        out.push_str(&format!(
            "  {:>7}  {}  {title}\n",
            duration(step.took),
            style.paint(Tone::Active, &format!("{:<hosts$}", step.actor)),
        ));
    }
    if !shorter.is_empty() {
        let took = shorter.iter().map(|place| path[*place].took).sum();
        let what = format!("{} that took less", count(shorter.len(), "step"));
        out.push_str(&format!(
            "  {:>7}  {}\n",
            duration(took),
            style.paint(Tone::Faint, &what)
        ));
    }
    out.push('\n');
}

fn by_host(out: &mut String, tally: &Tally, style: &Style) {
    let mut totals: BTreeMap<&Actor, (usize, Duration)> = BTreeMap::new();
    for step in &tally.steps {
        let (steps, took) = totals.entry(&step.actor).or_default();
        *steps += 1;
        *took += step.took;
    }
    let hosts = totals
        .keys()
        .map(|host| host.as_str().width())
        .max()
        .unwrap_or_default();
    out.push_str(&format!("{}\n", style.paint(Tone::Strong, "Time by host")));
    for (host, (steps, took)) in totals {
        out.push_str(&format!(
            "  {:>7}  {}  {}\n",
            duration(took),
            style.paint(Tone::Active, &format!("{host:<hosts$}")),
            count(steps, "step")
        ));
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::tests::{name, story};
    use crate::ui::style::Verbosity;

    const NEXT: Next<'_> = Next {
        logs: None,
        commands: &["kdiy kubeconfig --merge", "kubectl get nodes"],
    };

    fn told() -> Tally {
        let mut tally = Tally::default();
        story().iter().for_each(|(_, event)| tally.on(event));
        tally
    }

    #[test]
    fn a_failed_run() {
        let next = Next {
            logs: Some(Path::new(".kdiy/demo/logs/20261120T163428Z")),
            commands: &[
                "fix the cause, then run kdiy apply again: it continues where this run \
                         stopped",
            ],
        };
        insta::assert_snapshot!(render(&told(), &next, &Style::test(80, false)));
    }

    #[test]
    fn a_good_run_in_full() {
        let mut tally = Tally {
            done: 11,
            took: Duration::from_secs(382),
            ..Tally::default()
        };
        for (step, took) in (1..=11).zip(1_u64..) {
            let host = format!("w-{}", step % 3 + 8);
            let took = Duration::from_secs(took * took);
            // Two of them ran beside the others.
            let before = (1..step).rev().find(|before| before % 5 != 0);
            if step % 5 != 0
                && let Some(before) = before
            {
                tally.after.insert(step, before);
            }
            tally.end(
                step,
                &name(&host).into(),
                &format!("step {step}"),
                took,
                None,
            );
        }
        let style = Style {
            verbosity: Verbosity::Verbose,
            ..Style::test(80, false)
        };
        insta::assert_snapshot!(render(&tally, &NEXT, &style));
    }

    #[test]
    fn a_run_that_was_cut_short_is_no_success() {
        let mut tally = Tally::default();
        let cut = |(at, _): &(f64, Event)| *at < 50.0;
        story()
            .iter()
            .take_while(|event| cut(event))
            .for_each(|(_, event)| tally.on(event));
        assert_eq!((tally.done, tally.failed, tally.left), (2, 1, 2));
        assert!(!tally.succeeded());
    }
}
