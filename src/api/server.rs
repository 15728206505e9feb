//! The API servers of a cluster, and the connection to the one in use.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http::uri::Authority;
use http_body_util::{BodyExt as _, Full, Limited};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Limits;
use super::error::{Attempt, Unusable};
use super::http::{HttpConnection, describe};
use crate::cluster::Name;
use crate::transport::Connection;
use crate::transport::sanitise::sanitise_short;

/// The most of what an API server says about not being ready, in bytes.
const UNREADY: usize = 64 * 1024;

/// One API server and the way to it.
#[derive(Clone)]
pub struct Server {
    /// The control plane.
    pub name: Name,
    /// Its API server as seen from the host of `connection`; its certificate
    /// has to be for this address.
    pub address: SocketAddr,
    /// To the control plane, or to any host that can connect to it.
    pub connection: Arc<dyn Connection>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.name, self.address)
    }
}

/// All API servers, tried in order.
pub(super) struct Servers {
    list: Vec<Server>,
    tls: TlsConnector,
    limits: Limits,
    current: Mutex<Current>,
}

/// The server that answered last, and the connection to it.
#[derive(Default)]
struct Current {
    index: usize,
    line: Option<HttpConnection>,
}

/// A connection to one of them.
pub(super) struct Chosen {
    pub index: usize,
    pub line: HttpConnection,
}

impl Servers {
    pub(super) fn new(list: Vec<Server>, tls: TlsConnector, limits: Limits) -> Self {
        Self {
            list,
            tls,
            limits,
            current: Mutex::default(),
        }
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(super) fn name(&self, index: usize) -> &Name {
        &self.list[index].name
    }

    /// What stands in a request for one of them.
    pub(super) fn authority(&self, index: usize) -> Authority {
        authority(self.list[index].address)
    }

    /// A connection to the server in use, or a new one to the first that is
    /// ready: the one that answered last before the others, and one to avoid
    /// after them.
    pub(super) async fn choose(&self, avoid: Option<usize>) -> Result<Chosen, Vec<Attempt>> {
        let mut current = self.current.lock().await;
        if let Some(line) = current.line.as_ref().filter(|line| !line.is_closed())
            && avoid != Some(current.index)
            && let Some(line) = line.share()
        {
            let index = current.index;
            return Ok(Chosen { index, line });
        }
        current.line = None;
        let mut failed = Vec::new();
        for index in order(self.list.len(), current.index, avoid) {
            match self.connect(&self.list[index]).await {
                Ok(line) => {
                    current.index = index;
                    current.line = line.share();
                    return Ok(Chosen { index, line });
                }
                Err(why) => {
                    let Server { name, address, .. } = &self.list[index];
                    tracing::debug!("the API server of {name}: {why}");
                    failed.push(Attempt {
                        server: name.clone(),
                        address: *address,
                        why,
                    });
                }
            }
        }
        Err(failed)
    }

    /// The next request is to find out whether a server still answers.
    pub(super) async fn distrust(&self, index: usize) {
        let mut current = self.current.lock().await;
        if current.index == index {
            current.line = None;
        }
    }

    /// A connection to one server that says it is ready.
    async fn connect(&self, server: &Server) -> Result<HttpConnection, Unusable> {
        let mut line = self.open(server).await?;
        self.ask(server, &mut line).await?;
        if matches!(line, HttpConnection::Single(_)) {
            // Asking has used it up.
            line = self.open(server).await?;
        }
        Ok(line)
    }

    async fn open(&self, server: &Server) -> Result<HttpConnection, Unusable> {
        let limit = self.limits.connect;
        let opening = async {
            let stream = server.connection.open_stream(server.address).await?;
            let name = ServerName::IpAddress(server.address.ip().into());
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|why| Unusable::Tls(why.to_string()))?;
            let line = HttpConnection::begin(stream, self.limits.keepalive).await;
            line.map_err(|why| Unusable::Http(describe(&why)))
        };
        timeout(limit, opening)
            .await
            .unwrap_or(Err(Unusable::Late(limit)))
    }

    /// Asks whether the server is ready: one that is about to start or to
    /// stop takes requests, but should get none.
    async fn ask(&self, server: &Server, line: &mut HttpConnection) -> Result<(), Unusable> {
        let limit = self.limits.ready;
        let asking = async {
            let request = Request::get("/readyz").body(Full::<Bytes>::default());
            let request = request.expect("a request of constants");
            let answer = line.send(&authority(server.address), request).await;
            let answer = answer.map_err(|broken| Unusable::Http(broken.why))?;
            let code = answer.status();
            if code.is_success() {
                return Ok(());
            }
            let output = Limited::new(answer.into_body(), UNREADY).collect().await;
            let output = output.map(|said| said.to_bytes()).unwrap_or_default();
            Err(Unusable::NotReady {
                code: code.as_u16(),
                message: failing(&String::from_utf8_lossy(&output)),
            })
        };
        timeout(limit, asking)
            .await
            .unwrap_or(Err(Unusable::Late(limit)))
    }
}

fn authority(address: SocketAddr) -> Authority {
    let text = address.to_string();
    text.parse().expect("an address can stand in a URI")
}

/// The checks that fail, or the whole output. The lines of checks that
/// fail begin with `[-]`.
fn failing(output: &str) -> String {
    let lines: Vec<_> = output
        .lines()
        .filter(|line| line.starts_with("[-]"))
        .collect();
    let output = if lines.is_empty() {
        output.trim().to_owned()
    } else {
        lines.join(", ")
    };
    sanitise_short(&output.replace('\n', " "))
}

/// All of `count`, beginning with the one that answered last; the one to
/// avoid comes last.
fn order(count: usize, last: usize, avoid: Option<usize>) -> Vec<usize> {
    let mut all: Vec<_> = (0..count).collect();
    all.sort_by_key(|index| (Some(*index) == avoid, *index != last, *index));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_answer_is_first_and_the_one_to_avoid_last() {
        assert_eq!(order(3, 0, None), [0, 1, 2]);
        assert_eq!(order(3, 2, None), [2, 0, 1]);
        assert_eq!(order(3, 2, Some(2)), [0, 1, 2]);
        assert_eq!(order(3, 1, Some(0)), [1, 2, 0]);
        assert_eq!(order(1, 0, Some(0)), [0]);
    }

    #[test]
    fn only_failing_checks_are_reported() {
        let output = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n";
        assert_eq!(failing(output), "[-]etcd failed: reason withheld");
        assert_eq!(failing("Unauthorized\n"), "Unauthorized");
        assert_eq!(failing("a\nb\n"), "a b");
    }
}
