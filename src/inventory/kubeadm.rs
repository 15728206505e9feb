//! `kubeadm:` as written.

use std::collections::BTreeMap;
use std::path::Path;

use super::document::plain;
use super::fields;
use super::finding::{Finding, Span, Spanned, quoted};
use super::reader::{Reader, nearest};
use super::yaml::Node;
use crate::cluster::{Kubeadm, VersionSpec};
use crate::kubeadm::{OWN_PATCH, phases};

/// Reads the section, and notes where patches of etcd's static pod are named.
pub fn read(
    reader: &Reader<'_>,
    node: &Node,
    version: Option<&Spanned<VersionSpec>>,
    etcd_patches: &mut Vec<Span>,
) -> Kubeadm {
    let Some(fields) = reader.fields(node, fields::KUBEADM, "`{ignorePreflightErrors: [NumCPU]}`")
    else {
        return Kubeadm::default();
    };
    let words = |key, example| {
        fields
            .get(key)
            .map(|node| reader.texts(node, example))
            .unwrap_or_default()
    };
    let ignored = words("ignorePreflightErrors", "[NumCPU]");
    for check in ignored
        .iter()
        .filter(|check| check.value.eq_ignore_ascii_case("all"))
    {
        let message = "every preflight error is ignored, also those of a broken host";
        reader.report(
            Finding::warning("ignores-all", check.span, message)
                .help("name the checks, such as NumCPU or Mem"),
        );
    }
    let named = words("patches", "[patches/etcd0+strategic.yaml]");
    let patches = patches(reader, &named, version, etcd_patches);
    let skipped = words("skipPhases", "[addon/kube-proxy]");
    known_phases(reader, &skipped);
    Kubeadm {
        ignore_preflight_errors: plain(ignored),
        skip_phases: plain(skipped),
        patches,
    }
}

/// What the named files hold, by the names that they have on a host.
fn patches(
    reader: &Reader<'_>,
    named: &[Spanned<String>],
    version: Option<&Spanned<VersionSpec>>,
    etcd_patches: &mut Vec<Span>,
) -> BTreeMap<String, String> {
    let mut patches: BTreeMap<String, String> = BTreeMap::new();
    let mut places: BTreeMap<String, Span> = BTreeMap::new();
    for path in named {
        let file = Path::new(&path.value)
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !is_patch_name(file) {
            let message = format!(
                "kubeadm does not understand the name {} of a patch",
                quoted(file)
            );
            reader.report(Finding::error("invalid-patch", path.span, message).help(PATCH_NAMES));
        }
        if file == OWN_PATCH {
            let message = format!("kdiy itself writes a patch named {}", quoted(file));
            reader.report(
                Finding::error("invalid-patch", path.span, message)
                    .help("give it a suffix, such as kubeletconfiguration0+json.json"),
            );
        }
        if file.starts_with(PROXY_PATCH)
            && let Some(version) = version.filter(|version| version.value.minor() < PROXY_PATCHES)
        {
            let message = format!(
                "kubeadm of Kubernetes {} ignores patches of {PROXY_PATCH}",
                version.value
            );
            reader.report(
                Finding::error("unused-patch", path.span, message)
                    .related(version.span, "the version")
                    .help("take it out, or take `version: \"1.37\"` or later"),
            );
        }
        if file.starts_with("etcd") {
            etcd_patches.push(path.span);
        }
        if let Some(first) = places.insert(file.to_owned(), path.span) {
            let message = format!(
                "two patches are named {}; they would be one file on a host",
                quoted(file)
            );
            reader.report(
                Finding::error("duplicate", path.span, message)
                    .related(first, "first used here")
                    .help("give one of them a suffix, such as etcd1+merge.yaml"),
            );
        }
        if let Some(text) = reader.file(path) {
            patches.insert(file.to_owned(), text);
        }
    }
    patches
}

fn known_phases(reader: &Reader<'_>, skipped: &[Spanned<String>]) {
    for phase in skipped {
        let known = || phases::INIT.iter().chain(phases::JOIN).copied();
        if !known().any(|name| name == phase.value) {
            let message = format!("kubeadm has no phase {}", quoted(&phase.value));
            let help = match nearest(&phase.value, known()) {
                Some(near) => format!("is `{near}` meant?"),
                None => "`kubeadm init --help` and `kubeadm join --help` name them".to_owned(),
            };
            reader.report(Finding::error("unknown-phase", phase.span, message).help(help));
        }
    }
}

/// The target of patches of kube-proxy, and the version in which it came.
const PROXY_PATCH: &str = "kubeproxydaemonset";
const PROXY_PATCHES: (u64, u64) = (1, 37);

const PATCH_NAMES: &str = "name it TARGET[SUFFIX][+TYPE].yaml or .json, where TARGET is kube-apiserver, kube-controller-manager, kube-scheduler, etcd, kubeletconfiguration, corednsdeployment or, from 1.37 on, kubeproxydaemonset, and TYPE strategic, merge or json; such as etcd0+strategic.yaml";

/// kubeadm's rule for the names in its patches directory.
fn is_patch_name(file: &str) -> bool {
    const TARGETS: [&str; 7] = [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "etcd",
        "kubeletconfiguration",
        "corednsdeployment",
        PROXY_PATCH,
    ];
    let Some((stem, "yaml" | "json")) = file.rsplit_once('.') else {
        return false;
    };
    let (name, kind) = stem.split_once('+').unwrap_or((stem, "strategic"));
    let suffix = TARGETS.iter().find_map(|target| name.strip_prefix(target));
    matches!(kind, "strategic" | "merge" | "json")
        && suffix.is_some_and(|suffix| {
            suffix
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}
