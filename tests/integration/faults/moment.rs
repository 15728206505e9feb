//! Where in a bring-up kdiy is killed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;

/// A moment of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub host: String,
    pub title: String,
    pub when: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// As soon as the step is told to have ended.
    Ended,
    /// So long after the step has come to its first change.
    Within(Duration),
}

/// A moment within a step is up to this long after its begin.
const LONGEST: Duration = Duration::from_secs(12);

/// The end of every step, and so many moments within, in the order in which a
/// run comes to them.
pub fn targets(steps: &[Value], within: usize, rng: &mut Rng) -> Vec<Target> {
    let mut depths: Vec<u64> = Vec::new();
    for step in steps {
        let needs = step["needs"].as_array().expect("needs").iter();
        let needs = needs.map(|place| place.as_u64().expect("a place"));
        let before = needs.map(|place| depths[usize::try_from(place).expect("a place")]);
        depths.push(before.max().map_or(0, |deepest| deepest + 1));
    }
    let at = |place: usize, when: When| {
        let text = |key: &str| steps[place][key].as_str().expect("a string").to_owned();
        let target = Target {
            host: text("actor"),
            title: text("title"),
            when,
        };
        (depths[place], target)
    };
    let mut all: Vec<_> = (0..steps.len())
        .map(|place| at(place, When::Ended))
        .collect();
    all.extend((0..within).map(|_| {
        // As many of them short as long: most steps take a moment, some a minute.
        let longest = LONGEST.as_secs_f64();
        let time = 0.005 * (longest / 0.005).powf(rng.f64());
        at(
            rng.usize(..steps.len()),
            When::Within(Duration::from_secs_f64(time)),
        )
    }));
    all.sort_by_key(|(depth, _)| *depth);
    all.into_iter().map(|(_, target)| target).collect()
}

impl Target {
    /// Whether a step of a plan, or of an event, is this one.
    pub fn is(&self, step: &Value) -> bool {
        step["actor"] == *self.host && step["title"] == *self.title
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.when {
            When::Ended => write!(f, "after")?,
            When::Within(time) => write!(f, "{:.2} s into", time.as_secs_f64())?,
        }
        write!(f, " {}: {}", self.host, self.title)
    }
}

/// Of all moments those whose step is in the plan that an event tells of, and
/// the others.
pub fn planned<T>(
    all: impl IntoIterator<Item = T>,
    event: &Value,
    is: impl Fn(&T, &Value) -> bool,
) -> (Vec<T>, Vec<T>) {
    let steps = event["plan"]["steps"].as_array().expect("steps");
    all.into_iter()
        .partition(|moment| steps.iter().any(|step| is(moment, step)))
}

/// Steps of a run that have begun and not ended, by their place.
#[derive(Debug, Default)]
pub struct Open(BTreeMap<u64, String>);

impl Open {
    /// Takes up what an event says.
    pub fn on(&mut self, event: &Value) {
        let (Some(kind), Some(place)) = (event["event"].as_str(), event["step"].as_u64()) else {
            return;
        };
        match kind {
            "step-started" => {
                let text = |key: &str| event[key].as_str().unwrap_or_default();
                let name = format!("{}: {}", text("actor"), text("title"));
                self.0.insert(place, name);
            }
            "step-done" | "step-failed" => _ = self.0.remove(&place),
            _ => {}
        }
    }

    /// Whether this step is one of them, by its place.
    pub fn is(&self, place: Option<u64>, target: &Target) -> bool {
        let name = format!("{}: {}", target.host, target.title);
        place.is_some_and(|place| self.0.get(&place) == Some(&name))
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.values().map(String::as_str).collect();
        f.write_str(if names.is_empty() { "nothing" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}
