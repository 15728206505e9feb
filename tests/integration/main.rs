//! Integration tests.

mod inventory;
mod ssh;
mod tidy;
