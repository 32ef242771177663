//! The messages of the session API, in both directions. No I/O.

pub mod body_text;
pub mod claim;
pub mod claims;
pub mod instant;
pub mod json;
pub mod lifetime;
pub mod refusal;
pub mod request;
pub mod server_words;
pub mod session_answer;
pub mod session_refusal;
pub mod token_text;
