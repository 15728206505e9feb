//! `kdiy exec`.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use zeroize::Zeroizing;

use super::heartbeat::{self, Heartbeat};
use super::interrupt::Interrupts;
use super::selection::{self, Word};
use super::{CliError, ConnectionArgs, Exit, Global, connector, source};
use crate::cluster::{Name, Node};
use crate::execute::command::{Command, Ended, OutputEvent, everywhere};
use crate::transport::{self, Connection as _, Connector as _, Error, Request, Stream, User};
use crate::ui::{self, Output, Ui, Verbosity, exec_output};

/// Output of one host that is kept where it is shown in one piece, in bytes.
const KEEP: usize = 4 * 1024 * 1024;
/// What `--stdin` takes at most, in bytes: it is kept in memory.
const INPUT: u64 = 16 * 1024 * 1024;
/// How timeout(1) ends when it has ended a command.
const TIMED_OUT: u8 = 124;

/// Run a command on hosts
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Runs as root, through sudo where the login is not root, in the home directory
and side by side. One argument is a line for sh; several are a program and its
arguments, handed over exactly. Each line is shown behind its host's name.

Exits with the command's own code where all hosts agree. Otherwise 1; 4 when a
host could not be reached. A command that took too long counts as 124, one that
was killed by a signal as 128 and the signal's number. Ctrl-C ends kdiy; what
has begun on hosts may go on to its end or its time limit.

Examples:
  kdiy exec -- uptime
  kdiy exec --on worker -- 'df -h /var | tail -n 1'
  kdiy exec --on cp-1,etcd --group -- journalctl -u kubelet -n 20
  kdiy exec --on cp-1 --raw -- cat /etc/kubernetes/admin.conf > admin.conf
  kdiy exec --stdin -- tee /etc/motd < motd"
)]
pub struct Exec {
    /// Nodes and roles: control-plane, worker, etcd, load-balancer, all
    #[arg(long, value_name = "ROLE|NODE,..", value_delimiter = ',')]
    pub on: Vec<Word>,
    /// As the user who logs in, not as root
    #[arg(long)]
    pub as_login: bool,
    /// Give the command this standard input, up to 16 MiB, on every host
    #[arg(long)]
    pub stdin: bool,
    /// Show what a host said in one piece, when it has ended
    #[arg(long)]
    pub group: bool,
    /// Write the output of one host byte for byte, without its name
    #[arg(long, conflicts_with = "group")]
    pub raw: bool,
    /// Seconds that the command may take on a host
    #[arg(long, value_name = "SECS", default_value = "600", value_parser = limit)]
    pub timeout: Duration,
    /// A line for sh, or a program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// Whole seconds, at least one and at most a day.
fn limit(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=86_400) => Ok(Duration::from_secs(seconds)),
        _ => Err("must be a number of seconds from 1 to 86400".to_owned()),
    }
}

impl Exec {
    /// Runs the command and hands its exit code on.
    ///
    /// # Errors
    /// When the inventory is not valid, or a node is not in it.
    pub async fn run(&self, global: &Global, ui: &Ui) -> Result<ExitCode, CliError> {
        let source = source::load_tersely(global, ui)?;
        let nodes = selection::select(&source.cluster, &self.on)?;
        if self.raw && (nodes.len() != 1 || ui.output() == Output::Json) {
            let what = format!("--raw is for text of one host, these are {}", nodes.len());
            return Err(CliError::message(Exit::Usage, what)
                .hint("name one node with --on, and leave out --output json"));
        }
        let input = if self.stdin { Some(input()?) } else { None };
        let script = Command::of(&self.command).script(input.as_ref().map(|text| text.as_str()));
        if ui.style().verbose() {
            let shown = Command::of(&self.command).script(None);
            let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            ui.tell(&exec_output::script(
                &names.join(", "),
                &shown,
                ui.err_style(),
            ));
        }
        let script = Zeroizing::new(script.as_str().to_owned());
        let piecewise = self.group || ui.output() == Output::Json;
        let request = Request {
            script: &script,
            user: if self.as_login {
                User::Login
            } else {
                User::Root
            },
            limit: self.timeout,
            keep: if piecewise || self.raw { KEEP } else { 0 },
        };
        let connector = connector::ssh(&self.connection_args, ui)?;
        let stage = Stage::new(self, ui, &nodes);
        // Not before standard input was read: nothing else ends that.
        let interrupts = Interrupts::listen()?;
        let work = async {
            match self.raw {
                true => vec![raw(&connector, nodes[0], request, ui).await],
                false => {
                    let width = self.connection_args.width();
                    let on_event =
                        |host: &Name, event: OutputEvent<'_>| stage.on_event(host, &event);
                    everywhere(&connector, &nodes, width, request, &on_event).await
                }
            }
        };
        let work = heartbeat::wait(ui, &stage.heartbeat, || stage.waited_for(), work);
        let all = tokio::select! {
            all = work => all,
            () = interrupts.wait_for(1) => {
                let seconds = self.timeout.as_secs();
                ui.note(&match stage.begun() {
                    none if none.is_empty() => "Interrupted; nothing has begun on any host.".to_owned(),
                    begun => format!(
                        "Interrupted. What has begun on {begun} goes on there to its end, or for \
                         {seconds} s at most."
                    ),
                });
                return Ok(Exit::Interrupted.into());
            }
        };
        tell(&all, ui);
        Ok(ExitCode::from(code(&all)))
    }
}

