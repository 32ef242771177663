//! Promises of the core, kept against a sandbox.

mod connections;
mod error_table;
mod expiry;
mod retries;
mod sharing;
mod world;
