//! Dates in headers (RFC 9110, section 5.6.7).

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a date in Unix seconds.
pub fn http_date(value: &[u8]) -> Option<i64> {
    let date: SystemTime = httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}
