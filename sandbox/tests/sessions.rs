//! Which session a create returns, and for how long.

mod common;

use std::net::IpAddr;

use common::{create, create_request, eventually, get, http, named, post, sandbox, sandbox_with};
use serde_json::json;
use zelf_sandbox::Answers;

const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
const NOT_ACTIVE: &str = r#"{"validationError":"Session is not active"}"#;

#[test]
fn a_new_session_lives_600_seconds_from_the_servers_now() {
    let answer = create(&sandbox(), json!({}));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.expires_at() - answer.activated_at(), 600);
    assert!((answer.date() - answer.activated_at()).abs() <= 1);
}

#[test]
fn without_an_identifier_the_claim_is_the_address() {
    let claims = create(&sandbox(), json!({})).claims();
    assert_eq!(claims["identifier"], "127.0.0.1");
    assert_eq!(claims["ip"], "127.0.0.1");
}

#[test]
fn the_same_identifier_gets_the_same_session_and_new_fields_are_ignored() {
    let sandbox = sandbox();
    let first = create(&sandbox, json!({"identifier": "a", "domain": "avax"}));
    sandbox.set_clock_skew(36);
    let body = json!({"identifier": "a", "domain": "zelf", "ethAddress": "0xdef"});
    let again = create(&sandbox, body);
    assert_eq!(again.session(), first.session());
    assert_eq!(again.activated_at(), first.activated_at());
    assert_eq!(again.expires_at(), first.expires_at());
    assert_eq!(again.claims()["domain"], "avax");
    assert_eq!(again.claims()["ethAddress"], json!(null));
    let moved = again.claims()["iat"].as_i64().unwrap() - first.claims()["iat"].as_i64().unwrap();
    assert!((36..=38).contains(&moved), "iat moved {moved}");
}

#[test]
fn identifiers_that_are_not_sent_in_earnest_count_as_not_sent() {
    for value in [json!(null), json!("")] {
        let claims = create(&sandbox(), json!({ "identifier": value })).claims();
        assert_eq!(claims["identifier"], "127.0.0.1", "{value}");
    }
}

#[test]
fn the_identifier_undefined_is_stored_and_not_looked_for() {
    let sandbox = sandbox();
    let claims = create(&sandbox, named("undefined")).claims();
    assert_eq!(claims["identifier"], "undefined");
    sandbox
        .control("DELETE", "/sandbox/sessions", &json!({}))
        .unwrap();
    let theirs = create(&sandbox, named("theirs"));
    let found = create(&sandbox, named("undefined"));
    assert_eq!(found.session(), theirs.session());
}

#[test]
fn an_identifier_that_is_an_array_is_a_ghost_without_that_claim() {
    let sandbox = sandbox();
    let ghost = create(&sandbox, json!({"identifier": ["a"]}));
    assert_eq!(ghost.status, 200);
    assert_eq!(ghost.claims().get("identifier"), None);
    assert_eq!(http(&sandbox).search(&ghost.token()).status, 403);
}

#[test]
fn json_may_start_with_a_byte_order_mark() {
    let request = post("/api/sessions", "application/json", "\u{FEFF}{}", "");
    assert_eq!(http(&sandbox()).exchange(request).status, 200);
}

#[test]
fn the_case_of_a_path_and_a_slash_at_its_end_do_not_count() {
    let sandbox = sandbox();
    for path in ["/api/sessions/", "/API/Sessions"] {
        let request = post(path, "application/json", "{}", "");
        assert_eq!(http(&sandbox).exchange(request).status, 200, "{path}");
    }
}

#[test]
fn numbers_and_booleans_become_strings() {
    let sandbox = sandbox();
    assert_eq!(
        create(&sandbox, json!({"identifier": 77})).claims()["identifier"],
        "77"
    );
    assert_eq!(
        create(&sandbox, json!({"identifier": true})).claims()["identifier"],
        "true"
    );
}

#[test]
fn without_an_identifier_anybodys_session_comes_back() {
    let sandbox = sandbox();
    let theirs = create(&sandbox, named("somebody else"));
    let mine = create(&sandbox, json!({}));
    assert_eq!(mine.session(), theirs.session());
    assert_eq!(mine.claims()["identifier"], "somebody else");
}

