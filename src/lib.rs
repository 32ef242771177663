//! libzelf: Zelf session tokens for programs that can call C.
//!
//! This crate is the C ABI around `zelf-core`. Each file of [`ffi`] is a section of the header. It
//! converts C values, calls the core inside a guard, and returns the outcome. Decisions and I/O are
//! in the core.

mod ffi;
