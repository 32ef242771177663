//! The end of a session, from the times and clocks in an answer.

use std::time::Duration;

use crate::{api::instant::sane, moment::Moment, session::Times};

/// The life of a session when the answer does not contain it. It is the server's fixed value.
const DEFAULT_SECONDS: i64 = 600;

/// A session with less time left is never returned. It would expire before its first use arrives,
/// and `Date` only has whole seconds.
pub const LEAST_SECONDS: i64 = 2;

/// Clocks that differ by up to this many seconds agree.
const TOLERANCE: u64 = 60;

/// The server may return a session for this time after its end: its reaper runs once a minute.
const REAPED_WITHIN: i64 = 90;

/// If a session without a start seems to have ended longer ago, its end is invalid. A clock that is
/// further ahead is invalid too.
const MOST_OVER: i64 = 24 * 60 * 60;

/// The device's clocks around one exchange.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// When the request was sent.
    pub sent_at: Moment,
    /// When the answer was complete.
    pub now: Moment,
    /// The wall clock in Unix seconds. It may be hours off.
    pub wall: i64,
}

/// The times in an answer, in Unix seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub activated_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// `Date`. It may come from a proxy with a wrong clock, or from a cache.
    pub date: Option<i64>,
    /// When the token was signed. The server signs a new one for each answer, with the clock that
    /// it uses for `expiresAt`.
    pub issued_at: Option<i64>,
}

/// Whether a session has expired, at the time of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It has not expired, or no clock says so.
    Goes,
    /// All known clocks say that it has expired.
    IsOver,
    /// The clocks disagree.
    IsInDoubt,
}

/// The clock of the server, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ServerClock {
    earliest: i64,
    latest: i64,
    /// The more credible of the two.
    likely: i64,
    /// The clock is certain enough to decide that a session has expired.
    is_sure: bool,
}

/// Returns the start and the end of a session, and whether it has expired. A session with less than
/// `least` seconds left counts as expired.
///
/// The end is counted from the time at which the request was sent. So it may be too early, by the
/// duration of the exchange, but never too late. Whether the session has expired is decided at the
/// time of the answer: a slow answer must not kill a session.
pub fn read(told: Told, clocks: Clocks, least: i64) -> (Times, Life) {
    let told = told.that_can_be_meant();
    let clock = told.server_clock(clocks.wall, least);
    let likely_end = told.expires_at.filter(|end| {
        let is_over_by = |clock: ServerClock| clock.earliest.saturating_sub(*end);
        told.activated_at.is_some() || clock.is_none_or(|clock| is_over_by(clock) <= MOST_OVER)
    });
    let life = match (likely_end, clock) {
        (Some(end), Some(clock)) => clock.judge(end, least),
        _ => Life::Goes,
    };
    let now = match clock {
        Some(clock) => Some(clock.now(likely_end, least)),
        None => told.device_clock(clocks.wall),
    };
    let guessed_end = told
        .activated_at
        .map(|start| start.saturating_add(DEFAULT_SECONDS));
    let (expires_at, left) = match (likely_end.or(guessed_end), now) {
        (Some(end), Some(now))
            if likely_end.is_some() || (LEAST_SECONDS..=DEFAULT_SECONDS).contains(&(end - now)) =>
        {
            (end, end - now)
        }
        (Some(end), None) => (end, told.whole_life()),
        (_, now) => (
            now.unwrap_or(clocks.wall).saturating_add(DEFAULT_SECONDS),
            DEFAULT_SECONDS,
        ),
    };
    let left = Duration::from_secs(u64::try_from(left).unwrap_or(0));
    let times = Times {
        activated_at: told.activated_at.unwrap_or(0),
        expires_at,
        ends_at: clocks.sent_at.saturating_add(left),
    };
    (times, life)
}

impl Told {
    /// Removes invalid times.
    fn that_can_be_meant(self) -> Self {
        let activated_at = self.activated_at.and_then(sane);
        Self {
            activated_at,
            expires_at: self
                .expires_at
                .and_then(sane)
                .filter(|end| activated_at.is_none_or(|start| start < *end)),
            date: self.date.and_then(sane),
            issued_at: self.issued_at.and_then(sane),
        }
    }

