//! The program: parse, run, exit code.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;
use kdiy::cli::{Cli, Exit, Failed};
use kdiy::ui::{Terminal, Ui};

fn main() -> ExitCode {
    let start = Instant::now();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when the stream is closed.
            let _ = error.print();
            return Exit::of_clap(&error).into();
        }
    };
    let global = &cli.global;
    let ui = Ui::new(
        Terminal::detect(),
        global.color,
        global.verbosity(),
        global.output,
    );
    match run(&cli, &ui, start) {
        Ok(exit) => exit.into(),
        Err(failed) => {
            if !failed.shown {
                ui.error(&format!("{:#}", failed.error), failed.hint.as_deref());
            }
            failed.exit.into()
        }
    }
}

fn run(cli: &Cli, ui: &Ui, start: Instant) -> Result<Exit, Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let exit = runtime.block_on(cli.run(ui, start));
    // A question that nobody answers must not keep the program alive.
    runtime.shutdown_background();
    exit
}
