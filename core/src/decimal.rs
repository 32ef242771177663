//! Decimal numbers, as JSON and headers write them.

/// A number that is not negative, without its fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// The largest value also stands for all that are larger.
    pub whole: u64,
    pub has_fraction: bool,
}

impl Decimal {
    /// Reads `12`, `12.5`, `.5`, `12.` and `1.25e1`. `None`: the text is no such
    /// number.
    pub fn read(text: &str) -> Option<Self> {
        // Nearly all are whole and in range.
        if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && let Ok(whole) = text.parse()
        {
            return Some(Self {
                whole,
                has_fraction: false,
            });
        }
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent_of(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut digits = whole.bytes().chain(fraction.bytes());
        if number.len() <= usize::from(number.contains('.'))
            || !digits.clone().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let length = i64::try_from(whole.len()).ok()?;
        let before_point = length.saturating_add(exponent);
        let mut value: u64 = 0;
        for _ in 0..before_point {
            let Some(digit) = digits.next().or((value > 0).then_some(b'0')) else {
                break;
            };
            value = value
                .saturating_mul(10)
                .saturating_add((digit - b'0').into());
            if value == u64::MAX {
                break;
            }
        }
        // A negative place of the point leaves all digits to the fraction.
        Some(Self {
            whole: value,
            has_fraction: digits.any(|digit| digit != b'0'),
        })
    }
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    if text.len() - digits.len() > 1
        || digits.is_empty()
        || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let size = digits.parse().unwrap_or(i64::MAX);
    Some(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u64, bool)> {
        Decimal::read(text).map(|read| (read.whole, read.has_fraction))
    }

    #[test]
    fn a_number_is_its_whole_part_and_whether_there_is_more() {
        for (text, number) in [
            ("0", (0, false)),
            ("12", (12, false)),
            ("0012", (12, false)),
            ("12.5", (12, true)),
            ("12.0", (12, false)),
            (".5", (0, true)),
            ("12.", (12, false)),
            ("1.25e1", (12, true)),
            ("1.8E+9", (1_800_000_000, false)),
            ("125e-1", (12, true)),
            ("5e-3", (0, true)),
            ("0e999999999999999999999", (0, false)),
            ("5e-99999999999999999999", (0, true)),
        ] {
            assert_eq!(read(text), Some(number), "{text}");
        }
    }

    #[test]
    fn a_number_out_of_range_is_the_largest() {
        for text in [
            "18446744073709551616",
            "1e999",
            "1e99999999999999999999",
            "99999999999999999999999",
        ] {
            assert_eq!(read(text).unwrap().0, u64::MAX, "{text}");
        }
        assert_eq!(read("18446744073709551615"), Some((u64::MAX, false)));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", ".", "e5", "1e", "1e+-5", "1.2.3", "-1", "+1", "x", "1x", "0x1", "NaN", " 1", "é",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
