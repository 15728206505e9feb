//! The one place that mutates hosts.

pub mod api_views;
pub mod command;
pub mod compare;
mod diagnose;
pub mod drains;
pub mod etcd;
pub mod event;
mod guarded;
pub mod host_info;
pub mod lock;
pub mod operate;
mod output_tail;
pub mod query_hosts;
mod retry;
mod run;
pub mod script;
pub mod status;
pub mod survey;
#[cfg(test)]
mod tests;
pub mod trust;

pub use event::{Event, Failure};
pub use run::{Options, Report, run};
