//! Integration tests.

mod inventory;
mod ssh;
