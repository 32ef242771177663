//! Many worlds, one for each seed.

use std::{
    env,
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
};

use super::promise::Broken;

/// Counts of events.
pub trait Tally: Debug + Default + Send {
    fn add(&mut self, other: &Self);
}

/// Runs the worlds of the first seeds on two threads. Returns the counts of all of them, or the
/// first seed that breaks a promise. It is the same seed each time, because seeds are taken in
/// order and every world runs to its end.
pub fn run_all<T: Tally>(
    seeds: u64,
    world: impl Fn(u64) -> Result<T, Broken> + Sync,
) -> Result<T, (u64, Broken)> {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut all = T::default();
        loop {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= seeds {
                return Ok(all);
            }
            match world(seed) {
                Ok(tally) => all.add(&tally),
                Err(broken) => {
                    next.store(seeds, Relaxed);
                    return Err((seed, broken));
                }
            }
        }
    };
    let (one, other) = thread::scope(|scope| {
        let other = scope.spawn(worker);
        (worker(), other.join().expect("a world does not panic"))
    });
    match (one, other) {
        (Ok(mut all), Ok(other)) => {
            all.add(&other);
            Ok(all)
        }
        (Err(one), Err(other)) => Err(if one.0 < other.0 { one } else { other }),
        (Err(broken), Ok(_)) | (Ok(_), Err(broken)) => Err(broken),
    }
}

/// Runs `SEEDS` worlds, or the default number. With `SEED` it runs that world only, and `world`
/// prints its events.
///
/// `worlds`: their name in the Makefile.
pub fn check_all<T: Tally>(
    worlds: &str,
    default: u64,
    world: impl Fn(u64, bool) -> Result<T, Broken> + Sync,
) {
    if let Some(seed) = number("SEED") {
        match world(seed, true) {
            Ok(tally) => println!("seed {seed}: {tally:?}"),
            Err(broken) => panic!("seed {seed}: {broken}"),
        }
        return;
    }
    let seeds = number("SEEDS").unwrap_or(default);
    match run_all(seeds, |seed| world(seed, false)) {
        Ok(tally) => println!("{seeds} worlds: {tally:?}"),
        Err((seed, broken)) => {
            panic!("{broken}\nrun it again: make simulate WORLDS={worlds} SEED={seed}")
        }
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}