/// Standard input as base64.
fn input() -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::io::stdin().take(INPUT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > INPUT {
        return Err(
            CliError::message(Exit::Error, "standard input is longer than 16 MiB")
                .hint("copy it with scp or rsync, or let the hosts fetch it"),
        );
    }
    Ok(Zeroizing::new(STANDARD.encode(&*bytes)))
}

/// Runs it on one host; standard output goes to ours as it comes.
async fn raw(
    connector: &transport::ssh::Ssh,
    node: &Node,
    request: Request<'_>,
    ui: &Ui,
) -> (Name, Ended) {
    let began = tokio::time::Instant::now();
    let result = async {
        let link = connector.connect(&node.name, &node.login).await?;
        let mut out = ui.stdout();
        let output = link.stream(request, &mut out).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().map(ui::sanitise_output);
        said.for_each(|line| ui.tell(&format!("{line}\n")));
        Ok(output)
    };
    let result = result.await;
    let took = began.elapsed();
    (node.name.clone(), Ended { result, took })
}

/// Where what is heard of hosts comes together.
struct Stage<'a> {
    ui: &'a Ui,
    lines: exec_output::Lines,
    group: bool,
    heartbeat: Heartbeat,
    /// Hosts that have not ended, and whether the command has begun there.
    open: Mutex<BTreeMap<Name, bool>>,
}

impl<'a> Stage<'a> {
    fn new(exec: &Exec, ui: &'a Ui, nodes: &[&Node]) -> Self {
        let hosts = nodes.iter().map(|node| node.name.as_str().len()).max();
        let open = nodes.iter().map(|node| (node.name.clone(), false));
        Self {
            ui,
            lines: exec_output::Lines {
                style: *ui.style(),
                hosts: hosts.unwrap_or_default(),
                terminal: ui.prints_to_terminal(),
            },
            group: exec.group,
            heartbeat: Heartbeat::new(),
            open: Mutex::new(open.collect()),
        }
    }

    fn on_event(&self, host: &Name, event: &OutputEvent<'_>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let json = self.ui.output() == Output::Json;
        match event {
            OutputEvent::Begun => _ = open.insert(host.clone(), true),
            OutputEvent::Line(..) if self.group || json => {}
            OutputEvent::Line(stream, text) => {
                let line = self.lines.line(host, *stream, text);
                self.print(*stream, &line);
            }
            OutputEvent::Ended(ended) => {
                open.remove(host);
                if json {
                    let document = exec_output::Document::of(host, ended);
                    if let Ok(line) = serde_json::to_string(&document) {
                        let line = ui::sanitise_json(&line);
                        self.print(Stream::Out, &format!("{line}\n"));
                    }
                } else if self.group && ended.result.is_ok() {
                    self.print(Stream::Out, &self.lines.group(host, ended));
                }
            }
        }
    }

    fn print(&self, stream: Stream, text: &str) {
        self.heartbeat.reset();
        match stream {
            // A full disk here must not leave hosts half done.
            Stream::Out => _ = self.ui.print(text),
            Stream::Err => self.ui.tell(text),
        }
    }