#[test]
fn a_tag_name_hands_out_another_identifiers_session() {
    let sandbox = sandbox();
    let first = create(&sandbox, json!({"identifier": "a", "tagName": "bob.zelf"}));
    let second = create(&sandbox, json!({"identifier": "b", "tagName": "bob.zelf"}));
    assert_eq!(second.session(), first.session());
    assert_eq!(second.claims()["identifier"], "a");
}

#[test]
fn killing_makes_a_new_session_and_ends_the_old_one() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let old = wire.create(named("a"));
    sandbox.age_sessions(Some("a"), 300);
    let new = wire.create(json!({"identifier": "a", "killSession": true}));
    assert_ne!(new.session(), old.session());
    assert!(new.activated_at() >= old.activated_at());
    let refused = wire.search(&old.token());
    assert_eq!(
        (refused.status, refused.text()),
        (403, r#"{"validationError":"Session is not active"}"#)
    );
    assert_eq!(wire.search(&new.token()).status, 200);
}

#[test]
fn killing_without_an_identifier_kills_anybodys_session() {
    let sandbox = sandbox();
    let theirs = create(&sandbox, named("theirs"));
    create(&sandbox, json!({"killSession": true}));
    assert_eq!(http(&sandbox).search(&theirs.token()).status, 403);
}

#[test]
fn an_expired_session_comes_back_until_the_reaper_took_it() {
    let sandbox = sandbox();
    let first = create(&sandbox, named("a"));
    assert_eq!(sandbox.age_sessions(Some("a"), 640), 1);
    let expired = create(&sandbox, named("a"));
    assert_eq!(expired.session(), first.session());
    assert!(expired.expires_at() < expired.date());
    assert_eq!(sandbox.reap(), 1);
    let fresh = create(&sandbox, named("a"));
    assert_ne!(fresh.session(), first.session());
    assert!(fresh.expires_at() > fresh.date());
}

#[test]
fn an_expired_session_works_everywhere_until_the_reaper_took_it() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    sandbox.age_sessions(Some("a"), 640);
    let expired = wire.create(named("a")).token();
    for token in [&token, &expired] {
        assert_eq!(wire.search(token).status, 200);
        let address = wire.exchange(get("/api/ethereum/address", token));
        assert_eq!(address.status, 200);
    }
    sandbox.reap();
    assert_eq!(wire.search(&token).text(), NOT_ACTIVE);
}

#[test]
fn the_reaper_runs_by_itself_once_a_minute_of_the_sandboxs_clock() {
    let sandbox = sandbox();
    let first = create(&sandbox, named("a"));
    sandbox.age_sessions(None, 601);
    sandbox.set_clock_skew(61);
    assert_ne!(create(&sandbox, named("a")).session(), first.session());
}

#[test]
fn the_reaper_can_be_left_to_the_test() {
    let sandbox = sandbox_with(|options| options.reap_interval = None);
    let first = create(&sandbox, named("a"));
    sandbox.set_clock_skew(10_000);
    assert_eq!(create(&sandbox, named("a")).session(), first.session());
}

#[test]
fn all_times_move_with_the_sandboxs_clock() {
    let sandbox = sandbox_with(|options| options.clock_skew = -86_400);
    let answer = create(&sandbox, named("a"));
    let machine = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let machine = i64::try_from(machine.as_secs()).unwrap();
    for time in [
        answer.date(),
        answer.activated_at(),
        answer.claims()["iat"].as_i64().unwrap(),
    ] {
        assert!((machine - 86_400 - time).abs() <= 2, "{time}");
    }
}

#[test]
fn an_identifier_of_another_address_is_a_ghost_each_time_another() {
    let sandbox = sandbox();
    create(&sandbox, named("a"));
    let elsewhere = |wire: &mut common::Wire| {
        let body = named("a").to_string();
        let more = "X-Forwarded-For: 198.51.100.9, 10.0.0.1\r\n";
        wire.exchange(post("/api/sessions", "application/json", &body, more))
    };
    let mut wire = http(&sandbox);
    let (first, second) = (elsewhere(&mut wire), elsewhere(&mut wire));
    assert_eq!(first.status, 200);
    assert_eq!(first.claims()["ip"], "198.51.100.9");
    assert_ne!(first.session(), second.session());
    assert_eq!(
        wire.search(&first.token()).text(),
        r#"{"validationError":"Session is not active"}"#
    );
}

