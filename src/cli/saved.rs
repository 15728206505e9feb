//! Saved plans. A plan is pure, so a saved one is applied by making it again
//! from what the hosts are now: it runs if it is the same to the letter.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::{CliError, Exit};
use crate::cluster::Name;
use crate::plan::Plan;
use crate::state::Incoming;
use crate::transport::local;

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
pub fn save(path: &Path, cluster: &Name, limit: &[Name], plan: &Plan) -> Result<(), CliError> {
    let kdiy = env!("CARGO_PKG_VERSION");
    let mut text = serde_json::to_string_pretty(&Saved {
        kdiy,
        cluster,
        limit,
        plan,
    })?;
    text.push('\n');
    let failed = |error: anyhow::Error| {
        let context = format!("write the plan to {}", path.display());
        CliError::new(Exit::Error, error.context(context))
    };
    // Files of hosts are in it as they were, which may be nobody's business.
    let mut file = Incoming::create(path, true).map_err(|error| failed(error.into()))?;
    file.write_all(text.as_bytes())
        .map_err(|error| failed(error.into()))?;
    file.keep().map_err(|error| failed(error.into()))
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
pub fn load(path: &Path, cluster: &Name) -> Result<Loaded, CliError> {
    let shown = path.display();
    let unusable = |error: anyhow::Error| {
        CliError::new(Exit::Error, error)
            .hint("kdiy plan --out FILE saves a plan; kdiy apply without a file makes one")
    };
    let text = local::text(path).map_err(|error| {
        unusable(anyhow::Error::new(error).context(format!("cannot read the plan {shown}")))
    })?;
    let mut saved: Value = serde_json::from_str(&text).map_err(|error| {
        unusable(anyhow::Error::new(error).context(format!("{shown} is no saved plan")))
    })?;
    let stale = |why: String| {
        CliError::message(Exit::StalePlan, why).hint("make a new one with kdiy plan --out FILE")
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
    pub fn check(&self, now: &Plan) -> Result<(), CliError> {
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
            Some(step) => format!("{}: {}", text(&step["actor"]), text(&step["title"])),
            None => "fewer steps are left to do".to_owned(),
        };
        Err(CliError::message(
            Exit::StalePlan,
            format!("hosts or inventory have changed since the plan was saved ({where_})"),
        )
        .hint("nothing was changed; make a new plan with kdiy plan --out FILE"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop_oneof!["\\PC{0,8}", "steps|actor|title|cp-1"].prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let key = prop_oneof!["steps", "actor", "title", "[a-z]{0,4}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
            ]
        })
    }

    fn loaded(text: &str) -> Result<Loaded, CliError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        load(file.path(), &Name::try_from("demo".to_owned()).unwrap())
    }

    proptest! {
        #[test]
        fn no_saved_plan_makes_it_panic(
            (limit, plan) in (json(), json()),
            cut in any::<prop::sample::Index>(),
        ) {
            let version = env!("CARGO_PKG_VERSION");
            let saved = serde_json::json!(
                {"kdiy": version, "cluster": "demo", "limit": limit, "plan": plan}
            );
            let text = saved.to_string();
            if let Ok(loaded) = loaded(&text) {
                let same = loaded.plan == serde_json::json!({"steps": []});
                prop_assert_eq!(loaded.check(&Plan::default()).is_ok(), same);
            }
            let cut = (0..=cut.index(text.len())).rev().find(|at| text.is_char_boundary(*at));
            prop_assert!(loaded(&text[..cut.unwrap_or(0)]).is_err());
            let _ = loaded(&plan.to_string());
        }
    }

    #[test]
    fn the_first_step_that_differs_is_named() {
        use crate::plan::{Action, Actor, Operation, PlannedStep};
        let plan = Plan {
            steps: vec![PlannedStep {
                actor: Actor::Cluster,
                title: "make a bootstrap token".to_owned(),
                action: Action::Do(Operation::BootstrapToken),
                needs: Vec::new(),
                gate: None,
            }],
            ..Plan::default()
        };
        let of = |plan: &Plan| Loaded {
            limit: Vec::new(),
            plan: serde_json::to_value(plan).unwrap(),
        };
        assert!(of(&plan).check(&plan).is_ok());
        let error = of(&Plan::default()).check(&plan).unwrap_err().error;
        let named = "(cluster: make a bootstrap token)";
        assert!(error.to_string().ends_with(named), "{error}");
    }

    #[test]
    fn a_saved_plan_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        let name = Name::try_from("demo".to_owned()).unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        save(&path, &name, std::slice::from_ref(&name), &Plan::default()).unwrap();
        assert_eq!(
            std::fs::read(&other).unwrap(),
            b"mine",
            "a link is not followed"
        );
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let loaded = load(&path, &name).unwrap();
        assert_eq!(loaded.limit, [name]);
        assert!(loaded.check(&Plan::default()).is_ok());
        assert!(load(&path, &Name::try_from("other".to_owned()).unwrap()).is_err());
    }
}
