//! The clock of the sandbox. It has no other source of time, so that a test can change the time
//! instead of sleeping.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The machine's clock plus an offset.
#[derive(Debug)]
pub struct Clock {
    skew_seconds: AtomicI64,
}

impl Clock {
    pub fn new(skew_seconds: i64) -> Self {
        Clock {
            skew_seconds: AtomicI64::new(skew_seconds),
        }
    }

    pub fn set_skew(&self, seconds: i64) {
        self.skew_seconds.store(seconds, Ordering::SeqCst);
    }

    pub fn skew(&self) -> i64 {
        self.skew_seconds.load(Ordering::SeqCst)
    }

    /// Returns Unix seconds.
    pub fn now(&self) -> i64 {
        let machine = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        i64::try_from(machine)
            .unwrap_or(i64::MAX)
            .saturating_add(self.skew())
    }
}

/// Returns the value of a `Date` header. The header only allows the years 1970 to 9999, so other
/// times are limited to that range.
pub fn http_date(unix: i64) -> String {
    const LAST: u64 = 253_402_300_799;
    let seconds = u64::try_from(unix).unwrap_or(0).min(LAST);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Returns a time as `2026-11-23 16:51:09`, the format of older servers.
pub fn formatted(unix: i64) -> String {
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// Returns year, month and day with Howard Hinnant's `civil_from_days`. Years start in March, so
/// that the leap day is the last day.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formatted_times_agree_with_the_recorded_date_header() {
        assert_eq!(formatted(1_795_452_669), "2026-11-23 16:51:09");
        assert_eq!(http_date(1_795_452_669), "Mon, 23 Nov 2026 16:51:09 GMT");
    }

    #[test]
    fn formatted_times_know_leap_days_and_the_time_before_1970() {
        assert_eq!(formatted(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(formatted(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn a_date_header_can_be_written_for_any_skew() {
        assert_eq!(http_date(-5), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn the_skew_moves_the_clock() {
        let clock = Clock::new(0);
        let before = clock.now();
        clock.set_skew(-86_400);
        assert!((before - clock.now() - 86_400).abs() <= 1);
    }
}
