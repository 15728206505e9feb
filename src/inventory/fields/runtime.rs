//! `runtime`, and files that are accepted by their hash.

use super::{Field, Form, Kind, Mapping, PATH, SIGNER, URL, Word, like, word};

/// The words of `runtime.kind`, and of `runtime` itself.
pub(super) const KINDS: &[Word] = &[
    word("containerd", "containerd, with systemd's control groups"),
    word(
        "docker",
        "Docker Engine; from Kubernetes 1.24 on with cri-dockerd before it",
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
            word("distribution", "the distribution's: containerd, docker.io"),
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
         bookworm, and `{minor}` Kubernetes' version, such as 1.34. With containerd and docker it \
         needs `packages: docker`.",
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
        "The package of cri-dockerd, which stands between kubelet and Docker Engine; needed from \
         Kubernetes 1.24 on. No repository carries it.",
    )
    .example("{url: \"https://mirror.example.org/cri-dockerd_0.3.20.3-0.debian-bookworm_{arch}.deb\", sha256: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}")
    .kinds(&["docker"]),
]);

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
