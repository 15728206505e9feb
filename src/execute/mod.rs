//! The one place that mutates hosts.

pub mod event;
mod run;
mod script;
pub mod survey;
pub mod trust;
pub mod vault;

pub use event::{Event, Failure};
pub use run::{Options, Report, run};
pub use vault::Vault;
