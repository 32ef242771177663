//! Parses an identifier like the service, and finds those that its database layer interprets as
//! something else.

use serde_json::Value;

use crate::date;

/// Converts a field like the service. Numbers and booleans become strings. `null`, `""` and
/// `"undefined"` count as not sent.
pub fn cast(value: Option<&Value>) -> Option<String> {
    let text = match value? {
        Value::Null => return None,
        Value::String(text) => text.clone(),
        // The JSON of objects and arrays is different for different values.
        other => other.to_string(),
    };
    (!text.is_empty() && text != "undefined").then_some(text)
}

/// Returns the identifier of a new session, or `None` if the database cannot store it.
pub fn to_store(value: Option<&Value>, ip: &str) -> Option<String> {
    match value {
        Some(Value::Array(_) | Value::Object(_)) => None,
        // The look-up ignores this text, but the insert does not.
        Some(Value::String(text)) if text == "undefined" => Some(text.clone()),
        value => cast(value).or_else(|| Some(ip.to_owned())),
    }
}

/// Returns the text that the service looks up for an identifier, or `None` if it finds nothing.
///
/// The layer in front of the database converts a text that looks like a date or an object id to
/// that type, and the database converts it back to text. A date becomes a different text, and an
/// object id becomes its lower-case form. The service stores the original text, and finds it only
/// if both texts are equal.
pub fn lookup_key(identifier: &str) -> Option<String> {
    if identifier.len() == 24 && identifier.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some(identifier.to_ascii_lowercase());
    }
    if is_random_hex(identifier) || !date::is_date(identifier) {
        return Some(identifier.to_owned());
    }
    None
}

/// Returns whether an identifier is 32 lower-case hex digits, which are safe. The rule for dates
/// alone would treat a few of them, such as `00…02024`, as a date.
fn is_random_hex(identifier: &str) -> bool {
    identifier.len() == 32
        && identifier
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_and_booleans_become_strings() {
        assert_eq!(cast(Some(&json!(42))).as_deref(), Some("42"));
        assert_eq!(cast(Some(&json!(1.5))).as_deref(), Some("1.5"));
        assert_eq!(cast(Some(&json!(true))).as_deref(), Some("true"));
    }

    #[test]
    fn null_empty_and_undefined_count_as_not_sent() {
        for value in [json!(null), json!(""), json!("undefined")] {
            assert_eq!(cast(Some(&value)), None, "{value}");
        }
        assert_eq!(cast(None), None);
    }

    #[test]
    fn date_like_identifiers_are_never_found_again() {
        for text in ["my-device-1", "session-12", "build 2024", "2024-01-01"] {
            assert_eq!(lookup_key(text), None, "{text}");
        }
    }

    #[test]
    fn upper_case_object_ids_are_looked_up_in_lower_case() {
        assert_eq!(
            lookup_key("6B046EFDA3A4BEEEF871B88C").as_deref(),
            Some("6b046efda3a4beeef871b88c")
        );
    }

    #[test]
    fn identifiers_of_the_recordings_are_found_again() {
        for text in ["full-zz_a", "same_ip_A", "tagger_1x", "dup_ip", "127.0.0.1"] {
            assert_eq!(lookup_key(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn uuids_and_32_hex_digits_are_safe() {
        let mut random = crate::random::Seeded(1);
        for _ in 0..20_000 {
            let bits = u128::from(random.next()) << 64 | u128::from(random.next());
            let hex = format!("{bits:032x}");
            let uuid = format!(
                "{}-{}-4{}-{}{}-{}",
                &hex[..8],
                &hex[8..12],
                &hex[13..16],
                ["8", "9", "a", "b"][(bits % 4) as usize],
                &hex[17..20],
                &hex[20..]
            );
            assert_eq!(lookup_key(&hex).as_deref(), Some(hex.as_str()));
            assert_eq!(lookup_key(&uuid).as_deref(), Some(uuid.as_str()));
        }
    }
}
