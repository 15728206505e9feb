//! containerd as the distribution packages it.
//!
//! Facts: containerd's docs/cri/config.md, docs/hosts.md.

use serde::Serialize;

use crate::cluster::{CgroupDriver, HttpProxy, RegistryMirror, Settled};
use crate::kubeadm;
use crate::template::{HostFile, render};

/// containerd's socket.
pub const SOCKET: &str = "unix:///run/containerd/containerd.sock";

const PROXY_ENVIRONMENT: &str = "/etc/containerd/kdiy-proxy.env";

#[derive(Serialize)]
struct Config<'a> {
    sandbox_image: &'a str,
    restrict_oom_score_adj: bool,
    systemd_cgroup: bool,
}

#[derive(Serialize)]
struct Hosts {
    server: String,
    mirrors: Vec<Mirror>,
}

#[derive(Serialize)]
struct Mirror {
    url: String,
    override_path: bool,
}

#[derive(Serialize)]
struct Crictl {
    socket: &'static str,
}

#[derive(Serialize)]
struct ProxyUnit {
    environment_file: &'static str,
}

#[derive(Serialize)]
struct ProxyEnvironment<'a> {
    http: Option<&'a str>,
    https: Option<&'a str>,
    no_proxy: String,
}

/// Every file that configures containerd and crictl on a host, see
/// [`super::files`].
#[must_use]
pub fn files(settled: &Settled, restrict_oom_score_adj: bool) -> Vec<HostFile> {
    let config = Config {
        sandbox_image: &kubeadm::sandbox_image(settled),
        restrict_oom_score_adj,
        systemd_cgroup: settled.cluster.cgroup_driver == CgroupDriver::Systemd,
    };
    let mut files = vec![
        HostFile::public(
            "/etc/containerd/config.toml",
            render("runtime/config.toml", &config),
        ),
        HostFile::public(
            "/etc/crictl.yaml",
            render("runtime/crictl.yaml", &Crictl { socket: SOCKET }),
        ),
    ];
    files.extend(settled.cluster.images.mirrors.iter().map(hosts));
    files.extend(
        settled
            .cluster
            .http_proxy
            .iter()
            .flat_map(|proxy| proxied(settled, proxy)),
    );
    files
}

/// Where containerd looks for one registry's images.
fn hosts(mirror: &RegistryMirror) -> HostFile {
    let registry = &mirror.registry;
    let mirrors = mirror.endpoints.iter().map(|url| Mirror {
        url: url.clone(),
        override_path: names_its_api(url),
    });
    let context = Hosts {
        server: server(registry),
        mirrors: mirrors.collect(),
    };
    HostFile::public(
        format!("/etc/containerd/certs.d/{registry}/hosts.toml"),
        render("runtime/hosts.toml", &context),
    )
}

/// The registry itself, asked when no mirror has the image.
fn server(registry: &str) -> String {
    match registry {
        // The name in image references is not the name of the service.
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        _ => format!("https://{registry}"),
    }
}

/// Whether a mirror's URL holds the API's `/v2` itself, as those of proxying
/// registries do (`https://harbor/v2/k8s`); containerd would append another.
fn names_its_api(url: &str) -> bool {
    url.contains("/v2/") || url.ends_with("/v2")
}

/// A drop-in of the unit, and the environment that it names.
fn proxied(settled: &Settled, proxy: &HttpProxy) -> [HostFile; 2] {
    let unit = ProxyUnit {
        environment_file: PROXY_ENVIRONMENT,
    };
    let environment = ProxyEnvironment {
        http: proxy.http.as_deref(),
        https: proxy.https.as_deref(),
        no_proxy: no_proxy(settled, proxy).join(","),
    };
    [
        HostFile::public(
            "/etc/systemd/system/containerd.service.d/10-kdiy-proxy.conf",
            render("runtime/proxy.conf", &unit),
        ),
        HostFile::secret(PROXY_ENVIRONMENT, render("runtime/proxy.env", &environment)),
    ]
}

/// What is reached without the proxy: the host itself, the cluster's nodes,
/// endpoint, pods and services, then what the inventory adds.
#[must_use]
pub fn no_proxy(settled: &Settled, proxy: &HttpProxy) -> Vec<String> {
    let cluster = &settled.cluster;
    let network = &cluster.network;
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1", ".svc"]
        .map(String::from)
        .into();
    names.push(format!(".{}", network.dns_domain));
    names.push(network.pod_cidr.to_string());
    names.push(network.service_cidr.to_string());
    names.push(cluster.endpoint.host.to_string());
    for node in &cluster.nodes {
        names.push(node.name.to_string());
        names.push(settled.address(node).to_string());
    }
    names.extend(proxy.no_proxy.iter().cloned());
    kubeadm::without_repetition(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Version;
    use crate::kubeadm::tests::{few, most};

    fn shown(files: &[HostFile]) -> String {
        let texts = files
            .iter()
            .map(|file| format!("== {} {:04o}\n{}", file.path, file.mode, file.text));
        texts.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn files_of_a_plain_host() {
        insta::assert_snapshot!("few", shown(&files(&few(Version::new(1, 34, 1)), false)));
    }

    #[test]
    fn files_behind_mirrors_and_a_proxy() {
        insta::assert_snapshot!("most", shown(&files(&most(Version::new(1, 20, 2)), true)));
    }

    #[test]
    fn a_proxy_for_one_scheme_only() {
        let mut settled = most(Version::new(1, 34, 1));
        settled.cluster.http_proxy.as_mut().unwrap().http = None;
        let text = files(&settled, false).pop().unwrap().text;
        assert!(!text.contains("HTTP_PROXY"), "{text}");
        assert!(
            text.contains("\nHTTPS_PROXY=\"http://proxy.example:3128\"\nNO_PROXY="),
            "{text}"
        );
    }
}
