//! libzelf: a Zelf session token for any program that can call C.
//!
//! Data takes one way: `ffi` turns C values into the types of the core, the
//! core ([`client`]) asks `transport` for an answer, `api` reads it, and `ffi`
//! hands an owned object back. Nothing in the core knows of C, and nothing in
//! `ffi` knows of HTTP.
//!
//! * `ffi`: every `extern "C"` function, and the header's text
//! * `client`, `session`, `session_options`, `identifier`, `config`, `endpoint`,
//!   `error`, `log`: the nouns a caller meets
//! * `creator`: what all calls of a client share; `creation`: what lies between a request and a session worth handing out;
//!   `retry` and `flights` serve it
//! * `api`: the wire, from bytes to a session or an error
//! * `transport`: HTTP, TLS and name look-up, bounded in time and size
//! * `runtime`: whose thread drives the I/O
//! * `secret`: buffers that are wiped; `panics`: bugs that become errors
//! * `sys`, `clock`, `random`, `process`, `exit`: the operating system

#![deny(unsafe_code)]

mod api;
mod client;
mod clock;
mod config;
mod creation;
mod creator;
mod endpoint;
mod error;
mod exit;
#[allow(unsafe_code)]
mod ffi;
mod flights;
mod identifier;
mod log;
mod panics;
mod process;
mod random;
mod retry;
mod runtime;
mod secret;
mod session;
mod session_options;
#[allow(unsafe_code)]
mod sys;
mod text;
mod transport;

/// The core against a sandbox, over real sockets: what only injected clocks and
/// random numbers can show. What a caller sees is tested from C.
#[cfg(test)]
#[path = "../tests/core/mod.rs"]
mod promises;
