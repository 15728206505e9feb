//! The one place that mutates hosts.

pub mod command;
pub mod compare;
mod diagnose;
pub mod etcd;
pub mod event;
pub mod lock;
pub mod meet;
mod passing;
pub mod portraits;
mod run;
mod said;
mod script;
pub mod status;
pub mod survey;
#[cfg(test)]
mod tests;
pub mod trust;

pub use event::{Event, Failure};
pub use run::{Options, Report, run};
