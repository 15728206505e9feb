//! Integration tests.

mod cli;
mod documents;
mod documents_ci;
mod documents_codes;
mod documents_paths;
mod e2e;
mod faults;
mod hands;
mod imports;
mod init;
mod inventory;
mod schema;
mod ssh;
mod tidy;
mod topology;
