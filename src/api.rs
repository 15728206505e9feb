//! The cluster API: what the API servers of a cluster are asked and told.
//!
//! ```text
//! [Server, …] + Credentials -> Client -> nodes, pods, requests, manifests, objects
//! ```
//! A [`Client`] speaks to whichever API server answers, over byte streams of
//! the SSH connections to control planes: no port is opened here, no proxy or
//! kubeconfig is read, and a server is trusted by the cluster's authority
//! alone. Each operation is one function, which checks its own precondition
//! again when it runs.

pub mod client;
pub mod credentials;
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
pub use error::{Error, Fault, Refusal};
pub use limits::Limits;
pub use server::Server;

/// The field manager under which kdiy writes.
pub const FIELD_MANAGER: &str = "kdiy";
