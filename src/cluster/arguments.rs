//! What is given to programs on their command lines.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Arguments without dashes, and what they are given.
pub type Arguments = BTreeMap<String, Values>;

/// What an argument is given: mostly one text. Of several each is the argument
/// once more, in this order.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Values(Vec<String>);

impl Values {
    /// `None` where there are none: then the argument is not given.
    #[must_use]
    pub fn of(values: Vec<String>) -> Option<Self> {
        (!values.is_empty()).then_some(Self(values))
    }

    /// The argument once more.
    pub fn push(&mut self, value: String) {
        self.0.push(value);
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// What counts for an argument that is about one thing: the last word.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.last().expect("it is never empty")
    }

    /// The only one; `None` where there are several.
    #[must_use]
    pub fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }
}

impl From<String> for Values {
    fn from(value: String) -> Self {
        Self(vec![value])
    }
}

impl From<&str> for Values {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<Values> for Vec<String> {
    fn from(values: Values) -> Self {
        values.0
    }
}

impl TryFrom<Vec<String>> for Values {
    type Error = &'static str;

    fn try_from(values: Vec<String>) -> Result<Self, Self::Error> {
        Self::of(values).ok_or("an argument without a value")
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(only) => fmt::Debug::fmt(only, f),
            None => fmt::Debug::fmt(&self.0, f),
        }
    }
}

/// As the inventory has it: one as it is, several in brackets.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.only() {
            Some(only) => f.write_str(only),
            None => write!(f, "[{}]", self.0.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_written_as_it_is_and_several_as_a_list() {
        let mut values = Values::from("a");
        assert_eq!(
            (values.to_string().as_str(), values.only()),
            ("a", Some("a"))
        );
        values.push("b".to_owned());
        assert_eq!(values.to_string(), "[a, b]");
        assert_eq!((values.last(), values.only()), ("b", None));
        let text = serde_json::to_string(&values).unwrap();
        assert_eq!(serde_json::from_str::<Values>(&text).unwrap(), values);
        assert!(serde_json::from_str::<Values>("[]").is_err());
        assert_eq!(Values::of(Vec::new()), None);
    }
}