    fn names(&self, wanted: impl Fn(bool) -> bool) -> String {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let named = open.iter().filter(|(_, begun)| wanted(**begun));
        ui::text::names(&named.map(|(host, _)| host).collect())
    }

    fn waited_for(&self) -> String {
        self.names(|_| true)
    }

    fn begun(&self) -> String {
        self.names(|begun| begun)
    }
}

/// How it ended where there is something to say about that.
fn tell(all: &[(Name, Ended)], ui: &Ui) {
    for (host, ended) in all {
        if let Err(error) = &ended.result {
            ui.error(&format!("{host}: {error}"), Some(&error.hint()));
        }
    }
    let failed = code(all) != 0;
    let text = exec_output::summary(all, ui.err_style());
    if all.len() > 1 && ui.output() == Output::Text {
        // Where all went well it is no more than a remark.
        if failed || ui.err_style().verbosity > Verbosity::Quiet {
            ui.tell(&text);
        }
    }
}

/// The exit code that all hosts agree on.
fn code(all: &[(Name, Ended)]) -> u8 {
    let mut codes = all.iter().map(|(_, ended)| match &ended.result {
        Ok(output) => of_exit(&output.exit),
        Err(Error::TimeLimit { .. }) => TIMED_OUT,
        Err(_) => Exit::Unreachable.code(),
    });
    let unreached = all.iter().any(|(_, ended)| {
        let result = ended.result.as_ref();
        result.is_err_and(|error| !matches!(error, Error::TimeLimit { .. }))
    });
    let first = codes.next().unwrap_or_default();
    match (unreached, codes.all(|code| code == first)) {
        (true, _) => Exit::Unreachable.code(),
        (false, true) => first,
        (false, false) => Exit::Error.code(),
    }
}

/// Codes are bytes but for what a broken sshd may say.
fn of_exit(exit: &transport::Exit) -> u8 {
    match exit {
        transport::Exit::Code(code) => u8::try_from(*code).unwrap_or(u8::MAX),
        transport::Exit::Signal(name) => 128 + number(name),
    }
}

/// Numbers of the signals that RFC 4254 names, as Linux has them.
fn number(signal: &str) -> u8 {
    match signal {
        "HUP" => 1,
        "INT" => 2,
        "QUIT" => 3,
        "ILL" => 4,
        "ABRT" => 6,
        "FPE" => 8,
        "KILL" => 9,
        "USR1" => 10,
        "SEGV" => 11,
        "USR2" => 12,
        "PIPE" => 13,
        "ALRM" => 14,
        _ => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(results: Vec<Result<transport::Exit, Error>>) -> Vec<(Name, Ended)> {
        let ended = |result: Result<transport::Exit, Error>| Ended {
            result: result.map(|exit| transport::Output {
                exit,
                stdout: Vec::new(),
                stderr: Vec::new(),
            }),
            took: Duration::ZERO,
        };
        let name = |place| Name::try_from(format!("n-{place}")).unwrap();
        let results = results.into_iter().enumerate();
        results
            .map(|(place, result)| (name(place), ended(result)))
            .collect()
    }

    #[test]
    fn the_exit_code_is_the_commands_where_all_agree() {
        let code_of = |results| code(&all(results));
        let exit = |code| Ok(transport::Exit::Code(code));
        let late = || Error::TimeLimit {
            address: "n:22".to_owned(),
            limit: Duration::from_secs(1),
        };
        let lost = || Error::Lost {
            address: "n:22".to_owned(),
            why: "test".to_owned(),
        };
        assert_eq!(code_of(vec![exit(0), exit(0)]), 0);
        assert_eq!(code_of(vec![exit(3), exit(3)]), 3);
        assert_eq!(code_of(vec![exit(3), exit(0)]), 1);
        assert_eq!(code_of(vec![exit(124), Err(late())]), 124);
        assert_eq!(code_of(vec![exit(0), Err(lost())]), 4);
        assert_eq!(
            code_of(vec![Ok(transport::Exit::Signal("KILL".to_owned()))]),
            137
        );
        assert_eq!(code_of(vec![exit(70_000)]), 255);
    }
}
