//! The files of every runtime, with few and with most settings.

use super::*;
use crate::cluster::{Archive, Download, PackageKey, Version};
use crate::kubeadm::tests::{few, most};

fn source() -> AptSource {
    AptSource {
        url: "https://download.example/linux/{os}".into(),
        suite: "{codename} stable".into(),
        key: PackageKey::Armored("key".into()),
    }
}

fn download(name: &str) -> Download {
    Download {
        url: format!("https://downloads.example/{name}"),
        sha256: "0".repeat(64),
    }
}

fn docker(origin: Origin) -> Runtime {
    Runtime::Docker {
        origin,
        cri_dockerd: download("cri-dockerd_{arch}.deb"),
    }
}

fn archive() -> Containerd {
    Containerd::Archive(Archive {
        version: Version::new(2, 4, 2),
        containerd: download("containerd-2.4.2-linux-{arch}.tar.gz"),
        runc: None,
    })
}

/// A host with this release of its runtime.
fn host(release: Option<Version>) -> Host {
    Host {
        release,
        ..Host::default()
    }
}

/// A cluster with this runtime, and a registry without TLS.
fn with(mut resolved: ResolvedCluster, runtime: Runtime) -> ResolvedCluster {
    resolved.cluster.runtime = runtime;
    resolved.cluster.images.insecure = vec!["192.0.2.250:5000".into()];
    resolved
}

fn shown(resolved: &ResolvedCluster, host: Host) -> String {
    let units = units(resolved, host).into_iter().map(|unit| {
        let files = unit.files.iter();
        let files = files.map(|file| format!("== {} {:04o}\n{}", file.path, file.mode, file.text));
        format!("{}\n{}", unit.name, files.collect::<Vec<_>>().join("\n"))
    });
    units.collect::<Vec<_>>().join("\n")
}

#[test]
fn containerd_on_a_plain_host() {
    let old = host(Some(Version::new(1, 7, 24)));
    insta::assert_snapshot!(shown(&few(Version::new(1, 34, 1)), old));
}

#[test]
fn containerd_reads_the_format_of_its_own_release() {
    let resolved = few(Version::new(1, 37, 2));
    let second = host(Some(Version::new(2, 4, 2)));
    insta::assert_snapshot!(shown(&resolved, second));
    let format = |release| {
        let text = shown(&resolved, host(release));
        let line = text.lines().find(|line| line.starts_with("version = "));
        line.unwrap().to_owned()
    };
    let of = |major, minor| format(Some(Version::new(major, minor, 0)));
    assert_eq!(of(1, 6), "version = 2");
    assert_eq!(of(2, 0), "version = 3");
    assert_eq!(of(2, 2), "version = 3");
    assert_eq!(of(2, 3), "version = 4");
    assert_eq!(format(None), "version = 2", "all releases read it");
}

#[test]
fn containerd_keeps_a_format_that_it_reads() {
    let format = |release: Option<[u64; 3]>, format| {
        let host = Host {
            format,
            ..host(release.map(|[major, minor, patch]| Version::new(major, minor, patch)))
        };
        let text = shown(&few(Version::new(1, 37, 2)), host);
        let line = text.lines().find(|line| line.starts_with("version = "));
        line.unwrap().to_owned()
    };
    assert_eq!(format(Some([2, 4, 2]), Some(2)), "version = 2");
    assert_eq!(format(Some([2, 4, 2]), Some(3)), "version = 3");
    assert_eq!(format(None, Some(4)), "version = 4");
    // An older release does not read it; nobody writes the first one.
    assert_eq!(format(Some([1, 7, 24]), Some(4)), "version = 2");
    assert_eq!(format(Some([2, 4, 2]), Some(1)), "version = 4");
}

#[test]
fn containerd_of_an_archive() {
    let mut resolved = few(Version::new(1, 37, 2));
    resolved.cluster.runtime = Runtime::Containerd(archive());
    let one = shown(&resolved, Host::default());
    insta::assert_snapshot!(one);
    let Runtime::Containerd(Containerd::Archive(archive)) = &mut resolved.cluster.runtime else {
        unreachable!()
    };
    archive.containerd.sha256 = "1".repeat(64);
    let other = shown(&resolved, Host::default());
    assert_ne!(one, other, "another archive restarts the unit");
}

#[test]
fn containerd_behind_mirrors_and_a_proxy() {
    let confined = Host {
        confined: true,
        release: Some(Version::new(2, 2, 0)),
        format: None,
    };
    insta::assert_snapshot!(shown(&most(Version::new(1, 34, 1)), confined));
}

#[test]
fn containerd_with_registries_without_tls() {
    let mut resolved = with(
        few(Version::new(1, 34, 1)),
        Runtime::Containerd(Containerd::Packages(Origin::Docker(source()))),
    );
    let images = &mut resolved.cluster.images;
    images.insecure.push("mirrored.example:80".into());
    images.mirrors = vec![crate::cluster::RegistryMirror {
        registry: "mirrored.example:80".into(),
        endpoints: vec!["https://mirror.example".into()],
    }];
    let text = shown(&resolved, Host::default());
    let hosts = text.split_once("certs.d/").unwrap().1;
    insta::assert_snapshot!(hosts);
}

#[test]
fn docker_behind_cri_dockerd() {
    let version = Version::new(1, 34, 1);
    let of = |resolved| {
        shown(
            &with(resolved, docker(Origin::Distribution)),
            Host::default(),
        )
    };
    insta::assert_snapshot!("docker_few", of(few(version)));
    insta::assert_snapshot!("docker_most", of(most(version)));
}

#[test]
fn cri_o() {
    let version = Version::new(1, 34, 1);
    let mut plain = with(few(version), Runtime::CriO(source()));
    plain.cluster.images.insecure.clear();
    insta::assert_snapshot!("crio_few", shown(&plain, Host::default()));
    let resolved = with(most(version), Runtime::CriO(source()));
    insta::assert_snapshot!("crio_most", shown(&resolved, Host::default()));
}

#[test]
fn no_wanted_package_is_a_rival_of_its_own() {
    let origins = [
        Origin::Distribution,
        Origin::Repository(source()),
        Origin::Docker(source()),
    ];
    let all = origins.into_iter().flat_map(|origin| {
        let containerd = Containerd::Packages(origin.clone());
        [Runtime::Containerd(containerd), docker(origin)]
    });
    let all = all.chain([Runtime::Containerd(archive())]);
    for profile in all.map(|runtime| profile(&runtime)) {
        for rival in profile.rivals {
            assert!(!profile.packages.contains(&rival.name), "{profile:?}");
            assert!(profile.packages.contains(&rival.with), "{profile:?}");
        }
        if let Some(main) = profile.main {
            assert!(profile.packages.contains(&main), "{profile:?}");
        }
    }
}

#[test]
fn a_proxy_for_one_scheme_only() {
    let mut resolved = most(Version::new(1, 34, 1));
    resolved.cluster.http_proxy.as_mut().unwrap().http = None;
    let text = shown(&resolved, Host::default());
    assert!(!text.contains("HTTP_PROXY"), "{text}");
    assert!(
        text.contains("\nHTTPS_PROXY=\"http://proxy.example:3128\"\nNO_PROXY="),
        "{text}"
    );
}
