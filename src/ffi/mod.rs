//! The C functions, and nothing else.
//!
//! The doc comments here are the text of `include/zelf.h`, so they are written for
//! a C programmer. `build.rs` puts the files of this folder there in the order of
//! use. Types carry their C names: the header needs no renaming.

#![allow(non_camel_case_types)]

mod call;
mod client;
mod config;
mod error;
mod guard;
mod identifier;
mod log;
mod provider;
mod provider_options;
mod request;
mod response;
mod send;
mod session;
mod session_options;
mod status;
mod strings;
#[cfg(feature = "test-hooks")]
mod test_hooks;
mod version;
