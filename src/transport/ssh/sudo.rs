//! Becoming root: the command that is run on a host, and the password.
//!
//! The command is constant but for a number, holds no secret, and means the
//! same to sh, bash, zsh, fish and csh: words, and one word in single quotes
//! that has neither a single quote, `!`, backslash nor line break in it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use zeroize::Zeroizing;

use super::Shared;
use super::route::Hop;
use crate::cluster::SudoPassword;
use crate::transport::error::{Error, SudoError};

/// What the shell says on both streams once it is there. What came before is
/// of login files, banners or sudo, and not of the script.
const READY: &str = "kdiy: ready";
pub(super) const READY_LINE: &str = "kdiy: ready\n";

/// What sudo says on standard error to ask for the password.
pub(super) const PROMPT: &str = "kdiy: password for sudo:";

/// After the time limit a script has this long to end by itself.
pub(super) const GRACE: Duration = Duration::from_secs(5);

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a shell is entered.
pub(super) enum Entry {
    /// As the user who logged in.
    Direct,
    /// As root, by a sudo that asks for nothing.
    Sudo,
    /// As root, by a sudo that may ask for this password.
    Password(Password),
}

/// The command that enters a shell, which then reads a script from standard
/// input: its length in bytes on the first line, then the script to the end.
///
/// The script is read as a whole and its length compared before any of it is
/// run, so half a script never runs. It runs with the umask 022, which the
/// maintainer scripts of packages take for granted, in `/`, in the C locale,
/// with nothing on its standard input.
pub(super) fn command(entry: &Entry, limit: Duration) -> String {
    let mut command = format!("exec env LC_ALL=C PATH={PATH} ");
    match entry {
        Entry::Direct => {}
        Entry::Sudo => command.push_str("sudo -n -- "),
        Entry::Password(_) => {
            write!(command, "sudo -S -k -p '{PROMPT}' -- ").expect("writing to a String");
        }
    }
    let (grace, limit) = (GRACE.as_secs(), limit.as_secs().clamp(1, u32::MAX.into()));
    write!(
        command,
        "timeout -k {grace} {limit} sh -c '\
         unset kdiy; umask 022; cd /; LC_ALL=C; PATH={PATH}; export LC_ALL PATH; \
         echo \"{READY}\"; echo \"{READY}\" >&2; \
         IFS= read -r kdiy_length; kdiy=$(cat); exec </dev/null; \
         if [ \"${{#kdiy}}\" = \"$kdiy_length\" ]; then eval \"$kdiy\"; \
         else echo \"kdiy: the script did not arrive whole\" >&2; exit 125; fi'"
    )
    .expect("writing to a String");
    command
}

/// Why no shell came about, by what was said on standard error.
pub(super) fn sudo_error(said: &str, asked_again: bool) -> SudoError {
    let line = |part: &str| {
        said.lines()
            .find(|line| line.contains(part))
            .map(str::to_owned)
    };
    if asked_again || said.contains("incorrect password") {
        SudoError::PasswordWrong
    } else if line("env: ").is_some_and(|line| line.contains("sudo") && line.contains("No such")) {
        SudoError::Missing
    } else if said.contains("password is required") || said.contains("authentication is required") {
        SudoError::PasswordNeeded
    } else if said.contains("have a tty") || said.contains("terminal is required") {
        SudoError::TtyNeeded
    } else if let Some(line) = ["not in the sudoers", "not allowed", "may not run sudo"]
        .into_iter()
        .find_map(line)
    {
        SudoError::NotAllowed(line)
    } else {
        SudoError::Other(said.lines().last().unwrap_or("it said nothing").to_owned())
    }
}

/// Passwords for sudo, each asked for once.
#[derive(Default)]
pub(super) struct Passwords {
    sources: Mutex<Vec<(SudoPassword, Arc<Answer>)>>,
}

/// What came of asking; `None` as long as nobody did.
type Answer = Mutex<Option<Asked>>;

/// A password that was asked for.
#[derive(Clone)]
enum Asked {
    /// No host has judged it yet.
    Untested(Arc<Zeroizing<String>>),
    /// A host accepted it.
    Accepted(Arc<Zeroizing<String>>),
    /// It was refused or could not be had.
    Failed(SudoError),
}

/// A password to use on one host. Until a host has accepted it only one host
/// tries it: a wrong one must not lock an account on thirty hosts at once.
pub(super) struct Password {
    pub text: Arc<Zeroizing<String>>,
    first: Option<OwnedMutexGuard<Option<Asked>>>,
}

