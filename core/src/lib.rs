//! The Zelf session client as a safe Rust library. The crate `zelf` puts a C ABI around it.
//!
//! Decisions are separate from I/O. The modules of the first group decide: they receive an event
//! and the time, and return the next step. They do not wait, read no clock and own no socket. The
//! drivers of the second group carry out the steps.
//!
//! Decisions:
//!
//! * [`create`]: session calls: attempts, retries, retry budget, renewals, single flight
//! * [`api`]: the API: request body, session answer, refusals, claims
//! * [`send`]: requests to any route: their bytes, and when to retry them
//! * [`http`]: one HTTP/1.1 exchange
//!
//! Drivers and I/O:
//!
//! * [`blocking`]: drives calls on the caller's thread, and pools connections
//! * [`background`]: drives asynchronous calls on a thread of the client
//! * [`futures`]: drives asynchronous calls on the caller's tokio runtime
//! * [`connect`]: opens connections: name look-up, TCP, proxy, TLS, trust
//! * [`host`]: the process that the library runs in
//!
//! Types for callers: [`client`], [`config`], [`session_options`], [`session`], [`error`],
//! [`identifier`], [`log`].
//!
//! `docs/architecture.md` shows how they work together.

#![deny(unsafe_code)]

pub mod api;
pub mod background;
pub mod bell;
pub mod blocking;
pub mod client;
pub mod config;
pub mod connect;
pub mod context;
pub mod create;
pub mod decimal;
pub mod environment;
pub mod error;
pub mod futures;
#[allow(unsafe_code)]
pub mod host;
pub mod http;
pub mod identifier;
pub mod lock;
pub mod log;
pub mod moment;
pub mod provider;
pub mod secret;
pub mod send;
pub mod session;
pub mod session_options;
pub mod text;

/// Compiles the code of the README with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
