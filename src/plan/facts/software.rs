//! Which packages a host could install, and which release of its runtime it
//! has or would get.
//!
//! apt itself is asked, with lists of its own in a folder that goes away: it
//! knows every form of a repository, and the host's own lists, keys and
//! sources stay as they are. Nothing is installed by what is read so: what is
//! installed is verified by its key, later. A host that has what is wanted is
//! not asked, as apt is slow to start.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::cluster::{AddressSpec, Cluster, Node, ResolvedCluster, Version};
use crate::resource::{AnswerError, Answers, section};
use crate::runtime;
use crate::shell::{Script, sh};
use crate::template::NOTICE;

/// The packages of Kubernetes whose version is the cluster's.
pub const KUBERNETES: [&str; 3] = ["kubeadm", "kubectl", KUBELET];

/// The kubelet's package.
pub const KUBELET: &str = "kubelet";

/// The package of crictl, with a version of its own.
pub const CRI_TOOLS: &str = "cri-tools";

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Software {
    /// The versions of [`KUBERNETES`] and [`CRI_TOOLS`] in their repository, by
    /// package.
    pub kubernetes: Lookup<BTreeMap<String, Vec<String>>>,
    /// The package of the runtime; `None` where none is available.
    pub runtime: Lookup<Option<Packaged>>,
    /// What of runtimes is there.
    pub present: Present,
}

/// The packages that hold a runtime while it runs: pods notice when one of
/// them goes.
const HOLDERS: [&str; 6] = [
    "containerd",
    "containerd.io",
    "docker-ce",
    "docker-engine",
    "docker.io",
    "runc",
];

/// What of runtimes is on a host, wherever it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Present {
    /// Versions of the installed packages that hold a runtime while it runs.
    pub packages: BTreeMap<String, String>,
    /// The SHA-256 of the archive that kdiy's own unit of containerd names.
    pub archive: Option<String>,
    /// `version` of the configuration of containerd that kdiy wrote.
    pub format: Option<u8>,
    /// Which of [`REPOSITORY`] and [`PREFERENCE`] are there, written by kdiy.
    pub apt: Vec<String>,
}

/// The runtime's repository among apt's sources.
pub const REPOSITORY: &str = "/etc/apt/sources.list.d/kdiy-runtime.list";

/// By which its packages are preferred to the distribution's.
pub const PREFERENCE: &str = "/etc/apt/preferences.d/kdiy-runtime";

/// containerd's unit, where it comes from an archive.
pub const ARCHIVE_UNIT: &str = "/etc/systemd/system/containerd.service";

/// A look into a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Lookup<T> {
    /// There was no need for one, or no way yet.
    #[default]
    Unasked,
    /// apt could not read it; its last words.
    Unread(String),
    /// What is there.
    Read(T),
}

/// A package that is there, or could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packaged {
    /// Its version, such as `1.7.24~ds1-6+b4`.
    pub version: String,
    /// Whether it is installed already.
    pub installed: bool,
}

impl Software {
    /// The release of the runtime that is installed, or that would be.
    #[must_use]
    pub fn release(&self) -> Option<Version> {
        match &self.runtime {
            Lookup::Read(Some(package)) => Version::of_package(&package.version),
            _ => None,
        }
    }

