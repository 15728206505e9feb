//! Every key of the inventory, once: the reader takes the keys that it knows
//! from here, and so do the schema, `kdiy explain` and the reference.

mod balancer;
mod components;
mod imported;
mod login;
mod network;
mod nodes;
mod place;
mod root;
mod runtime;
mod sources;

pub use balancer::BALANCER;
pub use components::{
    API_SERVER, AUDIT, CONTROL_PLANE, ELECTED, ELECTION, ETCD, ETCD_ARCHIVE, KUBE_PROXY, KUBEADM,
    KUBELET, LEASE,
};
pub use imported::TERRAFORM;
pub use login::{LOGIN, NODE_LOGIN, SUDO};
pub use network::{CNI, NETWORK};
pub use nodes::{NODE, TAINT};
pub use place::{NotFound, Place, find, places, top};
pub use root::{ENDPOINT, ROOT};
pub use runtime::{CONTAINERD, PACKAGE, RUNC, RUNTIME};
pub use sources::{HTTP_PROXY, IMAGES, PACKAGES, SIGNER};

/// A mapping with known keys.
#[derive(Debug)]
pub struct Mapping {
    /// Its keys, in the order in which one would write them.
    pub fields: &'static [Field],
    /// What has to hold between them.
    pub rules: &'static [Rule],
}

/// What has to hold between the keys of one mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Two keys that say the same.
    NotBoth(&'static str, &'static str),
    /// One of several keys must be there.
    OneOf(&'static [&'static str]),
    /// The first key needs the second.
    Needs(&'static str, &'static str),
}

/// A key and what may stand under it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What may stand under it.
    pub kind: Kind,
    /// Whether it has to be written, and what holds where it is not.
    pub need: Need,
    /// What it is for. The first sentence says it for a table; paragraphs are
    /// parted by an empty line.
    pub text: &'static str,
    /// A value, in YAML.
    pub example: &'static str,
    /// Values of `kind` beside it that it means something to; empty: to all.
    pub kinds: &'static [&'static str],
}

