//! Two applies at once: one has the hosts, the other says who has them and
//! changes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Scene, setting, tell};
use crate::e2e::cluster::Kubectl;
use crate::e2e::eventually;
use crate::e2e::kdiy::{Kdiy, Ran, Running};

const HOSTS: [(&str, &str); 3] = [
    ("cp-1", "172.29.32.11"),
    ("w-1", "172.29.32.14"),
    ("w-2", "172.29.32.15"),
];

const APPLY: [&str; 2] = ["apply", "--yes"];
const LIMITED: [&str; 4] = ["apply", "--yes", "--limit", "cp-1,w-1"];

/// Steps that write files wait until they are let go.
const GATE: &str = r#"cat >/usr/local/sbin/chown <<'END'
#!/bin/sh
until [ -e /tmp/go ]; do sleep 0.1; done
exec /bin/chown "$@"
END
chmod 755 /usr/local/sbin/chown"#;

/// Where an owner is written down.
const OWNER: &str = "$(find /run -path '/run/kdiy*' -name '*owner')";

#[test]
#[ignore = "needs the lab; make faults"]
fn one_has_the_hosts_and_the_other_says_who() {
    let scene = Scene::up(&HOSTS, include_str!("two_applies.yaml"));
    each(&scene, GATE);
    // Makes the authorities, which both have from now on.
    scene.kdiy().run(0, &["plan"]);
    let rivals = Rivals {
        colleague: scene.copied("colleague"),
        scene,
    };
    let rounds = setting("TWO_APPLIES", 20);
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        slowest = slowest.max(rivals.race(round));
    }
    rivals.scene.kdiy().run(0, &APPLY);
    rivals.scene.kdiy().has_nothing_to_do();
    let nodes = Kubectl::of(&rivals.scene.lab, "two").ready_nodes();
    assert_eq!(nodes, HOSTS.map(|(host, _)| host));
    tell(&format!(
        "{rounds} times two applies at once: each time one won and one was refused, after {:.1} s at most",
        slowest.as_secs_f64()
    ));

    rivals.the_dead_are_followed_at_once();
    rivals.the_dead_of_another_machine_expire();
    rivals.the_robbed_one_stops();
    rivals.the_interrupted_one_gives_back();
}

/// The inventory's folder, and a copy with the same state.
struct Rivals {
    scene: Scene,
    colleague: PathBuf,
}

fn each(scene: &Scene, script: &str) {
    for (host, _) in HOSTS {
        scene.lab.sh(host, script);
    }
}

/// Ids of the runs that a folder has records of.
fn runs(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder.join(".kdiy/two/runs"));
    let names = entries.into_iter().flatten().map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name")
    });
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

fn machine() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
    name.trim().to_owned()
}

impl Rivals {
    /// Two steps to do on each host, of which none ends before the gate opens.
    fn drift(&self) {
        each(
            &self.scene,
            "rm -f /tmp/go /etc/crictl.yaml /etc/sysctl.d/zz-kdiy.conf",
        );
    }

    fn let_go(&self) {
        each(&self.scene, "touch /tmp/go");
    }

    fn folders(&self) -> [&Path; 2] {
        [self.scene.lab.folder.path(), &self.colleague]
    }

