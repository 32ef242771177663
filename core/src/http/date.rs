//! Dates in headers (RFC 9110, section 5.6.7).

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a date in Unix seconds. Some servers write UTC instead of GMT.
pub fn http_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let date: SystemTime = match text.strip_suffix("UTC") {
        Some(date) => httpdate::parse_http_date(&format!("{date}GMT")).ok()?,
        None => httpdate::parse_http_date(text).ok()?,
    };
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}
