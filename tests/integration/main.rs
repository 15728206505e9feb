//! Integration tests.

mod cli;
mod documents_codes;
mod e2e;
mod inventory;
mod ssh;
mod tidy;
