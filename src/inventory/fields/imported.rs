//! Keys of an output of Terraform that is meant for kdiy.

use super::{Field, Form, Kind, LOGIN, Mapping, NAME, NODE, like};

/// The output `kdiy`: nodes, and what goes with them.
pub const TERRAFORM: &Mapping = &Mapping::of(&[
    Field::new("name", NAME, "The name of the cluster."),
    Field::new(
        "version",
        Kind::Text(Form::like("version", "^v?1\\.").bare()),
        "The version of Kubernetes.",
    ),
    Field::new(
        "endpoint",
        like("host[:port]", "^\\S+$"),
        "Where clients and nodes reach the API servers.",
    ),
    Field::new("vip", like("address", "^\\S+$"), "The virtual IP."),
    Field::new(
        "loadBalancer",
        like("kind", "^\\S+$"),
        "The kind of load balancer.",
    ),
    Field::new("ssh", Kind::Mapping(LOGIN), "How to log in to all nodes."),
    Field::new(
        "nodes",
        Kind::List(&Kind::Mapping(NODE)),
        "The hosts of the cluster.",
    )
    .required(),
]);
