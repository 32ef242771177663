//! Times: numbers in any unit, RFC 3339, and HTTP dates.

#![no_main]

use std::time::{Duration, UNIX_EPOCH};

use libfuzzer_sys::fuzz_target;
use zelf_core::{
    api::{claim::Claim, instant},
    decimal,
    http::date::http_date,
};

/// Returns the year, month and day for days since 1970, with Howard Hinnant's algorithm.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

fn written(seconds: i64, ahead_minutes: i64) -> String {
    let local = seconds + ahead_minutes * 60;
    let (year, month, day) = civil(local.div_euclid(86_400));
    let of_day = local.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let sign = if ahead_minutes < 0 { '-' } else { '+' };
    let ahead = ahead_minutes.abs();
    format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.5{sign}{:02}:{:02}",
        ahead / 60,
        ahead % 60
    )
}

fn read(text: &str) -> Option<i64> {
    instant::unix_seconds(&Claim::Text(text.into()))
}

fuzz_target!(|input: &[u8]| {
    if let Some(seconds) = http_date(input) {
        let moment = UNIX_EPOCH + Duration::from_secs(seconds.try_into().unwrap());
        let date = httpdate::fmt_http_date(moment);
        assert_eq!(http_date(date.as_bytes()), Some(seconds), "{date}");
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Some(whole) = decimal::whole(text)
        && let Ok(float) = text.parse::<f64>()
    {
        // Within the precision of a float.
        let least = float.trunc() * (1.0 - 1e-12) - 1.0;
        let most = float.trunc() * (1.0 + 1e-12) + 1.0;
        let is_near = (least..=most).contains(&(whole as f64));
        assert!(
            is_near || whole == u64::MAX && float >= 1.8e19,
            "{text} is {whole}"
        );
    }
    for claim in [Claim::Text(text.into()), Claim::Number(text)] {
        let Some(seconds) = instant::unix_seconds(&claim) else {
            continue;
        };
        assert_eq!(instant::sane(seconds), Some(seconds), "{text}");
        // With any offset. The year must keep its four digits.
        let ahead = (seconds % 2879) - 1439;
        let date = written(seconds, ahead);
        let is_of_five_digits = !date.as_bytes()[4..].starts_with(b"-");
        assert!(is_of_five_digits || read(&date) == Some(seconds), "{date}");
        assert_eq!(read(&seconds.to_string()), Some(seconds));
        if seconds < 4_102_444_800 {
            for scale in [1000, 1_000_000, 1_000_000_000_i128] {
                let number = (i128::from(seconds) * scale + scale / 2).to_string();
                assert_eq!(read(&number), Some(seconds), "{number}");
            }
        }
    }
});
