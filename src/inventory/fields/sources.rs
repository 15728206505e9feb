//! `packages`, `images`, `httpProxy`.

use super::{Field, Form, IMAGE, Kind, Mapping, PATH, Rule, SECURE_URL, URL, like, text};

/// `packages`.
pub const PACKAGES: &Mapping = &Mapping::with(
    &[
        Field::new(
            "repository",
            URL,
            "The apt repository of Kubernetes' packages; then `key` is needed, too. `{minor}` in \
             it becomes the version's first two numbers, such as 1.37.",
        )
        .derived("https://pkgs.k8s.io/core:/stable:/v{minor}/deb/")
        .example("https://mirror.example.org/kubernetes/v{minor}/deb/"),
        Field::new(
            "key",
            Kind::Either(&[PATH, Kind::Mapping(SIGNER)]),
            "The key that signs the repository: the file of the armored public key, its path from \
             the inventory's folder, or a URL and the key's fingerprint.",
        )
        .derived("the key of pkgs.k8s.io, pinned; needed with `repository`")
        .example("files/mirror.asc"),
        Field::new(
            "hold",
            Kind::Boolean,
            "Whether Kubernetes' packages are held, so that `apt-get upgrade` leaves them alone.",
        )
        .default("true")
        .example("false"),
    ],
    &[Rule::Needs("repository", "key")],
);

/// A key by its URL and fingerprint.
pub const SIGNER: &Mapping = &Mapping::of(&[
    Field::new(
        "url",
        SECURE_URL,
        "Where the armored public key is. The placeholders of `repository` may stand in it.",
    )
    .required()
    .example("https://mirror.example.org/Release.key"),
    Field::new(
        "fingerprint",
        Kind::Text(Form::like("fingerprint", "^\\s*([0-9A-Fa-f]\\s*){40}$").bare()),
        "The fingerprint of the key, 40 hex digits as `gpg --show-keys` prints them; blanks do not \
         matter. A key with another one is refused.",
    )
    .required()
    .example("DE15 B144 86CD 377B 9E87 6E1A 2346 54DA 9A29 6436"),
]);

const REGISTRY: &str = "^(\\[[0-9A-Fa-f:.]+\\]|[a-z0-9.-]+)(:[0-9]+)?$";

/// `images`.
pub const IMAGES: &Mapping = &Mapping::of(&[
    Field::new(
        "repository",
        IMAGE,
        "The registry and path of Kubernetes' own images, kubeadm's `imageRepository`.",
    )
    .derived("kubeadm's, `registry.k8s.io` in newer versions")
    .example("registry.example.org/k8s"),
    Field::new(
        "sandbox",
        IMAGE,
        "The image that holds a pod's network, `pause`; the runtime and the kubelet are given the \
         same.",
    )
    .derived("the one that the version of Kubernetes wants, from `repository`")
    .example("registry.example.org/k8s/pause:3.10"),
    Field::new(
        "mirrors",
        Kind::Free(
            Form::like("registry", REGISTRY),
            &Kind::Either(&[URL, Kind::List(&URL)]),
        ),
        "What the runtime asks before a registry itself: by the name of a registry, a URL or \
         several in their order. Docker Engine asks mirrors of docker.io alone.",
    )
    .example("{docker.io: \"https://mirror.example.org\"}"),
    Field::new(
        "insecureRegistries",
        Kind::List(&like("registry", REGISTRY)),
        "Registries that are spoken to without TLS, or whose certificate is not checked; each as \
         image names begin with it.",
    )
    .example("[\"192.0.2.5:5000\"]"),
]);

/// `httpProxy`.
pub const HTTP_PROXY: &Mapping = &Mapping::with(
    &[
        Field::new(
            "http",
            URL,
            "The proxy for http. A password in the URL can be read by whoever can read the \
             inventory.",
        )
        .example("http://proxy.example.org:3128"),
        Field::new("https", URL, "The proxy for https.").example("http://proxy.example.org:3128"),
        Field::new(
            "noProxy",
            Kind::List(&text("host, domain or network")),
            "What is reached directly besides the nodes, the endpoint, pods and services, which \
             always are.",
        )
        .example("[.example.org, 192.0.2.0/24]"),
    ],
    &[Rule::OneOf(&["http", "https"])],
);
