//! Promises of the core against a sandbox, over real sockets. These cannot be shown in the
//! simulation. Programs in C test the C interface.

mod connections;
mod expiry;
mod ghosts;
mod provider;
mod proxies;
mod retries;
mod sharing;
mod world;
