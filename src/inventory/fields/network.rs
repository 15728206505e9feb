//! `network`.

use super::{CIDR, Field, Kind, Mapping, like, text, word};

/// `network`.
pub const NETWORK: &Mapping = &Mapping::of(&[
    Field::new(
        "podCIDR",
        CIDR,
        "The network that pods get their addresses from; each node gets a part of it, a /24 for \
         IPv4. It must share no address with the hosts or the services, and stays as it is once \
         the cluster runs.",
    )
    .default("10.244.0.0/16")
    .example("10.42.0.0/16"),
    Field::new(
        "serviceCIDR",
        CIDR,
        "The network that services get their addresses from. It must share no address with the \
         hosts or the pods, and stays as it is once the cluster runs.",
    )
    .default("10.96.0.0/12")
    .example("10.43.0.0/16"),
    Field::new(
        "dnsDomain",
        like("DNS domain", "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
        "The domain under which services have their names in the cluster, as in \
         `kubernetes.default.svc.cluster.local`.",
    )
    .default("cluster.local")
    .example("k8s.example.org"),
    Field::new(
        "cni",
        Kind::Either(&[
            Kind::Words(&[
                word(
                    "bridge",
                    "kdiy's own: a bridge on each node and routes between them, for hosts on one \
                     layer-2 network; without network policies",
                ),
                word("none", "you install one; nodes are not ready before that"),
            ]),
            Kind::Mapping(CNI),
        ]),
        "The plug-in that connects pods: a word, or a mapping with the manifest of one, such as \
         Calico, Cilium or Flannel.",
    )
    .required()
    .example("bridge"),
]);

/// `cni` as a mapping.
pub const CNI: &Mapping = &Mapping::of(&[Field::new(
    "manifest",
    text("file or https URL"),
    "The manifest that installs the plug-in: a file, its path from the inventory's folder, or a \
     https URL. It must fit `podCIDR`.",
)
.required()
.example("files/cni.yaml")]);
