//! A failed step: where, what, its last words, what to do.

use std::time::Duration;

use super::sanitise::{sanitise, sanitise_output};
use super::style::{Style, Tone};
use super::text::{cut, duration, fold, wrap};
use crate::execute::Failure;
use crate::plan::Actor;

/// Columns of the labels.
const LABELS: usize = 10;

/// Columns of a line of output. The whole of it is in the logs.
const LINE: usize = 1_000;

/// The failure of a step, on several lines; each ends with a newline.
#[must_use]
pub fn render(
    actor: &Actor,
    title: &str,
    took: Duration,
    failure: &Failure,
    style: &Style,
) -> String {
    let room = style.width - LABELS;
    let mut out = format!(
        "{} {} on {} after {}\n",
        style.paint(Tone::Bad, "failed:"),
        style.paint(Tone::Strong, title),
        style.paint(Tone::Active, actor.as_str()),
        duration(took)
    );
    let mut field = |label: &str, lines: Vec<String>, tone: Option<Tone>| {
        for (place, line) in lines.into_iter().enumerate() {
            let label = format!("  {:<8}", if place == 0 { label } else { "" });
            let line = tone.map_or_else(|| line.clone(), |tone| style.paint(tone, &line));
            let line = format!("{}{line}", style.paint(Tone::Faint, &label));
            out.push_str(line.trim_end());
            out.push('\n');
        }
    };
    if let Some(resource) = &failure.resource {
        field("while", wrap(&sanitise(resource), room), None);
    }
    field(
        "what",
        wrap(
            &sanitise(&format!("{} [{}]", failure.what, failure.code)),
            room,
        ),
        Some(Tone::Bad),
    );
    let why = failure.why.iter();
    let why = why.flat_map(|line| fold(&cut(&sanitise_output(line), LINE), room));
    field("why", why.collect(), None);
    let output = failure.last_lines.iter();
    let output = output.flat_map(|line| fold(&cut(&sanitise_output(line), LINE), room));
    field("output", output.collect(), None);
    field("do", wrap(&failure.hint, room), Some(Tone::Good));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::tests::{failure, name};

    fn shown(width: usize, failure: &Failure) -> String {
        let took = Duration::from_millis(1_180);
        let style = Style::test(width, false);
        render(&name("worker-1").into(), "packages", took, failure, &style)
    }

    #[test]
    fn says_where_what_and_what_to_do() {
        insta::assert_snapshot!("failure-80", shown(80, &failure()));
        insta::assert_snapshot!("failure-200", shown(200, &failure()));
    }

    #[test]
    fn says_why_what_was_waited_for_is_not_well() {
        let gate = Failure {
            resource: None,
            what: "exit code 1".to_owned(),
            why: vec![
                "cp-1: KubeletNotReady: cni plugin not initialized".to_owned(),
                "  install-cni: \u{1b}[2Jcp: no such file".to_owned(),
            ],
            last_lines: vec!["waited 300 s in vain".to_owned()],
            hint: "fix it".to_owned(),
            ..failure()
        };
        let shown = shown(80, &gate);
        let lines: Vec<_> = shown.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "  what    exit code 1 [step-packages]",
                "  why     cp-1: KubeletNotReady: cni plugin not initialized",
                "            install-cni: cp: no such file",
                "  output  waited 300 s in vain",
                "  do      fix it",
            ]
        );
    }

    #[test]
    fn says_no_more_than_there_is() {
        let bare = Failure {
            resource: None,
            last_lines: Vec::new(),
            ..failure()
        };
        let shown = shown(80, &bare);
        assert!(
            !shown.contains("while") && !shown.contains("output"),
            "{shown}"
        );
    }
}