    /// Reads the answer to [`Questions`].
    pub(in crate::plan) fn parse(answers: &Answers) -> Result<Self, AnswerError> {
        let mut software = Self::default();
        for line in answers.get("software")?.lines() {
            let (of, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            match (of, word) {
                ("kubernetes", "unread") => software.kubernetes = Lookup::Unread(rest.to_owned()),
                ("kubernetes", "read") => software.kubernetes = Lookup::Read(BTreeMap::new()),
                ("kubernetes", "has") => {
                    if let (Lookup::Read(all), Some((package, version))) =
                        (&mut software.kubernetes, rest.split_once(' '))
                    {
                        let versions = all.entry(package.to_owned()).or_default();
                        versions.push(version.to_owned());
                    }
                }
                ("runtime", "unread") => software.runtime = Lookup::Unread(rest.to_owned()),
                ("runtime", "none") => software.runtime = Lookup::Read(None),
                ("present", "package") => {
                    if let Some((package, version)) = rest.split_once(' ') {
                        let packages = &mut software.present.packages;
                        packages.insert(package.to_owned(), version.to_owned());
                    }
                }
                ("present", "archive") => software.present.archive = Some(rest.to_owned()),
                ("present", "apt") => software.present.apt.push(rest.to_owned()),
                ("present", "format") => software.present.format = rest.parse().ok(),
                ("runtime", "installed" | "candidate") => {
                    software.runtime = Lookup::Read(Some(Packaged {
                        version: rest.to_owned(),
                        installed: word == "installed",
                    }));
                }
                _ => {}
            }
        }
        Ok(software)
    }
}

/// What is asked of a host with a kubelet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questions {
    version: Version,
    /// The line of Kubernetes' repository in apt's sources.
    kubernetes: String,
    /// The runtime's package; `None` where it is not in one.
    runtime: Option<RuntimePackage>,
    /// Variables that name the proxy, as apt reads them.
    proxy: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct RuntimePackage {
    name: &'static str,
    /// The line of its repository; `None` is the host's own sources.
    line: Option<String>,
}

impl Questions {
    /// What has to be known of the cluster's packages.
    #[must_use]
    pub fn of(resolved: &ResolvedCluster) -> Self {
        let cluster = &resolved.cluster;
        let runtime = runtime::profile(&cluster.runtime)
            .main
            .map(|name| RuntimePackage {
                name,
                line: runtime::source(&cluster.runtime)
                    .map(|source| line(&source.url, &source.suite)),
            });
        Self {
            version: resolved.version,
            kubernetes: line(&cluster.packages.url, "/"),
            runtime,
            proxy: proxy(cluster, |node| Some(resolved.address(node))),
        }
    }

