//! How a provider keeps its session.

use std::time::Duration;

use crate::moment::Moment;

/// When a provider renews its session, and whether it may kill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renewal {
    /// When too little is left: a plain request, then a kill if the same session
    /// comes back.
    #[default]
    AtExpiry,
    /// Plain requests only. A session that is over is handed out as long as the
    /// server returns it.
    NeverKill,
    /// A kill before the end, for an identifier that one process owns.
    Early,
}

#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// A session with less left is not handed out.
    pub min_valid: Duration,
    pub renewal: Renewal,
    /// A thread renews ahead of time.
    pub is_background: bool,
}

impl Rules {
    /// How long before a session is of no more use the thread renews it.
    pub const AHEAD: Duration = Duration::from_secs(3);
    /// The most that a session loses of its life to an early renewal.
    const MOST_EARLY: Duration = Duration::from_secs(60);

    /// Returns when the session has to be renewed ahead of its last use, if ever.
    ///
    /// `whole` is the session's life. The jitter keeps providers that began together
    /// from renewing together.
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
