//! A file on its way from a host.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::cluster::Name;

const WAITING: &str = "{spinner} {prefix}  {msg}  {elapsed}";
const COMING: &str =
    "{prefix}  {bar:20}  {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}";

/// Shows how much has come; taken away when it is dropped.
#[derive(Debug)]
pub struct Transfer {
    bar: ProgressBar,
    begun: bool,
}

impl Transfer {
    /// Shows nothing.
    pub(super) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            begun: false,
        }
    }

    pub(super) fn new(screen: &MultiProgress, host: &Name) -> Self {
        let bar = ProgressBar::new_spinner().with_style(style(WAITING));
        let bar = screen.add(bar.with_prefix(host.to_string()));
        bar.set_message("takes a snapshot");
        bar.enable_steady_tick(super::progress::TICK);
        Self { bar, begun: false }
    }

    /// So many bytes of so many have come.
    pub fn come(&mut self, got: u64, size: u64) {
        if !self.begun {
            self.begun = true;
            self.bar.set_style(style(COMING).progress_chars("━━─"));
            self.bar.set_length(size);
        }
        self.bar.set_position(got);
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a valid template")
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    #[test]
    fn it_shows_how_much_has_come() {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let host = Name::try_from("cp-1".to_owned()).unwrap();
        let mut transfer = Transfer::new(&screen, &host);
        assert_eq!(transfer.bar.length(), None);
        transfer.come(1 << 20, 2 << 20);
        let bar = transfer.bar.clone();
        assert_eq!((bar.position(), bar.length()), (1 << 20, Some(2 << 20)));
        drop(transfer);
        assert!(bar.is_finished());
    }
}
