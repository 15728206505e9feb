//! The one place that mutates hosts.

pub mod event;

pub use event::{Event, Failure};
