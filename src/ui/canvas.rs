//! The whole screen of a terminal, drawn anew in place.

use std::io::{self, Write as _};

use super::sink::Sink;
use super::style::{Style, Terminal};
use super::text::count;

/// The terminal's other screen, no cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
/// Rows where the terminal does not say how many it has.
const ROWS: usize = 24;

/// The whole screen; what was there before comes back when it is dropped.
pub struct Canvas {
    out: Sink,
    style: Style,
    entered: bool,
}

impl Canvas {
    pub(super) const fn new(out: Sink, style: Style) -> Self {
        Self {
            out,
            style,
            entered: false,
        }
    }

    /// How text is shown on it now: a window may change its size.
    #[must_use]
    pub fn style(&self) -> Style {
        let width = Terminal::size_now().map_or(self.style.width, |(width, _)| width.max(40));
        Style {
            width,
            ..self.style
        }
    }

    /// Shows a text and a last line; of a text that is too long its beginning.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn draw(&mut self, text: &str, last: &str) -> io::Result<()> {
        let rows = Terminal::size_now().map_or(ROWS, |(_, rows)| rows);
        let mut frame = frame(text, last, rows);
        if !self.entered {
            frame.insert_str(0, ENTER);
            self.entered = true;
        }
        self.out.write_all(frame.as_bytes())?;
        self.out.flush()
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        if self.entered {
            // There is nobody left to tell that it cannot be written.
            let _ = self.out.write_all(LEAVE.as_bytes());
            let _ = self.out.flush();
        }
    }
}

/// Everything over what was there, so that nothing flickers: from the upper
/// left, what is left of each line and below the last one cleared.
fn frame(text: &str, last: &str, rows: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    let room = rows.saturating_sub(1).max(1);
    let shown = match lines.len() {
        all if all <= room => all,
        _ => room - 1,
    };
    let mut out = "\x1b[H".to_owned();
    for line in &lines[..shown] {
        out.push_str(&format!("{line}\x1b[K\r\n"));
    }
    if shown < lines.len() {
        let more = count(lines.len() - shown, "more line");
        out.push_str(&format!("… {more}: make the window higher\x1b[K\r\n"));
    }
    out.push_str(&format!("{last}\x1b[K\x1b[J"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_never_higher_than_the_screen() {
        let text = "one\ntwo\nthree\n";
        assert_eq!(
            frame(text, "last", 4),
            "\x1b[Hone\x1b[K\r\ntwo\x1b[K\r\nthree\x1b[K\r\nlast\x1b[K\x1b[J"
        );
        let cut = frame(text, "last", 3);
        assert_eq!(cut.matches("\r\n").count(), 2);
        assert!(
            cut.contains("one") && cut.contains("… 2 more lines"),
            "{cut}"
        );
    }

    #[test]
    fn the_screen_comes_back() {
        let (sink, written) = Sink::memory();
        let mut canvas = Canvas::new(sink, Style::test(80, false));
        canvas.draw("text", "").unwrap();
        canvas.draw("text", "").unwrap();
        drop(canvas);
        let written = written();
        assert_eq!(written.matches(ENTER).count(), 1);
        assert!(written.starts_with(ENTER) && written.ends_with(LEAVE));
    }
}
