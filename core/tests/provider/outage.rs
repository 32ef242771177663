//! The request rate of a fleet through an outage.

use std::time::Duration;

use crate::fleet::{Fleet, Rates};

fn rates(fleet: Fleet) -> Rates {
    let rates = fleet.run(1).rates(fleet);
    println!("{rates:.1?}");
    rates
}

#[test]
fn after_an_outage_a_fleet_asks_at_most_three_times_as_often_as_before() {
    let Rates {
        steady,
        in_outage,
        after,
    } = rates(Fleet::LARGE);
    assert!(after <= 3.0 * steady, "{after} of {steady}");
    // Most requests meet a dead network: each failed renewal is up to three attempts.
    assert!(in_outage <= 4.0 * steady, "{in_outage} of {steady}");
}

/// In a fleet with threads, a fifth of the providers wait with pauses of 15 s on average, and make
/// two requests each. That alone is more than five times the rate of renewals. Longer pauses would
/// reduce it, but callers would wait longer.
#[test]
fn after_an_outage_a_fleet_whose_threads_renew_asks_at_most_seven_times_as_often() {
    let Rates {
        steady,
        in_outage,
        after,
    } = rates(Fleet::WITH_THREADS);
    // The expired session, the kill, and the confirmation.
    let lifetime = Fleet::WITH_THREADS.lifetime.as_secs_f64();
    let renewals = Fleet::WITH_THREADS.providers as f64 / lifetime;
    assert!((2.8..3.2).contains(&(steady / renewals)), "{steady}");
    assert!(after <= 7.0 * steady, "{after} of {steady}");
    assert!(in_outage <= 7.0 * steady, "{in_outage} of {steady}");
}

#[test]
fn a_seed_gives_the_same_series_again() {
    let fleet = Fleet {
        providers: 50,
        lifetime: Duration::from_secs(60),
        ..Fleet::LARGE
    };
    let series = || fleet.run(7).seconds().collect::<Vec<_>>();
    let one = series();
    assert!(one.iter().map(|(_, requests)| requests).sum::<u64>() > 1000);
    assert_eq!(one, series());
}
