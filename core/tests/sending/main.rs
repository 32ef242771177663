//! Requests with a session in virtual time: many callers with one provider, a server that starts,
//! is overloaded and ends sessions, and a network that loses requests and answers. Each world is
//! generated from one seed, and the same seed gives the same world.
//!
//! `SEEDS=100000` runs this many worlds. `SEED=42` runs one world and prints its events.

mod caller;
mod promises;
mod server;
mod world;
#[path = "../worlds/mod.rs"]
mod worlds;

use world::{Sabotage, Tally, World};
use worlds::{promise::Broken, seeds};

const DEFAULT_SEEDS: u64 = 1000;

fn run_all(seeds: u64, sabotage: Sabotage) -> Result<Tally, (u64, Broken)> {
    seeds::run_all(seeds, |seed| World::run(seed, sabotage, false))
}

#[test]
fn every_promise_is_kept_in_every_world() {
    seeds::check_all("sending", DEFAULT_SEEDS, |seed, is_told| {
        World::run(seed, Sabotage::None, is_told)
    });
}

#[test]
fn the_worlds_are_not_empty() {
    let tally = run_all(200, Sabotage::None).unwrap_or_else(|(seed, broken)| {
        panic!("seed {seed}: {broken}");
    });
    for (what, count) in [
        ("responses", tally.responses),
        ("errors", tally.errors),
        ("requests that went out again", tally.again),
        ("dead kept connections", tally.dead),
        ("sessions that were refused", tally.refused),
        ("renewals", tally.renewals),
        ("waits that the server asked for", tally.asked),
        ("answers that were lost", tally.lost),
        ("errors of what may have been carried out", tally.open),
    ] {
        assert!(count >= 10, "only {count} {what} in 200 worlds");
    }
}

#[test]
fn a_seed_gives_the_same_world_again() {
    for seed in 0..20 {
        let one = World::run(seed, Sabotage::None, false).unwrap();
        let other = World::run(seed, Sabotage::None, false).unwrap();
        assert_eq!(format!("{one:?}"), format!("{other:?}"), "seed {seed}");
    }
}

/// Checks that a deliberate defect is found within a few hundred worlds.
fn is_found(sabotage: Sabotage, promise: &str) {
    match run_all(1000, sabotage) {
        Ok(_) => panic!("{sabotage:?} is not found"),
        Err((_, broken)) => assert_eq!(broken.promise, promise, "{broken}"),
    }
}

#[test]
fn a_forbidden_repetition_is_found() {
    is_found(Sabotage::RepeatsAll, promises::AT_MOST_ONCE);
}

#[test]
fn a_part_that_counts_as_the_whole_is_found() {
    is_found(Sabotage::NeverWhole, promises::AT_MOST_ONCE);
}

#[test]
fn a_renewal_for_each_caller_is_found() {
    is_found(Sabotage::RefusesAny, promises::ONE_RENEWAL);
}

#[test]
fn a_caller_that_does_not_wait_as_asked_is_found() {
    is_found(Sabotage::Hasty, promises::RETRY_AFTER);
}

#[test]
fn an_error_that_hides_what_may_have_happened_is_found() {
    is_found(Sabotage::Silent, promises::SAYS_SO);
}
