//! What a host says of its own kubelet and static pods, where no API server
//! can be asked.

use serde::Deserialize;

use crate::resource::{AnswerError, Answers, SECTION_FUNCTION};
use crate::shell::{Script, sh};
use crate::transport::sanitise::sanitise_short;

/// Static pods whose words are wanted, by the names of their only container.
/// The API server depends on etcd, and everything else on the API server.
const PODS: [&str; 2] = ["etcd", "kube-apiserver"];

/// Last lines of a log that are shown.
const SHOWN: usize = 5;

/// Defines `kdiy_kubelet` and `kdiy_pod NAME`.
const LOOK: &str = sh!("gate/host.sh");

/// The script that asks a host.
#[must_use]
pub fn script() -> Script {
    let script = Script::of(SECTION_FUNCTION).with(LOOK).run("kdiy_kubelet");
    let script = { PODS.iter() }.fold(script, |script, pod| script.call("kdiy_pod", [pod]));
    script.run(":")
}

/// What the answer to [`script`] comes to, the most relevant first; nothing
/// where nothing is remarkable.
///
/// # Errors
/// When it is not in the form of sections.
pub fn tell(output: &[u8]) -> Result<Vec<String>, AnswerError> {
    let answers = Answers::parse(output)?;
    let get = |name: &str| answers.get(name).ok().map(str::trim);
    let mut told = Vec::new();
    for pod in PODS {
        if get(&format!("nolog-{pod}")).is_some() {
            told.push(format!("{pod} has its manifest and was never started"));
        }
        let log = get(&format!("log-{pod}")).unwrap_or_default();
        let words = last_words(log.lines().map(message));
        if !words.is_empty() {
            told.push(format!("the last words of {pod}:"));
            told.extend(words);
        }
    }
    // One that was never started is not what is wrong.
    if let Some(state @ ("activating" | "failed" | "deactivating")) = get("kubelet") {
        told.insert(0, format!("kubelet.service is {state}"));
    }
    let errors = last_words(get("journal").unwrap_or_default().lines().map(error));
    if !errors.is_empty() {
        told.push("the kubelet's last errors (journalctl -u kubelet has all):".to_owned());
        told.extend(errors);
    }
    Ok(told)
}

/// The last lines, each once, indented.
fn last_words(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        let line = format!("  {}", sanitise_short(&line));
        kept.retain(|other| *other != line);
        kept.push(line);
    }
    kept.split_off(kept.len().saturating_sub(SHOWN))
}

/// A line of a container's log without what the runtime wrote before it: a
/// time, the stream and a mark, or Docker's JSON.
fn message(line: &str) -> String {
    #[derive(Deserialize)]
    struct Docker {
        log: String,
    }
    if let Ok(Docker { log }) = serde_json::from_str(line) {
        return log.trim_end().to_owned();
    }
    let mut words = line.splitn(4, ' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some(_), Some("stdout" | "stderr"), Some("F" | "P"), Some(text)) => text.to_owned(),
        _ => line.to_owned(),
    }
}

/// A line of klog without its time, process and place, by which equal errors
/// differ.
fn error(line: &str) -> String {
    let text = line.split_once("] ").map_or(line, |(_, text)| text);
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::etcd::gateway::tests::output;
    use proptest::prelude::*;

    #[test]
    fn a_kubelet_that_does_not_start_says_why() {
        // As 1.36.3 says it on a host with cgroup v1.
        let journal = "E1130 02:22:57.123456    1234 run.go:72] \"command failed\" err=\"failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1\"\n\
            E1130 02:23:08.123456    1299 run.go:72] \"command failed\" err=\"failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1\"";
        let told = tell(&output(&[
            ("kubelet", "activating"),
            ("journal", journal),
            ("nolog-etcd", ""),
        ]));
        assert_eq!(
            told.unwrap(),
            [
                "kubelet.service is activating",
                "etcd has its manifest and was never started",
                "the kubelet's last errors (journalctl -u kubelet has all):",
                "  \"command failed\" err=\"failed to validate kubelet configuration, error: kubelet is configured to not run on a host using cgroup v1\"",
            ]
        );
    }

    #[test]
    fn logs_of_static_pods_are_shown_as_they_were_written() {
        let told = tell(&output(&[
            ("kubelet", "active"),
            ("journal", ""),
            (
                "log-kube-apiserver",
                "2026-11-30T02:25:29.670555Z stderr F Error: unknown flag: --cloud-provider",
            ),
            (
                "log-etcd",
                r#"{"log":"no space\u001b[2J\n","stream":"stderr","time":"2026"}"#,
            ),
        ]));
        let told = told.unwrap().join("\n");
        assert_eq!(
            told,
            "the last words of etcd:\n  no space\u{241b}[2J\nthe last words of kube-apiserver:\n  \
             Error: unknown flag: --cloud-provider"
        );
    }

    #[test]
    fn a_real_shell_answers_where_there_is_nothing() {
        let sh = std::process::Command::new("sh");
        let out = { sh }.arg("-c").arg(script().as_str()).output().unwrap();
        assert!(out.status.success());
        tell(&out.stdout).unwrap();
    }

    proptest! {
        #[test]
        fn any_words_are_harmless_and_few(log in "(?s).{0,400}", journal in "(?s).{0,400}") {
            let told = tell(&output(&[("kubelet", "active"), ("journal", &journal), ("log-etcd", &log)]));
            let told = told.unwrap();
            prop_assert!(told.len() <= 2 * (SHOWN + 1));
            prop_assert!(told.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}
