//! The wait before the next attempt.

use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Returns the wait after the `failures`-th failure. `random` is uniform over all values of its
/// type.
///
/// The jitter is full, so that callers that failed together do not retry together. If the server
/// asks for a wait, that is the minimum, with a little jitter for the same reason.
pub fn wait(asked: Option<Duration>, failures: u32, random: u32) -> Duration {
    let longest = FIRST_WAIT
        .saturating_mul(1 << failures.saturating_sub(1).min(16))
        .min(LONGEST_WAIT);
    let share = |of: Duration| of.mul_f64(f64::from(random) / f64::from(u32::MAX));
    match asked {
        Some(asked) => asked.saturating_add(share(FIRST_WAIT)),
        None => share(longest),
    }
}

/// Returns the wait after a server has answered for the `times`-th time that it is starting. It
/// starts within seconds, and many clients wait for it.
pub fn wait_for_start(asked: Option<Duration>, times: u32, random: u32) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(300);
    const LONGEST: Duration = Duration::from_secs(3);
    let longest = SHORTEST.saturating_mul(1 << times.min(16)).min(LONGEST);
    let share = f64::from(random) / f64::from(u32::MAX);
    let wait = SHORTEST + (longest - SHORTEST).mul_f64(share);
    wait.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn waits_double_from_200_ms_to_5_s_with_full_jitter() {
        let longest: Vec<u128> = (1..=7)
            .map(|failures| wait(None, failures, u32::MAX).as_millis())
            .collect();
        assert_eq!(longest, [200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(wait(None, 3, 0), Duration::ZERO);
        assert_eq!(wait(None, u32::MAX, u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn the_servers_retry_after_is_the_least_wait() {
        assert_eq!(wait(asked(7), 1, 0), Duration::from_secs(7));
        assert!(wait(asked(7), 1, u32::MAX) <= Duration::from_millis(7200));
        assert!(wait(asked(u64::MAX), 1, u32::MAX) >= Duration::from_secs(u64::MAX));
    }

    #[test]
    fn a_starting_server_is_asked_again_after_300_ms_to_3_s() {
        let waits = |random| {
            [1, 2, 3, 4, u32::MAX].map(|times| wait_for_start(None, times, random).as_millis())
        };
        assert_eq!(waits(0), [300; 5]);
        assert_eq!(waits(u32::MAX), [600, 1200, 2400, 3000, 3000]);
        let asked = wait_for_start(asked(7), 1, 0);
        assert_eq!(asked, Duration::from_secs(7));
    }
}
