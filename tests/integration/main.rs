//! Integration tests.

mod cli;
mod e2e;
mod hands;
mod inventory;
mod ssh;
mod tidy;
