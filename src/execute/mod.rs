//! The one place that mutates hosts.

pub mod event;
mod run;
mod script;
pub mod survey;
pub mod trust;

pub use event::{Event, Failure};
pub use run::{Options, Report, run};
