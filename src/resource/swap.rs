//! No swap, now and after a reboot; undone by removing `#kdiy# ` from
//! /etc/fstab, by unmasking the units, and by enabling the services again.

use serde::Serialize;

use super::{AnswerError, Answers, Difference, Verb, section};
use crate::shell::{Script, sh};

/// No swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Swap;

/// What swaps, or will after a reboot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Devices in use.
    pub active: Vec<String>,
    /// Lines of /etc/fstab.
    pub fstab: Vec<String>,
    /// Services that make swap at boot.
    pub services: Vec<String>,
}

/// Defines `kdiy_swap_services`: services of packages that make swap at boot,
/// without a unit of their swap.
const SERVICES: &str = sh!("resource/swap-services.sh");

const PROBE: &str = sh!("resource/swap.sh");

const APPLY: &str = sh!("resource/swap-off.sh");

pub(super) fn probe(all: &[&Swap]) -> Script {
    if all.is_empty() {
        Script::new()
    } else {
        section("swap", &Script::of(SERVICES).with(PROBE))
    }
}

impl Swap {
    pub(super) fn parse(answers: &Answers) -> Result<Seen, AnswerError> {
        let mut seen = Seen::default();
        for line in answers.get("swap")?.lines() {
            match line.split_once(' ') {
                Some(("active", device)) => seen.active.push(device.to_owned()),
                Some(("fstab", device)) => seen.fstab.push(device.to_owned()),
                Some(("service", unit)) => seen.services.push(unit.to_owned()),
                _ => return Err(AnswerError::text("swap", line)),
            }
        }
        Ok(seen)
    }

    pub(super) fn diff(seen: &Seen) -> Option<Difference> {
        let active = seen
            .active
            .iter()
            .map(|device| format!("{device} is in use"));
        let fstab = seen
            .fstab
            .iter()
            .map(|device| format!("{device} is in /etc/fstab"));
        let services = seen
            .services
            .iter()
            .map(|unit| format!("{unit} makes some at boot"));
        let details: Vec<_> = active.chain(fstab).chain(services).collect();
        (!details.is_empty()).then(|| Difference::with(Verb::Change, details))
    }

    pub(super) fn apply() -> Script {
        Script::of(SERVICES).with(APPLY)
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs a script with a systemctl for which one service makes swap until
    /// it is disabled; what it says.
    fn sh(script: &str) -> String {
        let systemctl = r#"systemctl() {
case $* in
'is-enabled -- zramswap.service') [ -z "$disabled" ] && echo enabled || echo masked ;;
'is-enabled -- swapspace.service') echo disabled; return 1 ;;
is-enabled*) return 1 ;;
list-units*) ;;
*) echo "systemctl $*" ;;
esac
}
swapoff() { echo "swapoff $*"; }
"#;
        let shell = Command::new("sh")
            .args(["-ec", &format!("{systemctl}{script}")])
            .output();
        String::from_utf8(shell.unwrap().stdout).unwrap()
    }

    /// Defect X2: swap of a service came back after a boot.
    #[test]
    fn defect_x2_a_service_that_makes_swap_at_boot_is_seen_and_disabled() {
        let fstab = |text: &str| text.replace("/etc/fstab", "/nonexistent");
        let seen = |before: &str| {
            let script = format!("{SERVICES}{}", fstab(PROBE));
            let said = sh(&format!("{before}{script}"));
            let service = |line: &&str| line.starts_with("service");
            said.lines().filter(service).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(seen(""), "service zramswap.service");
        assert_eq!(seen("disabled=1\n"), "");
        let services = vec!["zramswap.service".to_owned()];
        let difference = Swap::diff(&Seen {
            services,
            ..Seen::default()
        })
        .unwrap();
        assert_eq!(difference.details, ["zramswap.service makes some at boot"]);
        let said = sh(&fstab(Swap::apply().as_str()));
        assert_eq!(
            said,
            "systemctl disable --now -- zramswap.service\nsystemctl mask -- zramswap.service\n\
             swapoff -a\n"
        );
    }
}
