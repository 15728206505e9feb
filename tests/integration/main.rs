//! Integration tests.

mod cli;
mod e2e;
mod inventory;
mod ssh;
mod tidy;
mod topology;
