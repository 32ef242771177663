//! The skin: the C functions, and nothing else. Each turns C values into the
//! core's, calls the core behind a guard, and hands the outcome back.
//!
//! The doc comments here are the text of `include/zelf.h`; write them for a C
//! programmer. `build.rs` puts the files of this folder there in the order of
//! use. Types carry their C names, so that the header needs no renaming.

#![allow(non_camel_case_types)]

mod call;
mod client;
mod config;
mod error;
mod guard;
mod identifier;
mod log;
mod session;
mod session_options;
mod status;
mod strings;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod version;

/// The name that C has for a status, for tests of the core.
#[cfg(test)]
pub(crate) use status::name_of as status_name;
