//! The session that a get returns without further checks, until a given time.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use arc_swap::ArcSwapOption;

use crate::{environment::Environment, moment::Moment, session::Session};

/// The longest tick of the system's clock.
const TICK: Duration = Duration::from_millis(20);

/// The most reference counts for one session.
const MOST_SHARDS: usize = 16;

/// Any number of threads read it at once without waiting. If each has its own processor, no two
/// threads write to the same memory.
#[derive(Default)]
pub struct Published(ArcSwapOption<Edition>);

struct Edition {
    shards: Box<[Shard]>,
    until: Moment,
}

/// The session with a reference count that few threads share, in cache lines that contain nothing
/// else.
#[repr(align(128))]
struct Shard {
    session: Arc<Session>,
    /// The tick in which `until` was last compared with the clock.
    checked_at: AtomicU64,
}

impl Published {
    /// Replaces the session. `get` returns it only before its `until`.
    pub fn publish(&self, session: Option<(Session, Moment)>) {
        let edition = session.map(|(session, until)| {
            let shard = || Shard {
                // Clones of a session share its texts.
                session: Arc::new(session.clone()),
                checked_at: AtomicU64::new(0),
            };
            Arc::new(Edition {
                shards: (0..shards()).map(|_| shard()).collect(),
                until,
            })
        });
        self.0.store(edition);
    }

    /// Returns the session, if it is before its `until`.
    #[inline]
    pub fn get(&self, environment: &Environment) -> Option<Arc<Session>> {
        let edition = self.0.load();
        let edition = edition.as_ref()?;
        let shard = edition
            .shards
            .get(this_thread() & (edition.shards.len() - 1))?;
        // The clock is read once in a tick.
        let tick = (environment.tick)();
        if tick == 0 || shard.checked_at.load(Relaxed) != tick {
            let now = (environment.now)();
            if now >= edition.until {
                return None;
            }
            if now.saturating_add(TICK) < edition.until {
                shard.checked_at.store(tick, Relaxed);
            }
        }
        Some(Arc::clone(&shard.session))
    }

    /// Returns the session, also after its `until`.
    pub fn latest(&self) -> Option<Session> {
        let edition = self.0.load();
        let shard = edition.as_ref()?.shards.first()?;
        Some((*shard.session).clone())
    }
}

/// Returns the number of reference counts, a power of two.
fn shards() -> usize {
    // Not a `OnceLock`: if a fork interrupts its initialisation, it stays locked in the child.
    static SHARDS: AtomicUsize = AtomicUsize::new(0);
    match SHARDS.load(Relaxed) {
        0 => {
            let processors = thread::available_parallelism().map_or(1, usize::from);
            let shards = processors.next_power_of_two().min(MOST_SHARDS);
            SHARDS.store(shards, Relaxed);
            shards
        }
        shards => shards,
    }
}

/// Returns a number for the calling thread. Threads that start one after another get different
/// numbers.
fn this_thread() -> usize {
    static LAST: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static NUMBER: Cell<u32> = const { Cell::new(0) };
    }
    let number = match NUMBER.get() {
        0 => {
            let number = LAST.fetch_add(1, Relaxed).wrapping_add(1);
            NUMBER.set(number);
            number
        }
        number => number,
    };
    number as usize
}

#[cfg(test)]
mod tests {
    use crate::session::{Claimed, Times};

    use super::*;

    thread_local! {
        static NOW: Cell<(Moment, u64)> = const { Cell::new((Moment::ZERO, 1)) };
    }

    const IN_HAND: Environment = Environment {
        now: || NOW.get().0,
        tick: || NOW.get().1,
        wall: || 0,
        random: || 0,
    };

    fn session() -> Session {
        Session::new(b"abc", Claimed::default(), Times::default())
    }

    fn is_handed_out(published: &Published, seconds: u64, tick: u64) -> bool {
        NOW.set((Moment::from_secs(seconds), tick));
        published.get(&IN_HAND).is_some()
    }

    #[test]
    fn a_session_is_handed_out_until_its_time() {
        let published = Published::default();
        assert!(!is_handed_out(&published, 0, 1));
        published.publish(Some((session(), Moment::from_secs(10))));
        assert!(is_handed_out(&published, 0, 1));
        assert!(is_handed_out(&published, 9, 2));
        assert!(!is_handed_out(&published, 10, 3));
        assert!(published.latest().is_some());
        published.publish(None);
        assert!(!is_handed_out(&published, 0, 4));
    }

    #[test]
    fn within_a_tick_the_time_is_not_read_again() {
        let published = Published::default();
        published.publish(Some((session(), Moment::from_secs(10))));
        assert!(is_handed_out(&published, 9, 5));
        assert!(is_handed_out(&published, 99, 5), "no clock does this");
        assert!(!is_handed_out(&published, 99, 0), "without ticks");
        assert!(!is_handed_out(&published, 99, 6));
    }

    #[test]
    fn close_to_its_end_the_time_is_read_each_time() {
        let published = Published::default();
        published.publish(Some((session(), Moment::from_millis(9_010))));
        assert!(is_handed_out(&published, 9, 5));
        assert!(!is_handed_out(&published, 10, 5));
    }
}
