//! The idle connections, as data.

use crate::moment::Moment;

/// The longest time that a connection may be idle. Servers close a connection after 5 to 6 s
/// without a request. After a longer time, it may be dead without notice (a suspended device, a
/// router that has forgotten it), and a request on it would wait for the whole time limit.
pub const MAX_REST: Moment = Moment::from_millis(4500);

/// A connection that was used within this time is almost certainly alive.
pub const JUST_USED: Moment = Moment::from_millis(1000);

/// The most connections that are kept.
pub const MAX_RESTING: usize = 32;

/// The connections, with the one that was used last at the end.
pub struct Resting<C>(Vec<Rests<C>>);

struct Rests<C> {
    connection: C,
    since: Moment,
    /// The thread that used it last, whose caches may still contain its data.
    thread: usize,
}

impl<C> Default for Resting<C> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<C> Resting<C> {
    /// Takes the connection that `thread` used last or, without one, the connection that was used
    /// last. Also returns those that have been idle too long. Drop these without a lock, because
    /// closing takes system calls.
    pub fn take(&mut self, thread: usize, now: Moment) -> (Option<C>, Vec<C>) {
        self.take_within(MAX_REST, thread, now)
    }

    /// Does the same as [`take`](Self::take), with a connection that has been idle for `most` at
    /// most.
    pub fn take_within(&mut self, most: Moment, thread: usize, now: Moment) -> (Option<C>, Vec<C>) {
        let tired = self.take_tired(now);
        let will_do = |rests: &Rests<C>| now.saturating_sub(rests.since) <= most;
        let own = self
            .0
            .iter()
            .rposition(|rests| rests.thread == thread && will_do(rests));
        let found = own.or_else(|| self.0.iter().rposition(will_do));
        (found.map(|at| self.0.remove(at).connection), tired)
    }

    /// Keeps a connection for later calls. Returns the connections to drop.
    pub fn put(&mut self, connection: C, thread: usize, now: Moment) -> Vec<C> {
        let mut tired = self.take_tired(now);
        if self.0.len() >= MAX_RESTING {
            tired.push(self.0.remove(0).connection);
        }
        self.0.push(Rests {
            connection,
            since: now,
            thread,
        });
        tired
    }

    /// Takes the connections that have been idle too long.
    pub fn take_tired(&mut self, now: Moment) -> Vec<C> {
        // They are only nearly in order of time: calls may end in another order than they read the
        // time.
        let is_tired = |rests: &Rests<C>| now.saturating_sub(rests.since) > MAX_REST;
        let mut tired = Vec::new();
        while let Some(at) = self.0.iter().position(is_tired) {
            tired.push(self.0.remove(at).connection);
        }
        tired
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    #[test]
    fn a_thread_gets_the_connection_that_it_used_last() {
        let mut resting = Resting::default();
        resting.put("one", 1, ms(0));
        resting.put("two", 2, ms(1));
        resting.put("three", 3, ms(2));
        assert_eq!(resting.take(2, ms(3)).0, Some("two"));
        assert_eq!(resting.take(2, ms(3)).0, Some("three"));
        assert_eq!(resting.take(2, ms(3)).0, Some("one"));
        assert_eq!(resting.take(2, ms(3)).0, None);
    }

    #[test]
    fn a_connection_that_rested_too_long_is_not_used() {
        let mut resting = Resting::default();
        resting.put("old", 1, ms(0));
        resting.put("new", 1, ms(4000));
        let (found, tired) = resting.take(1, ms(4501));
        assert_eq!((found, tired), (Some("new"), vec!["old"]));
    }

    #[test]
    fn a_connection_that_rested_too_long_is_found_behind_a_fresh_one() {
        let mut resting = Resting::default();
        resting.put("new", 1, ms(4000));
        resting.put("old", 2, ms(0));
        let (found, tired) = resting.take(2, ms(4501));
        assert_eq!((found, tired), (Some("new"), vec!["old"]));
    }

    #[test]
    fn one_that_was_just_used_is_found_behind_others() {
        let mut resting = Resting::default();
        resting.put("own", 1, ms(0));
        resting.put("other", 2, ms(1000));
        resting.put("own again", 1, ms(500));
        let mut take = |now| resting.take_within(JUST_USED, 1, now).0;
        assert_eq!(take(ms(1600)), Some("other"));
        assert_eq!(take(ms(1600)), None);
        assert_eq!(take(ms(1500)), Some("own again"));
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut resting = Resting::default();
        for number in 0..MAX_RESTING {
            assert!(resting.put(number, number, ms(0)).is_empty());
        }
        assert_eq!(resting.put(99, 99, ms(0)), [0]);
    }
}
