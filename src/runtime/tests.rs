//! The files of every runtime, with few and with most settings.

use super::*;
use crate::cluster::{PackageKey, Version};
use crate::kubeadm::tests::{few, most};

fn source() -> AptSource {
    AptSource {
        url: "https://download.example/linux/{os}".into(),
        suite: "{codename} stable".into(),
        key: PackageKey::Armored("key".into()),
    }
}

fn docker(cri_dockerd: bool) -> Runtime {
    Runtime::Docker {
        origin: Origin::Distribution,
        cri_dockerd: cri_dockerd.then(|| Download {
            url: "https://downloads.example/cri-dockerd_{arch}.deb".into(),
            sha256: "0".repeat(64),
        }),
    }
}

/// A cluster with this runtime, and a registry without TLS.
fn with(mut settled: Settled, runtime: Runtime) -> Settled {
    settled.cluster.runtime = runtime;
    settled.cluster.images.insecure = vec!["192.0.2.250:5000".into()];
    settled
}

fn shown(settled: &Settled, confined: bool) -> String {
    let units = units(settled, confined).into_iter().map(|unit| {
        let files = unit.files.iter();
        let files = files.map(|file| format!("== {} {:04o}\n{}", file.path, file.mode, file.text));
        format!("{}\n{}", unit.name, files.collect::<Vec<_>>().join("\n"))
    });
    units.collect::<Vec<_>>().join("\n")
}

#[test]
fn containerd_on_a_plain_host() {
    insta::assert_snapshot!(shown(&few(Version::new(1, 34, 1)), false));
}

#[test]
fn containerd_behind_mirrors_and_a_proxy() {
    insta::assert_snapshot!(shown(&most(Version::new(1, 20, 2)), true));
}

#[test]
fn containerd_with_registries_without_tls() {
    let mut settled = with(
        few(Version::new(1, 34, 1)),
        Runtime::Containerd(Origin::Docker(source())),
    );
    let images = &mut settled.cluster.images;
    images.insecure.push("mirrored.example:80".into());
    images.mirrors = vec![crate::cluster::RegistryMirror {
        registry: "mirrored.example:80".into(),
        endpoints: vec!["https://mirror.example".into()],
    }];
    let text = shown(&settled, false);
    let hosts = text.split_once("certs.d/").unwrap().1;
    insta::assert_snapshot!(hosts);
}

#[test]
fn docker_with_dockershim() {
    let version = Version::new(1, 20, 2);
    insta::assert_snapshot!(
        "docker_few",
        shown(&with(few(version), docker(false)), false)
    );
    insta::assert_snapshot!(
        "docker_most",
        shown(&with(most(version), docker(false)), true)
    );
}

#[test]
fn docker_with_cri_dockerd() {
    let settled = with(few(Version::new(1, 34, 1)), docker(true));
    insta::assert_snapshot!(shown(&settled, false));
}

#[test]
fn cri_o() {
    let version = Version::new(1, 34, 1);
    let mut plain = with(few(version), Runtime::CriO(source()));
    plain.cluster.images.insecure.clear();
    insta::assert_snapshot!("crio_few", shown(&plain, false));
    let settled = with(most(version), Runtime::CriO(source()));
    insta::assert_snapshot!("crio_most", shown(&settled, false));
}

#[test]
fn no_wanted_package_is_a_rival_of_its_own() {
    let origins = [Origin::Distribution, Origin::Docker(source())];
    let all = origins.into_iter().flat_map(|origin| {
        let cri_dockerd = None;
        [
            Runtime::Containerd(origin.clone()),
            Runtime::Docker {
                origin,
                cri_dockerd,
            },
        ]
    });
    for profile in all.map(|runtime| profile(&runtime)) {
        for rival in profile.rivals {
            assert!(!profile.packages.contains(&rival.name), "{profile:?}");
            assert!(profile.packages.contains(&rival.with), "{profile:?}");
        }
    }
}

#[test]
fn a_proxy_for_one_scheme_only() {
    let mut settled = most(Version::new(1, 34, 1));
    settled.cluster.http_proxy.as_mut().unwrap().http = None;
    let text = shown(&settled, false);
    assert!(!text.contains("HTTP_PROXY"), "{text}");
    assert!(
        text.contains("\nHTTPS_PROXY=\"http://proxy.example:3128\"\nNO_PROXY="),
        "{text}"
    );
}
