//! How text is shown: width, colour, how much. Decided once, from what the
//! terminal is and what the user asked for.

use std::ffi::OsStr;
use std::io::IsTerminal;

use clap::ValueEnum;
use clap::builder::styling::{AnsiColor, Effects, Style as Ansi};

/// Columns where nobody says how many there are.
const COLUMNS: usize = 80;

/// Whether colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal that can, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Output {
    /// People.
    #[default]
    Text,
    /// Programs: a document, or while applying one object a line.
    Json,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub enum Verbosity {
    /// Results and failures only.
    Quiet,
    /// What an operator wants to know.
    #[default]
    Normal,
    /// Everything: whole files, each resource, output of hosts.
    Verbose,
}

/// What the three streams are connected to, and what the environment says
/// about colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminal {
    /// Whether standard input is a terminal.
    pub stdin: bool,
    /// Whether standard output is a terminal.
    pub stdout: bool,
    /// Whether standard error is a terminal.
    pub stderr: bool,
    /// Columns and rows, if one of the streams is a terminal that knows.
    pub size: Option<(usize, usize)>,
    /// `NO_COLOR` is set and not empty (<https://no-color.org>).
    pub no_color: bool,
    /// `CLICOLOR_FORCE` is set and not `0` (<https://bixense.com/clicolors>).
    pub force_color: bool,
    /// `TERM` is `dumb`: it cannot move the cursor or show colours.
    pub dumb: bool,
    /// The locale's characters are UTF-8.
    pub utf8: bool,
}

impl Terminal {
    /// Asks the process's streams and environment.
    #[must_use]
    pub fn detect() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            size: Self::size_now(),
            no_color: variable("NO_COLOR").is_some(),
            force_color: variable("CLICOLOR_FORCE").is_some_and(|value| value != OsStr::new("0")),
            dumb: variable("TERM").is_some_and(|value| value == OsStr::new("dumb")),
            // The first that is set decides, as in setlocale(3).
            utf8: ["LC_ALL", "LC_CTYPE", "LANG"]
                .into_iter()
                .find_map(variable)
                .is_some_and(|locale| is_utf8(&locale.to_string_lossy())),
        }
    }

    /// Columns and rows at this moment; a window may change its size.
    #[must_use]
    pub fn size_now() -> Option<(usize, usize)> {
        let (width, height) = terminal_size::terminal_size()?;
        // Some pseudo-terminals of CI systems say 0 by 0.
        (width.0 > 0 && height.0 > 0).then_some((usize::from(width.0), usize::from(height.0)))
    }

    fn colored(&self, color: Color, stream: bool) -> bool {
        match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !self.no_color && (self.force_color || (stream && !self.dumb)),
        }
    }
}

/// Whether a locale such as `de_DE.UTF-8` has all characters.
fn is_utf8(locale: &str) -> bool {
    let charset = locale.split_once('.').map_or("", |(_, charset)| charset);
    let charset = charset.split('@').next().unwrap_or_default();
    matches!(charset.to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

/// How text is shown on one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns.
    pub width: usize,
    /// Whether colours are used.
    pub color: bool,
    /// How much is shown.
    pub verbosity: Verbosity,
}

/// What a piece of text stands for; the one place that knows its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Titles.
    Strong,
    /// What matters less.
    Faint,
    /// Created, added, ended well.
    Good,
    /// Changed, warned about.
    Notable,
    /// Removed, failed.
    Bad,
    /// Run, in progress.
    Active,
}

impl Style {
    /// The style of standard output.
    #[must_use]
    pub fn of_stdout(terminal: &Terminal, color: Color, verbosity: Verbosity) -> Self {
        Self::of(terminal, terminal.stdout, color, verbosity)
    }

    /// The style of standard error.
    #[must_use]
    pub fn of_stderr(terminal: &Terminal, color: Color, verbosity: Verbosity) -> Self {
        Self::of(terminal, terminal.stderr, color, verbosity)
    }

    fn of(terminal: &Terminal, stream: bool, color: Color, verbosity: Verbosity) -> Self {
        let columns = terminal.size.filter(|_| stream).map(|(width, _)| width);
        Self {
            // Narrower than this, wrapping would be harder to read than
            // what the terminal does by itself.
            width: columns.unwrap_or(COLUMNS).max(40),
            color: terminal.colored(color, stream),
            verbosity,
        }
    }

    /// Text in the colour of a tone.
    #[must_use]
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let ansi = match tone {
            Tone::Strong => Ansi::new().effects(Effects::BOLD),
            Tone::Faint => Ansi::new().effects(Effects::DIMMED),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Notable => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().effects(Effects::BOLD),
            Tone::Active => AnsiColor::Cyan.on_default(),
        };
        format!("{ansi}{text}{ansi:#}")
    }

    /// Whether everything is shown.
    #[must_use]
    pub fn verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }
}

#[cfg(test)]
impl Style {
    /// A style for snapshots.
    pub(crate) fn test(width: usize, color: bool) -> Self {
        Self {
            width,
            color,
            verbosity: Verbosity::Normal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Terminal = Terminal {
        stdin: true,
        stdout: true,
        stderr: true,
        size: Some((200, 50)),
        no_color: false,
        force_color: false,
        dumb: false,
        utf8: true,
    };

    fn style(terminal: Terminal, color: Color) -> Style {
        Style::of_stdout(&terminal, color, Verbosity::Normal)
    }

    #[test]
    fn colour_follows_the_flag_then_the_environment_then_the_terminal() {
        let piped = Terminal {
            stdout: false,
            ..TERMINAL
        };
        let none = Terminal {
            no_color: true,
            force_color: true,
            ..TERMINAL
        };
        let dumb = Terminal {
            dumb: true,
            ..TERMINAL
        };
        let forced = Terminal {
            force_color: true,
            ..piped
        };
        assert!(style(TERMINAL, Color::Auto).color);
        assert!(!style(piped, Color::Auto).color);
        assert!(!style(none, Color::Auto).color);
        assert!(!style(dumb, Color::Auto).color);
        assert!(style(forced, Color::Auto).color);
        assert!(style(none, Color::Always).color);
        assert!(!style(TERMINAL, Color::Never).color);
    }

    #[test]
    fn the_locale_says_which_characters_there_are() {
        for locale in ["C.UTF-8", "de_DE.utf8", "en_GB.UTF-8@euro"] {
            assert!(is_utf8(locale), "{locale}");
        }
        for locale in ["C", "POSIX", "de_DE", "de_DE.ISO-8859-15@euro", "utf8"] {
            assert!(!is_utf8(locale), "{locale}");
        }
    }

    #[test]
    fn width_is_80_off_a_terminal() {
        let piped = Terminal {
            stdout: false,
            ..TERMINAL
        };
        assert_eq!(style(TERMINAL, Color::Auto).width, 200);
        assert_eq!(style(piped, Color::Auto).width, 80);
    }

    #[test]
    fn paint_without_colour_is_the_text() {
        assert_eq!(Style::test(80, false).paint(Tone::Bad, "x"), "x");
        assert_eq!(
            Style::test(80, true).paint(Tone::Good, "x"),
            "\x1b[32mx\x1b[0m"
        );
    }
}
