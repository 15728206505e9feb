//! Integration tests.

mod api;
mod cli;
mod documents;
mod documents_ci;
mod documents_codes;
mod documents_paths;
mod e2e;
mod equal;
mod faults;
mod files;
mod fuzz;
mod glossary;
mod hands;
mod hostile;
mod imports;
mod init;
mod interrupts;
mod inventory;
mod plans;
#[path = "../../src/lb/ports.rs"]
mod ports;
mod schema;
mod secrets;
mod simulation;
mod ssh;
mod tidy;
mod topology;
