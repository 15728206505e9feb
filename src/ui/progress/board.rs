//! What is going on at a moment: the events so far, folded.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::cluster::Name;
use crate::execute::Event;
use crate::plan::Actor;

/// How `kdiy_poll` and apt begin to say what a step that takes long is at.
const WAITS: [&str; 2] = ["waiting for ", "Waiting for cache lock"];

/// What is going on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    /// Hosts that have not answered yet, since when.
    pub connecting: BTreeMap<Name, Instant>,
    /// Hosts that have answered, or cannot; some are looked at twice.
    pub observed: BTreeSet<Name>,
    /// Steps of the run; `None` before it.
    pub steps: Option<usize>,
    /// When the run, or what came before it, began.
    pub since: Option<Instant>,
    /// Steps that run, by their place in the plan.
    pub running: BTreeMap<usize, Running>,
    /// Steps that ended well.
    pub done: usize,
    /// Steps that failed.
    pub failed: usize,
}

/// A step that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Who carries it out.
    pub actor: Actor,
    /// Title of the step, a fragment such as `install packages`.
    pub title: String,
    /// The resource that is being brought about.
    pub resource: Option<String>,
    /// When it began.
    pub since: Instant,
}

impl Board {
    /// Takes in an event.
    pub fn on(&mut self, event: &Event, now: Instant) {
        self.since.get_or_insert(now);
        match event {
            Event::Connecting { host } => {
                self.connecting.entry(host.clone()).or_insert(now);
            }
            Event::Observed { host, .. } | Event::Unreachable { host, .. } => {
                self.connecting.remove(host);
                self.observed.insert(host.clone());
            }
            Event::RunStarted { steps, .. } => {
                self.steps = Some(*steps);
                self.since = Some(now);
                self.connecting.clear();
            }
            Event::StepStarted {
                step, actor, title, ..
            } => {
                let running = Running {
                    actor: actor.clone(),
                    title: title.clone(),
                    resource: None,
                    since: now,
                };
                self.running.insert(*step, running);
            }
            Event::ChangeStarted { step, resource, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.resource = Some(resource.clone());
                }
            }
            Event::Line { step, text, .. } if WAITS.iter().any(|w| text.starts_with(w)) => {
                if let Some(running) = self.running.get_mut(step) {
                    running.resource = Some(text.clone());
                }
            }
            Event::StepRetried { step, .. } => {
                if let Some(running) = self.running.get_mut(step) {
                    running.resource = Some("waiting to be tried again".to_owned());
                }
            }
            Event::Line { .. } | Event::Script { .. } => {}
            Event::StepDone { step, .. } => {
                self.running.remove(step);
                self.done += 1;
            }
            Event::StepFailed { step, .. } => {
                self.running.remove(step);
                self.failed += 1;
            }
            Event::RunEnded { .. } => self.running.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Stream;
    use crate::ui::progress::tests::story;
    use std::time::Duration;

    fn board_at(seconds: f64) -> Board {
        let start = Instant::now();
        let mut board = Board::default();
        for (at, event) in story().into_iter().filter(|(at, _)| *at <= seconds) {
            board.on(&event, start + Duration::from_secs_f64(at));
        }
        board
    }

    #[test]
    fn hosts_are_waited_for_until_they_answer() {
        let board = board_at(0.4);
        assert_eq!((board.connecting.len(), board.observed.len()), (1, 1));
        assert_eq!(board.steps, None);
    }

    #[test]
    fn a_host_that_is_looked_at_twice_is_one_host() {
        let mut board = board_at(0.4);
        let host = board.observed.first().unwrap().clone();
        let took = Duration::from_secs(1);
        board.on(&Event::Observed { host, took }, Instant::now());
        assert_eq!(board.observed.len(), 1);
    }

    #[test]
    fn what_a_step_waits_for_is_seen_until_its_next_change() {
        let mut board = board_at(5.0);
        let host = board.running[&2].actor.clone();
        let line = |text: &str| Event::Line {
            step: 2,
            actor: host.clone(),
            stream: Stream::Err,
            text: text.to_owned(),
        };
        let shown = |board: &Board| board.running[&2].resource.clone().unwrap();
        board.on(&line("waiting for the API"), Instant::now());
        assert_eq!(shown(&board), "waiting for the API");
        board.on(&line("Get:1 http://example.org"), Instant::now());
        assert_eq!(shown(&board), "waiting for the API");
        let resource = "file /etc/next".to_owned();
        let next = Event::ChangeStarted {
            step: 2,
            actor: host.clone(),
            resource,
        };
        board.on(&next, Instant::now());
        assert_eq!(shown(&board), "file /etc/next");
    }

    #[test]
    fn steps_run_from_their_start_to_their_end() {
        let board = board_at(5.0);
        let running: Vec<_> = board.running.keys().copied().collect();
        assert_eq!(running, [1, 2]);
        assert_eq!(
            board.running[&2].resource.as_deref(),
            Some("packages of kubernetes")
        );
        let board = board_at(200.0);
        assert!(board.running.is_empty());
        assert_eq!((board.done, board.failed, board.steps), (3, 1, Some(5)));
    }
}
