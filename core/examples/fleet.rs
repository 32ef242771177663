//! Prints how many requests ten thousand providers make in each second, through an outage of two
//! minutes: `second,asked_once_a_minute,with_threads`. A summary goes to stderr.

#[path = "../tests/provider/fleet.rs"]
mod fleet;
#[allow(dead_code, reason = "the simulations need more of it")]
#[path = "../tests/worlds/mod.rs"]
mod worlds;

use fleet::{Fleet, Rates};

fn main() {
    let fleets = [Fleet::LARGE, Fleet::WITH_THREADS];
    let [large, with_threads] = fleets.map(|fleet| {
        let series = fleet.run(1);
        let Rates {
            steady,
            in_outage,
            after,
        } = series.rates(fleet);
        eprintln!("{steady:.1} a second, {in_outage:.1} in the outage, {after:.1} after it");
        series
    });
    println!("second,asked_once_a_minute,with_threads");
    for ((second, requests), (_, of_threads)) in large.seconds().zip(with_threads.seconds()) {
        println!("{second},{requests},{of_threads}");
    }
}
