//! Asynchronous calls: those in progress, and the callbacks that are due.
//!
//! The first call starts two threads. One does the I/O ([`io_thread`]), and the other runs the
//! callbacks, so that a slow callback delays no I/O. If the host dispatches the callbacks, the
//! second thread does not exist, and a descriptor ([`notifier`]) tells the host when a callback is
//! due.

pub mod callbacks;
pub mod calls;
pub mod chore;
pub mod connection;
pub mod connections;
pub mod engine;
pub mod io_thread;
pub mod nesting;
pub mod notifier;
pub mod order;
pub mod send_once;
pub mod sender;
pub mod shutdown;
pub mod threads;
pub mod yields;
