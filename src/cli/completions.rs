//! `kdiy completions`.

use clap::{Args, ValueEnum};

use super::{CliError, Exit, Global, complete};
use crate::ui::Ui;

/// Print completions for a shell
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "What is printed asks kdiy itself for candidates: commands, options, files, the
nodes of the inventory in effect (-i, $KDIY_INVENTORY or kdiy.yaml), and fields
for explain. No host is reached. kdiy has to be on the PATH.

Examples:
  source <(kdiy completions bash)               in ~/.bashrc
  source <(kdiy completions zsh)                in ~/.zshrc, after compinit
  kdiy completions fish | source                in ~/.config/fish/config.fish
  kdiy completions powershell | Out-String | Invoke-Expression      in $PROFILE"
)]
pub struct Completions {
    /// The shell: bash, zsh, fish or powershell
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: Shell,
}

/// Shells that can be completed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum Shell {
    /// GNU bash, 4.4 or later.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
    /// PowerShell.
    PowerShell,
}

impl Completions {
    /// Prints them.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn run(&self, _: &Global, ui: &Ui) -> Result<Exit, CliError> {
        let name = match self.shell {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::PowerShell => "powershell",
        };
        let script = complete::script(name)
            .ok_or_else(|| anyhow::anyhow!("there are no completions for {name}"))?;
        ui.print(&script)?;
        Ok(Exit::Ok)
    }
}
