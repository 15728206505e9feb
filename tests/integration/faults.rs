//! The fault suite: `make faults`. Each test brings up hosts of the lab, does
//! something bad at a time that is chosen, and shows that nothing is lost by
//! it. A full disk, a dead sshd and Ctrl-C are in `e2e::setbacks`; a short cut
//! of the kills is in `make e2e`.
//!
//! Settings of the environment, each `KDIY_FAULTS_` and:
//!
//! | name | what | otherwise |
//! |---|---|---|
//! | `SEED` | chance that was told by an earlier run | another one |
//! | `KILLS` | kills of kdiy, at least | 64 |
//! | `ROUNDS` | bring-ups that these are spread over; twice as many at most | 5 |
//! | `ALONE` | 1: every kill has a bring-up of its own | 0 |
//! | `FEW` | kills of the short cut | 8 |
//! | `CUTS` | connections that are cut | 20 |
//! | `DEATHS` | hosts whose power fails in a step, and two more that lose their member of etcd | 21 |
//! | `TWO_APPLIES` | times that two applies begin together | 20 |

mod converged;
mod cuts;
mod deaths;
pub mod kills;
mod moment;
mod permissions;
mod secrets;
mod stalls;
mod two_applies;

use std::path::PathBuf;

use crate::e2e::kdiy::Kdiy;
use crate::e2e::lab::Lab;

/// Hosts with an inventory, bare at first.
pub struct Scene {
    lab: Lab,
    inventory: String,
}

impl Scene {
    /// Fresh hosts; all tests here use the same names and addresses.
    fn up(hosts: &[(&str, &str)], inventory: &str) -> Self {
        let lab = Lab::up("flt", hosts);
        let identity = lab.file("id_ed25519").display().to_string();
        let known_hosts = lab.file("known_hosts").display().to_string();
        let inventory = inventory
            .replace("@identity@", &identity)
            .replace("@known_hosts@", &known_hosts);
        Self { lab, inventory }
    }

    fn kdiy(&self) -> Kdiy<'_> {
        Kdiy::with(&self.lab, "kdiy.yaml", &self.inventory)
    }

    /// Another folder with all that the first one has: a colleague's.
    fn copied(&self, name: &str) -> PathBuf {
        let copy = self.lab.folder.path().join(name);
        crate::e2e::lab::ok(
            std::process::Command::new("sh")
                .args([
                    "-ec",
                    "mkdir -m 700 \"$1\"; cp -a .kdiy kdiy.yaml Release.key \"$1\"",
                    "sh",
                ])
                .arg(&copy)
                .current_dir(self.lab.folder.path()),
        );
        copy
    }
}

/// A number that the environment may set.
fn setting(name: &str, otherwise: u64) -> u64 {
    let name = format!("KDIY_FAULTS_{name}");
    std::env::var(&name).map_or(otherwise, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}"))
    })
}

/// Chance that can be had again: its seed is told.
fn seeded() -> fastrand::Rng {
    let seed = setting("SEED", fastrand::u64(..1_000_000));
    tell(&format!("KDIY_FAULTS_SEED={seed}"));
    fastrand::Rng::with_seed(seed)
}

/// A line for `--nocapture`.
#[expect(clippy::print_stderr, reason = "figures are for people")]
pub fn tell(line: &str) {
    eprintln!("{line}");
}
