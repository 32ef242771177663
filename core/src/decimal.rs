//! Decimal numbers, in the format of JSON.

/// Returns the integer part of a non-negative number: `12`, `12.5`, `.5`, `12.` and `1.25e1`.
/// Returns the largest value for larger numbers, and `None` for other texts.
pub fn whole(text: &str) -> Option<u64> {
    // Almost all numbers are integers in range.
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && let Ok(whole) = text.parse()
    {
        return Some(whole);
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent_of(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = whole.bytes().chain(fraction.bytes());
    if whole.len() + fraction.len() == 0 || !digits.clone().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // If it is negative, all digits belong to the fraction.
    let before_point = i64::try_from(whole.len()).ok()?.saturating_add(exponent);
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
    Some(value)
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

    #[test]
    fn a_number_is_its_whole_part() {
        for (text, number) in [
            ("0", 0),
            ("12", 12),
            ("0012", 12),
            ("12.5", 12),
            ("12.0", 12),
            (".5", 0),
            ("12.", 12),
            ("1.25e1", 12),
            ("1.8E+9", 1_800_000_000),
            ("125e-1", 12),
            ("5e-3", 0),
            ("0e999999999999999999999", 0),
            ("5e-99999999999999999999", 0),
        ] {
            assert_eq!(whole(text), Some(number), "{text}");
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
            assert_eq!(whole(text), Some(u64::MAX), "{text}");
        }
        assert_eq!(whole("18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn a_malformed_number_is_none() {
        for text in [
            "", ".", "e5", "1e", "1e+-5", "1.2.3", "-1", "+1", "x", "1x", "0x1", "NaN", " 1", "é",
        ] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
