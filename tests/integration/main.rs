//! Integration tests.

mod cli;
mod e2e;
mod inventory;
mod schema;
mod ssh;
mod tidy;