    /// Returns the server's clock, from `Date` and from the token's `iat`.
    ///
    /// If they differ, the times of the session tell which one is wrong: the server does not return
    /// a session before its start or long after its end. If both are possible, or only `Date`
    /// exists, the device's clock decides.
    fn server_clock(&self, wall: i64, least: i64) -> Option<ServerClock> {
        let is_like_wall = |clock: i64| agree(clock, wall);
        match (self.date, self.issued_at) {
            (Some(date), Some(issued_at)) if agree(date, issued_at) => {
                Some(ServerClock::of_two(date, issued_at, issued_at))
            }
            (date, issued_at) => {
                let fits = |clock: &i64| self.fits(*clock);
                match (date.filter(fits), issued_at.filter(fits)) {
                    (Some(date), Some(issued_at)) if is_like_wall(date) => {
                        Some(ServerClock::of_two(date, issued_at, date))
                    }
                    (Some(date), Some(issued_at)) => {
                        Some(ServerClock::of_two(date, issued_at, issued_at))
                    }
                    // The server has signed this time.
                    (None, Some(issued_at)) => Some(ServerClock::of_one(issued_at, true)),
                    (Some(date), None) => Some(self.of_date(date, wall, least)),
                    (None, None) => date
                        .or(issued_at)
                        .filter(|clock| self.is_past_the_end(*clock))
                        .map(|clock| self.of_date(clock, wall, least)),
                }
            }
        }
    }

    fn fits(&self, clock: i64) -> bool {
        self.activated_at
            .is_none_or(|start| start - TOLERANCE.cast_signed() <= clock)
            && self
                .expires_at
                .is_none_or(|end| clock <= end + REAPED_WITHIN)
    }

    fn is_past_the_end(&self, clock: i64) -> bool {
        self.expires_at
            .is_some_and(|end| (0..=MOST_OVER).contains(&(clock - end)))
    }

    /// Uses `Date` alone, which may come from a proxy, unless the device's clock contradicts it.
    fn of_date(&self, date: i64, wall: i64, least: i64) -> ServerClock {
        let is_over = self.expires_at.is_some_and(|end| end - date < least);
        match self.device_clock(wall) {
            Some(wall) if is_over && !agree(date, wall) => ServerClock::of_one(wall, false),
            _ => ServerClock::of_one(date, agree(date, wall)),
        }
    }

    /// Returns the device's clock if it is within the times of the session.
    fn device_clock(&self, wall: i64) -> Option<i64> {
        let end = self.expires_at?;
        let start = self.activated_at.unwrap_or(end - DEFAULT_SECONDS);
        (start..end).contains(&wall).then_some(wall)
    }

    fn whole_life(&self) -> i64 {
        match (self.activated_at, self.expires_at) {
            (Some(start), Some(end)) => end - start,
            _ => DEFAULT_SECONDS,
        }
    }
}

impl ServerClock {
    fn of_two(one: i64, other: i64, likely: i64) -> Self {
        Self {
            earliest: one.min(other),
            latest: one.max(other),
            likely,
            is_sure: true,
        }
    }

    fn of_one(clock: i64, is_sure: bool) -> Self {
        Self {
            earliest: clock,
            latest: clock,
            likely: clock,
            is_sure,
        }
    }

    fn judge(self, end: i64, least: i64) -> Life {
        if end - self.likely >= least {
            Life::Goes
        } else if self.is_sure && end - self.earliest < least {
            Life::IsOver
        } else {
            Life::IsInDoubt
        }
    }

    /// Returns the latest time at which the session has not expired.
    fn now(self, end: Option<i64>, least: i64) -> i64 {
        match end {
            Some(end) if end - self.latest < least => self.likely,
            _ => self.latest,
        }
    }
}