    /// The fragment that asks.
    pub(super) fn script(&self) -> Script {
        let version = self.version.to_string();
        let kubernetes = [version.as_str(), &self.kubernetes].into_iter();
        let kubernetes = kubernetes.chain(KUBERNETES).chain([CRI_TOOLS]);
        let kubernetes = Script::new().call("kdiy_kubernetes", kubernetes);
        let notice = NOTICE.trim_end();
        let present = Script::new()
            .call("kdiy_apt_files", [notice, REPOSITORY, PREFERENCE])
            .call("kdiy_present", [notice].into_iter().chain(HOLDERS));
        let mut body = opened(&self.proxy)
            .define("kdiy_of_kubernetes", &kubernetes)
            .define("kdiy_of_present", &present);
        let mut asked = vec!["kdiy_of_kubernetes", "kdiy_of_present"];
        if let Some(RuntimePackage { name, line }) = &self.runtime {
            let words = [*name, line.as_deref().unwrap_or_default()];
            body = body.define(
                "kdiy_of_runtime",
                &Script::new().call("kdiy_runtime", words),
            );
            asked.push("kdiy_of_runtime");
        }
        section("software", &body.call("kdiy_side_by_side", asked))
    }
}

/// The fragment that asks for the versions of kubeadm before the cluster's own
/// is known, of a host that has none of this minor version; [`Software`] has
/// the answer.
#[must_use]
pub fn kubeadms(cluster: &Cluster, minor: (u64, u64)) -> Script {
    let address = |node: &Node| match node.address {
        AddressSpec::Fixed(address) => Some(address),
        AddressSpec::Interface(_) => None,
    };
    let (major, minor) = minor;
    let words = [format!("{major}.{minor}"), line(&cluster.packages.url, "/")];
    let kubeadms = Script::new().call("kdiy_kubeadms", words);
    let body = opened(&proxy(cluster, address))
        .define("kdiy_of_kubernetes", &kubeadms)
        .call("kdiy_side_by_side", ["kdiy_of_kubernetes"]);
    section("software", &body)
}

/// A repository's line in apt's sources. Whether it is signed rightly is asked
/// when it is added.
fn line(url: &str, suite: &str) -> String {
    format!("deb [trusted=yes] {url} {suite}")
}

/// The functions, with the proxy that apt takes.
fn opened(proxy: &[(&'static str, String)]) -> Script {
    proxy
        .iter()
        .fold(Script::of(FUNCTIONS), |body, (name, value)| {
            body.set(name, value).call("export", [name])
        })
}

/// apt is told of the proxy by a file only when the plan is carried out.
fn proxy(
    cluster: &Cluster,
    address: impl Fn(&Node) -> Option<IpAddr>,
) -> Vec<(&'static str, String)> {
    let Some(proxy) = &cluster.http_proxy else {
        return Vec::new();
    };
    let urls = [("http_proxy", &proxy.http), ("https_proxy", &proxy.https)];
    let urls = urls
        .into_iter()
        .filter_map(|(name, url)| Some((name, url.clone()?)));
    let direct = runtime::no_proxy_among(cluster, proxy, address).join(",");
    urls.chain([("no_proxy", direct)]).collect()
}

/// Defines `kdiy_kubernetes`, `kdiy_kubeadms`, `kdiy_runtime`, `kdiy_present`,
/// `kdiy_apt_files` and `kdiy_side_by_side`.
const FUNCTIONS: &str = sh!("probe/software.sh");

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cluster::{AptSource, Containerd, Origin, PackageKey, Runtime};
    use crate::kubeadm::tests::few;
    use crate::lb::ports::free_port;
    use crate::resource::SECTION_FUNCTION;

    /// What a host says whose dpkg-query is this script, and whose apt is this
    /// machine's own.
    fn said(resolved: &ResolvedCluster, dpkg_query: &str) -> Software {
        said_of(resolved, dpkg_query, &[])
    }

    /// The same of a host that has these files, by their paths, and no other
    /// of those that are asked about.
    fn said_of(resolved: &ResolvedCluster, dpkg_query: &str, files: &[(&str, &str)]) -> Software {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let stub = dir.path().join("dpkg-query");
        std::fs::write(&stub, format!("#!/bin/sh\n{dpkg_query}\n")).unwrap();
        std::fs::set_permissions(&stub, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        let script = Script::of(SECTION_FUNCTION).then(&Questions::of(resolved).script());
        let script = [
            "/etc/systemd/system",
            "/etc/containerd",
            "/etc/ssl/certs",
            "/etc/apt",
        ]
        .iter()
        .fold(script.as_str().to_owned(), |script, folder| {
            script.replace(folder, &format!("{}{folder}", dir.path().display()))
        });
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("LC_ALL", "C")
            .env("PATH", format!("{}:{path}", dir.path().display()))
            .envs(files.iter().filter_map(|(path, _)| {
                let config = path.ends_with("/apt.conf");
                config.then(|| ("APT_CONFIG", format!("{}{path}", dir.path().display())))
            }))
            .output()
            .unwrap();
        Software::parse(&Answers::parse(&output.stdout).unwrap()).unwrap()
    }

    /// What this machine's own apt reads from a flat repository of these
    /// packages and from one for the runtime.
    fn asked(kubernetes: Option<&str>, containerd: Option<&str>) -> Software {
        let dir = tempfile::tempdir().unwrap();
        let repository = |name: &str, packages: Option<&str>| {
            let folder = dir.path().join(name);
            std::fs::create_dir(&folder).unwrap();
            if let Some(packages) = packages {
                let entry = |line: &str| {
                    let (name, version) = line.split_once(' ').unwrap();
                    format!(
                        "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: a\n\
                         Filename: ./{name}.deb\nSize: 1\nSHA256: {}\nDescription: a\n\n",
                        "0".repeat(64)
                    )
                };
                let text: String = packages.lines().map(entry).collect();
                std::fs::write(folder.join("Packages"), text).unwrap();
            }
            format!("file:{}/", folder.display())
        };
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.packages.url = repository("kubernetes", kubernetes);
        resolved.cluster.runtime =
            Runtime::Containerd(Containerd::Packages(Origin::Repository(AptSource {
                url: repository("runtime", containerd),
                suite: "/".to_owned(),
                key: PackageKey::Armored(String::new()),
            })));
        said(&resolved, "exit 1")
    }

    #[test]
    fn a_repository_tells_what_it_has() {
        let packages = "kubeadm 1.37.2-1.1\nkubeadm 1.37.1-1.1\nkubelet 1.37.2-1.1\n\
                        kubectl 1.37.2-1.1\ncri-tools 1.37.0-1.1\nother 1.0";
        let found = asked(
            Some(packages),
            Some("containerd 2.3.0-1\ncontainerd 2.4.2-1"),
        );
        let Lookup::Read(all) = &found.kubernetes else {
            panic!("{found:?}")
        };
        assert_eq!(all["kubeadm"], ["1.37.2-1.1", "1.37.1-1.1"]);
        assert_eq!(all["cri-tools"], ["1.37.0-1.1"]);
        assert_eq!(all.keys().count(), 4, "{all:?}");
        assert_eq!(found.release(), Some(Version::new(2, 4, 2)));
        assert!(
            matches!(&found.runtime, Lookup::Read(Some(package)) if !package.installed),
            "{found:?}"
        );
    }

    #[test]
    fn one_that_cannot_be_read_is_not_an_empty_one() {
        let found = asked(None, Some(""));
        let Lookup::Unread(why) = &found.kubernetes else {
            panic!("{found:?}")
        };
        assert!(why.contains("kubernetes"), "{why}");
        let empty = asked(Some(""), Some("other 1.0"));
        assert_eq!(empty.runtime, Lookup::Read(None));
    }

    #[test]
    fn a_host_that_has_everything_asks_no_repository() {
        let mut resolved = few(Version::new(1, 37, 2));
        // Nobody answers there.
        resolved.cluster.packages.url = "http://127.0.0.1:1/".to_owned();
        // dpkg-query writes what it is asked for in $3.
        let has = |tools: &str| {
            let script = r#"case $* in
*kubeadm*) f=${3%%'${'*}; for p in 'installed kubeadm 1.37.2-1.1' 'installed kubectl 1.37.2-1.1' 'installed kubelet 1.37.2-1.1' 'TOOLS'; do echo "$f$p"; done ;;
*) echo 'installed 1.6.20~ds1-1+b1' ;; esac"#;
            said(&resolved, &script.replace("TOOLS", tools))
        };
        for half in [
            "not-installed cri-tools ",
            "half-installed cri-tools 1.37.0-1.1",
        ] {
            let found = has(half);
            assert!(matches!(found.kubernetes, Lookup::Unread(_)), "{found:?}");
        }
        let found = has("installed cri-tools 1.37.0-1.1");
        assert_eq!(found.kubernetes, Lookup::Unasked);
        assert_eq!(found.release(), Some(Version::new(1, 6, 20)));
    }

    #[test]
    fn a_host_tells_what_its_runtime_runs_from() {
        fn files<'a>(unit: &'a str, config: &'a str) -> [(&'static str, &'a str); 2] {
            [
                ("/etc/systemd/system/containerd.service", unit),
                ("/etc/containerd/config.toml", config),
            ]
        }
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.packages.url = "http://127.0.0.1:1/".to_owned();
        let packages = r#"case $* in
*docker-engine*) printf '%s\n' 'not-installed runc ' 'installed containerd.io 1.7.28-1' 'config-files containerd 1.6.20' ;;
*) exit 1 ;; esac"#;
        let unit = format!("{NOTICE}# sha256 abc\n[Unit]\n");
        let config = format!("{NOTICE}version = 2\n");
        let present = |files: &[(&str, &str)]| said_of(&resolved, packages, files).present;
        let found = present(&files(&unit, &config));
        assert_eq!(
            found.packages.into_iter().collect::<Vec<_>>(),
            [("containerd.io".to_owned(), "1.7.28-1".to_owned())]
        );
        assert_eq!(found.archive.as_deref(), Some("abc"));
        assert_eq!(found.format, Some(2));
        let preference = format!("{NOTICE}Package: containerd\n");
        let left = present(&[(PREFERENCE, &preference), (REPOSITORY, "deb x /\n")]).apt;
        assert!(left.len() == 1 && left[0].ends_with(PREFERENCE), "{left:?}");
        let foreign = present(&files("# sha256 abc\n", "version = 2\n"));
        assert_eq!((foreign.archive, foreign.format), (None, None));
    }

    #[test]
    fn a_host_without_cas_looks_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let entry = "Package: kubeadm\nVersion: 1.37.2-1.1\nArchitecture: all\nMaintainer: a\n\
                     Filename: ./a.deb\nSize: 1\nDescription: a\n";
        // The files of -HTTP are whole answers.
        let answer = |status: &str, text: &str| {
            let length = text.len();
            let head = format!("HTTP/1.0 {status}\r\nContent-Length: {length}\r\n");
            format!("{head}Connection: close\r\n\r\n{text}")
        };
        let packed =
            ["xz", "bz2", "lzma", "gz", "lz4", "zst"].map(|form| format!("Packages.{form}"));
        let none = ["InRelease", "Release"].map(str::to_owned);
        for none in none.iter().chain(&packed) {
            std::fs::write(path(none), answer("404 Not Found", "")).unwrap();
        }
        std::fs::write(path("Packages"), answer("200 OK", entry)).unwrap();
        let at = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
        let script = format!(
            "cd \"$1\" && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout key \
             -out cert 2>/dev/null && exec openssl s_server -quiet -HTTP -accept {at} -key key \
             -cert cert"
        );
        let mut server = std::process::Command::new("sh")
            .args(["-c", &script, "sh", &path("")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let serves = || std::net::TcpStream::connect(at).is_ok();
        while !serves() && server.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.packages.url = format!("https://{at}/");
        let seen = |bundle: &str, resolved: &ResolvedCluster| {
            let files = [("/etc/ssl/certs/ca-certificates.crt", bundle)];
            said_of(resolved, "exit 1", &files).kubernetes
        };
        let found = seen("", &resolved);
        let trusting = seen("an authority", &resolved);
        resolved.cluster.packages.url = format!("https://user:word@{at}/");
        let secret = seen("", &resolved);
        server.kill().unwrap();
        server.wait().unwrap();
        assert!(
            matches!(&found, Lookup::Read(all) if all["kubeadm"] == ["1.37.2-1.1"]),
            "{found:?}"
        );
        assert!(matches!(trusting, Lookup::Unread(_)), "{trusting:?}");
        assert_eq!(secret, Lookup::Unasked);
    }

    #[test]
    fn a_look_runs_no_hook_of_the_host() {
        let dir = tempfile::tempdir().unwrap();
        let touched = dir.path().join("touched");
        let parts = dir.path().join("apt.conf.d");
        std::fs::create_dir(&parts).unwrap();
        std::fs::write(dir.path().join("Packages"), "").unwrap();
        let hook = format!("{{\"touch {}\";}};\n", touched.display());
        let hooks = ["Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"]
            .map(|name| format!("APT::Update::{name} {hook}"));
        std::fs::write(parts.join("50hooks"), hooks.concat()).unwrap();
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.packages.url = format!("file:{}/", dir.path().display());
        let config = format!("Dir::Etc::parts \"{}\";\n", parts.display());
        let found = said_of(&resolved, "exit 1", &[("/etc/apt/apt.conf", &config)]);
        assert_eq!(found.kubernetes, Lookup::Read(BTreeMap::new()));
        assert!(!touched.exists());
    }

    #[test]
    fn repositories_are_read_side_by_side() {
        use std::collections::BTreeSet;
        use std::io::{Read as _, Write as _};
        use std::sync::{Arc, Condvar, Mutex};
        use std::time::Duration;
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = server.local_addr().unwrap();
        let met = Arc::new((Mutex::new(BTreeSet::new()), Condvar::new()));
        // Answers nobody before both were asked.
        let answer = move |mut stream: std::net::TcpStream| {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..length]);
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let of = path.split('/').nth(1).unwrap_or_default().to_owned();
            let (asked, changed) = &*met;
            let mut asked = asked.lock().unwrap();
            asked.insert(of);
            changed.notify_all();
            let alone = |asked: &mut BTreeSet<_>| asked.len() < 2;
            let limit = Duration::from_secs(8);
            let (_asked, waited) = changed.wait_timeout_while(asked, limit, alone).unwrap();
            let status = match path.ends_with("/Packages") {
                _ if waited.timed_out() => return,
                true => "200 OK",
                false => "404 Not Found",
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = stream.write_all(head.as_bytes());
        };
        std::thread::spawn(move || {
            for stream in server.incoming() {
                let (stream, answer) = (stream.unwrap(), answer.clone());
                std::thread::spawn(move || answer(stream));
            }
        });
        let mut resolved = few(Version::new(1, 37, 2));
        resolved.cluster.packages.url = format!("http://{at}/kubernetes/");
        resolved.cluster.runtime =
            Runtime::Containerd(Containerd::Packages(Origin::Repository(AptSource {
                url: format!("http://{at}/runtime/"),
                suite: "/".to_owned(),
                key: PackageKey::Armored(String::new()),
            })));
        let found = said(&resolved, "exit 1");
        assert_eq!(found.kubernetes, Lookup::Read(BTreeMap::new()));
        assert_eq!(found.runtime, Lookup::Read(None));
    }
}
