//! Promises of the core against a sandbox, over real sockets: what the simulation
//! cannot show. What a C program sees is tested from C.

mod connections;
mod expiry;
mod ghosts;
mod provider;
mod proxies;
mod retries;
mod sharing;
mod world;
