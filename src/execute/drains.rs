//! What would stand in the way of the drains of a plan, asked before anything
//! is changed.

use crate::api::drain::{self, Inspection, Options};
use crate::api::{Client, Error};
use crate::cluster::Name;
use crate::plan::preflight::Problem;

/// How kdiy drains. What is in `emptyDir` volumes goes with every move of a
/// pod; a pod that nobody makes anew stays, and the drain with it.
#[must_use]
pub fn options() -> Options {
    Options {
        empty_dir: true,
        ..Options::default()
    }
}

/// What is in the way on each of these nodes.
///
/// # Errors
/// When the cluster cannot be asked.
pub async fn problems(client: &Client, nodes: &[Name]) -> Result<Vec<Problem>, Error> {
    let mut all = Vec::new();
    for node in nodes {
        let inspection = drain::inspect(client, node.as_str(), &options()).await?;
        all.extend(of(node, &inspection));
    }
    Ok(all)
}

fn of(node: &Name, inspection: &Inspection) -> Vec<Problem> {
    let problem = |what, fix: &str| Problem {
        host: node.clone(),
        code: "drain-blocked",
        what,
        fix: fix.to_owned(),
    };
    let at_risk = inspection.at_risk.iter().map(|(pod, loss)| {
        problem(
            format!("its drain would lose pod {pod}, which {loss}"),
            "delete the pod, or give it a controller such as a Deployment",
        )
    });
    let held = inspection.held.iter().map(|(pod, budgets)| {
        let budgets: Vec<_> = budgets.iter().map(ToString::to_string).collect();
        problem(
            format!("its drain cannot evict pod {pod}: {}", budgets.join(", ")),
            "wait until more of its pods are healthy, run more of them, or let the budget give \
             way (kubectl get poddisruptionbudgets -A)",
        )
    });
    at_risk.chain(held).collect()
}
