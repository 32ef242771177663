//! libzelf: a Zelf session token for any program that can call C.
//!
//! This crate is the C ABI around `zelf-core`. Each file of [`ffi`] is a section of
//! the header. It turns C values into the core's, calls the core behind a guard,
//! and hands the outcome back. Decisions and I/O are the core's.

mod ffi;
