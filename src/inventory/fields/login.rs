//! `ssh`, at the top and in a node.

use super::{Field, Form, Kind, LOGIN_TEXT, Mapping, PATH, PORT, Rule, like, text, word};

const USER: Field = Field::new(
    "user",
    Kind::Text(Form::like("login name", "^[^\\s-]\\S*$")),
    "Who logs in. Anyone but root needs sudo on the hosts.",
)
.derived("what `~/.ssh/config` says, else your own name")
.example("ops");

const PORT_FIELD: Field = Field::new("port", PORT, "The port that sshd listens on.")
    .derived("what `~/.ssh/config` says, else 22")
    .example("22");

const IDENTITY: Field = Field::new(
    "identity",
    PATH,
    "The file of a private key. A relative path is meant from the inventory's folder. Where the \
     key has a passphrase, it is asked for.",
)
.derived("the agent's keys, then what `~/.ssh/config` says or OpenSSH tries")
.example("~/.ssh/id_ed25519");

const IDENTITIES: Field = Field::new(
    "identities",
    Kind::List(&PATH),
    "Files of private keys, tried in this order; in place of `identity` where there are several.",
)
.example("[~/.ssh/id_ed25519, ~/.ssh/id_rsa]");

const JUMP: Field = Field::new(
    "jump",
    Kind::Either(&[LOGIN_TEXT, Kind::List(&LOGIN_TEXT)]),
    "The host to go through, or several, the nearest first. An empty list, `[]`, means directly, \
     whatever else is said.",
)
.derived("ProxyJump of `~/.ssh/config`, else directly")
.example("ops@bastion.example.org:2222");

const SUDO_FIELD: Field = Field::new(
    "sudo",
    Kind::Either(&[
        Kind::Words(&[
            word("none", "sudo asks for none"),
            word("prompt", "kdiy asks you on the terminal, once"),
        ]),
        Kind::Mapping(SUDO),
    ]),
    "How sudo gets its password on the hosts. The password itself does not belong in the \
     inventory, and is refused there. Where root logs in, sudo is not used.",
)
.default("none")
.example("{env: SUDO_PASSWORD}");

const KNOWN_HOSTS: Field = Field::new(
    "knownHosts",
    PATH,
    "The file of host keys that are trusted. New keys that you accept are added to it.",
)
.derived("what `~/.ssh/config` says, else `~/.ssh/known_hosts`")
.example("~/.ssh/known_hosts");

const RULES: &[Rule] = &[Rule::NotBoth("identity", "identities")];

/// `ssh` at the top.
pub const LOGIN: &Mapping = &Mapping::with(
    &[
        USER,
        PORT_FIELD,
        IDENTITY,
        IDENTITIES,
        JUMP,
        SUDO_FIELD,
        KNOWN_HOSTS,
    ],
    RULES,
);

/// `ssh` of a node as a mapping.
pub const NODE_LOGIN: &Mapping = &Mapping::with(
    &[
        Field::new(
            "host",
            like("host", "^[^\\s@-][^\\s@]*$"),
            "The host to log in to: an address, a DNS name, or an alias of `~/.ssh/config`. An IP \
             address is the node's address, too.",
        )
        .derived("the node's `address`")
        .example("cp-1.example.org"),
        Field::new(
            "hostKey",
            like("fingerprint", "^SHA256:[A-Za-z0-9+/]{43}=?$"),
            "The fingerprint of the host's key, as `ssh-keygen -l` prints it; it is trusted in \
             place of what known_hosts says, and no other key is.",
        )
        .derived("what known_hosts says; unknown keys are shown and asked for")
        .example("SHA256:jPWZpxNXZ8fQpAU3VyTkPEkVJP1sCGHKhUR4bV2JjB0"),
        USER,
        PORT_FIELD,
        IDENTITY,
        IDENTITIES,
        JUMP,
        SUDO_FIELD,
        KNOWN_HOSTS,
    ],
    RULES,
);

/// `sudo` as a mapping.
pub const SUDO: &Mapping = &Mapping::with(
    &[
        Field::new(
            "env",
            like("name of a variable", "^[A-Za-z_][A-Za-z0-9_]*$"),
            "The environment variable of kdiy that holds the password.",
        )
        .example("SUDO_PASSWORD"),
        Field::new(
            "command",
            Kind::Either(&[text("command"), Kind::List(&text("word"))]),
            "A command on your machine whose first line of output is the password; a text, which \
             is split as a shell would but run without one, or a list of words.",
        )
        .example("pass show ops/sudo"),
    ],
    &[
        Rule::NotBoth("env", "command"),
        Rule::OneOf(&["env", "command"]),
    ],
);
