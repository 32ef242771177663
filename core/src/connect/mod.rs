//! Connections: name look-up, TCP, proxies, TLS and trust.
//!
//! Opening a connection is rare, so both drivers share one asynchronous implementation. Using a
//! connection is frequent: [`wire`] and [`transfer`] do that without owning a socket.

pub mod connector;
pub mod dns;
pub mod endpoint;
pub mod event_loop;
pub mod failure;
pub mod handshake;
pub mod no_proxy;
pub mod places;
pub mod poll_socket;
pub mod proxy;
pub mod resting;
pub mod socket;
pub mod socks;
pub mod tcp;
pub mod tls_failure;
pub mod transfer;
pub mod trust;
pub mod tunnel;
pub mod wire;
