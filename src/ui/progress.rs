//! A run as it happens: bars on a terminal, plain lines off it, JSON for
//! programs. Renderers are fed events and the time; they keep no clock.

mod bars;
pub mod board;
mod json;
mod plain;

use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;

pub use bars::Bars;
pub use board::Board;
pub use json::Json;
pub use plain::Plain;

use super::summary::Tally;
use crate::execute::Event;

/// How often renderers are told the time: a spinner turns.
pub(super) const TICK: Duration = Duration::from_millis(100);

/// Shows events. Time comes in from outside, so that what is shown depends on
/// nothing else.
pub trait Renderer: Send {
    /// Something happened.
    fn on(&mut self, event: &Event, now: Instant);

    /// Time has passed.
    fn tick(&mut self, now: Instant);

    /// No more events come; what moves on the screen is taken away.
    fn end(&mut self);
}

/// Shows events until their channel is closed. Gives what they add up to, for
/// the summary.
pub async fn follow(mut events: UnboundedReceiver<Event>, renderer: &mut dyn Renderer) -> Tally {
    let mut tally = Tally::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => {
                    renderer.on(&event, Instant::now());
                    tally.on(&event);
                }
                None => break,
            },
            _ = ticks.tick() => renderer.tick(Instant::now()),
        }
    }
    renderer.end();
    tally
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::cluster::Name;
    use crate::execute::Failure;
    use crate::transport::Stream;

    pub(crate) fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    fn started(step: usize, host: &str, title: &str, after: Option<usize>) -> Event {
        Event::StepStarted {
            step,
            actor: name(host).into(),
            title: title.to_owned(),
            after,
        }
    }

    pub(crate) fn change(step: usize, host: &str, resource: &str) -> Event {
        Event::ChangeStarted {
            step,
            actor: name(host).into(),
            resource: resource.to_owned(),
        }
    }

    fn line(step: usize, host: &str, stream: Stream, text: &str) -> Event {
        Event::Line {
            step,
            actor: name(host).into(),
            stream,
            text: text.to_owned(),
        }
    }

    fn done(step: usize, host: &str, title: &str, took: f64) -> Event {
        Event::StepDone {
            step,
            actor: name(host).into(),
            title: title.to_owned(),
            took: seconds(took),
        }
    }

    pub(crate) fn failure() -> Failure {
        Failure {
            code: "step-packages",
            resource: Some("packages of kubernetes".to_owned()),
            what: "exit code 100".to_owned(),
            why: Vec::new(),
            last_lines: vec![
                "Reading package lists...".to_owned(),
                "\x1b[31mE:\x1b[0m Version '1.34.99*' for 'kubeadm' was not found".to_owned(),
                "E: a line that goes on and on and on and on and on and on and on to the end of it"
                    .to_owned(),
            ],
            hint: "see which versions the repository has (apt-cache madison kubeadm), set \
                   kubernetes.version in the inventory and run kdiy apply again"
                .to_owned(),
        }
    }

    /// A run of four steps on three hosts, of which one fails, with the time
    /// of each event since the start.
    pub(crate) fn story() -> Vec<(f64, Event)> {
        let host = |text| name(text);
        vec![
            (0.0, Event::Connecting { host: host("cp-1") }),
            (
                0.0,
                Event::Connecting {
                    host: host("worker-1"),
                },
            ),
            (
                0.31,
                Event::Observed {
                    host: host("cp-1"),
                    took: seconds(0.31),
                },
            ),
            (
                0.52,
                Event::Observed {
                    host: host("worker-1"),
                    took: seconds(0.52),
                },
            ),
            (4.0, Event::RunStarted { steps: 5, hosts: 2 }),
            (4.0, started(0, "cp-1", "kernel", None)),
            (4.0, change(0, "cp-1", "file /etc/modules-load.d/kdiy.conf")),
            (4.02, started(1, "worker-1", "packages", None)),
            (4.03, change(1, "worker-1", "packages of kubernetes")),
            (4.4, done(0, "cp-1", "kernel", 0.4)),
            (4.4, started(2, "cp-1", "packages", Some(0))),
            (4.5, change(2, "cp-1", "packages of kubernetes")),
            (
                5.0,
                line(
                    2,
                    "cp-1",
                    Stream::Out,
                    "Setting up kubelet \x1b[32m1.34.1\x1b[0m",
                ),
            ),
            (
                5.1,
                line(1, "worker-1", Stream::Err, "E: Version not found"),
            ),
            (
                5.2,
                Event::StepFailed {
                    step: 1,
                    actor: host("worker-1").into(),
                    title: "packages".to_owned(),
                    took: seconds(1.18),
                    failure: failure(),
                },
            ),
            (
                20.0,
                Event::StepRetried {
                    step: 2,
                    actor: host("cp-1").into(),
                    title: "packages".to_owned(),
                    what: "a server is overloaded or out of order: E: Failed to fetch \
                           http://mirror/\x1b[2Jx.deb  503  Service Unavailable"
                        .to_owned(),
                    wait: seconds(2.0),
                    next: 2,
                },
            ),
            (48.0, done(2, "cp-1", "packages", 43.6)),
            (48.0, started(3, "cp-1", "first control plane", Some(2))),
            (48.0, change(3, "cp-1", "command kubeadm init")),
            (131.0, done(3, "cp-1", "first control plane", 83.0)),
            (
                131.0,
                Event::RunEnded {
                    done: 3,
                    failed: 1,
                    left: 1,
                    took: seconds(127.0),
                },
            ),
        ]
    }

    /// Tells the story to a renderer, with a tick each half second.
    pub(crate) fn tell(renderer: &mut dyn Renderer, start: Instant) {
        let mut ticked = 0.0;
        for (at, event) in story() {
            while ticked < at {
                renderer.tick(start + seconds(ticked));
                ticked += 0.5;
            }
            renderer.on(&event, start + seconds(at));
        }
        renderer.end();
    }

    struct Recorder(Vec<Event>, bool);

    impl Renderer for Recorder {
        fn on(&mut self, event: &Event, _: Instant) {
            self.0.push(event.clone());
        }
        fn tick(&mut self, _: Instant) {}
        fn end(&mut self) {
            self.1 = true;
        }
    }

    #[tokio::test]
    async fn follow_shows_everything_and_then_ends() {
        let (send, receive) = tokio::sync::mpsc::unbounded_channel();
        let story: Vec<_> = story().into_iter().map(|(_, event)| event).collect();
        for event in &story {
            send.send(event.clone()).unwrap();
        }
        drop(send);
        let mut recorder = Recorder(Vec::new(), false);
        let tally = follow(receive, &mut recorder).await;
        assert_eq!(recorder.0, story);
        assert!(recorder.1);
        assert_eq!((tally.done, tally.failed, tally.left), (3, 1, 1));
    }
}
