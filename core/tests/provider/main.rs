//! Whole providers in virtual time: the processes of one or two devices, each with a keeper that
//! drives real calls, and a server that knows addresses. Networks fail, devices sleep and move,
//! wall clocks are wrong, processes die or are short-lived, and rival processes renew the same
//! session. The processes of a device may share a directory with a lock and the stored session.
//! Each world is generated from one seed, and the same seed gives the same world.
//!
//! `SEEDS=100000` runs this many worlds. `SEED=42` runs one world and prints its events.

mod checks;
mod fleet;
mod network;
mod outage;
mod process;
mod promises;
mod server;
mod store;
mod strict;
mod world;
#[path = "../worlds/mod.rs"]
mod worlds;

use world::{Sabotage, Tally, World};
use worlds::{promise::Broken, seeds};

const DEFAULT_SEEDS: u64 = 500;

fn run_all(seeds: u64, sabotage: Sabotage) -> Result<Tally, (u64, Broken)> {
    seeds::run_all(seeds, |seed| World::run(seed, sabotage, false))
}

#[test]
fn every_promise_is_kept_in_every_world() {
    seeds::check_all("provider", DEFAULT_SEEDS, |seed, is_told| {
        World::run(seed, Sabotage::None, is_told)
    });
}

#[test]
fn the_worlds_are_not_empty() {
    let tally = run_all(200, Sabotage::None).unwrap_or_else(|(seed, broken)| {
        panic!("seed {seed}: {broken}");
    });
    for (what, count) in [
        ("sessions", tally.handed),
        ("warm calls", tally.warm),
        ("errors", tally.errors),
        ("kills", tally.kills),
        ("ghosts", tally.ghosts),
        ("sessions that were over and alive", tally.over_and_alive),
        ("older sessions", tally.older),
        ("refusals", tally.refusals),
        ("calls that another took over", tally.takeovers),
        ("sessions after the trouble", tally.recovered),
        ("processes that live briefly", tally.brief),
        ("stored sessions", tally.stored),
        (
            "stored sessions that have to be confirmed",
            tally.stored_in_doubt,
        ),
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
    match run_all(2000, sabotage) {
        Ok(_) => panic!("{sabotage:?} is not found"),
        Err((_, broken)) => assert_eq!(broken.promise, promise, "{broken}"),
    }
}

#[test]
fn processes_that_do_not_wait_for_the_lock_are_found() {
    is_found(Sabotage::NoLock, promises::ONE_KILL);
}

#[test]
fn a_ghost_that_is_never_confirmed_is_found() {
    is_found(Sabotage::NoConfirmation, promises::NO_LONG_GHOST);
}

#[test]
fn a_token_with_too_little_left_is_found() {
    is_found(Sabotage::LateClock, promises::MIN_VALID);
}

#[test]
fn a_provider_that_asks_too_often_is_found() {
    is_found(Sabotage::Impatient, promises::PACE);
}

#[test]
fn an_error_in_spite_of_a_good_token_is_found() {
    is_found(Sabotage::ErrorFirst, promises::NO_ERROR);
}

#[test]
fn a_ghost_before_an_older_token_is_found() {
    is_found(Sabotage::NewestFirst, promises::OLDER_FIRST);
}

#[test]
fn a_refused_token_that_comes_again_is_found() {
    is_found(Sabotage::DeafToRefusals, promises::NOT_AGAIN);
}

#[test]
fn a_provider_that_gives_up_is_found() {
    is_found(Sabotage::GivesUp, promises::RECOVERS);
}

#[test]
fn a_provider_that_does_not_wait_as_asked_is_found() {
    is_found(Sabotage::Hasty, promises::RETRY_AFTER);
}

#[test]
fn a_token_that_is_over_and_not_known_to_live_is_found() {
    is_found(Sabotage::Untold, promises::OVER_AND_ALIVE);
}

#[test]
fn a_warm_call_that_is_warm_too_long_is_found() {
    is_found(Sabotage::StaleWarm, promises::SAME_WARM);
}

#[test]
fn a_stored_ghost_that_counts_as_confirmed_is_found() {
    is_found(Sabotage::StoredAreConfirmed, promises::NO_LONG_GHOST);
}

#[test]
fn a_stored_ghost_that_is_new_to_every_process_is_found() {
    is_found(Sabotage::StoredAreNew, promises::NO_LONG_GHOST);
}
