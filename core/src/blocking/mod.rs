//! Calls on their caller's thread. Nothing but the socket is kept between calls,
//! and a warm call makes three system calls: look, send, receive.

pub mod connection;
pub mod create;
pub mod open;
pub mod pool;
pub mod send;
pub mod timed_socket;
