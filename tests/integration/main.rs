//! Integration tests.

mod inventory;
