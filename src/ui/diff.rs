//! The difference of two texts, line by line.

use similar::{ChangeTag, TextDiff};

use super::sanitise::sanitise;
use super::style::{Style, Tone};
use super::text::{count, fold};
use crate::resource::TextChange;

/// Unchanged lines around a change.
const CONTEXT: usize = 2;
/// Lines of a changed file unless everything is shown.
const CHANGED: usize = 24;
/// Lines of a new file unless everything is shown: what it holds is no
/// surprise.
const CREATED: usize = 5;
/// What lines begin with that say nothing to the program that reads the file.
const REMARKS: [&str; 3] = ["#", "//", ";"];

/// Lines of the difference, each indented by `indent` columns.
#[must_use]
pub fn render(change: &TextChange, indent: usize, style: &Style) -> Vec<String> {
    let mut lines = lines(change);
    let total = lines.len();
    let most = match (style.verbose(), change.before.is_empty()) {
        (true, _) => total,
        (false, true) => {
            // The first lines of a script are as those of all scripts.
            match change.after.starts_with("#!") {
                true => lines.clear(),
                false => lines.retain(|(_, text)| has_content(text)),
            }
            CREATED
        }
        (false, false) => CHANGED,
    };
    // Hiding a single line would take a line as well.
    let most = if lines.len() == most + 1 {
        lines.len()
    } else {
        most
    };
    let room = style.width.saturating_sub(indent + 2).max(20);
    let blank = " ".repeat(indent);
    let mut out = Vec::new();
    for (sign, text) in lines.iter().take(most) {
        let tone = match sign {
            '+' => Tone::Good,
            '-' => Tone::Bad,
            _ => Tone::Faint,
        };
        for (place, part) in fold(text, room).into_iter().enumerate() {
            // A line that goes on has no sign of its own.
            let sign = if place == 0 { *sign } else { ' ' };
            let line = format!("{sign} {part}");
            out.push(format!("{blank}{}", style.paint(tone, line.trim_end())));
        }
    }
    let left = match (lines.is_empty(), lines.len().saturating_sub(most)) {
        (true, _) if total > 0 => format!("{}, -v shows them", count(total, "line")),
        (_, 0) => return out,
        // Remarks and blank lines are counted: it is what -v adds.
        _ => format!("… {} more lines, -v shows all", total - most),
    };
    out.push(format!("{blank}{}", style.paint(Tone::Faint, &left)));
    out
}

/// Whether a line is more than a remark or blank.
fn has_content(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !REMARKS.iter().any(|remark| line.starts_with(remark))
}

/// Sign and text of each line.
fn lines(change: &TextChange) -> Vec<(char, String)> {
    let diff = TextDiff::from_lines(change.before.as_str(), change.after.as_str());
    let mut out = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if !change.before.is_empty() {
            out.push((' ', hunk.header().to_string().trim_end().to_owned()));
        }
        for line in hunk.iter_changes() {
            let sign = match line.tag() {
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
                ChangeTag::Equal => ' ',
            };
            let text: &str = line.value();
            out.push((sign, sanitise(text.strip_suffix('\n').unwrap_or(text))));
            if line.missing_newline() {
                out.push(('\\', "no newline at the end".to_owned()));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::style::Verbosity;

    fn shown(before: &str, after: &str, verbosity: Verbosity) -> String {
        let change = TextChange {
            before: before.to_owned(),
            after: after.to_owned(),
        };
        let style = Style {
            verbosity,
            ..Style::test(40, false)
        };
        render(&change, 2, &style).join("\n")
    }

    #[test]
    fn a_change_has_few_lines_around_it() {
        let before: String = (1..=9).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 5", "line five");
        insta::assert_snapshot!(shown(&before, &after, Verbosity::Normal));
    }

    #[test]
    fn invisible_differences_are_visible() {
        insta::assert_snapshot!(shown("a\r\nb", "a\nb\n", Verbosity::Normal));
    }

    #[test]
    fn long_files_and_lines_are_tamed() {
        let long = "word ".repeat(20) + "\n" + &"x\n".repeat(9);
        insta::assert_snapshot!(shown("", &long, Verbosity::Normal));
        let all = shown("", &long, Verbosity::Verbose);
        assert_eq!(all.lines().filter(|line| *line == "  + x").count(), 9);
    }
}
