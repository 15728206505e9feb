//! Integration tests.

mod cli;
mod documents;
mod documents_ci;
mod documents_codes;
mod documents_paths;
mod e2e;
mod inventory;
mod ssh;
mod tidy;