/// Returns whether two clocks agree.
fn agree(one: i64, other: i64) -> bool {
    one.abs_diff(other) <= TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// A session that started 500 s ago and has 100 s left.
    const TOLD: Told = Told {
        activated_at: Some(NOW - 500),
        expires_at: Some(NOW + 100),
        date: Some(NOW),
        issued_at: Some(NOW),
    };

    fn with_wall(told: Told, wall: i64) -> (Times, Life, u64) {
        let clocks = Clocks {
            sent_at: Duration::from_secs(1000),
            now: Duration::from_secs(1004),
            wall,
        };
        let (times, life) = read(told, clocks, LEAST_SECONDS);
        (times, life, (times.ends_at - clocks.sent_at).as_secs())
    }

    /// Reads the times on a device whose clock says 1970.
    fn at(told: Told) -> (Life, u64) {
        let (_, life, left) = with_wall(told, 12);
        (life, left)
    }

    #[test]
    fn the_servers_clock_decides_and_the_devices_does_not() {
        assert_eq!(at(TOLD), (Life::Goes, 100));
        for wall in [0, NOW - 7200, NOW + 7200, i64::MAX, i64::MIN] {
            assert_eq!(with_wall(TOLD, wall).2, 100);
        }
    }

    #[test]
    fn a_session_with_under_two_seconds_is_over() {
        for (left, life) in [(2, Life::Goes), (1, Life::IsOver), (-700, Life::IsOver)] {
            let told = Told {
                expires_at: Some(NOW + left),
                activated_at: Some(NOW + left - 600),
                ..TOLD
            };
            assert_eq!(at(told).0, life, "{left}");
        }
    }

    #[test]
    fn a_slow_answer_shortens_a_session_and_does_not_end_it() {
        let told = Told {
            expires_at: Some(NOW + 5),
            ..TOLD
        };
        // Four of its five seconds have passed since the request was sent.
        assert_eq!(at(told), (Life::Goes, 5));
    }

    #[test]
    fn one_clock_that_is_wrong_ends_no_session() {
        for wrong_by in [-4000, -700, 700, 4000, 90_000] {
            for told in [
                Told {
                    date: Some(NOW + wrong_by),
                    ..TOLD
                },
                Told {
                    issued_at: Some(NOW + wrong_by),
                    ..TOLD
                },
            ] {
                assert_eq!(at(told), (Life::Goes, 100), "{told:?}");
            }
        }
    }

    #[test]
    fn where_two_clocks_nearly_agree_the_later_counts_and_both_must_say_that_it_is_over() {
        let near_its_end = Told {
            expires_at: Some(NOW + 20),
            ..TOLD
        };
        for (date, issued_at, outcome) in [
            (10, 0, (Life::Goes, 10)),
            (0, 10, (Life::Goes, 10)),
            // With the later clock, no time would be left.
            (30, 0, (Life::Goes, 20)),
            (-45, 0, (Life::Goes, 20)),
            (-35, 19, (Life::IsInDoubt, 1)),
            (0, 30, (Life::IsInDoubt, 0)),
            (21, 30, (Life::IsOver, 0)),
        ] {
            let told = Told {
                date: Some(NOW + date),
                issued_at: Some(NOW + issued_at),
                ..near_its_end
            };
            assert_eq!(at(told), outcome, "{date} {issued_at}");
        }
    }

    #[test]
    fn a_date_that_is_ahead_ends_no_session() {
        for age in [0, 300, 500, 590] {
            for ahead in [61, 90, 150, 190, 601, 640, 690, 4000] {
                for wall in [NOW, 12] {
                    let told = Told {
                        activated_at: Some(NOW - age),
                        expires_at: Some(NOW - age + 600),
                        date: Some(NOW + ahead),
                        issued_at: Some(NOW),
                    };
                    let (_, life, left) = with_wall(told, wall);
                    assert_eq!(life, Life::Goes, "{age} {ahead} {wall}");
                    assert!(left >= 2, "{age} {ahead} {wall}");
                }
            }
        }
    }

    #[test]
    fn a_sane_date_counts_before_a_token_that_is_older() {
        let told = Told {
            issued_at: Some(NOW - 500),
            ..TOLD
        };
        assert_eq!(at(told), (Life::Goes, 100));
        let told = Told {
            expires_at: Some(NOW - 10),
            ..told
        };
        assert_eq!(with_wall(told, NOW).1, Life::IsInDoubt);
    }

    #[test]
    fn the_tokens_clock_alone_is_enough_where_it_fits() {
        let told = Told { date: None, ..TOLD };
        assert_eq!(at(told), (Life::Goes, 100));
        let told = Told {
            expires_at: Some(NOW - 30),
            ..told
        };
        assert_eq!(at(told).0, Life::IsOver);
    }

    #[test]
    fn a_date_alone_ends_a_session_only_with_the_device_clock() {
        let told = Told {
            issued_at: None,
            ..TOLD
        };
        assert_eq!(at(told), (Life::Goes, 100));
        for over_by in [0, 30, 96, 3600] {
            let told = Told {
                activated_at: Some(NOW - over_by - 600),
                expires_at: Some(NOW - over_by),
                ..told
            };
            assert_eq!(with_wall(told, NOW).1, Life::IsOver, "{over_by}");
            assert_eq!(with_wall(told, 12).1, Life::IsInDoubt, "{over_by}");
        }
        for ahead in [100, 130, 189, 650, 4000] {
            let told = Told {
                date: Some(NOW + ahead),
                ..told
            };
            let (_, life, left) = with_wall(told, NOW);
            assert_eq!((life, left), (Life::Goes, 100), "{ahead}");
            assert_eq!(at(told).0, Life::IsInDoubt, "{ahead}");
        }
    }

    #[test]
    fn a_session_that_was_over_days_ago_is_over() {
        let told = Told {
            activated_at: Some(NOW - 90_600),
            expires_at: Some(NOW - 90_000),
            ..TOLD
        };
        assert_eq!(at(told).0, Life::IsOver);
    }

    #[test]
    fn the_device_clock_ends_no_session() {
        let told = Told {
            date: None,
            issued_at: None,
            ..TOLD
        };
        for (wall, left) in [
            (NOW, 100),
            (NOW - 501, 600),
            (NOW + 100, 600),
            (0, 600),
            (i64::MAX, 600),
        ] {
            let (times, life, seconds) = with_wall(told, wall);
            assert_eq!((life, seconds), (Life::Goes, left), "{wall}");
            assert_eq!(times.expires_at, NOW + 100);
        }
    }

    #[test]
    fn a_session_without_an_end_that_can_be_meant_has_600_seconds_and_is_not_over() {
        for expires_at in [
            None,
            Some(600),
            Some(-1),
            Some(i64::MAX),
            Some(NOW - 3 * 86_400),
        ] {
            let told = Told {
                activated_at: None,
                expires_at,
                ..TOLD
            };
            let (times, life, left) = with_wall(told, 12);
            assert_eq!((life, left), (Life::Goes, 600), "{expires_at:?}");
            assert_eq!(times.expires_at, NOW + 600);
        }
        let before_its_start = Told {
            activated_at: Some(NOW),
            expires_at: Some(NOW),
            ..TOLD
        };
        assert_eq!(at(before_its_start), (Life::Goes, 600));
        let nothing = Told::default();
        let (times, life, left) = with_wall(nothing, NOW);
        assert_eq!((life, left, times.expires_at), (Life::Goes, 600, NOW + 600));
    }

    #[test]
    fn a_session_that_says_only_when_it_began_has_the_rest_of_600_seconds() {
        let told = Told {
            expires_at: None,
            ..TOLD
        };
        assert_eq!(at(told), (Life::Goes, 100));
        for odd in [NOW - 700, NOW + 1, NOW + 90_000] {
            let told = Told {
                activated_at: Some(odd),
                ..told
            };
            assert_eq!(at(told), (Life::Goes, 600), "{odd}");
        }
    }
}
