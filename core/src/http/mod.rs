//! One HTTP/1.1 exchange: creates a request, receives bytes, and returns an answer or a failure. No
//! I/O.

pub mod answer;
pub mod chunks;
pub mod coding;
pub mod date;
pub mod exchange;
pub mod head;
pub mod no_answer;
pub mod request;
pub mod retry_after;
