//! Promises of the core against a sandbox, over real sockets. These cannot be shown in the
//! simulation. What a C program sees is tested in C.

mod connections;
mod expiry;
mod ghosts;
mod provider;
mod proxies;
mod retries;
mod sharing;
mod world;
