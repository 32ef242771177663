//! The system's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads a clock that never jumps and runs while the device is suspended,
/// counted from an arbitrary moment.
///
/// A session expires on the server while a phone sleeps. By a clock that stops
/// in sleep it would seem alive.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub fn since_boot() -> Duration {
    // Apple's CLOCK_MONOTONIC runs during sleep (CLOCK_UPTIME_RAW stops). On
    // Linux that is CLOCK_BOOTTIME.
    #[cfg(target_vendor = "apple")]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    #[cfg(not(target_vendor = "apple"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_BOOTTIME;

    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a valid timespec to write to, and the clock exists on
    // every kernel that this target supports.
    unsafe { libc::clock_gettime(CLOCK, &mut now) };
    Duration::new(
        now.tv_sec.try_into().unwrap_or(0),
        now.tv_nsec.try_into().unwrap_or(0),
    )
}

/// Returns a number that is another after each tick of the system's clock, some
/// milliseconds later, and after each suspend. 0: the system has none.
///
/// Reading it takes a quarter of the time that [`since_boot`] takes. A suspend leaves
/// another number because the kernel brings the clock up to date when it begins.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn tick() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: as above.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut now) };
    (now.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(now.tv_nsec as u64)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn tick() -> u64 {
    0
}

/// Reads the best portable clock. On Windows it runs during sleep, on other
/// systems it may stop.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn since_boot() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Reads the device's wall clock in Unix seconds. Users set it as they like, so
/// it is the last resort.
pub fn wall() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
