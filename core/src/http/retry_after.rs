//! The `Retry-After` header (RFC 9110, section 10.2.3).

use crate::http::date::http_date;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    Seconds(u64),
    /// A date, in Unix seconds.
    Date(i64),
}

/// Reads seconds or an HTTP date. In a list, the longest wait counts.
///
/// Servers also send fractions, units and signs. A fraction is rounded up. An unknown unit counts
/// as seconds. A negative number is one second: the server does not ask for an immediate retry. A
/// number out of range is the longest wait. Returns `None` for other values.
pub fn read(value: &[u8]) -> Option<RetryAfter> {
    if let Some(date) = http_date(value) {
        return Some(RetryAfter::Date(date));
    }
    let text = std::str::from_utf8(value).ok()?;
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    // Do not read the numbers of an invalid date as seconds.
    if DAYS.iter().any(|day| text.starts_with(day)) {
        return None;
    }
    text.split([',', ';'])
        .filter_map(seconds)
        .max()
        .map(RetryAfter::Seconds)
}

impl RetryAfter {
    /// Returns the longer of two waits. Dates cannot be compared, so the first one counts.
    pub fn or_longer(self, other: Self) -> Self {
        match (self, other) {
            (RetryAfter::Seconds(one), RetryAfter::Seconds(other)) => {
                RetryAfter::Seconds(one.max(other))
            }
            (first, _) => first,
        }
    }
}

/// Reads `7`, `0.5`, `7 s`, `2m30s` or `PT30S`.
fn seconds(text: &str) -> Option<u64> {
    let text = text.trim().trim_matches('"');
    let (is_past, text) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let mut rest = text.trim_start_matches(['P', 'T']);
    let mut millionths: u64 = 0;
    let mut has_number = false;
    while rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        let part = thousandths(number)?.saturating_mul(thousandths_of_a_second(unit));
        millionths = millionths.saturating_add(part);
        has_number = true;
        rest = after.trim_start_matches([' ', '.', 'T']);
    }
    let seconds = match millionths {
        u64::MAX => u64::MAX,
        _ => millionths.div_ceil(1_000_000),
    };
    has_number.then_some(if is_past { 1 } else { seconds })
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Returns a decimal number times 1000, rounded up.
fn thousandths(number: &str) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || fraction.contains('.') {
        return None;
    }
    let mut value: u64 = 0;
    for digit in whole.bytes() {
        value = value
            .saturating_mul(10)
            .saturating_add((digit - b'0').into());
    }
    let mut digits = fraction.bytes();
    for _ in 0..3 {
        let digit = digits.next().unwrap_or(b'0');
        value = value
            .saturating_mul(10)
            .saturating_add((digit - b'0').into());
    }
    let is_more = digits.any(|digit| digit != b'0');
    Some(value.saturating_add(is_more.into()))
}

fn thousandths_of_a_second(unit: &str) -> u64 {
    let unit = unit.to_ascii_lowercase();
    match unit.as_str() {
        "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => 1,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => 1000,
    }
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
            ("1 day", 86_400),
            ("2 hrs", 7200),
            ("0.1h", 360),
            ("1.5 h", 5400),
            ("2m30s", 150),
            ("1h 5m", 3900),
            ("PT30S", 30),
            ("PT1M30S", 90),
            ("7 sec.", 7),
            ("7 apples", 7),
            ("0.0001", 1),
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
    fn a_malformed_value_is_ignored() {
        for value in ["", "soon", "1.2.3", "--7", "NaN", ".", "PT", "Thu, 99 Foo"] {
            assert_eq!(waits(value), None, "{value}");
        }
        assert_eq!(read(b"\xff"), None);
    }

    #[test]
    fn a_date_is_a_moment() {
        for zone in ["GMT", "UTC"] {
            let date = read(format!("Thu, 26 Nov 2026 21:00:00 {zone}").as_bytes());
            assert_eq!(date, Some(RetryAfter::Date(1_795_726_800)), "{zone}");
        }
    }
}
