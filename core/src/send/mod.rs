//! Requests to any route, with or without a session: what is sent, when it is sent
//! again, and what comes back.

pub mod head;
pub mod request;
pub mod response;
pub mod sending;
