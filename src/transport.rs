//! How scripts reach hosts. The contract is small: connect, run a script,
//! hand back its exit and output.
//!
//! [`ssh`] is the real thing, [`fake`] stands in for it in tests.

pub mod byte_stream;
mod code;
pub mod error;
pub mod fake;
mod hint;
pub mod host_certificate;
pub mod known_hosts;
pub mod local;
pub mod output;
pub mod sanitise;
pub mod ssh;
pub mod ssh_config;

use std::fmt;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::cluster::{Login, Name};

pub use byte_stream::ByteStream;
pub use error::Error;

/// Makes connections; one for each host.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What a connection is.
    type Connection: Connection + 'static;

    /// Connects and logs in to a host.
    async fn connect(&self, host: &Name, login: &Login) -> Result<Self::Connection, Error>;
}

/// A connection to one host.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Runs a script as root on the host; `lines` sees every line of output
    /// as it comes.
    ///
    /// # Errors
    /// When the script could not be run to an end. A script that ends with
    /// another exit than 0 is no error here. After [`Error::Lost`] the script
    /// may go on for a while: until it says something that nobody hears any
    /// more, or to its time limit, which is kept on the host.
    async fn run(
        &self,
        request: Request<'_>,
        lines: &mut (dyn for<'l> FnMut(Stream, &'l str) + Send),
    ) -> Result<Output, Error>;

    /// Runs a script as [`Self::run`] does, and writes its standard output
    /// down as it comes, byte for byte. None of it is kept beside that:
    /// `stdout` of the result is empty.
    ///
    /// # Errors
    /// As [`Self::run`]; [`Error::NotKept`] when the writer fails, and the
    /// script then finds its standard output closed.
    async fn stream(
        &self,
        request: Request<'_>,
        out: &mut (dyn Write + Send),
    ) -> Result<Output, Error>;

    /// Opens a byte stream to a TCP address as seen from the host, as the
    /// user who logged in: `127.0.0.1:6443` is the host's own API server.
    ///
    /// # Errors
    /// [`Error::Target`] when the host cannot connect to the address;
    /// another error when the host itself cannot be used.
    async fn open_stream(&self, to: SocketAddr) -> Result<ByteStream, Error>;
}

/// A script to run. Its text may be secret and is left out of `Debug`.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// POSIX sh text; may hold secrets, so it only travels over standard input.
    pub script: &'a Zeroizing<String>,
    /// As root, or as the user who logged in.
    pub user: User,
    /// How long it may take.
    pub limit: Duration,
    /// How much of each stream is kept, in bytes. Of a host that sends more,
    /// the beginning and the end are kept, with a mark where the middle was.
    pub keep: usize,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("user", &self.user)
            .field("limit", &self.limit)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

/// Who runs a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// root, through sudo where the login is not root.
    Root,
    /// The user who logged in.
    Login,
}

/// Which stream a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a script ended and what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With a code.
    Code(u32),
    /// By a signal, such as `KILL`.
    Signal(String),
}
