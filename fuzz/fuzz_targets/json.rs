//! Compares fields of JSON with those of a parser that reads all of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, value::RawValue};
use zelf_core::api::{claim::Claim, json};

const NAMES: [&str; 3] = ["token", "expiresAt", "a"];

fn assert_is(raw: Option<&RawValue>, value: Option<&Value>) {
    let read = raw.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap());
    assert_eq!(read.as_ref(), value);
    let claim = Claim::of(raw);
    match value {
        Some(Value::String(text)) => assert_eq!(claim, Claim::Text(text.into())),
        Some(Value::Number(_)) => assert!(matches!(claim, Claim::Number(_))),
        Some(Value::Null) => assert_eq!(claim, Claim::Null),
        _ => assert_eq!(claim, Claim::Other),
    }
    let text = Claim::of(raw).text();
    assert!(text.is_none_or(|text| !text.contains('\0')));
}

fuzz_target!(|input: &[u8]| {
    let body = json::without_byte_order_mark(input);
    let fields = json::fields(body, NAMES);
    let within = json::fields_within(body, "data", NAMES);
    // Text that is not UTF-8 is only ignored in fields that are not requested.
    if json::is_whole_object(input) && std::str::from_utf8(input).is_ok() {
        assert!(json::is_whole(input) && fields.is_ok() && within.is_ok());
    }
    let Ok(whole) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    assert!(json::is_whole(input));
    assert_eq!(json::is_whole_object(input), whole.is_object());
    assert_eq!(fields.is_ok(), whole.is_object());
    assert_eq!(within.is_ok(), whole.is_object());
    let (Ok(fields), Ok(within)) = (fields, within) else {
        return;
    };
    for (at, name) in NAMES.into_iter().enumerate() {
        assert_is(fields[at], whole.get(name));
        assert_is(
            within[at],
            whole
                .get("data")
                .filter(|data| data.is_object())
                .and_then(|data| data.get(name)),
        );
    }
});
