//! The Zelf session client as a safe Rust library. The crate `zelf` puts a C
//! ABI around it.
//!
//! Decisions stand apart from I/O. The modules in the first group decide: they
//! are told what happened and what time it is, and say what to do next. Nothing
//! in them waits, reads a clock or owns a socket. The drivers in the second
//! group do what they say.
//!
//! Decide:
//!
//! * [`create`]: from a request to a session worth handing out: the call, retry
//!   policy, retry budget, single flight
//! * [`api`]: the wire: request body, session answer, refusals, claims
//! * [`send`]: requests to any route: what is sent, and when it is sent again
//! * [`http`]: one HTTP/1.1 exchange
//!
//! Act:
//!
//! * [`blocking`]: drives a call on its caller's thread, and pools connections
//! * [`background`]: drives asynchronous calls on a thread of the client's
//! * [`connect`]: makes connections: name look-up, TCP, proxy, TLS, trust
//! * [`host`]: the process that the library is a guest in
//!
//! Nouns that a caller meets: [`client`], [`config`], [`session_options`],
//! [`session`], [`error`], [`identifier`], [`log`].
//!
//! `docs/architecture.md` has the picture.

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
