//! What a `Retry-After` header asks for (RFC 9110, section 10.2.3).

use crate::{decimal::Decimal, http::date::http_date};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    /// Until then, in Unix seconds.
    Date(i64),
}

/// Reads seconds or an HTTP date. Of a list the longest wait counts.
///
/// Servers also send fractions, units and signs. A part of a second is a whole one.
/// A wait that has passed is a second: to come back at once is never asked for so.
/// A number out of range is the longest wait. `None`: the value makes no sense.
pub fn read(value: &[u8]) -> Option<RetryAfter> {
    if let Some(date) = http_date(value) {
        return Some(RetryAfter::Date(date));
    }
    let text = std::str::from_utf8(value).ok()?;
    text.split([',', ';'])
        .filter_map(seconds)
        .max()
        .map(RetryAfter::Seconds)
}

fn seconds(text: &str) -> Option<u64> {
    let text = text.trim().trim_matches('"');
    let (is_past, text) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.';
    let end = text.find(|c| !is_of_number(c)).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number = Decimal::read(number)?;
    let rounded_up = number.whole.saturating_add(number.has_fraction.into());
    let seconds = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => rounded_up,
        "ms" | "msec" | "millisecond" | "milliseconds" => rounded_up.div_ceil(1000),
        "m" | "min" | "mins" | "minute" | "minutes" => rounded_up.saturating_mul(60),
        "h" | "hour" | "hours" => rounded_up.saturating_mul(3600),
        _ => return None,
    };
    Some(if is_past { 1 } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(value: &str) -> Option<u64> {
        match read(value.as_bytes()) {
            Some(RetryAfter::Seconds(seconds)) => Some(seconds),
            Some(RetryAfter::Date(_)) => panic!("{value} is a date"),
            None => None,
        }
    }

    #[test]
    fn seconds_are_waited_for_however_they_are_written() {
        for (value, seconds) in [
            ("7", 7),
            ("0", 0),
            ("007", 7),
            ("+7", 7),
            ("6.2", 7),
            ("0.5", 1),
            (".5", 1),
            ("7.", 7),
            ("7s", 7),
            ("7 seconds", 7),
            ("2 minutes", 120),
            ("1h", 3600),
            ("500ms", 1),
            ("1500 ms", 2),
            ("3, 7", 7),
            ("7, 7", 7),
            ("soon, 7", 7),
            ("7; comment", 7),
            ("\"7\"", 7),
        ] {
            assert_eq!(waits(value), Some(seconds), "{value}");
        }
    }

    #[test]
    fn a_wait_that_has_passed_is_not_at_once() {
        assert_eq!((waits("-5"), waits("-0.5")), (Some(1), Some(1)));
    }

    #[test]
    fn a_number_out_of_range_is_the_longest_wait() {
        for value in ["99999999999999999999999", "18446744073709551616"] {
            assert_eq!(waits(value), Some(u64::MAX), "{value}");
        }
        let digits = "9".repeat(400);
        assert_eq!(waits(&digits), Some(u64::MAX));
    }

    #[test]
    fn what_makes_no_sense_is_not_waited_for() {
        for value in ["", "soon", "1e3", "7 apples", "1.2.3", "--7", "NaN", "."] {
            assert_eq!(waits(value), None, "{value}");
        }
        assert_eq!(read(b"\xff"), None);
    }

    #[test]
    fn a_date_is_a_moment() {
        let date = read(b"Thu, 26 Nov 2026 21:00:00 GMT");
        assert_eq!(date, Some(RetryAfter::Date(1_795_726_800)));
    }
}
