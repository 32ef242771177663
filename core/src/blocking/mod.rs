//! Blocking calls, on the caller's thread. Between calls only the socket is kept, and a call on a
//! kept connection makes three system calls: peek, send, receive.

pub mod connection;
pub mod create;
pub mod open;
pub mod pool;
pub mod send;
pub mod timed_socket;
