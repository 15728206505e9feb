//! Codes of findings that only imports have, with what they stand for.

/// Every code that only an import can have, and what it stands for. Imports
/// have codes of [`crate::inventory::CODES`], too.
pub const CODES: &[(&str, &str)] = &[
    ("ini-syntax", "a line that is not Ansible's INI"),
    ("json-syntax", "not JSON where outputs should be"),
    (
        "missing-group",
        "a group that is not there, or none that has the control planes",
    ),
    (
        "missing-output",
        "an output that is not there, or a path that leads to nothing in it",
    ),
    ("not-taken", "something that is not taken over"),
    (
        "renamed",
        "a name that Kubernetes refuses, with what became of it",
    ),
    (
        "sensitive-output",
        "an output that Terraform keeps as a secret",
    ),
    (
        "unpaired",
        "hosts and their logins or names in lists of different lengths",
    ),
];