#[test]
fn a_device_that_has_changed_its_address_gets_ghosts_also_with_a_kill() {
    // The session blocks its identifier until the reaper removes it, expired or not.
    for (kill, age) in [(false, 0), (true, 0), (false, 700), (true, 700)] {
        let sandbox = sandbox();
        let mut wire = http(&sandbox);
        let old = wire.create(named("a"));
        sandbox.age_sessions(None, age);
        sandbox.set_client_address(Some(ELSEWHERE));
        let ghost = wire.create(json!({"identifier": "a", "killSession": kill}));
        assert_eq!(ghost.status, 200);
        assert_eq!(ghost.claims()["ip"], "198.51.100.7");
        assert_ne!(ghost.session(), old.session(), "kill: {kill}, age: {age}");
        let refused = wire.search(&ghost.token());
        assert_eq!(refused.text(), NOT_ACTIVE, "kill: {kill}, age: {age}");
    }
}

#[test]
fn the_old_token_goes_on_working_from_another_address() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let old = wire.create(named("a"));
    sandbox.set_client_address(Some(ELSEWHERE));
    assert_eq!(wire.search(&old.token()).status, 200);
    sandbox.age_sessions(None, 700);
    wire.create(json!({"identifier": "a", "killSession": true}));
    assert_eq!(wire.search(&old.token()).status, 200);
}

#[test]
fn after_the_reaper_the_new_address_gets_a_session() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    wire.create(named("a"));
    sandbox.set_client_address(Some(ELSEWHERE));
    sandbox.age_sessions(None, 700);
    sandbox.reap();
    let new = wire.create(named("a"));
    assert_eq!(wire.create(named("a")).session(), new.session());
    assert_eq!(wire.search(&new.token()).status, 200);
}

#[test]
fn back_at_its_old_address_a_device_finds_its_session_again() {
    let sandbox = sandbox();
    let old = create(&sandbox, named("a"));
    sandbox.set_client_address(Some(ELSEWHERE));
    assert_ne!(create(&sandbox, named("a")).session(), old.session());
    sandbox.set_client_address(None);
    assert_eq!(create(&sandbox, named("a")).session(), old.session());
}

#[test]
fn an_address_that_is_set_goes_before_x_forwarded_for() {
    let sandbox = sandbox();
    sandbox.set_client_address(Some(ELSEWHERE));
    let more = "X-Forwarded-For: 203.0.113.9\r\n";
    let request = post("/api/sessions", "application/json", "{}", more);
    let claims = http(&sandbox).exchange(request).claims();
    assert_eq!(claims["ip"], "198.51.100.7");
}

#[test]
fn a_used_session_comes_back_and_is_refused() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let first = wire.create(named("a"));
    assert_eq!(sandbox.mark_sessions_used(Some("a")), 1);
    let again = wire.create(named("a"));
    assert_eq!(again.session(), first.session());
    assert_eq!(again.expires_at(), first.expires_at());
    for token in [first.token(), again.token()] {
        let refused = wire.search(&token);
        assert_eq!((refused.status, refused.text()), (403, NOT_ACTIVE));
    }
}

#[test]
fn a_used_session_passes_where_only_the_signature_is_checked() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let token = wire.create(named("a")).token();
    sandbox.mark_sessions_used(None);
    let address = wire.exchange(get("/api/ethereum/address", &token));
    assert_eq!(address.status, 200);
}

#[test]
fn a_kill_replaces_a_used_session_by_an_active_one() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    let used = wire.create(named("a"));
    sandbox.mark_sessions_used(None);
    let new = wire.create(json!({"identifier": "a", "killSession": true}));
    assert_ne!(new.session(), used.session());
    assert_eq!(wire.search(&new.token()).status, 200);
    assert_eq!(wire.create(named("a")).session(), new.session());
}

