//! kdiy.
use clap::Parser as _;
use kdiy::cli::{self, Cli, Command};
use kdiy::ui::{Style, Terminal};

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    match runtime.block_on(run(cli)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(f) => {
            eprintln!(
                "{:#}\n{:?}\n{}",
                f.error,
                f.hint,
                f.shown.unwrap_or_default()
            );
            f.exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<(), cli::Failed> {
    let g = &cli.global;
    let terminal = Terminal::detect();
    let style = Style::of_stdout(&terminal, g.color, g.verbosity());
    let source = cli::source::load(
        g,
        kdiy::inventory::Style {
            color: false,
            width: 80,
        },
    )?;
    eprintln!("{}", source.warnings);
    let (tx, mut rx) = tokio::sync::mpsc::unbounded_channel();
    let printer = tokio::spawn(async move {
        while let Some(e) = rx.recv().await {
            eprintln!("{}", serde_json::to_string(&e).unwrap());
        }
    });
    let (reach, limit, apply) = match &cli.command {
        Command::Plan(p) => (&p.reach, &p.limit, false),
        Command::Apply(a) => (&a.reach, &a.limit, true),
        _ => return Ok(()),
    };
    let ssh = cli::connector::ssh(reach, false)?;
    let s = cli::survey::survey(&source, &ssh, reach, limit, &tx).await?;
    println!(
        "{}",
        kdiy::ui::plan::render(&s.plan, s.connections.len(), &style)
    );
    for p in &s.problems {
        println!("{p:?}");
    }
    if apply && s.problems.is_empty() {
        let (_stop, stop) = tokio::sync::watch::channel(false);
        let options = kdiy::execute::Options {
            width: reach.width.get(),
            limit: std::time::Duration::from_secs(1200),
            stop,
        };
        let r = kdiy::execute::run(&s.plan, &s.connections, &s.vault, &options, &tx).await;
        println!("{r:?}");
        println!(
            "{:?}",
            cli::survey::keep_kubeconfig(&s.settled, &s.authorities, &s.state)?
        );
    }
    drop(tx);
    let _ = printer.await;
    Ok(())
}