    fn colleague(&self) -> Kdiy<'_> {
        Kdiy::at(&self.colleague, "kdiy.yaml")
    }

    /// Begins an apply, and waits until it is within a step.
    fn at_work(&self) -> Running {
        self.drift();
        let mut running = self.scene.kdiy().start(&APPLY);
        running.until("change-started", "w-1", "zz-kdiy.conf");
        running
    }

    /// One round; how long the loser took to say no.
    fn race(&self, round: u64) -> Duration {
        self.drift();
        let folders = self.folders();
        let before = folders.map(runs);
        // Each of them is first and limited in turn.
        let places = if round.is_multiple_of(2) {
            [0, 1]
        } else {
            [1, 0]
        };
        let began = Instant::now();
        let mut running = places.map(|place| {
            let words = if (round + place as u64).is_multiple_of(3) {
                &LIMITED[..]
            } else {
                &APPLY
            };
            (place, Kdiy::at(folders[place], "kdiy.yaml").start(words))
        });
        let lost = loop {
            if let Some(lost) = running.iter_mut().position(|(_, run)| run.has_ended()) {
                break lost;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "nobody gave in");
            std::thread::sleep(Duration::from_millis(20));
        };
        let took = began.elapsed();
        let [first, second] = running;
        let ((loser, lost), (winner, mut won)) = if lost == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let refused = lost.end(11);
        won.until("change-started", "", "");
        let begun = runs(folders[winner]);
        assert_eq!(begun.len(), before[winner].len() + 1, "{begun:?}");
        assert_eq!(
            runs(folders[loser]),
            before[loser],
            "a refused run left a record"
        );
        says_who(&refused, begun.last().expect("a run"));
        if round % 5 == 1 {
            self.may_be_looked_at();
        }
        self.let_go();
        won.end(0);
        took
    }

    /// What only reads needs no lock.
    fn may_be_looked_at(&self) {
        let ran = self.colleague().run(0, &["plan"]);
        assert!(ran.out.contains("/etc/crictl.yaml"), "{}", ran.out);
        let status = self
            .colleague()
            .command(&["status"])
            .output()
            .expect("kdiy");
        let said = String::from_utf8_lossy(&status.stdout);
        assert!(said.contains("cp-1"), "{said}");
    }

    /// Killed on this machine: what is in the way is known to have ended.
    fn the_dead_are_followed_at_once(&self) {
        self.at_work().kill();
        self.let_go();
        let began = Instant::now();
        self.colleague().run(0, &APPLY);
        tell(&format!(
            "taken over from a dead process: {:.1} s with its apply",
            began.elapsed().as_secs_f64()
        ));
        self.scene.kdiy().has_nothing_to_do();
    }

    /// Of a process elsewhere nothing is known but that it is silent.
    fn the_dead_of_another_machine_expire(&self) {
        self.at_work().kill();
        let began = Instant::now();
        let elsewhere = format!(
            "sed -i 's/\"among\":\"[^\"]*\"/\"among\":\"elsewhere\"/' {OWNER}; grep -q elsewhere {OWNER}"
        );
        each(&self.scene, &elsewhere);
        self.let_go();
        let refused = self.colleague().run(11, &APPLY);
        says_who(&refused, runs(self.folders()[0]).last().expect("a run"));
        refused.says(&["forgotten after 90 s"]);
        let took = loop {
            let ran = self.colleague().start(&APPLY).ended();
            match ran.code {
                0 => break began.elapsed(),
                11 => assert!(began.elapsed() < Duration::from_secs(120), "{}", ran.err),
                other => panic!("{other}: {}\n{}", ran.out, ran.err),
            }
            std::thread::sleep(Duration::from_secs(2));
        };
        assert!(took > Duration::from_secs(60), "too early: {took:?}");
        tell(&format!(
            "an owner of another machine expired after {:.0} s",
            took.as_secs_f64()
        ));
        self.scene.kdiy().has_nothing_to_do();
    }

    /// Stealing stops the other, and says so on both sides.
    fn the_robbed_one_stops(&self) {
        let robbed = self.at_work();
        let thief = self.colleague().start(&["apply", "--yes", "--steal-lock"]);
        // It waits for the step that the robbed one began.
        says_in_time(&thief, "taken from another kdiy");
        says_in_time(&thief, "Waiting for a step of an earlier run to end on");
        let began = Instant::now();
        let told = thief.errors().matches("taken from another kdiy").count();
        assert_eq!(told, 1, "{}", thief.errors());
        says_in_time(&robbed, "was taken by another kdiy");
        self.let_go();
        let ran = robbed.ended();
        assert_ne!(ran.code, 0, "{}\n{}", ran.out, ran.err);
        ran.says(&["was taken by another kdiy", &machine()]);
        thief.end(0);
        self.scene.kdiy().has_nothing_to_do();
        tell(&format!(
            "the robbed one heard of it after {:.1} s and ended with {}:\n{}",
            began.elapsed().as_secs_f64(),
            ran.code,
            ran.err
        ));
    }

    /// Ctrl-C while one host is taken and another is not yet: both are free.
    fn the_interrupted_one_gives_back(&self) {
        let lab = &self.scene.lab;
        each(&self.scene, FREE);
        lab.sh("w-2", GUARD);
        let running = self.scene.kdiy().start(&APPLY);
        eventually("cp-1 is taken", Duration::from_secs(30), || {
            lab.try_sh("cp-1", "test -e /run/kdiy/owner")
        });
        lab.sh("w-2", FREE);
        running.interrupt();
        let began = Instant::now();
        let ran = running.end(130);
        ran.says(&["interrupted; nothing was changed"]);
        each(&self.scene, FREE);
        tell(&format!(
            "interrupted while it took hosts: it held none of them {:.1} s later",
            began.elapsed().as_secs_f64()
        ));
    }
}

/// Nobody has the host.
const FREE: &str = "[ ! -e /run/kdiy/owner ] || { cat /run/kdiy/owner; exit 1; }";

/// Nobody takes a host while this is held there.
const GUARD: &str = r"setsid flock /run/kdiy/owner.guard sleep 8 >/dev/null 2>&1 </dev/null &
while flock -n /run/kdiy/owner.guard true; do sleep 0.05; done";

/// What is told for people has these words before long: who applies says so
/// three times a minute.
fn says_in_time(running: &Running, words: &str) {
    let said = || match running.errors() {
        said if said.contains(words) => Ok(()),
        said => Err(said),
    };
    eventually(words, Duration::from_secs(40), said);
}

/// A refusal names the owner, the run and what to do.
fn says_who(refused: &Ran, run: &str) {
    let machine = format!("@{} applies two since 20", machine());
    refused.says(&[
        "another kdiy is at work on cp-1",
        &machine,
        &format!("run {run}"),
        "--steal-lock",
    ]);
}
