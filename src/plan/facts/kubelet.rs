//! What the kubelet of a host was last given by kdiy, and whether the files
//! that kubeadm made of it are still the same.

use std::collections::BTreeMap;

use crate::kubeadm::KubeletSettings;
use crate::shell::{Script, sh};

/// Defines `kdiy_note_kubelet SETTINGS`, which keeps them in
/// /var/lib/kdiy/last-applied/kubelet, and `kdiy_kubelet_sums`.
pub const NOTE_KUBELET: &str = sh!("kubeadm/note-kubelet.sh");

const PROBE: &str = sh!("probe/kubelet.sh");

/// What a kubelet was last given. Empty where it never was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KubeletView {
    /// What kubeadm was last given for it.
    pub last_applied: Option<KubeletSettings>,
    /// Files that somebody has changed, or removed, since then.
    pub changed_files: Vec<String>,
}

pub(super) fn script() -> Script {
    Script::of(NOTE_KUBELET).with(PROBE)
}

impl KubeletView {
    /// Reads the settings, a line of JSON, then hashes with files of before,
    /// and after the line `now` those of now.
    pub(super) fn parse(text: &str) -> Self {
        let (note, now) = text.split_once("\nnow\n").unwrap_or((text, ""));
        let (settings, before) = note.split_once('\n').unwrap_or((note, ""));
        let now = sums(now);
        let changed = sums(before).into_iter();
        let changed = changed.filter(|(file, sum)| now.get(file) != Some(sum));
        Self {
            // One that cannot be read tells nothing, and is written anew.
            last_applied: serde_json::from_str(settings).ok(),
            changed_files: changed.map(|(file, _)| file.to_owned()).collect(),
        }
    }
}

/// Hashes by file, as sha256sum writes them.
fn sums(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines();
    let sums = lines.filter_map(|line| line.split_once("  "));
    sums.map(|(sum, file)| (file, sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = r#"{"arguments":{"v":["2"]},"configuration":{"maxPods":200}}"#;

    #[test]
    fn settings_and_files_are_told() {
        let view = KubeletView::parse(&format!("{NOTE}\n1  /a\n2  /b\n3  /c\nnow\n1  /a\n9  /b"));
        assert_eq!(view.last_applied.unwrap().configuration["maxPods"], 200);
        assert_eq!(view.changed_files, ["/b", "/c"]);
        assert_eq!(KubeletView::parse(""), KubeletView::default());
        assert_eq!(KubeletView::parse("{x}\nnow\n"), KubeletView::default());
    }

    /// With real files: what is noted is what the probe reads.
    #[test]
    fn what_is_noted_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_str().unwrap();
        std::fs::create_dir_all(format!("{root}/var/lib/kubelet")).unwrap();
        let run = |script: Script| {
            let script = script
                .as_str()
                .replace("/var/lib", &format!("{root}/var/lib"));
            let output = std::process::Command::new("sh")
                .args(["-euc", &script])
                .output();
            let output = output.unwrap();
            assert!(output.status.success(), "{output:?}");
            KubeletView::parse(String::from_utf8(output.stdout).unwrap().trim_end())
        };
        assert_eq!(run(script()), KubeletView::default());
        let file = format!("{root}/var/lib/kubelet/config.yaml");
        std::fs::write(&file, "maxPods: 200\n").unwrap();
        run(Script::of(NOTE_KUBELET).call("kdiy_note_kubelet", [NOTE]));
        let view = run(script());
        assert_eq!(view.last_applied.unwrap().note(), NOTE);
        assert_eq!(view.changed_files, [""; 0]);
        std::fs::write(&file, "maxPods: 100\n").unwrap();
        assert_eq!(run(script()).changed_files, [file]);
    }
}
