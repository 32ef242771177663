//! Detects identifiers that the server interprets as a date.
//!
//! The server calls `new Date(identifier)`, and V8 accepts much more than ISO 8601. In short, V8's
//! rules are:
//!
//! * One to three numbers are month, day and year, or year, month and day if the first one cannot
//!   be a day. Missing ones are 1.
//! * A word that starts with the name of a month is that month.
//! * Other words are ignored before the first number. Next to it or behind it, they make the text
//!   invalid.
//! * A time of day may follow, after a space or ISO's `T`.
//!
//! This is an approximation. It does not know time zones other than `Z`, comments in parentheses,
//! and times without a day. It does not check the time.

use std::ops::RangeInclusive;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const DAYS: RangeInclusive<u32> = 1..=31;
/// The last possible year: ECMAScript's time ends in the next one.
const LAST_YEAR: u32 = 275_759;

/// Returns whether the server interprets a text as a date.
pub fn is_date(text: &str) -> bool {
    let Some(first) = text.find(|c: char| c.is_ascii_digit()) else {
        return false;
    };
    let start = text[..first].trim_end_matches(is_letter).len();
    let (front, rest) = text.split_at(start);
    let day = without_time(rest, front.is_empty());
    let has_month = words(day).next().is_some() || words(front).any(is_month);
    words(day).all(is_month) && numbers(day).is_some_and(|numbers| is_day(&numbers, has_month))
}

/// Returns whether V8 treats a character as a letter: `A` and all higher ones.
fn is_letter(c: char) -> bool {
    c >= 'A'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|c| !is_letter(c));
    parts.filter(|word| !word.is_empty())
}

fn is_month(word: &str) -> bool {
    let start = word.get(..3).map(str::to_ascii_lowercase);
    start.is_some_and(|start| MONTHS.contains(&start.as_str()))
}

fn without_time(text: &str, may_be_iso: bool) -> &str {
    let is_time = |text: &str| {
        let fits = |c: char| c.is_ascii_digit() || ":.+-".contains(c);
        text.contains(':') && text.trim_end_matches('Z').chars().all(fits)
    };
    match text.split_once(|c| c == ' ' || (c == 'T' && may_be_iso)) {
        Some((day, time)) if is_time(time) => day,
        _ => text,
    }
}

/// Returns the numbers between words and separators.
fn numbers(text: &str) -> Option<Vec<u32>> {
    if text.contains(['+', '(', ')', ':']) || text.contains("--") || text.contains(" -") {
        return None;
    }
    let parts = text.split(|c: char| !c.is_ascii_digit());
    let numbers = parts.filter(|part| !part.is_empty()).map(str::parse);
    numbers.collect::<Result<_, _>>().ok()
}

/// Returns whether the numbers are a day. The month is a word or one of the numbers.
fn is_day(numbers: &[u32], has_month: bool) -> bool {
    let at = |nth: usize| numbers.get(nth).copied().unwrap_or(1);
    let (year, month, day) = match (has_month, DAYS.contains(&at(0))) {
        (false, true) => (at(2), at(0), at(1)),
        (false, false) => (at(0), at(1), at(2)),
        (true, true) => (at(1), 1, at(0)),
        (true, false) => (at(0), 1, at(1)),
    };
    numbers.len() <= 3 && year <= LAST_YEAR && (1..=12).contains(&month) && DAYS.contains(&day)
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn the_rule_says_of_these_what_v8_says() {
        for (text, verdict) in [
            ("my-device-1", true),
            ("session-12", true),
            ("session-13", false),
            ("build 2024", true),
            ("SN-00012345", true),
            ("SN-123456789", false),
            ("iphone-32", true),
            ("iPhone 15", false),
            ("pixel_7", false),
            ("pixel 7 pro", false),
            ("marketing-15", true),
            ("jan01", true),
            ("janx-32", true),
            ("room-1-31", true),
            ("room-1-32", false),
            ("2.3.4", true),
            ("10.0.0", false),
            ("127.0.0.1", false),
            ("::1", true),
            ("00:1b:44:11:3a:b7", false),
            ("2024-01-01", true),
            ("2024-02-30", true),
            ("2024-13-01", false),
            ("1-Dec-2024", true),
            ("2024-01-01T10:00:00.123Z", true),
            ("2024-01-01T10:00:00+01:00", true),
            ("log-2024-01-01T10:00", false),
            ("log-2024-01-01 10:00", true),
            ("device", false),
            ("", false),
            ("thread-a", false),
            ("full-zz_a", false),
        ] {
            assert_eq!(is_date(text), verdict, "{text:?}");
        }
    }
}
