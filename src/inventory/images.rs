//! `images:` as written.

use super::address;
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::reader::{ParseError, Reader, parse_error};
use super::secrets::without_secrets;
use super::sources;
use super::yaml::{Node, Value};
use crate::cluster::{Images, RegistryMirror};

/// `images` as written.
pub struct RawImages {
    pub images: Images,
    /// Registries that have mirrors, each where it is named.
    pub mirrored: Vec<Spanned<String>>,
}

/// Reads `images`.
pub fn read(reader: &Reader<'_>, node: Option<&Node>) -> RawImages {
    let fields = node.and_then(|node| {
        reader.fields(
            node,
            fields::IMAGES,
            "`{repository: registry.example.org/k8s}`",
        )
    });
    let Some(fields) = fields else {
        let images = Images {
            repository: None,
            mirrors: Vec::new(),
            sandbox: None,
            insecure: Vec::new(),
        };
        return RawImages {
            images,
            mirrored: Vec::new(),
        };
    };
    let name = |key, example| {
        let name = fields
            .get(key)
            .and_then(|node| reader.parse(node, "invalid-image", example, image));
        name.map(|name| name.value)
    };
    let mirrors = fields
        .get("mirrors")
        .map(|node| mirrors(reader, node))
        .unwrap_or_default();
    let images = Images {
        repository: name(
            "repository",
            "a registry and path such as registry.example.org/k8s",
        ),
        sandbox: name("sandbox", "an image such as registry.k8s.io/pause:3.10"),
        mirrors: mirrors.iter().map(|(_, mirror)| mirror.clone()).collect(),
        insecure: fields
            .get("insecureRegistries")
            .map(|node| insecure(reader, node))
            .unwrap_or_default(),
    };
    let mirrored = mirrors.into_iter().map(|(span, mirror)| Spanned {
        value: mirror.registry,
        span,
    });
    RawImages {
        images,
        mirrored: mirrored.collect(),
    }
}

/// The name of an image or of a place of images.
pub fn image(text: &str) -> Result<String, ParseError> {
    if let Some((_, rest)) = text.split_once("://") {
        return parse_error(
            format!(
                "{} is a URL; images have names without a scheme",
                quoted(text)
            ),
            format!("write `{}`", without_secrets(rest.trim_end_matches('/'))),
        );
    }
    let sound = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "._-/:@[]".contains(c))
        && text.split('/').all(|part| !part.is_empty());
    if sound {
        Ok(text.to_owned())
    } else {
        parse_error(
            format!("{} is no image name", quoted(text)),
            "write a name such as registry.example.org/k8s, without a slash at its end",
        )
    }
}

fn mirrors(reader: &Reader<'_>, node: &Node) -> Vec<(Span, RegistryMirror)> {
    const EXAMPLE: &str = "`{registry.k8s.io: [https://mirror.example.org]}`";
    let entries = reader
        .entries(node, EXAMPLE)
        .iter()
        .map(|(registry, node)| {
            if let Err(error) = registry_name(&registry.text) {
                reader.report(
                    Finding::error("invalid-image", registry.span, error.message).help(error.help),
                );
            }
            let one = |node: &Node| {
                let url = reader.parse(node, "invalid-url", "a URL", |text| {
                    address::url(text, false)
                })?;
                sources::visible_password(reader, &url, sources::OPEN_MIRROR);
                Some(url)
            };
            let endpoints: Vec<_> = match &node.value {
                Value::Sequence(items) => items.iter().filter_map(|item| one(item)).collect(),
                _ => one(node).into_iter().collect(),
            };
            let mirror = RegistryMirror {
                registry: registry.text.clone(),
                endpoints: endpoints
                    .into_iter()
                    .map(|endpoint| endpoint.value)
                    .collect(),
            };
            (registry.span, mirror)
        });
    entries.collect()
}

/// Registries without TLS, each as image names begin with it.
fn insecure(reader: &Reader<'_>, node: &Node) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in reader.list(node, "[registry.example.org:5000]") {
        let name = reader.parse(
            item,
            "invalid-image",
            "a registry such as 192.0.2.5:5000",
            |text| {
                if let Some((_, rest)) = text.split_once("://") {
                    return parse_error(
                        format!(
                            "{} is a URL; registries have names without a scheme",
                            quoted(text)
                        ),
                        format!("write `{}`", without_secrets(rest.trim_end_matches('/'))),
                    );
                }
                registry_name(text).map(|()| text.to_owned())
            },
        );
        let Some(name) = name else { continue };
        if names.contains(&name.value) {
            let message = format!("the registry {} is named twice", quoted(&name.value));
            reader.report(Finding::error("duplicate", name.span, message).help("name it once"));
        }
        names.push(name.value);
    }
    names
}

fn registry_name(text: &str) -> Result<(), ParseError> {
    let help =
        "write the registry as image names begin with it, such as registry.k8s.io or docker.io";
    let (host, _) = match text.contains(['/', ' ']) {
        true => return parse_error(format!("{} is no name of a registry", quoted(text)), help),
        false => address::host_port(text)?,
    };
    match address::endpoint_host(host) {
        Ok(_) => Ok(()),
        Err(_) if text == "*" || text == "_default" => {
            parse_error("a mirror for every registry is not supported", help)
        }
        Err(_) => parse_error(format!("{} is no name of a registry", quoted(text)), help),
    }
}
