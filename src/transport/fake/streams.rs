//! Byte streams that a test made up.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use crate::cluster::Name;
use crate::transport::{ByteStream, Error};

/// What becomes of byte streams from one host, by address.
#[derive(Debug, Default)]
pub(super) struct Streams(pub BTreeMap<SocketAddr, Opens>);

/// What opens a stream, or says why not.
pub(super) struct Opens(pub Box<dyn FnMut() -> Result<ByteStream, Error> + Send>);

impl Streams {
    pub(super) fn open(&mut self, host: &Name, to: SocketAddr) -> Result<ByteStream, Error> {
        match self.0.get_mut(&to) {
            Some(Opens(open)) => open(),
            None => Err(Error::Unscripted {
                host: host.to_string(),
                script: format!("a byte stream to {to}"),
            }),
        }
    }
}

impl fmt::Debug for Opens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opens")
    }
}
