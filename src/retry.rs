//! When a failed attempt is worth another, and how long to wait for it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::error::Error;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long to wait after the `failures`-th failure; `random` is uniform over
/// all values of its type.
///
/// Full jitter: callers that failed together do not come back together. What
/// the server asks for comes first, with a little jitter for the same reason.
pub(crate) fn wait(error: &Error, failures: u32, random: u32) -> Duration {
    let longest = FIRST_WAIT
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_WAIT);
    let share = |of: Duration| of.mul_f64(f64::from(random) / f64::from(u32::MAX));
    match error.retry_after {
        Some(asked) => asked.saturating_add(share(FIRST_WAIT)),
        None => share(longest),
    }
}

/// Keeps an outage from being multiplied: in any minute, retries add at most a
/// tenth to a client's calls, or two where that is more.
#[derive(Default)]
pub(crate) struct Budget(Mutex<Minute>);

#[derive(Default)]
struct Minute {
    began: Duration,
    calls: u32,
    retries: u32,
}

impl Budget {
    const LENGTH: Duration = Duration::from_secs(60);
    const AT_LEAST: u32 = 2;
    const CALLS_PER_RETRY: u32 = 10;

    pub(crate) fn count_call(&self, now: Duration) {
        self.with(now, |minute| minute.calls = minute.calls.saturating_add(1));
    }

    /// Whether one more retry is within the budget; if so it is spent.
    pub(crate) fn spend(&self, now: Duration) -> bool {
        self.with(now, |minute| {
            let allowed = (minute.calls / Self::CALLS_PER_RETRY).max(Self::AT_LEAST);
            let within = minute.retries < allowed;
            minute.retries += u32::from(within);
            within
        })
    }

    fn with<T>(&self, now: Duration, change: impl FnOnce(&mut Minute) -> T) -> T {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(minute.began) >= Self::LENGTH {
            *minute = Minute {
                began: now,
                ..Minute::default()
            };
        }
        change(&mut minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn failed(retry_after: Option<u64>) -> Error {
        Error {
            retry_after: retry_after.map(Duration::from_secs),
            ..Error::new(Status::Server, "x")
        }
    }

    #[test]
    fn waits_double_from_200_ms_to_5_s_with_full_jitter() {
        let longest: Vec<u128> = (1..=7)
            .map(|failures| wait(&failed(None), failures, u32::MAX).as_millis())
            .collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(wait(&failed(None), 3, 0), Duration::ZERO);
        assert_eq!(wait(&failed(None), u32::MAX, u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn what_the_server_asks_for_is_the_least_wait() {
        assert_eq!(wait(&failed(Some(7)), 1, 0), Duration::from_secs(7));
        assert!(wait(&failed(Some(7)), 1, u32::MAX) <= Duration::from_millis(7200));
        assert!(wait(&failed(Some(u64::MAX)), 1, u32::MAX) >= Duration::from_secs(u64::MAX));
    }

    #[test]
    fn under_an_outage_retries_add_at_most_a_tenth_in_a_minute() {
        let budget = Budget::default();
        for per_minute in [60, 600, 6000_u32] {
            let mut retries = 0;
            for call in 0..per_minute {
                let now = Duration::from_secs(3600 * u64::from(per_minute))
                    + Duration::from_secs(59) * call / per_minute;
                budget.count_call(now);
                retries += u32::from(budget.spend(now)) + u32::from(budget.spend(now));
            }
            assert!(retries * 10 <= per_minute, "{retries} of {per_minute}");
            assert!(retries >= per_minute / 10 - 1, "{retries} of {per_minute}");
        }
    }

    #[test]
    fn a_lone_call_may_use_all_its_attempts_every_minute() {
        let budget = Budget::default();
        for minute in 1..5 {
            let now = Duration::from_secs(61 * minute);
            budget.count_call(now);
            assert!(budget.spend(now) && budget.spend(now));
            assert!(!budget.spend(now));
        }
    }
}
