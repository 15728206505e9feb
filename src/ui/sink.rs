//! A stream to write to, shared and calm.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A stream that several can write to. When its reader goes away (as with
/// `| head`) what follows is dropped: a run that changes hosts must not die
/// of that.
#[derive(Clone)]
pub struct Sink {
    stream: Arc<Mutex<Box<dyn Write + Send>>>,
    /// Whether its reader went away.
    gone: Arc<AtomicBool>,
}

impl Sink {
    /// Writes to a stream.
    #[must_use]
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self {
            stream: Arc::new(Mutex::new(Box::new(stream))),
            gone: Arc::default(),
        }
    }

    /// Whether somebody still reads what is written, as far as writing tells.
    #[must_use]
    pub fn is_read(&self) -> bool {
        !self.gone.load(Ordering::Relaxed)
    }

    fn calm<T>(&self, result: io::Result<T>, dropped: T) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.gone.store(true, Ordering::Relaxed);
                Ok(dropped)
            }
            result => result,
        }
    }

    fn stream(&self) -> MutexGuard<'_, Box<dyn Write + Send>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.stream().write(bytes);
        self.calm(written, bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.stream().write_all(bytes);
        self.calm(written, ())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.stream().flush();
        self.calm(flushed, ())
    }
}

#[cfg(test)]
impl Sink {
    /// A stream in memory, and what was written to it.
    pub(crate) fn memory() -> (Self, impl Fn() -> String) {
        #[derive(Clone, Default)]
        struct Memory(Arc<Mutex<Vec<u8>>>);
        impl Write for Memory {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let memory = Memory::default();
        let written = memory.clone();
        let text = move || String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        (Self::new(memory), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error_but_a_full_disk_is() {
        let mut gone = Sink::new(Failing(ErrorKind::BrokenPipe));
        gone.write_all(b"text").unwrap();
        gone.flush().unwrap();
        let mut full = Sink::new(Failing(ErrorKind::StorageFull));
        assert!(full.write_all(b"text").is_err());
    }
}
