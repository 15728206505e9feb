//! `kdiy plan`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::{CliError, ConnectionArgs, Exit, Global, node_name, saved, source, survey};
use crate::cluster::Name;
use crate::plan::{Counts, Problem};
use crate::ui::{self, Output, Ui};

/// Show what apply would do, without changing anything
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  kdiy plan
  kdiy plan -v                       whole files and all particulars
  kdiy plan --limit w-4,w-5          only these nodes and what they need
  kdiy plan --out new.plan           keep it for: kdiy apply new.plan
  kdiy plan --detailed-exitcode      for CI: 0 no changes, 2 changes")]
pub struct Plan {
    /// Save the plan, to be applied exactly as shown; holds no secrets
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Only these nodes, and steps of other nodes that they need
    #[arg(long, value_name = "NODE,..", value_delimiter = ',', value_parser = node_name)]
    pub limit: Vec<Name>,
    /// How hosts are reached.
    #[command(flatten)]
    pub connection_args: ConnectionArgs,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Document<'a> {
    problems: &'a [Problem],
    /// What keeps nobody from applying it.
    warnings: &'a [Problem],
    counts: Counts,
    /// `null` when something on the hosts must not be replaced.
    plan: Option<&'a crate::plan::Plan>,
}

impl Plan {
    /// Shows what is different on the hosts.
    ///
    /// # Errors
    /// When a host cannot be looked at, or has problems.
    pub async fn run(&self, global: &Global, ui: &Ui, start: Instant) -> Result<Exit, CliError> {
        let source = source::load(global, ui)?;
        let shown = ui.renderer_beside_document(start, source.hosts());
        let survey = survey::survey(
            &source,
            &self.connection_args,
            &self.limit,
            ui,
            shown,
            async |_| Ok(()),
        )
        .await?;
        let (plan, problems) = (survey.plan.as_ref(), &survey.problems);
        match ui.output() {
            Output::Json => ui.json(&Document {
                problems,
                warnings: &survey.advice,
                counts: plan.map(crate::plan::Plan::counts).unwrap_or_default(),
                plan,
            })?,
            Output::Text => {
                if let Some(plan) = plan {
                    let hosts = survey.hosts(&self.limit);
                    ui.print(&ui::plan::render(plan, hosts, ui.style()))?;
                    if !problems.is_empty() {
                        ui.tell("\n");
                    }
                }
                ui.tell(&ui::problems::render(problems, ui.err_style()));
            }
        }
        let plan = match plan {
            Some(plan) if problems.is_empty() => plan,
            _ => return Err(CliError::shown(Exit::Preflight)),
        };
        if let Some(path) = &self.out {
            saved::save(path, &source.cluster.name, &self.limit, plan)?;
            ui.note(&format!(
                "\nSaved. To run exactly this: kdiy apply {}",
                path.display()
            ));
        }
        let changes = self.detailed_exitcode && !plan.is_empty();
        Ok(if changes { Exit::Changes } else { Exit::Ok })
    }
}
