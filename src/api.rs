//! The cluster API: typed operations, sent to the API servers of a cluster.
//!
//! ```text
//! [Server, …] + Credentials -> Client -> nodes, pods, requests, manifests, objects
//! ```
//! A [`Client`] uses whichever API server answers, over byte streams of the SSH
//! connections to control planes. It opens no port on this machine, reads no
//! proxy settings and no kubeconfig, and trusts a server by the cluster's CA
//! alone. Each operation is one function. It checks its own precondition when
//! it runs.

pub mod client;
pub mod credentials;
pub mod daemon_sets;
pub mod drain;
pub mod error;
mod http;
pub mod limits;
pub mod manifests;
pub mod nodes;
pub mod objects;
pub mod pods;
mod read;
pub mod requests;
mod retry;
pub mod server;
mod service;
mod watch;

pub use client::Client;
pub use credentials::Credentials;
pub use error::{Error, ErrorKind, Status};
pub use limits::Limits;
pub use server::Server;

/// The field manager under which kdiy writes.
pub const FIELD_MANAGER: &str = "kdiy";
