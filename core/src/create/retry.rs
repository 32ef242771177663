//! How long to wait before another attempt.

use std::time::Duration;

use crate::error::Error;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Returns how long to wait after the `failures`-th failure. `random` is uniform
/// over all values of its type.
///
/// The jitter is full: callers that failed together do not come back together. A
/// wait that the server asks for is the least, with a little jitter for the same
/// reason.
pub fn wait(error: &Error, failures: u32, random: u32) -> Duration {
    let longest = FIRST_WAIT
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_WAIT);
    let share = |of: Duration| of.mul_f64(f64::from(random) / f64::from(u32::MAX));
    match error.retry_after {
        Some(asked) => asked.saturating_add(share(FIRST_WAIT)),
        None => share(longest),
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
}
