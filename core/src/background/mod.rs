//! Asynchronous calls: which are under way, and whose callbacks are due.
//!
//! Two threads serve them, both started by the first call. One does the I/O
//! ([`io_thread`]), one runs the callbacks, so that a slow host stalls nothing.
//! Where the host runs the callbacks itself the second does not exist, and a
//! descriptor ([`notifier`]) tells the host when there are some.

pub mod callbacks;
pub mod calls;
pub mod chore;
pub mod connection;
pub mod connections;
pub mod engine;
pub mod io_thread;
pub mod notifier;
pub mod order;
pub mod sender;
pub mod shutdown;
pub mod threads;
pub mod yields;
