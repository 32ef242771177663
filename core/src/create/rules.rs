//! How a provider renews its session.

use std::time::Duration;

use crate::moment::Moment;

/// When a provider renews its session, and whether it may kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// When too little time is left: a plain request, then a kill if the server returns the same
    /// session.
    #[default]
    AtExpiry,
    /// With plain requests only. An expired session is returned as long as the server returns it.
    NeverKill,
    /// With a kill before the end. Only for an identifier that one process owns.
    Early,
}

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A session with less time left is not returned to a caller.
    pub min_valid: Duration,
    pub renewal: Renewal,
    /// A thread renews in advance.
    pub is_background: bool,
}

impl Rules {
    /// How long before the last use of a session the thread renews it.
    pub const AHEAD: Duration = Duration::from_secs(3);
    /// The most time that an early renewal takes from a session.
    const MOST_EARLY: Duration = Duration::from_secs(60);

    /// Returns when to renew the session before its last use, or `None`.
    ///
    /// `whole` is the life of the session. The jitter separates the renewals of providers that
    /// started together.
    pub fn renews_at(&self, ends_at: Moment, whole: Duration, random: u32) -> Option<Moment> {
        let last_use = ends_at.saturating_sub(self.min_valid);
        match self.renewal {
            Renewal::Early => {
                let ahead = (whole / 10).min(Self::MOST_EARLY);
                let jitter = ahead.mul_f64(0.2 * f64::from(random) / f64::from(u32::MAX));
                Some(ends_at.saturating_sub(ahead + jitter).min(last_use))
            }
            Renewal::AtExpiry if self.is_background => Some(last_use.saturating_sub(Self::AHEAD)),
            Renewal::AtExpiry | Renewal::NeverKill => None,
        }
    }
}
