//! What process lists show: command lines and environments of all processes,
//! here and on hosts, which are containers of this machine.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Looks again and again until it is asked what it saw.
pub struct Watch {
    stop: Arc<AtomicBool>,
    looking: JoinHandle<Seen>,
}

/// What there was to be seen, each thing once.
#[derive(Default)]
pub struct Seen {
    pub rounds: usize,
    /// Where, and what.
    pub texts: Vec<(String, Vec<u8>)>,
    known: HashSet<u64>,
}

impl Watch {
    pub fn begin() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let looking = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while !stopped.load(Ordering::Relaxed) {
                seen.look();
                // The machine is to do something else, too.
                std::thread::sleep(Duration::from_millis(1));
            }
            seen
        });
        Self { stop, looking }
    }

    pub fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.looking.join().expect("a thread")
    }
}

impl Seen {
    fn look(&mut self) {
        self.rounds += 1;
        let Ok(processes) = fs::read_dir("/proc") else {
            return;
        };
        for process in processes.flatten() {
            let name = process.file_name();
            if !name.as_encoded_bytes().iter().all(u8::is_ascii_digit) {
                continue;
            }
            // It may end at any moment, and threads of the kernel have none.
            let Ok(line) = fs::read(process.path().join("cmdline")) else {
                continue;
            };
            let pid = name.to_string_lossy();
            if !line.is_empty() && self.is_new(&(&*pid, &line)) {
                self.keep(&format!("command line of {pid}"), line);
                if let Ok(environment) = fs::read(process.path().join("environ")) {
                    self.keep(&format!("environment of {pid}"), environment);
                }
            }
        }
    }

    fn keep(&mut self, place: &str, text: Vec<u8>) {
        if self.is_new(&text) {
            self.texts.push((place.to_owned(), text));
        }
    }

    fn is_new(&mut self, what: &impl std::hash::Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        self.known.insert(hasher.finish())
    }
}
