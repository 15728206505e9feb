//! Integration tests.

mod cli;
mod documents;
mod e2e;
mod inventory;
mod ssh;
mod tidy;
