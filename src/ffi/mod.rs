//! The C functions.
//!
//! The doc comments of the exports become `include/zelf.h`, so they are written for C programmers.
//! `build.rs` writes one section for each file. Types have their C names, so that the header needs
//! no renaming.

#![allow(non_camel_case_types)]

mod android;
mod call;
mod client;
mod config;
mod create;
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