/// Whether a key has to be written, and what holds where it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must be written.
    Required,
    /// Nothing takes its place.
    Optional,
    /// A value that takes its place, in YAML.
    Default(&'static str),
    /// What takes its place, in words.
    Derived(&'static str),
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A text of some form.
    Text(Form),
    /// One of several words.
    Words(&'static [Word]),
    /// A whole number within these bounds, both included.
    Number(u32, u32),
    /// `true` or `false`.
    Boolean,
    /// A list of one kind.
    List(&'static Kind),
    /// A mapping with known keys.
    Mapping(&'static Mapping),
    /// A mapping with free keys and values of one kind.
    Free(Form, &'static Kind),
    /// A mapping that is handed on as it stands.
    Any,
    /// One of several forms.
    Either(&'static [Kind]),
}

/// What a text has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// What it is, such as `address`.
    pub name: &'static str,
    /// A regular expression that every right text matches (ECMA-262); a text
    /// that matches may still be wrong.
    pub pattern: Option<&'static str>,
    /// Whether it may look like a number, `true` or `false`, and is taken as it
    /// is written.
    pub bare: bool,
}

/// A word that may stand somewhere, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub text: &'static str,
}

impl Mapping {
    const fn of(fields: &'static [Field]) -> Self {
        Self { fields, rules: &[] }
    }

    const fn with(fields: &'static [Field], rules: &'static [Rule]) -> Self {
        Self { fields, rules }
    }

    /// The names of its keys.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name)
    }

    /// The key of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Rule {
    /// As a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::NotBoth(one, other) => format!("`{one}` and `{other}` exclude each other."),
            Self::OneOf(keys) => {
                let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
                format!("One of {} must be written.", keys.join(" and "))
            }
            Self::Needs(key, needed) => format!("`{key}` needs `{needed}`."),
        }
    }
}

impl Field {
    const fn new(name: &'static str, kind: Kind, text: &'static str) -> Self {
        Self {
            name,
            kind,
            need: Need::Optional,
            text,
            example: "",
            kinds: &[],
        }
    }

    const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    const fn default(mut self, value: &'static str) -> Self {
        self.need = Need::Default(value);
        self
    }

    const fn derived(mut self, words: &'static str) -> Self {
        self.need = Need::Derived(words);
        self
    }

    const fn example(mut self, yaml: &'static str) -> Self {
        self.example = yaml;
        self
    }

    const fn kinds(mut self, kinds: &'static [&'static str]) -> Self {
        self.kinds = kinds;
        self
    }

    /// Its first sentence.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        let first = self.text.split("\n\n").next().unwrap_or_default();
        match first.find(". ") {
            Some(end) => &first[..end],
            None => first.trim_end_matches('.'),
        }
    }

    /// Whether it means something to a kind.
    #[must_use]
    pub fn is_for(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

impl Kind {
    /// The mapping with known keys that may stand here, or in a list here, and
    /// whether it is in a list.
    #[must_use]
    pub fn mapping(&self) -> Option<(&'static Mapping, bool)> {
        match self {
            Self::Mapping(mapping) => Some((mapping, false)),
            Self::List(item) => item.mapping().map(|(mapping, _)| (mapping, true)),
            Self::Either(kinds) => kinds.iter().find_map(Self::mapping),
            _ => None,
        }
    }

    /// Words that may stand here, in a list here or as one of several forms.
    #[must_use]
    pub fn words(&self) -> &'static [Word] {
        match self {
            Self::Words(words) => words,
            Self::List(item) => item.words(),
            Self::Either(kinds) => kinds
                .iter()
                .map(Self::words)
                .find(|words| !words.is_empty())
                .unwrap_or_default(),
            _ => &[],
        }
    }

    /// What it is in a few words: `address`, `list of address or word`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Text(form) => form.name.to_owned(),
            Self::Words([one]) => format!("`{}`", one.word),
            Self::Words(_) => "word".to_owned(),
            Self::Number(least, most) => format!("number from {least} to {most}"),
            Self::Boolean => "true or false".to_owned(),
            Self::List(item) => match item.name().as_str() {
                one @ ("mapping" | "word" | "path" | "URL") => format!("list of {one}s"),
                other => format!("list of {other}"),
            },
            Self::Mapping(_) => "mapping".to_owned(),
            Self::Free(key, value) => format!("mapping of {} to {}", key.name, value.name()),
            Self::Any => "free mapping".to_owned(),
            Self::Either(kinds) => {
                let names: Vec<_> = kinds.iter().map(Self::name).collect();
                names.join(" or ")
            }
        }
    }
}

impl Form {
    const fn of(name: &'static str) -> Self {
        Self {
            name,
            pattern: None,
            bare: false,
        }
    }

    const fn like(name: &'static str, pattern: &'static str) -> Self {
        Self {
            name,
            pattern: Some(pattern),
            bare: false,
        }
    }

    const fn bare(mut self) -> Self {
        self.bare = true;
        self
    }
}

const fn word(word: &'static str, text: &'static str) -> Word {
    Word { word, text }
}

const fn text(name: &'static str) -> Kind {
    Kind::Text(Form::of(name))
}

const fn like(name: &'static str, pattern: &'static str) -> Kind {
    Kind::Text(Form::like(name, pattern))
}

/// As RFC 1123 and Kubernetes want names.
const NAME: Kind = like("name", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$");
const ADDRESS: Kind = like("IP address", "^[0-9A-Fa-f.:]+$");
const CIDR: Kind = like("CIDR", "^[0-9A-Fa-f.:]+/[0-9]{1,3}$");
const PORT: Kind = Kind::Number(1, 65535);
const PATH: Kind = text("path");
const URL: Kind = like("URL", "^https?://\\S+$");
const SECURE_URL: Kind = like("https URL", "^https://\\S+$");
const INTERFACE: Kind = like("network interface", "^[A-Za-z0-9._@-]{1,15}$");
const IMAGE: Kind = like("image", "^[A-Za-z0-9._/:@\\[\\]-]+$");
const DURATION: Kind = like("duration", "^([0-9]+(ms|s|m|h))+$");
const LOGIN_TEXT: Kind = like("[user@]host[:port]", "^[^\\s-]\\S*$");

#[cfg(test)]
mod tests;
