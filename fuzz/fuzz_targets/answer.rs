//! Reads the bytes of an answer as a session or an error.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use zelf_core::{
    api::{json, lifetime::Clocks, refusal, request::SessionRequest, session_answer},
    connect::endpoint::Endpoint,
    error::Error,
    http::{
        exchange::{Close, Exchange, Rules},
        head::Method,
    },
    provider::stored::{self, Circumstances},
    session::Session,
};
use zelf_fuzz::{assert_fit, assert_no_token, split_choices};

const RULES: Rules = Rules {
    method: Method::Usual,
    max_body: 64 * 1024,
    error_body_time: Some(Duration::from_secs(4)),
    is_whole: json::is_whole_object,
};
const WALL: i64 = 1_795_452_670;
const NOW: Duration = Duration::from_secs(1000);

fn check_error(error: &Error) {
    assert_fit(error);
    assert_no_token(&error.message);
}

fn check_session(session: &Session) {
    let token = session.token();
    assert!(!token.is_empty() && token == token.trim_matches(' '));
    assert!(token.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    assert_eq!(session.authorization(), format!("Bearer {token}"));
    assert!(token.len() < 24 || !format!("{session:?}").contains(token));
    for now in [Duration::ZERO, NOW, Duration::MAX] {
        assert!(session.seconds_left_at(now) >= 0);
        let _ = session.is_fresh_at(now);
    }
    let here = Circumstances {
        boot: "boot",
        binding: "binding",
        now: NOW,
        wall: WALL,
    };
    let written = stored::write(session, true, &here);
    let again = stored::read(&written, &here).expect("a stored session can be read");
    assert_eq!(again.session.token(), token);
    assert_eq!(again.session.identifier(), session.identifier());
    // The file stores milliseconds, so the other times may differ.
    assert_eq!(again.session.times().expires_at, session.times().expires_at);
}

fuzz_target!(|input: &[u8]| {
    let Some((bytes, [choice, seconds])) = split_choices(input) else {
        return;
    };
    let mut exchange = Exchange::new(RULES);
    exchange.begin();
    if exchange.received(bytes, NOW).is_err() {
        return;
    }
    let end = if choice & 1 == 0 {
        Close::Clean
    } else {
        Close::Abrupt
    };
    if !exchange.is_done() && exchange.closed(end).is_err() {
        return;
    }
    let answer = exchange.answer();
    assert!(answer.body.len() <= RULES.max_body);
    if !(200..300).contains(&answer.status) {
        let endpoint = Endpoint::parse("https://api.test/v1").unwrap();
        let error = refusal::read(&answer, &endpoint.url, &endpoint.authority(), WALL);
        check_error(&error);
        assert_eq!(error.http_status, answer.status);
        assert!(error.message.len() < 4096);
        return check_error(&refusal::of_proxy(
            &answer,
            "p.test:1",
            "api.test:443",
            WALL,
        ));
    }
    assert!(!answer.is_cut_short, "no session is read from a part");
    let request = SessionRequest {
        domain: (choice & 2 != 0).then(|| "zelf".to_owned()),
        tag_name: (choice & 4 != 0).then(|| "alice.avax".to_owned()),
        ..SessionRequest::default()
    };
    let clocks = Clocks {
        sent_at: NOW - Duration::from_secs(seconds.into()),
        now: NOW,
        wall: if choice & 8 != 0 { WALL } else { 12 },
    };
    match session_answer::read(&answer, &request, clocks, 2) {
        Ok(received) => check_session(&received.session),
        Err(error) => {
            check_error(&error);
            let whole = serde_json::from_slice::<serde_json::Value>(answer.body).ok();
            let token = whole
                .as_ref()
                .and_then(|whole| whole.get("data")?.get("token")?.as_str());
            let is_said = |token: &str| token.len() >= 24 && error.message.contains(token);
            assert!(!token.is_some_and(is_said));
        }
    }
});
