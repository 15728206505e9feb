//! What a host is beyond what plans need, for people who want to know.

use std::time::Duration;

use crate::cluster::Name;
use crate::plan::Blueprint;
use crate::plan::facts::{Facts, Questions};
use crate::plan::observe::{Observation, Window};
use crate::resource::{AnswerError, Answers, SECTION_FUNCTION, section};
use crate::shell::{Script, sh};

/// A host, looked at by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct HostInfo {
    /// What plans ask, too.
    pub facts: Facts,
    /// How far its clock is away from ours at least.
    pub skew: Duration,
    /// Release of its kernel.
    pub kernel: String,
    /// What systemd takes it for, such as `kvm` or `docker`; `None` for a
    /// machine of its own, or where nobody knows.
    pub virtualization: Option<String>,
    /// Since it was started, in seconds.
    pub uptime: u64,
    /// Memory that programs could still have, in KiB.
    pub memory_available: u64,
    /// Swap in KiB.
    pub swap: u64,
    /// Size of the file system with /var, in KiB.
    pub disk: u64,
    /// Version of the kubelet, such as `v1.34.1`.
    pub kubelet: Option<String>,
    /// Version of kubeadm.
    pub kubeadm: Option<String>,
    /// Container runtimes that are installed.
    pub runtimes: Vec<Runtime>,
}

/// A container runtime that is installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// `containerd`, `docker` or `crio`.
    pub name: String,
    /// Its version.
    pub version: String,
}

const HOST_INFO: &str = sh!("probe/host-info.sh");

/// The script that asks a host about itself alone; to be run as root.
#[must_use]
pub fn script() -> Script {
    Script::of(SECTION_FUNCTION)
        .then(&Questions::default().script())
        .then(&section("host_info", &Script::of(HOST_INFO)))
}

impl HostInfo {
    /// Reads the answer to [`script`].
    ///
    /// # Errors
    /// When it is not in the probe's form.
    pub fn parse(host: &Name, output: &[u8], window: Window) -> Result<Self, AnswerError> {
        let seen = Observation::parse(&Blueprint::new(), host, output, window)?;
        let answers = Answers::parse(output)?;
        let said = |key: &str| {
            let line = answers.line("host_info", key)?;
            Ok(line
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty()))
        };
        let number = |key: &str| {
            let text =
                said(key)?.ok_or_else(|| AnswerError::Missing(format!("host_info: {key}")))?;
            text.parse().map_err(|_| AnswerError::text(key, &text))
        };
        let mut runtimes = Vec::new();
        for name in ["containerd", "docker", "crio"] {
            if let Some(version) = said(name)?.as_deref().and_then(version) {
                runtimes.push(Runtime {
                    name: name.to_owned(),
                    version,
                });
            }
        }
        Ok(Self {
            facts: seen.facts,
            skew: seen.skew,
            kernel: said("kernel")?.unwrap_or_default(),
            virtualization: said("systemd-detect-virt")?.filter(|kind| kind != "none"),
            uptime: number("uptime")?,
            memory_available: number("available")?,
            swap: number("swap")?,
            disk: number("size")?,
            kubelet: said("kubelet")?.as_deref().and_then(version),
            kubeadm: said("kubeadm")?.as_deref().and_then(version),
            runtimes,
        })
    }
}

/// The version in what a program says of itself: `Kubernetes v1.34.1`,
/// `containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1`,
/// `Docker version 20.10.24+dfsg1, build 297e128`.
fn version(said: &str) -> Option<String> {
    let begins = |word: &&str| {
        let digits = word.strip_prefix('v').unwrap_or(word);
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.contains('.')
    };
    let word = said.split_whitespace().find(begins)?;
    Some(word.trim_end_matches(',').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (said, wanted) in [
            ("Kubernetes v1.20.2", Some("v1.20.2")),
            ("v1.34.1", Some("v1.34.1")),
            (
                "containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1",
                Some("1.6.20~ds1"),
            ),
            (
                "Docker version 20.10.24+dfsg1, build 297e128",
                Some("20.10.24+dfsg1"),
            ),
            ("crio version 1.30.1", Some("1.30.1")),
            ("command not found", None),
        ] {
            assert_eq!(version(said).as_deref(), wanted, "{said}");
        }
    }

    #[test]
    fn this_machine_can_be_asked() {
        let script = script();
        let output = std::process::Command::new("sh")
            .args(["-c", script.as_str()])
            .output();
        let output = output.unwrap().stdout;
        let host = Name::try_from("here".to_owned()).unwrap();
        let window = Window {
            from: 0.0,
            to: f64::MAX,
        };
        let host_info = HostInfo::parse(&host, &output, window).unwrap();
        assert!(host_info.facts.cpus > 0 && host_info.memory_available > 0);
        assert!(host_info.disk >= host_info.facts.disk_free);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
        assert_eq!(host_info.kernel, kernel.trim());
        assert_eq!(host_info.skew, Duration::ZERO);
    }
}
