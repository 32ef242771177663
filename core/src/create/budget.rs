//! The retry budget of a client.

use std::{sync::MutexGuard, time::Duration};

use crate::{lock::Lock, moment::Moment};

/// Limits the retries of a client, so that they do not multiply the load of an outage.
///
/// Retries add at most a tenth to the calls of the last minute, or two retries if that is more.
/// They may also add at most a tenth to the calls of the last quarter of that minute. So the first
/// seconds of an outage do not use up the whole minute, and a few calls do not use up the budget
/// that many earlier calls have left.
#[derive(Default)]
pub struct Budget(Lock<Recent>);

/// Calls and retries of the last minute, in slices of time.
#[derive(Default)]
struct Recent {
    /// The number of the current slice, counted from boot.
    slice: u64,
    /// The current slice first.
    counts: [Count; Budget::SLICES + 1],
}

impl Recent {
    fn calls(&self, slices: usize) -> u32 {
        let calls = self.counts[..slices].iter().map(|count| count.calls);
        calls.fold(0, u32::saturating_add)
    }

    fn retries(&self, slices: usize) -> u32 {
        self.counts[..slices]
            .iter()
            .map(|count| count.retries)
            .sum()
    }
}

#[derive(Clone, Copy, Default)]
struct Count {
    calls: u32,
    retries: u32,
}

impl Budget {
    const SLICE: Duration = Duration::from_secs(5);
    /// The slices of a minute. The current slice is not one of them.
    const SLICES: usize = 12;
    /// A quarter of a minute: how long a call takes to fail with the default time limit.
    const QUARTER: usize = 3;
    const AT_LEAST: u32 = 2;
    const CALLS_PER_RETRY: u32 = 10;

    pub fn count_call(&self, now: Moment) {
        let mut recent = self.at(now);
        recent.counts[0].calls = recent.counts[0].calls.saturating_add(1);
    }

    /// Spends one retry. Returns whether it is within the budget.
    pub fn spend(&self, now: Moment) -> bool {
        let mut recent = self.at(now);
        let is_within = recent.retries(Self::SLICES + 1) < Self::AT_LEAST
            // Calls are counted without the oldest slice, and retries with it.
            || [Self::SLICES, Self::QUARTER].into_iter().all(|slices| {
                recent.retries(slices + 1) < recent.calls(slices) / Self::CALLS_PER_RETRY
            });
        recent.counts[0].retries += u32::from(is_within);
        is_within
    }

    fn at(&self, now: Moment) -> MutexGuard<'_, Recent> {
        let mut recent = self.0.hold();
        let slice = now.as_secs() / Self::SLICE.as_secs();
        let passed = slice.saturating_sub(recent.slice);
        if passed > 0 {
            recent.slice = slice;
            let passed = usize::try_from(passed)
                .unwrap_or(usize::MAX)
                .min(Self::SLICES + 1);
            recent.counts.rotate_right(passed % (Self::SLICES + 1));
            recent.counts[..passed].fill(Count::default());
        }
        recent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how often each call of an outage is retried, at a steady rate of calls. Before the
    /// outage, calls succeed for `seconds_before`.
    fn outage(per_minute: u32, seconds_before: u32) -> Vec<(Duration, u32)> {
        let budget = Budget::default();
        let between = Duration::from_secs(60) / per_minute;
        let mut now = Duration::from_secs(1_000_003);
        let begins = now + Duration::from_secs(seconds_before.into());
        let mut retried = Vec::new();
        while now < begins + Duration::from_secs(150) {
            budget.count_call(now);
            if now >= begins {
                retried.push((
                    now,
                    u32::from(budget.spend(now)) + u32::from(budget.spend(now)),
                ));
            }
            now += between;
        }
        retried
    }

    #[test]
    fn in_any_minute_of_an_outage_retries_add_at_most_a_tenth() {
        for per_minute in [20, 60, 100, 600, 6000_u32] {
            for seconds_before in [0, 7, 30, 59, 120] {
                let retried = outage(per_minute, seconds_before);
                for (from, _) in retried.iter().step_by(per_minute as usize / 20) {
                    let minute = |(at, _): &&(Duration, u32)| {
                        at >= from && *at < *from + Duration::from_secs(60)
                    };
                    let retries: u32 = retried.iter().filter(minute).map(|(_, count)| count).sum();
                    assert!(retries * 10 <= per_minute, "{retries} of {per_minute}");
                }
                let all: u32 = retried.iter().map(|(_, count)| count).sum();
                assert!(all * 10 >= per_minute, "{all} of {per_minute}");
            }
        }
    }

    #[test]
    fn the_first_seconds_of_an_outage_do_not_use_up_the_minute() {
        let retried = outage(600, 120);
        let early: u32 = retried[..100].iter().map(|(_, count)| count).sum();
        assert!((5..=25).contains(&early), "{early} retries of 100 calls");
    }

    #[test]
    fn a_few_calls_do_not_spend_what_many_before_them_have_left() {
        let budget = Budget::default();
        let mut now = Duration::from_secs(1_000_000);
        for _ in 0..600 {
            budget.count_call(now);
            now += Duration::from_millis(100);
        }
        now += Duration::from_secs(20);
        let mut retries = 0;
        for _ in 0..12 {
            budget.count_call(now);
            retries += u32::from(budget.spend(now)) + u32::from(budget.spend(now));
            now += Duration::from_secs(3);
        }
        assert_eq!(retries, 2);
    }

    #[test]
    fn many_calls_that_fail_late_together_have_their_tenth() {
        let budget = Budget::default();
        let now = Duration::from_secs(1_000_001);
        (0..1000).for_each(|_| budget.count_call(now));
        let later = now + Duration::from_secs(5);
        let retries = (0..1000).filter(|_| budget.spend(later)).count();
        assert_eq!(retries, 100);
    }

    #[test]
    fn a_lone_call_may_use_all_its_attempts_every_minute() {
        let budget = Budget::default();
        for minute in 1..5 {
            let now = Duration::from_secs(66 * minute);
            budget.count_call(now);
            assert!(budget.spend(now) && budget.spend(now));
            assert!(!budget.spend(now));
        }
    }
}
