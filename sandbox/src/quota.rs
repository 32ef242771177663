//! The quotas of a session.

use crate::options::Options;
use crate::refusal::Refusal;

/// A kind of request that is counted for each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    Search,
    Preview,
    Lease,
    Decrypt,
}

impl Quota {
    /// The number of quotas.
    pub const COUNT: usize = 4;

    /// Returns the number of the first request that is refused.
    pub fn limit(self, options: &Options) -> u32 {
        match self {
            Quota::Search => options.search_limit,
            Quota::Preview => options.preview_limit,
            Quota::Lease => options.lease_limit,
            Quota::Decrypt => options.decrypt_limit,
        }
    }

    /// Returns the refusal. The service's text for a lease is that for a search, and the text for a
    /// preview is that for a decryption.
    pub fn refusal(self) -> Refusal {
        match self {
            Quota::Search | Quota::Lease => Refusal::SearchLimit,
            Quota::Preview | Quota::Decrypt => Refusal::DecryptLimit,
        }
    }
}
