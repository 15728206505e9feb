//! `kdiy man`.

use std::io;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, bold, roman};

use super::{Cli, CliError, Exit, Global};
use crate::state::Incoming;
use crate::ui::Ui;

/// Print or write the manual pages
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Without --dir the page of kdiy is printed, or that of a command.

Examples:
  kdiy man | man -l -                       read it
  kdiy man etcd snapshot save | man -l -    the page of a command
  kdiy man --dir /usr/local/share/man/man1  a page for each command"
)]
pub struct Man {
    /// The command whose page is printed
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    pub command: Vec<String>,
    /// Write a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl Man {
    /// Prints or writes them.
    ///
    /// # Errors
    /// When they cannot be written, or there is no such command.
    pub fn run(&self, _: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let mut root = Cli::command();
        root.build();
        let Some(dir) = &self.dir else {
            let mut command = &root;
            for name in &self.command {
                command = command.find_subcommand(name).ok_or_else(|| {
                    let what = format!("there is no command {name} in {}", called(command));
                    CliError::message(Exit::Usage, what)
                        .hint(format!("see {} --help", called(command)))
                })?;
            }
            ui.print(&page(command)?)?;
            return Ok(Exit::Ok);
        };
        let failed = |path: &std::path::Path, error| {
            anyhow::Error::new(error).context(format!("cannot write {}", path.display()))
        };
        let mut folder = std::fs::DirBuilder::new();
        let made = folder.recursive(true).mode(0o755).create(dir);
        made.map_err(|error| failed(dir, error))?;
        let mut all = Vec::new();
        commands(&root, &mut all);
        for command in &all {
            let path = dir.join(format!("{}.1", called(command).replace(' ', "-")));
            let mut file = Incoming::create_public(&path, true)?;
            let written = file.write_all(page(command)?.as_bytes());
            written.map_err(|error| failed(&path, error))?;
            file.keep()?;
        }
        ui.note(&format!("{} pages are in {}.", all.len(), dir.display()));
        Ok(Exit::Ok)
    }
}

/// A command and those below it.
fn commands<'c>(command: &'c Command, all: &mut Vec<&'c Command>) {
    all.push(command);
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        commands(below, all);
    }
}

/// `kdiy etcd status`.
fn called(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    name.to_owned()
}

/// A manual page. What clap knows is written by its own crate; what stands
/// after the options of a help keeps its lines, as its columns mean something.
fn page(command: &Command) -> io::Result<String> {
    let title = called(command).replace(' ', "-");
    let page = Page::new(command.clone().display_name(title.clone()));
    let version = env!("CARGO_PKG_VERSION");
    // Without a date: the same program writes the same page, whenever.
    let mut out = format!(".TH {title} 1 \"\" \"kdiy {version}\" \"kdiy manual\"\n").into_bytes();
    page.render_name_section(&mut out)?;
    let usage = command.clone().render_usage().to_string();
    let mut head = Roff::new();
    head.control("SH", ["SYNOPSIS"]);
    for line in usage.trim_start_matches("Usage: ").lines() {
        let line = line.trim();
        match line.strip_prefix(&called(command)) {
            Some(rest) => head.text([bold(called(command)), roman(rest)]),
            None => head.text([roman(line)]),
        };
    }
    head.to_writer(&mut out)?;
    let help = command.get_after_help().map(ToString::to_string);
    let blocks: Vec<_> = help.iter().flat_map(|help| help.split("\n\n")).collect();
    let (titled, prose): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|block| titled(block));
    let mut body = Roff::new();
    body.control("SH", ["DESCRIPTION"]);
    if let Some(about) = command.get_about() {
        body.text([roman(format!("{about}."))]);
    }
    for block in prose {
        body.control("PP", []);
        if block.starts_with(' ') {
            kept(block.lines(), &mut body);
        } else {
            body.text([roman(block.replace('\n', " "))]);
        }
    }
    body.to_writer(&mut out)?;
    if command.get_arguments().next().is_some() {
        page.render_options_section(&mut out)?;
    }
    if command.has_subcommands() {
        page.render_subcommands_section(&mut out)?;
    }
    let mut end = Roff::new();
    for block in titled {
        let (title, lines) = block.split_once(":\n").unwrap_or((block, ""));
        end.control("SH", [title.to_uppercase().as_str()]);
        kept(lines.lines(), &mut end);
    }
    end.to_writer(&mut out)?;
    String::from_utf8(out).map_err(io::Error::other)
}

/// Whether a block of a help is lines under a title.
fn titled(block: &str) -> bool {
    block
        .split_once(":\n")
        .is_some_and(|(title, lines)| !title.contains('\n') && lines.starts_with(' '))
}

/// Lines as they are.
fn kept<'l>(lines: impl Iterator<Item = &'l str>, roff: &mut Roff) {
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line)]);
    }
    roff.control("fi", []);
}
