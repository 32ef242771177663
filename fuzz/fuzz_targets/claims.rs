//! Compares the claims of a token with those of a parser that reads the whole payload.

#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use zelf_core::api::claims::{Claims, Payload};

fn check(token: &[u8], payload: Option<&[u8]>) {
    let read = Payload::of(token);
    let claims = read.claims();
    for text in [&claims.session, &claims.identifier, &claims.ip] {
        assert!(text.as_ref().is_none_or(|text| !text.contains('\0')));
    }
    for told in [&claims.domain, &claims.tag_name, &claims.eth_address] {
        assert!(told.text().is_none_or(|text| !text.contains('\0')));
        assert!(!told.contradicts(None) && !told.contradicts(told.text()));
    }
    let Some(payload) = payload else {
        return;
    };
    let Ok(whole) = serde_json::from_slice::<Value>(payload) else {
        return;
    };
    if !whole.is_object() {
        return assert_eq!(claims, Claims::default());
    }
    for (claim, name) in [
        (&claims.session, "session"),
        (&claims.identifier, "identifier"),
        (&claims.ip, "ip"),
    ] {
        match whole.get(name) {
            Some(Value::String(text)) if !text.contains('\0') => {
                assert_eq!(claim.as_deref(), Some(&text[..]));
            }
            Some(Value::Number(_)) => assert!(claim.is_some()),
            _ => assert_eq!(*claim, None, "{name}"),
        }
    }
    if let Some(Value::String(text)) = whole.get("domain") {
        assert_eq!(claims.domain.text().is_some(), !text.contains('\0'));
        let other = format!("{text}.");
        assert_eq!(
            claims.domain.contradicts(Some(&other)),
            !text.contains('\0')
        );
    }
}

fuzz_target!(|input: &[u8]| {
    check(input, None);
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(input));
    check(token.as_bytes(), Some(input));
});