impl Passwords {
    pub(super) async fn get(
        &self,
        shared: &Shared,
        hop: &Hop,
        source: &SudoPassword,
    ) -> Result<Password, Error> {
        let asked = {
            let mut sources = self.sources.lock().await;
            if let Some((_, asked)) = sources.iter().find(|(known, _)| known == source) {
                Arc::clone(asked)
            } else {
                let asked = Arc::<Answer>::default();
                sources.push((source.clone(), Arc::clone(&asked)));
                asked
            }
        };
        let mut asked = asked.lock_owned().await;
        let answer = if let Some(answer) = &*asked {
            answer.clone()
        } else {
            let _one_question = shared.asking.lock().await;
            let answer = match shared.operator.sudo_password(source).await {
                Ok(password) => Asked::Untested(Arc::new(password)),
                Err(why) => Asked::Failed(SudoError::PasswordUnavailable(why)),
            };
            asked.insert(answer).clone()
        };
        match answer {
            Asked::Accepted(text) => Ok(Password { text, first: None }),
            Asked::Untested(text) => Ok(Password {
                text,
                first: Some(asked),
            }),
            Asked::Failed(why) => Err(Error::Sudo {
                address: hop.address(),
                user: hop.user.clone(),
                why,
            }),
        }
    }
}

#[cfg(test)]
impl Password {
    /// One that a host has accepted.
    pub(super) fn of(text: &str) -> Self {
        Self {
            text: Arc::new(Zeroizing::new(text.to_owned())),
            first: None,
        }
    }
}

impl Password {
    /// sudo let the user in; `used` says whether it had asked for the password.
    pub(super) fn let_in(&mut self, used: bool) {
        if let Some(mut first) = self.first.take()
            && used
        {
            *first = Some(Asked::Accepted(Arc::clone(&self.text)));
        }
    }

    /// sudo refused the password.
    pub(super) fn refused(&mut self) {
        if let Some(mut first) = self.first.take() {
            *first = Some(Asked::Failed(SudoError::PasswordWrong));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Output, Stdio};

    /// Runs the command in a shell with this much of what would be sent.
    fn run(shell: &str, sent: &str) -> Output {
        let mut child = Command::new(shell)
            .args(["-c", &command(&Entry::Direct, Duration::from_secs(10))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(sent.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    #[test]
    fn half_a_script_never_runs() {
        let script = "echo begun\nif true; then echo inner; fi\necho ended";
        let sent = format!("{}\n{script}", script.len());
        for end in 0..sent.len() {
            let output = run("sh", &sent[..end]);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "kdiy: ready\n",
                "{end}"
            );
            assert_eq!(output.status.code(), Some(125), "{end}");
        }
        let output = run("sh", &sent);
        assert_eq!(output.stdout, b"kdiy: ready\nbegun\ninner\nended\n");
    }

    #[test]
    fn length_is_counted_in_bytes_by_every_sh() {
        let script = "printf '\u{e4}\u{20ac}'; # \u{e4}";
        for shell in ["sh", "bash"] {
            let output = run(shell, &format!("{}\n{script}", script.len()));
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                "kdiy: ready\n\u{e4}\u{20ac}"
            );
        }
    }

    #[test]
    fn the_command_is_the_same_to_every_login_shell() {
        insta::assert_snapshot!(command(&Entry::Sudo, Duration::from_secs(60)), @r#"exec env LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sudo -n -- timeout -k 5 60 sh -c 'unset kdiy; umask 022; cd /; LC_ALL=C; PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH; echo "kdiy: ready"; echo "kdiy: ready" >&2; IFS= read -r kdiy_length; kdiy=$(cat); exec </dev/null; if [ "${#kdiy}" = "$kdiy_length" ]; then eval "$kdiy"; else echo "kdiy: the script did not arrive whole" >&2; exit 125; fi'"#);
        let command = command(&Entry::Sudo, Duration::from_secs(60));
        let quotes = command.matches('\'').count();
        assert_eq!(quotes, 2);
        assert!(!command.contains(['!', '\\', '\n']));
    }

    #[test]
    fn what_sudo_says_is_understood() {
        for (said, expected) in [
            ("sudo: a password is required", SudoError::PasswordNeeded),
            (
                "sudo: interactive authentication is required",
                SudoError::PasswordNeeded,
            ),
            ("env: 'sudo': No such file or directory", SudoError::Missing),
            (
                "env: can't execute 'sudo': No such file or directory",
                SudoError::Missing,
            ),
            (
                "sudo: sorry, you must have a tty to run sudo",
                SudoError::TtyNeeded,
            ),
            (
                "\nSorry, try again.\nsudo: 1 incorrect password attempt",
                SudoError::PasswordWrong,
            ),
            (
                "lecture\nops is not in the sudoers file.",
                SudoError::NotAllowed("ops is not in the sudoers file.".to_owned()),
            ),
            ("sudo: odd", SudoError::Other("sudo: odd".to_owned())),
            ("", SudoError::Other("it said nothing".to_owned())),
        ] {
            assert_eq!(sudo_error(said, false), expected);
        }
        assert_eq!(sudo_error("anything", true), SudoError::PasswordWrong);
    }
}
