//! The promises about requests.

pub const AT_MOST_ONCE: &str = "what must not be repeated is carried out at most once";
pub const SAYS_SO: &str = "an error says when the server may have carried a request out";
pub const ONE_RENEWAL: &str = "a session that has ended is renewed once, however many are refused";
pub const IN_TIME: &str = "a call ends by its deadline";
pub const RETRY_AFTER: &str = "a request waits as long as the server asks";
pub const SUCCEEDS: &str = "after the trouble every request is carried out and answered";
