//! What a shell is told when it completes a command line. Nothing is printed
//! but candidates, no host is reached, and what cannot be read has none.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::env::{CompleteEnv, EnvCompleter, Shells};
use clap_complete::{ArgValueCompleter, CompletionCandidate};

use super::Cli;
use crate::cluster::Role;
use crate::draft;
use crate::inventory::{self, CODES, fields};
use crate::transport::local;

/// Variable by which the script of `kdiy completions` asks for candidates.
const ASKED: &str = "KDIY_COMPLETE";

/// Tells a shell what it asks for, and whether one did.
#[must_use]
pub fn answered() -> bool {
    if std::env::var_os(ASKED).is_none() {
        return false;
    }
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(command).var(ASKED);
    // Somebody is typing: an error would only get in between.
    asked
        .try_complete(std::env::args_os(), here.as_deref())
        .unwrap_or(true)
}

/// The script that asks kdiy for candidates; `None` for an unknown shell.
pub fn script(shell: &str) -> Option<String> {
    let shells = Shells::builtins();
    let shell: &dyn EnvCompleter = shells.completer(shell)?;
    let mut script = Vec::new();
    // By its name, so that it is the one on the PATH after an upgrade, too.
    shell
        .write_registration(ASKED, "kdiy", "kdiy", "kdiy", &mut script)
        .ok()?;
    String::from_utf8(script).ok()
}

/// The command line, with what completes the values of arguments.
fn command() -> Command {
    completing(Cli::command())
}

fn completing(command: Command) -> Command {
    let command = command.mut_args(|arg| match completer(&arg) {
        Some(completer) => arg.add(completer),
        None => arg,
    });
    command.mut_subcommands(completing)
}

/// Arguments complete as the names of their values say.
fn completer(arg: &Arg) -> Option<ArgValueCompleter> {
    let names = arg.get_value_names()?;
    Some(match names.first()?.as_str() {
        "NODE" | "NODE,.." => ArgValueCompleter::new(|typed: &OsStr| nodes(typed, false)),
        "ROLE|NAME" | "ROLE|NODE" | "ROLE|NAME,.." | "ROLE|NODE,.." => {
            ArgValueCompleter::new(|typed: &OsStr| nodes(typed, true))
        }
        "FIELD" => ArgValueCompleter::new(explained),
        _ => return None,
    })
}

/// Names of the nodes of the inventory in effect, and of its roles.
fn nodes(typed: &OsStr, roles: bool) -> Vec<CompletionCandidate> {
    let text = local::text(&inventory()).unwrap_or_default();
    let nodes = inventory::names(&text);
    let mut found = Vec::new();
    if roles {
        let there: BTreeSet<Role> = nodes.iter().flat_map(|(_, roles)| roles).copied().collect();
        found.extend(there.iter().map(|role| candidate(role.as_str(), "role")));
    }
    found.extend(nodes.iter().map(|(name, roles)| {
        let roles: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
        candidate(name.as_str(), &roles.join(", "))
    }));
    beginning(typed, found)
}

/// Fields of the inventory one level at a time, and codes of findings.
fn explained(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let depth = typed.matches('.').count();
    let fields = fields::places().into_iter().map(|place| {
        let path = place.path.replace("[]", "");
        candidate(&path, place.field.summary())
    });
    let level = fields.filter(|field| {
        let path = field.get_value().to_string_lossy();
        path.matches('.').count() == depth
    });
    let codes = CODES.iter().chain(draft::CODES);
    let codes = codes.map(|(code, text)| candidate(code, text));
    let typed = OsStr::new(&*typed);
    // Codes only where no field is meant: there are too many of them.
    match beginning(typed, level.collect()) {
        none if none.is_empty() => beginning(typed, codes.collect()),
        fields => fields,
    }
}

fn candidate(value: &str, help: &str) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(help.to_owned().into()))
}

fn beginning(typed: &OsStr, all: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let begins = |one: &CompletionCandidate| one.get_value().to_string_lossy().starts_with(&*typed);
    all.into_iter().filter(begins).collect()
}

/// The inventory that the command line would take.
fn inventory() -> PathBuf {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    // Before the first `--` is the command by which the shell asks.
    let words: Vec<_> = words.skip_while(|word| word != "--").skip(1).collect();
    let named = named(&words).map(|name| {
        // A shell hands on what was typed, with its quotes.
        let unquoted = shlex::split(&name).and_then(|words| words.into_iter().next());
        PathBuf::from(unquoted.unwrap_or(name))
    });
    let path = named
        .or_else(|| std::env::var_os("KDIY_INVENTORY").map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("kdiy.yaml"));
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

/// The file after `-i` or `--inventory`.
fn named(words: &[String]) -> Option<String> {
    let mut found = None;
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let long = word.strip_prefix("--inventory");
        let short = word.strip_prefix("-i").filter(|_| !word.starts_with("--"));
        found = match long.or(short) {
            Some("") => {
                // bash parts `--inventory=x` into three words.
                words.next_if(|word| *word == "=");
                words.peek().map(|word| (*word).clone()).or(found)
            }
            Some(value) => match (long, value.strip_prefix('=')) {
                (_, Some(value)) => Some(value.to_owned()),
                (None, None) => Some(value.to_owned()),
                (Some(_), None) => found,
            },
            None => found,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inventory_is_the_one_that_is_named() {
        let named = |line: &str| {
            let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
            named(&words)
        };
        for line in [
            "kdiy -i a.yaml plan",
            "kdiy plan --inventory a.yaml --limit",
            "kdiy plan --inventory=a.yaml",
            "kdiy plan --inventory = a.yaml --limit",
            "kdiy -ia.yaml plan",
            "kdiy -i=a.yaml plan",
            "kdiy -i b.yaml plan -i a.yaml",
        ] {
            assert_eq!(named(line).as_deref(), Some("a.yaml"), "{line}");
        }
        for line in ["kdiy plan", "kdiy plan -i", "kdiy init --inventories x"] {
            assert_eq!(named(line), None, "{line}");
        }
    }

    #[test]
    fn every_value_that_names_a_node_completes() {
        fn walk(command: &Command, found: &mut Vec<String>) {
            for arg in command
                .get_arguments()
                .filter(|arg| completer(arg).is_some())
            {
                found.push(format!("{} {}", command.get_name(), arg.get_id()));
            }
            for below in command.get_subcommands() {
                walk(below, found);
            }
        }
        let mut found = Vec::new();
        walk(&command(), &mut found);
        for wanted in ["plan limit", "apply limit", "save from", "explain field"] {
            assert!(found.iter().any(|arg| arg == wanted), "{wanted}: {found:?}");
        }
    }
}
