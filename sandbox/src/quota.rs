//! What a session may do only so many times.

use crate::options::Options;
use crate::refusal::Refusal;

/// A kind of work that is counted for each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    Search,
    Preview,
    Lease,
    Decrypt,
}

impl Quota {
    /// How many there are.
    pub const COUNT: usize = 4;

    /// The request that is the first to be refused.
    pub fn limit(self, options: &Options) -> u32 {
        match self {
            Quota::Search => options.search_limit,
            Quota::Preview => options.preview_limit,
            Quota::Lease => options.lease_limit,
            Quota::Decrypt => options.decrypt_limit,
        }
    }

    /// The service calls a lease a search, and a preview a decryption.
    pub fn refusal(self) -> Refusal {
        match self {
            Quota::Search | Quota::Lease => Refusal::SearchLimit,
            Quota::Preview | Quota::Decrypt => Refusal::DecryptLimit,
        }
    }
}
