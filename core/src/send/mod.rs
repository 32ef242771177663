//! Requests to any route, with or without a session: their bytes, their retries and their
//! responses.

pub mod head;
pub mod request;
pub mod response;
pub mod sending;
