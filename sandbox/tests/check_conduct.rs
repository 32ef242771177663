//! How a check of a deployment behaves.

mod common;

use std::collections::BTreeSet;

use common::checking::{check, options, report, strike};
use common::{create, inject, named, sandbox, sandbox_with};
use serde_json::{Value, json};
use zelf_sandbox::check::{Check, Options, Step};
use zelf_sandbox::{Fault, Reply};

#[test]
fn sessions_of_others_are_neither_killed_nor_used() {
    let sandbox = sandbox();
    let theirs = create(&sandbox, named("somebody else")).session();
    check(&sandbox);
    let shown = sandbox.control("GET", "/sandbox/sessions", &json!({}));
    let shown = shown.unwrap()["sessions"][0].clone();
    assert_eq!(shown["session"], theirs.as_str());
    assert_eq!((&shown["uses"], &shown["searches"]), (&json!(0), &json!(0)));
}

#[test]
fn every_create_carries_an_identifier_that_was_made_for_the_check() {
    let sandbox = sandbox();
    check(&sandbox);
    let requests = sandbox.requests();
    let creates = requests.iter().filter(|request| request.method == "POST");
    let identifiers: Vec<String> = creates
        .map(|request| {
            let body = String::from_utf8(request.body.clone()).unwrap();
            let (_, rest) = body.split_once("\"identifier\":\"").expect("an identifier");
            rest.split('"').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!(identifiers.len(), 12);
    assert!(identifiers.iter().all(|identifier| identifier.len() == 32));
    let distinct: BTreeSet<_> = identifiers.iter().collect();
    assert_eq!(distinct.len(), 3);
}

#[test]
fn the_token_of_a_session_that_may_be_anothers_is_never_sent() {
    let sandbox = sandbox();
    let foreign = json!({"kind": "claims", "claims": {"identifier": "somebody else"}});
    inject(&sandbox, foreign);
    check(&sandbox);
    for request in sandbox.requests() {
        assert_eq!(request.header("authorization"), None, "{}", request.path);
        assert!(!String::from_utf8_lossy(&request.body).contains("killSession"));
    }
}

#[test]
fn nothing_is_killed_unless_every_plain_create_brought_the_same_session_of_the_check() {
    let refused = || json!({"kind": "answer", "status": 409, "validation_error": "no"});
    let claims = |claims: Value| json!({"kind": "claims", "claims": claims});
    for step in [
        Step::CreateAgain,
        Step::CreateWithOtherDomain,
        Step::CreateAfterRest,
    ] {
        for fault in [
            claims(json!({"identifier": "somebody else"})),
            claims(json!({"session": "6b046efda3a4beeef871b88c"})),
            claims(json!({"session": null})),
            json!({"kind": "patch", "body": {"data": {"token": "opaque"}}}),
            refused(),
        ] {
            let sandbox = sandbox();
            strike(&sandbox, step, fault.clone());
            check(&sandbox);
            let requests = sandbox.requests();
            let killed = requests
                .iter()
                .any(|request| String::from_utf8_lossy(&request.body).contains("killSession"));
            assert!(!killed, "{} {fault}", step.name());
        }
    }
}

#[test]
fn no_token_is_sent_after_a_session_of_somebody_else() {
    for step in [
        Step::CreateAgain,
        Step::CreateWithAllFields,
        Step::CreateWithTagName,
        Step::CreateAfterRest,
        Step::Kill,
        Step::CreateAfterKill,
    ] {
        let sandbox = sandbox();
        let foreign = json!({"kind": "claims", "claims": {"identifier": "somebody else"}});
        strike(&sandbox, step, foreign);
        let report = check(&sandbox);
        let before = Step::ALL.iter().take_while(|&&earlier| earlier != step);
        let mut after = sandbox.requests().into_iter().skip(before.count());
        assert!(
            after.all(|request| request.header("authorization").is_none()),
            "{}:\n{report}",
            step.name()
        );
    }
}

#[test]
fn the_origin_is_the_base_urls_unless_another_is_chosen() {
    let sandbox = sandbox();
    check(&sandbox);
    let first = sandbox.requests().remove(0);
    assert_eq!(first.header("origin"), Some(sandbox.http_url()));
    sandbox.clear_requests();
    let chosen = Options {
        origin: Some("https://app.test".into()),
        ..options()
    };
    report(sandbox.http_url(), chosen);
    let first = sandbox.requests().remove(0);
    assert_eq!(first.header("origin"), Some("https://app.test"));
}

#[test]
fn a_path_in_the_base_url_stands_before_those_of_the_api() {
    let sandbox = sandbox();
    report(&format!("{}/v3/", sandbox.http_url()), options());
    assert_eq!(sandbox.requests()[0].path, "/v3/api/sessions");
}

#[test]
fn requests_go_through_the_proxy_that_is_named() {
    let sandbox = sandbox();
    let through = Options {
        proxy: Some(sandbox.http_url().to_owned()),
        ..options()
    };
    report("http://api.test", through);
    assert_eq!(sandbox.requests()[0].path, "http://api.test/api/sessions");
}

#[test]
fn exchanges_are_recorded_without_anything_that_could_be_used() {
    let sandbox = sandbox_with(|options| {
        let cookie = Reply::data(json!({"accessToken": "opaque"}));
        let cookie = cookie.with_header("Set-Cookie", "sid=secret");
        let fault = Fault::from(cookie).only("GET", Step::Key.path());
        options.faults.push(fault.times(1));
    });
    let folder = tempfile::tempdir().unwrap();
    let recording = Options {
        record: Some(folder.path().join("new")),
        ..options()
    };
    report(sandbox.http_url(), recording);
    for (number, step) in (1..).zip(Step::ALL) {
        let name = format!("new/{number:02}-{}.json", step.name());
        let text = std::fs::read_to_string(folder.path().join(&name)).expect(&name);
        for secret in ["eyJ", "secret", "opaque", "\"127.0.0.1\""] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
        let exchange: Value = serde_json::from_str(&text).expect(&name);
        assert_eq!(exchange["request"]["method"], step.method());
        assert!(exchange["answer"]["status"].is_u64(), "{name}");
    }
    let create = std::fs::read_to_string(folder.path().join("new/01-create.json")).unwrap();
    let create: Value = serde_json::from_str(&create).unwrap();
    assert_eq!(create["answer"]["body"]["data"]["token"], "<token>");
    assert_eq!(create["answer"]["claims"]["domain"], "zelf");
}

#[test]
fn the_session_of_somebody_else_is_recorded_without_its_claims() {
    let sandbox = sandbox();
    let theirs = json!({"identifier": "somebody else", "domain": "theirs"});
    let foreign = json!({"kind": "claims", "claims": theirs});
    strike(&sandbox, Step::CreateAgain, foreign);
    let folder = tempfile::tempdir().unwrap();
    let recording = Options {
        record: Some(folder.path().to_owned()),
        ..options()
    };
    report(sandbox.http_url(), recording);
    let text = std::fs::read_to_string(folder.path().join("02-create-again.json")).unwrap();
    assert!(text.contains("<token>"), "{text}");
    assert!(!text.contains("claims"), "{text}");
    assert!(!text.contains("theirs"), "{text}");
}

#[test]
fn a_token_that_is_repeated_in_a_later_refusal_is_not_printed() {
    let sandbox = sandbox();
    let odd = json!({"kind": "patch", "body": {"data": {"token": "opaque"}}});
    strike(&sandbox, Step::Create, odd);
    let echo = json!({"kind": "answer", "status": 403, "error": "no opaque here"});
    strike(&sandbox, Step::NoOrigin, echo);
    let report = check(&sandbox).to_string();
    assert!(report.contains("no <token> here"), "{report}");
    assert!(!report.contains("opaque"), "{report}");
}

#[test]
fn options_that_cannot_be_used_are_named_before_anything_is_sent() {
    let sandbox = sandbox();
    let nowhere = Options {
        ca_file: Some("/nonexistent/ca.pem".into()),
        ..options()
    };
    let no_proxy = Options {
        proxy: Some("::".into()),
        ..options()
    };
    let no_origin = Options {
        origin: Some(" ".into()),
        ..options()
    };
    for (url, options, reason) in [
        ("api.test", options(), "base URL"),
        (sandbox.https_url(), nowhere, "/nonexistent/ca.pem"),
        (sandbox.http_url(), no_proxy, "proxy"),
        (sandbox.http_url(), no_origin, "origin"),
    ] {
        let error = Check::new(url, options).err().expect(reason);
        assert!(error.contains(reason), "{error}");
    }
    assert_eq!(sandbox.requests().len(), 0);
}
