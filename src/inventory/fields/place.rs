//! Where a key is: `nodes[].ssh.host`, as one writes it, or nearly so.

use std::iter::once;

use super::{Field, ROOT};
use crate::inventory::reader::nearest;

/// A key at its place.
#[derive(Debug, Clone)]
pub struct Place {
    /// From the top, with `[]` after a list: `nodes[].ssh.host`.
    pub path: String,
    /// The key.
    pub field: &'static Field,
}

/// Why no key was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotFound {
    /// Several keys have the name.
    #[error("{name} is the name of several fields")]
    Several {
        /// What was asked for.
        name: String,
        /// Where they are.
        paths: Vec<String>,
    },
    /// No key has it.
    #[error("there is no field {name}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What may have been meant, the nearest first.
        near: Vec<String>,
    },
}

impl Place {
    /// The keys below it, if it may be a mapping, or a list of mappings.
    #[must_use]
    pub fn children(&self) -> Vec<Self> {
        let Some((mapping, listed)) = self.field.kind.mapping() else {
            return Vec::new();
        };
        let list = if listed { "[]" } else { "" };
        let fields = mapping.fields.iter();
        let children = fields.map(|field| Self {
            path: format!("{}{list}.{}", self.path, field.name),
            field,
        });
        children.collect()
    }

    /// The keys below it, all of them.
    fn all(self) -> Vec<Self> {
        let below: Vec<_> = self.children().into_iter().flat_map(Self::all).collect();
        once(self).chain(below).collect()
    }
}

/// The keys at the top.
#[must_use]
pub fn top() -> Vec<Place> {
    let fields = ROOT.fields.iter();
    let top = fields.map(|field| Place {
        path: field.name.to_owned(),
        field,
    });
    top.collect()
}

/// All keys, each before those below it.
#[must_use]
pub fn places() -> Vec<Place> {
    top().into_iter().flat_map(Place::all).collect()
}

/// Without what does not tell keys apart: the marks of lists, upper case, a
/// dot at an end.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut index = false;
    for c in text.trim_matches(['.', ' ', ':']).chars() {
        match c {
            '[' => index = true,
            ']' => index = false,
            _ if index => {}
            _ => out.extend(c.to_lowercase()),
        }
    }
    out
}

/// The key that somebody means: by its path, or by the end of it where only
/// one ends so.
///
/// # Errors
/// When several are meant, or none.
pub fn find(name: &str) -> Result<Place, NotFound> {
    let wanted = plain(name);
    let all = places();
    let mut exact = all.iter().filter(|place| plain(&place.path) == wanted);
    if let Some(place) = exact.next() {
        return Ok(place.clone());
    }
    let end = format!(".{wanted}");
    let mut ending = all
        .iter()
        .filter(|place| plain(&place.path).ends_with(&end));
    let found: Vec<_> = ending.by_ref().collect();
    let name = name.to_owned();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(NotFound::Unknown {
            near: near(&wanted, &all),
            name,
        }),
        several => Err(NotFound::Several {
            name,
            paths: several.iter().map(|place| place.path.clone()).collect(),
        }),
    }
}

/// Keys whose path or name is nearest, as far as any is near.
fn near(wanted: &str, all: &[Place]) -> Vec<String> {
    let paths: Vec<_> = all.iter().map(|place| plain(&place.path)).collect();
    if let Some(path) = nearest(wanted, paths.iter().map(String::as_str)) {
        let places = all.iter().zip(&paths).filter(|(_, plain)| *plain == path);
        return places.map(|(place, _)| place.path.clone()).collect();
    }
    let last = wanted.rsplit('.').next().unwrap_or(wanted);
    let Some(name) = nearest(last, all.iter().map(|place| place.field.name)) else {
        return Vec::new();
    };
    let places = all.iter().filter(|place| place.field.name == name);
    places.map(|place| place.path.clone()).take(5).collect()
}
