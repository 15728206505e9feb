//! `runtime`, and files that are accepted by their hash.

use super::{Field, Form, Kind, Mapping, PATH, SIGNER, URL, Word, like, word};

/// The words of `runtime.kind`, and of `runtime` itself.
pub(super) const KINDS: &[Word] = &[
    word("containerd", "containerd, with systemd's control groups"),
    word(
        "docker",
        "Docker Engine 23 or newer, with cri-dockerd before it",
    ),
    word(
        "cri-o",
        "CRI-O from its own repository, whose `key` has to be written",
    ),
];

/// `runtime` as a mapping.
pub const RUNTIME: &Mapping = &Mapping::of(&[
    Field::new("kind", Kind::Words(KINDS), "Which runtime it is.")
        .required()
        .example("containerd"),
    Field::new(
        "packages",
        Kind::Words(&[
            word(
                "distribution",
                "those named as the distribution's: containerd, docker.io; from its own \
                 repositories, or from the one that `repository` names",
            ),
            word(
                "docker",
                "Docker's repository, or the mirror of it that `repository` names: containerd.io, \
                 docker-ce",
            ),
        ]),
        "Whose packages are taken.",
    )
    .default("distribution")
    .example("docker")
    .kinds(&["containerd", "docker"]),
    Field::new(
        "repository",
        URL,
        "The apt repository to use instead of the vendor's own; then `key` is needed, too. `{os}` \
         in it becomes the host's distribution, such as debian, `{codename}` its release, such as \
         bookworm, and `{minor}` Kubernetes' version, such as 1.34. Without `packages: docker` it \
         is a repository of your own, whose containerd or docker.io is preferred to the \
         distribution's; then `suite` is needed, too.",
    )
    .derived("the vendor's own")
    .example("https://mirror.example.org/docker/linux/{os}"),
    Field::new(
        "suite",
        like("suite and components", "^\\S(.*\\S)?$"),
        "What follows the URL in a line of apt's sources: a suite and its components, or `/` for \
         a flat repository. The placeholders of `repository` may stand in it.",
    )
    .derived("`\"{codename} stable\"`; of cri-o `/`")
    .example("\"{codename} stable\""),
    Field::new(
        "key",
        Kind::Either(&[PATH, Kind::Mapping(SIGNER)]),
        "The key that signs the repository: the file of the armored public key, its path from the \
         inventory's folder, or a URL and the key's fingerprint.",
    )
    .derived("the vendor's, pinned; of cri-o it has to be written")
    .example("files/mirror.asc"),
    Field::new(
        "criDockerd",
        Kind::Mapping(PACKAGE),
        "The package of cri-dockerd, which stands between kubelet and Docker Engine. No \
         repository carries it.",
    )
    .example("{url: \"https://mirror.example.org/cri-dockerd_0.3.20.3-0.debian-bookworm_{arch}.deb\", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}")
    .kinds(&["docker"]),
    Field::new(
        "archive",
        Kind::Mapping(CONTAINERD),
        "containerd from the project's release archive instead of a package. It is unpacked under \
         /usr/local, with the project's unit. The archive keeps its name, which says the version.",
    )
    .example("{url: \"https://mirror.example.org/containerd-2.4.2-linux-{arch}.tar.gz\", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}")
    .kinds(&["containerd"]),
    Field::new(
        "runc",
        Kind::Mapping(RUNC),
        "The program runc beside containerd's archive, which does not hold it.",
    )
    .derived("the distribution's package")
    .example("{url: \"https://mirror.example.org/runc.{arch}\", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}")
    .kinds(&["containerd"]),
]);

/// containerd's release archive by its URL and hash.
pub const CONTAINERD: &Mapping = &Mapping::of(&[
    url("https://mirror.example.org/containerd-2.4.2-linux-{arch}.tar.gz"),
    SHA256,
]);

/// The program runc by its URL and hash.
pub const RUNC: &Mapping = &Mapping::of(&[url("https://mirror.example.org/runc.{arch}"), SHA256]);

/// A package by its URL and hash.
pub const PACKAGE: &Mapping = &Mapping::of(&[
    url("https://mirror.example.org/cri-dockerd_0.3.20.3-0.debian-bookworm_{arch}.deb"),
    SHA256,
]);

const fn url(example: &'static str) -> Field {
    Field::new(
        "url",
        URL,
        "Where the file is. `{arch}` becomes the host's architecture, amd64 or arm64; as there is \
         one hash, the hosts must then be of one architecture. Plain http is fine, since the hash \
         cannot be forged.",
    )
    .required()
    .example(example)
}

const SHA256: Field = Field::new(
    "sha256",
    Kind::Text(Form::like("SHA-256", "^(sha256:)?[0-9A-Fa-f]{64}$").bare()),
    "The hash of the file, as `sha256sum` prints it. A file with another one is refused.",
)
.required()
.example("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
