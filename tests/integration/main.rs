//! Integration tests.

mod cli;
mod e2e;
mod imports;
mod inventory;
mod ssh;
mod tidy;
