//! Saved plans. A plan is pure, so a saved one is applied by making it again
//! from what the hosts are now: it runs if it is the same to the letter.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{Exit, Failed};
use crate::cluster::Name;
use crate::plan::Plan;

/// What is in the file. It holds no secrets: those are named by their hash.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Saved<'a> {
    kdiy: &'a str,
    cluster: &'a Name,
    limit: &'a [Name],
    plan: &'a Plan,
}

/// Writes a plan.
///
/// # Errors
/// When the file cannot be written.
pub fn save(path: &Path, cluster: &Name, limit: &[Name], plan: &Plan) -> Result<(), Failed> {
    let kdiy = env!("CARGO_PKG_VERSION");
    let mut text = serde_json::to_string_pretty(&Saved {
        kdiy,
        cluster,
        limit,
        plan,
    })?;
    text.push('\n');
    std::fs::write(path, text).map_err(|error| {
        let context = format!("write the plan to {}", path.display());
        Failed::new(Exit::Error, anyhow::Error::new(error).context(context))
    })
}

/// A plan that was read from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The nodes that it was limited to.
    pub limit: Vec<Name>,
    plan: Value,
}

/// Reads a plan of this cluster.
///
/// # Errors
/// When it cannot be read, or is another cluster's or version's.
pub fn load(path: &Path, cluster: &Name) -> Result<Loaded, Failed> {
    let shown = path.display();
    let unusable = |error: anyhow::Error| {
        Failed::new(Exit::Error, error)
            .hint("kdiy plan --out FILE saves a plan; kdiy apply without a file makes one")
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        unusable(anyhow::Error::new(error).context(format!("cannot read the plan {shown}")))
    })?;
    let mut saved: Value = serde_json::from_str(&text).map_err(|error| {
        unusable(anyhow::Error::new(error).context(format!("{shown} is no saved plan")))
    })?;
    let stale = |why: String| {
        Failed::message(Exit::StalePlan, why).hint("make a new one with kdiy plan --out FILE")
    };
    if saved["kdiy"] != env!("CARGO_PKG_VERSION") {
        return Err(stale(format!(
            "{shown} was made by another version of kdiy"
        )));
    }
    if saved["cluster"] != cluster.as_str() {
        return Err(stale(format!("{shown} is a plan of another cluster")));
    }
    let limit = serde_json::from_value(saved["limit"].take())?;
    Ok(Loaded {
        limit,
        plan: saved["plan"].take(),
    })
}

impl Loaded {
    /// Whether the plan made now is the one that was saved.
    ///
    /// # Errors
    /// When it is not; says where the first difference is.
    pub fn check(&self, now: &Plan) -> Result<(), Failed> {
        let now = serde_json::to_value(now)?;
        if now == self.plan {
            return Ok(());
        }
        let steps = |plan: &Value| plan["steps"].as_array().cloned().unwrap_or_default();
        let (then, now) = (steps(&self.plan), steps(&now));
        let differs = then
            .iter()
            .zip(&now)
            .find(|(then, now)| then != now)
            .map(|(_, now)| now);
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let where_ = match differs.or_else(|| now.get(then.len())) {
            Some(step) => format!("{}: {}", text(&step["host"]), text(&step["title"])),
            None => "fewer steps are left to do".to_owned(),
        };
        Err(Failed::message(
            Exit::StalePlan,
            format!("hosts or inventory have changed since the plan was saved ({where_})"),
        )
        .hint("nothing was changed; make a new plan with kdiy plan --out FILE"))
    }
}
