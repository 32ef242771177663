//! A time in any format that a server may use.

use crate::{api::claim::Claim, decimal};

/// The years in which a time is valid: from 2020, when this API did not exist yet, to 9999.
const FIRST: i64 = 1_577_836_800;
const LAST: i64 = 253_402_300_799;

/// The last valid time in fractions of a second: the year 2100.
const LAST_IN_PARTS: i64 = 4_102_444_800;

/// Returns a time in Unix seconds, or `None` if it is invalid.
///
/// The value is a number or a text: seconds, milliseconds, microseconds, nanoseconds, or a date
/// (RFC 3339).
pub fn unix_seconds(value: &Claim<'_>) -> Option<i64> {
    match value {
        Claim::Number(number) => scaled(number),
        Claim::Text(text) => scaled(text.trim()).or_else(|| date(text.trim())),
        Claim::Null | Claim::Other => None,
    }
}

/// Returns the time if it is valid.
pub fn sane(seconds: i64) -> Option<i64> {
    (FIRST..=LAST).contains(&seconds).then_some(seconds)
}

/// Converts to seconds by the size of the number. The ranges of the units do not overlap.
fn scaled(number: &str) -> Option<i64> {
    let number = decimal::whole(number)?;
    if let Some(seconds) = i64::try_from(number).ok().and_then(sane) {
        return Some(seconds);
    }
    [1000, 1_000_000, 1_000_000_000]
        .into_iter()
        .filter_map(|scale| i64::try_from(number / scale).ok())
        .find(|seconds| (FIRST..LAST_IN_PARTS).contains(seconds))
}

/// Reads `2026-11-27T09:30:00.5+01:00`. The T may be a space, `t` or `_`, and the offset may lack
/// its colon or its minutes. A time without an offset is invalid, because its time zone is unknown.
fn date(text: &str) -> Option<i64> {
    let mut rest = text.as_bytes();
    let year = digits(&mut rest, 4)?;
    take(&mut rest, b"-")?;
    let month = digits(&mut rest, 2)?;
    take(&mut rest, b"-")?;
    let day = digits(&mut rest, 2)?;
    take(&mut rest, b"Tt _")?;
    let hour = digits(&mut rest, 2)?;
    take(&mut rest, b":")?;
    let minute = digits(&mut rest, 2)?;
    take(&mut rest, b":")?;
    let second = digits(&mut rest, 2)?;
    let is_real = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        // 60 is a leap second.
        && second <= 60;
    if !is_real {
        return None;
    }
    if take(&mut rest, b".,").is_some() {
        digits(&mut rest, 1)?;
        while digits(&mut rest, 1).is_some() {}
    }
    let ahead = offset(rest.trim_ascii_start())?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    sane(seconds - ahead)
}

/// Returns the offset from UTC in seconds.
fn offset(mut text: &[u8]) -> Option<i64> {
    let sign = match text {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    text = &text[1..];
    let hours = digits(&mut text, 2)?;
    let _ = take(&mut text, b":");
    let minutes = match text {
        [] => 0,
        _ => digits(&mut text, 2)?,
    };
    (text.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn digits(rest: &mut &[u8], count: usize) -> Option<i64> {
    let (number, after) = rest.split_at_checked(count)?;
    if !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    *rest = after;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn take(rest: &mut &[u8], any_of: &[u8]) -> Option<()> {
    let (first, after) = rest.split_first()?;
    any_of.contains(first).then(|| *rest = after)
}

fn days_of(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - 477;
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    (year - 1970) * 365 + leap_days + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(json: &str) -> Option<i64> {
        unix_seconds(&Claim::Number(json))
    }

    fn text(text: &str) -> Option<i64> {
        unix_seconds(&Claim::Text(text.into()))
    }

    #[test]
    fn seconds_and_their_parts_are_read_as_numbers_and_as_text() {
        for json in [
            "1800000000",
            "1800000000.0",
            "1800000000.9",
            "1.8e9",
            "1800000000000",
            "1800000000999.5",
            "1800000000000000",
            "1800000000000000000",
        ] {
            assert_eq!(number(json), Some(1_800_000_000), "{json}");
            assert_eq!(text(&format!(" {json}\n")), Some(1_800_000_000), "{json}");
        }
    }

    #[test]
    fn a_date_is_read_in_every_form() {
        for written in [
            "2027-01-15T08:00:00Z",
            "2027-01-15t08:00:00z",
            "2027-01-15 08:00:00Z",
            "2027-01-15T08:00:00.000Z",
            "2027-01-15T08:00:00.123456789+00:00",
            "2027-01-15T09:30:00+01:30",
            "2027-01-15T00:00:00-08:00",
            "2027-01-15T09:00:00+0100",
            "2027-01-15T09:00:00+01",
            "2027-01-15T08:00:00-00:00",
            " 2027-01-15T08:00:00Z ",
        ] {
            assert_eq!(text(written), Some(1_800_000_000), "{written}");
        }
        assert_eq!(text("2028-02-29T00:00:00Z"), Some(1_835_395_200));
        assert_eq!(text("2020-01-01T00:00:00Z"), Some(FIRST));
        assert_eq!(text("9999-12-31T23:59:59Z"), Some(LAST));
        assert_eq!(text("2026-12-31T23:59:60Z"), Some(1_798_761_600));
    }

    #[test]
    fn an_implausible_value_is_no_time() {
        for json in [
            "0",
            "-1",
            "1",
            "600",
            "1e300",
            "-1e300",
            "1e999",
            "99999999999999999999",
        ] {
            assert_eq!(number(json), None, "{json}");
            assert_eq!(text(json), None, "{json}");
        }
        for odd in [
            "",
            "tomorrow",
            "NaN",
            "inf",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-01-15T08:00:00.5",
            "2027-13-01T00:00:00Z",
            "2027-02-29T00:00:00Z",
            "2027-01-15T24:00:00Z",
            "2027-01-15T08:00:00+99:00",
            "2027-01-15T08:00:00Zulu",
            "2027-01-15T08:00:00.Z",
            "1970-01-01T00:00:00Z",
            "é2027-01-15T08:00:00Z",
        ] {
            assert_eq!(text(odd), None, "{odd}");
        }
        assert_eq!(unix_seconds(&Claim::Other), None);
    }
}
