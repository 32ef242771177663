//! Whole worlds in virtual time: callers in one or more processes, a server that behaves like the
//! real one, a network that loses, delays and breaks connections, and a device that sleeps. Each
//! world is generated from one seed, and the same seed gives the same world.
//!
//! `SEEDS=100000` runs this many worlds. `SEED=42` runs one world and prints its events.

mod caller;
mod network;
mod promises;
mod server;
mod world;
#[allow(
    dead_code,
    reason = "the worlds of providers need more kinds of numbers"
)]
#[path = "../worlds/mod.rs"]
mod worlds;

use world::{Sabotage, Tally, World};
use worlds::{promise::Broken, seeds};

const DEFAULT_SEEDS: u64 = 2000;

fn run_all(seeds: u64, sabotage: Sabotage) -> Result<Tally, (u64, Broken)> {
    seeds::run_all(seeds, |seed| World::run(seed, sabotage, false))
}

#[test]
fn every_promise_is_kept_in_every_world() {
    seeds::check_all("simulation", DEFAULT_SEEDS, |seed, is_told| {
        World::run(seed, Sabotage::None, is_told)
    });
}

#[test]
fn the_worlds_are_not_empty() {
    let tally = run_all(500, Sabotage::None).unwrap_or_else(|(seed, broken)| {
        panic!("seed {seed}: {broken}");
    });
    for (what, count) in [
        ("sessions", tally.sessions),
        ("errors", tally.errors),
        ("calls that ran out of time", tally.timeouts),
        ("retries", tally.retries),
        ("shared outcomes", tally.shared),
        ("kills", tally.kills),
        ("resent requests", tally.resent),
        ("sessions that had expired on arrival", tally.expired),
        ("ghosts", tally.ghosts),
        ("kept connections", tally.kept),
    ] {
        assert!(count >= 10, "only {count} {what} in 500 worlds");
    }
}

#[test]
fn a_seed_gives_the_same_world_again() {
    for seed in 0..50 {
        let one = World::run(seed, Sabotage::None, false).unwrap();
        let other = World::run(seed, Sabotage::None, false).unwrap();
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "seed {seed}");
    }
}

/// Checks that a deliberate defect is found within a few thousand worlds.
fn is_found(sabotage: Sabotage, promise: &str) {
    match run_all(20_000, sabotage) {
        Ok(_) => panic!("{sabotage:?} is not found"),
        Err((_, broken)) => assert_eq!(broken.promise, promise, "{broken}"),
    }
}

#[test]
fn a_second_kill_is_found() {
    is_found(Sabotage::SecondKill, promises::ONE_KILL);
}

#[test]
fn a_follower_with_an_older_outcome_is_found() {
    is_found(Sabotage::OlderOutcome, promises::NO_OLDER_OUTCOME);
}

#[test]
fn a_retry_beyond_the_deadline_is_found() {
    is_found(Sabotage::LateRetry, promises::NO_LATE_RETRY);
}

#[test]
fn a_session_a_second_after_its_end_is_found() {
    is_found(Sabotage::ExpiredSession, promises::NOT_EXPIRED);
}

#[test]
fn a_ghost_of_our_making_is_found() {
    is_found(Sabotage::NoSingleFlight, promises::NO_GHOST);
}

#[test]
fn a_strangers_session_is_found() {
    is_found(Sabotage::ForeignSession, promises::NOT_FOREIGN);
}

#[test]
fn retries_without_a_budget_are_found() {
    is_found(Sabotage::NoBudget, promises::BUDGET);
}

#[test]
fn a_call_that_asks_for_what_it_waited_for_is_found() {
    is_found(Sabotage::OneByOne, promises::ONE_REQUEST);
}

#[test]
fn a_call_that_ends_by_anothers_limits_is_found() {
    is_found(Sabotage::SharedLimits, promises::OWN_LIMITS);
}
