//! kdiy: parse, run, exit code.

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use kdiy::cli::interrupt::Interrupts;
use kdiy::cli::{Cli, CliError, Command, Exit, code, complete};
use kdiy::ui::{Terminal, Ui};
use tracing_subscriber::EnvFilter;

/// Variable with a filter for messages to kdiy's developers, such as `debug`.
const LOG: &str = "KDIY_LOG";

fn main() -> ExitCode {
    let start = Instant::now();
    if complete::answered() {
        return Exit::Ok.into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody is left to tell when that cannot be printed.
            let _ = error.print();
            return Exit::of_clap(&error).into();
        }
    };
    if let Ok(filter) = EnvFilter::try_from_env(LOG) {
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
        subscriber.with_writer(io::stderr).init();
    }
    let global = &cli.global;
    let ui = Ui::new(
        Terminal::detect(),
        global.color,
        global.verbosity(),
        global.output,
    );
    run(&cli, &ui, start).unwrap_or_else(|failed| show(&failed, &ui).into())
}

fn run(cli: &Cli, ui: &Ui, start: Instant) -> Result<ExitCode, CliError> {
    let global = &cli.global;
    let exit = match &cli.command {
        Command::Init(init) => init.run(global, ui),
        Command::Inventory(inventory) => interruptible(ui, inventory.run(global, ui, start)),
        Command::Validate(validate) => validate.run(global, ui),
        Command::Plan(plan) => interruptible(ui, plan.run(global, ui, start)),
        Command::Apply(apply) => connected(apply.run(global, ui, start)),
        Command::Status(status) => interruptible(ui, status.run(global, ui, start)),
        Command::Topology(topology) => topology.run(global, ui),
        Command::Kubeconfig(kubeconfig) => interruptible(ui, kubeconfig.run(global, ui)),
        Command::Etcd(etcd) => interruptible(ui, etcd.run(global, ui, start)),
        Command::Facts(facts) => interruptible(ui, facts.run(global, ui, start)),
        // Its exit code is the command's on the hosts.
        Command::Exec(exec) => return connected(exec.run(global, ui)),
        Command::Ssh(ssh) => connected(ssh.run(global, ui)),
        Command::Logs(logs) => logs.run(global, ui),
        Command::Explain(explain) => explain.run(global, ui),
        Command::Schema(schema) => schema.run(global, ui),
        Command::Completions(completions) => completions.run(global, ui),
        Command::Man(man) => man.run(global, ui),
        Command::Version(version) => version.run(ui),
    };
    exit.map(ExitCode::from)
}

/// Runs a command that changes no host, and that Ctrl-C ends at once.
fn interruptible<T>(
    ui: &Ui,
    command: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    connected(async {
        let interrupts = Interrupts::listen()?;
        interrupts.unless(ui, "interrupted", command).await?
    })
}

/// Runs a command that connects to hosts. Only these pay for a runtime.
fn connected<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Runtime::new()?;
    let ended = runtime.block_on(command);
    // A question that nobody answers must not keep the program alive.
    runtime.shutdown_background();
    ended
}

fn show(failed: &CliError, ui: &Ui) -> Exit {
    if !failed.shown {
        let code = code::of(&failed.error).map(|code| format!(" [{code}]"));
        let text = format!("{}{}", failed.text(), code.unwrap_or_default());
        ui.error(&text, failed.hint.as_deref());
    }
    failed.exit
}
