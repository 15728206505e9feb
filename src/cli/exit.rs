//! How kdiy ends: exit codes, and errors on their way to the user.

use std::fmt;
use std::process::ExitCode;

/// How kdiy ended. The numbers are part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Ok = 0,
    /// Something else went wrong; the message says what.
    Error = 1,
    /// There are changes; only `plan --detailed-exitcode` says so.
    Changes = 2,
    /// The inventory is not valid.
    Inventory = 3,
    /// A host could not be reached or refused the login.
    Unreachable = 4,
    /// Hosts have problems; nothing was changed.
    Preflight = 5,
    /// A step failed; other steps may have changed hosts.
    StepFailed = 6,
    /// The user said no, or nobody could be asked.
    Declined = 7,
    /// A saved plan no longer fits the hosts.
    StalePlan = 8,
    /// The cluster serves, but something is missing or wrong.
    Degraded = 9,
    /// The cluster does not serve.
    Down = 10,
    /// Another kdiy applies, and this one did not begin; or it took the hosts
    /// over, and this one went no further.
    Locked = 11,
    /// The command line is wrong (`EX_USAGE` of sysexits.h; clap's own code
    /// for it, 2, means changes here).
    Usage = 64,
    /// Ended by Ctrl-C (128 + SIGINT, as shells have it).
    Interrupted = 130,
}

impl Exit {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Ok,
        Self::Error,
        Self::Changes,
        Self::Inventory,
        Self::Unreachable,
        Self::Preflight,
        Self::StepFailed,
        Self::Declined,
        Self::StalePlan,
        Self::Degraded,
        Self::Down,
        Self::Locked,
        Self::Usage,
        Self::Interrupted,
    ];

    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for the help.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done, or nothing to do",
            Self::Error => "another error; the message says which",
            Self::Changes => "the plan has changes (only plan --detailed-exitcode)",
            Self::Inventory => "the inventory is not valid",
            Self::Unreachable => "a host is unreachable or refused the login",
            Self::Preflight => "hosts have problems; nothing was changed",
            Self::StepFailed => "a step failed; run apply again to continue",
            Self::Declined => "a question was answered no, or could not be asked",
            Self::StalePlan => "the saved plan no longer fits the hosts",
            Self::Degraded => "it serves, but something is missing or wrong (status)",
            Self::Down => "it does not serve (status)",
            Self::Locked => "another kdiy is at work on the hosts, or took them over",
            Self::Usage => "the command line is wrong",
            Self::Interrupted => "interrupted by Ctrl-C",
        }
    }

    /// The exit of a command line that clap did not hand on: help and version
    /// were asked for, anything else is wrong usage.
    #[must_use]
    pub fn of_clap(error: &clap::Error) -> Self {
        if error.use_stderr() {
            Self::Usage
        } else {
            Self::Ok
        }
    }

    /// The table at the end of the help.
    #[must_use]
    pub fn table() -> String {
        let lines = Self::ALL.map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:\n{}", lines.join("\n"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// An error on its way to the user: what happened, the exit code that
/// scripts see, and what to do next.
#[derive(Debug)]
pub struct CliError {
    /// How kdiy ends.
    pub exit: Exit,
    /// What happened, as fragments from the outermost to the cause.
    pub error: anyhow::Error,
    /// What to do next.
    pub hint: Option<String>,
    /// Whether the user has been told already.
    pub shown: bool,
}

impl CliError {
    /// An error with its exit code.
    pub fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        Self {
            exit,
            error,
            hint: None,
            shown: false,
        }
    }

    /// An error that is only a message.
    pub fn message(
        exit: Exit,
        message: impl fmt::Display + fmt::Debug + Send + Sync + 'static,
    ) -> Self {
        Self::new(exit, anyhow::Error::msg(message))
    }

    /// An error that was shown already.
    #[must_use]
    pub fn shown(exit: Exit) -> Self {
        Self {
            shown: true,
            ..Self::message(exit, exit.meaning())
        }
    }

    /// What happened and why, outermost first. A cause that stands in what it
    /// caused already is not told again.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for cause in self.error.chain() {
            let cause = cause.to_string();
            if text.is_empty() {
                text = cause;
            } else if !text.ends_with(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        text
    }

    /// With what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Errors that nobody gave an exit code: [`Exit::Error`].
impl<E: Into<anyhow::Error>> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(Exit::Error, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_reported_once() {
        let source = std::io::Error::from(std::io::ErrorKind::NotFound);
        let told = source.to_string();
        let path = "file".into();
        let verb = "write";
        let error = crate::state::Error::Io { verb, path, source };
        let failed = CliError::new(Exit::Error, anyhow::Error::new(error).context("no plan"));
        assert_eq!(failed.text(), format!("no plan: write file: {told}"));
    }

    #[test]
    fn codes_are_distinct_and_in_order() {
        assert!(
            Exit::ALL
                .windows(2)
                .all(|pair| pair[0].code() < pair[1].code())
        );
    }

    #[test]
    fn any_error_becomes_a_general_failure() {
        fn read() -> Result<(), CliError> {
            std::fs::read("/no/such/file").map(drop)?;
            Ok(())
        }
        assert_eq!(read().unwrap_err().exit, Exit::Error);
    }
}