#[test]
fn an_invalid_type_or_a_web_extension_that_is_no_boolean_is_a_ghost() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for (field, value) in [
        ("type", json!("nonsense")),
        ("isWebExtension", json!("yes")),
    ] {
        let ghost = wire.create(json!({"identifier": "a", field: value}));
        assert_eq!(ghost.status, 200, "{field}");
        assert_eq!(wire.search(&ghost.token()).status, 403, "{field}");
    }
}

#[test]
fn every_documented_type_is_stored() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for kind in ["createWallet", "decryptWallet", "importWallet", "general"] {
        let answer = wire.create(json!({"identifier": kind, "type": kind, "isWebExtension": true}));
        assert_eq!(wire.search(&answer.token()).status, 200, "{kind}");
    }
}

#[test]
fn date_like_identifiers_are_ghosts_from_the_second_call_on() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for identifier in [
        "my-device-1",
        "session-12",
        "build 2024",
        "6B046EFDA3A4BEEEF871B88C",
    ] {
        let first = wire.create(named(identifier));
        assert_eq!(wire.search(&first.token()).status, 200, "{identifier}");
        let second = wire.create(named(identifier));
        assert_ne!(second.session(), first.session(), "{identifier}");
        assert_eq!(wire.search(&second.token()).status, 403, "{identifier}");
    }
}

#[test]
fn uuids_and_32_hex_digits_keep_their_session() {
    let sandbox = sandbox();
    let mut wire = http(&sandbox);
    for identifier in [
        "0b9f3a52-6d0e-4c1e-9a57-2f6f3c1d8e44",
        "12345678-1234-4234-8234-123456789012",
        "0123456789abcdef0123456789abcdef",
        "00000000000000000000000000002024",
    ] {
        let first = wire.create(named(identifier)).session();
        assert_eq!(
            wire.create(named(identifier)).session(),
            first,
            "{identifier}"
        );
    }
}

#[test]
fn a_text_body_is_read_as_an_empty_object() {
    let sandbox = sandbox();
    let body = named("a").to_string();
    let request = post("/api/sessions", "text/plain", &body, "");
    assert_eq!(
        http(&sandbox).exchange(request).claims()["identifier"],
        "127.0.0.1"
    );
}

#[test]
fn a_form_is_read_like_json() {
    let sandbox = sandbox();
    let body = "identifier=a+b%C3%A9%&domain=avax&killSession=true";
    let request = post(
        "/api/sessions",
        "application/x-www-form-urlencoded",
        body,
        "",
    );
    let mut wire = http(&sandbox);
    let first = wire.exchange(&request);
    assert_eq!(first.claims()["identifier"], "a bé%");
    assert_eq!(first.claims()["domain"], "avax");
    assert_ne!(wire.exchange(&request).session(), first.session());
}

#[test]
fn a_create_that_was_lost_still_made_its_session() {
    let sandbox = sandbox();
    let lost = zelf_sandbox::FaultKind::Reset {
        stage: zelf_sandbox::Stage::Answer,
    };
    sandbox.inject(zelf_sandbox::Fault::from(lost).times(1));
    let mut wire = http(&sandbox);
    wire.send(create_request(&named("a")));
    assert!(wire.try_receive().is_err());
    eventually("the session is stored", || {
        let sessions = sandbox
            .control("GET", "/sandbox/sessions", &json!({}))
            .unwrap();
        sessions["sessions"][0]["identifier"] == "a"
    });
}

#[test]
fn older_and_newer_servers_answer_in_their_own_shapes() {
    let shape = |answers| {
        let sandbox = sandbox_with(|options| options.answers = answers);
        create(&sandbox, named("a")).json()
    };
    let token_only = shape(Answers::TokenOnly);
    assert_eq!(token_only["data"].as_object().unwrap().len(), 1);
    assert!(token_only["data"]["token"].is_string());

    let formatted = shape(Answers::FormattedTimes);
    let activated = formatted["data"]["activatedAt"].as_str().unwrap();
    assert_eq!(activated.len(), "2026-11-23 16:51:09".len());

    let extra = shape(Answers::ExtraFields);
    assert!(extra["data"]["expiresAt"].is_i64());
    assert!(extra["data"]["token"].is_string());
    assert!(extra["meta"].is_object());
}
