//! Integration tests.

mod ssh;
