//! Writes through the API, without a pause: how long none succeeded.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::cluster::Kubectl;
use super::lab::Lab;

/// A line with the time for each write that succeeded. An answer that takes
/// longer than a second counts as none.
const LOOP: &str = r#"umask 077
cd "$FOLDER"
for part in certificate-authority client-certificate client-key; do
    sed -n "s/^.*$part-data: *//p" "$KUBECONFIG" | tr -d '"' | base64 -d >"$part"
done
server=$(sed -n 's/^.*server: *//p' "$KUBECONFIG" | tr -d '"')
said() {
    curl -fsS --noproxy '*' --max-time 1 --cacert certificate-authority --cert client-certificate --key client-key \
        -o /dev/null "$@"
}
url=$server/api/v1/namespaces/default/configmaps
said -H 'Content-Type: application/json' "$url" \
    -d '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"writes"}}' || :
number=0
until [ -e stop ]; do
    number=$((number + 1))
    if said -X PATCH -H 'Content-Type: application/merge-patch+json' "$url/writes" \
        -d "{\"data\":{\"number\":\"$number\"}}"; then
        date +%s.%N >>times
    else
        echo "$number" >>failed
    fi
done"#;

/// Writes that are seen to succeed after what was done.
const MORE: usize = 10;

/// Writes that go on in the background.
pub struct Writes {
    child: Child,
    folder: PathBuf,
}

/// What became of them.
pub struct Written {
    /// The longest time between two that did.
    pub gap: Duration,
    /// How many succeeded, and how many did not.
    pub counts: (usize, usize),
}

impl Written {
    /// For `--nocapture`.
    #[expect(clippy::print_stderr, reason = "figures are for people")]
    pub fn tell(&self, what: &str) {
        let (succeeded, failed) = self.counts;
        eprintln!("{what}: {failed} of {} writes failed", succeeded + failed);
    }
}

impl Writes {
    /// Begins to write through the endpoint of a kubeconfig.
    pub fn begin(lab: &Lab, kubectl: &Kubectl) -> Self {
        let folder = lab.folder.path().join("writes");
        // A second round begins anew.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).expect("a folder");
        let child = Command::new("bash")
            .args(["-c", LOOP])
            .env("FOLDER", &folder)
            .env("KUBECONFIG", &kubectl.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("errors")).expect("a file"))
            .spawn();
        let writes = Self {
            child: child.expect("bash"),
            folder,
        };
        let begun = || match writes.times().len() {
            0 => Err(std::fs::read_to_string(writes.folder.join("errors")).expect("errors")),
            _ => Ok(()),
        };
        super::eventually("a first write", Duration::from_secs(20), begun);
        writes
    }

    fn times(&self) -> Vec<f64> {
        let text = std::fs::read_to_string(self.folder.join("times")).unwrap_or_default();
        let times = text.lines().map(|line| line.parse().expect("a time"));
        times.collect()
    }

    /// Waits until some more have succeeded, of which but one may have begun
    /// before now, then ends.
    pub fn end(mut self) -> Written {
        let before = self.times().len();
        let more = || match self.times().len() {
            now if now > before + MORE => Ok(()),
            now => Err(format!("{now} writes")),
        };
        super::eventually("writes go on", Duration::from_secs(120), more);
        File::create(self.folder.join("stop")).expect("a file");
        self.child.wait().expect("an end");
        let times = self.times();
        let failed = std::fs::read_to_string(self.folder.join("failed")).unwrap_or_default();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        Written {
            gap: Duration::from_secs_f64(gaps.fold(0.0, f64::max)),
            counts: (times.len(), failed.lines().count()),
        }
    }
}

impl Drop for Writes {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
