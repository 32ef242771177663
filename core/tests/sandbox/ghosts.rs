//! Sessions that do not exist, and sessions of other options.

use std::time::{Duration, Instant};

use serde_json::json;
use zelf_sandbox::FaultKind;

use super::world::*;
use zelf_core::{
    error::{Error, Status},
    session::{Claim, Session},
    session_options::SessionOptions,
    text::Text,
};

fn confirming(identifier: &str) -> SessionOptions {
    SessionOptions {
        confirms: true,
        ..options(identifier)
    }
}

fn text(text: &str) -> Text {
    Text::new(Some(text.as_bytes()))
}

#[test]
fn a_new_session_is_confirmed_250_ms_later_when_asked_for() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let begun = Instant::now();
    client.create_session(&confirming("confirmed-x")).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(250));
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn a_session_that_is_not_new_needs_no_confirmation() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "older-one-x").unwrap();
    sandbox.age_sessions(Some("older-one-x"), 60);
    sandbox.clear_requests();
    client.create_session(&confirming("older-one-x")).unwrap();
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn three_different_sessions_in_a_row_are_ghosts() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "moved-x").unwrap();
    sandbox.set_client_address(Some("198.51.100.7".parse().unwrap()));
    sandbox.clear_requests();
    let error = client.create_session(&confirming("moved-x")).unwrap_err();
    assert_eq!(error.status, Status::GhostSession);
    assert!(!error.is_retryable());
    assert_eq!(sandbox.requests().len(), 3);
}

#[test]
fn a_kill_is_confirmed_without_another_kill() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "killed-x").unwrap();
    sandbox.clear_requests();
    let options = SessionOptions {
        kill_session: Some(true),
        ..confirming("killed-x")
    };
    client.create_session(&options).unwrap();
    let kills: Vec<bool> = bodies(&sandbox)
        .iter()
        .map(|body| body.contains("killSession"))
        .collect();
    assert_eq!(kills, [true, false]);
}

#[test]
fn a_session_of_other_options_is_refused_by_the_option() {
    let other = |change: fn(&mut SessionOptions), words: &str| {
        let sandbox = sandbox();
        let client = client(&sandbox, |_| {});
        create(&client, "options-x").unwrap();
        let mut wanted = options("options-x");
        change(&mut wanted);
        let error: Error = client.create_session(&wanted).unwrap_err();
        assert_eq!(error.status, Status::OtherOptions);
        assert!(error.message.contains(words), "{error}");
        // The remedy that the error names.
        wanted.kill_session = Some(true);
        client.create_session(&wanted).unwrap()
    };
    let session: Session = other(|options| options.domain = text("avax"), "another domain");
    assert_eq!(session.claim(Claim::Domain), Some("avax"));
    let session = other(
        |options| options.tag_name = text("a.zelf"),
        "another tag name",
    );
    assert_eq!(session.claim(Claim::TagName), Some("a.zelf"));
    let session = other(
        |options| options.eth_address = text("0xa"),
        "another Ethereum",
    );
    assert_eq!(session.claim(Claim::EthAddress), Some("0xa"));
}

#[test]
fn an_option_that_was_not_asked_for_or_is_not_told_contradicts_nothing() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    let mut wanted = options("told-x");
    wanted.eth_address = text("0xa");
    client.create_session(&wanted).unwrap();
    create(&client, "told-x").unwrap();
    sandbox.inject(FaultKind::Claims {
        claims: json!({"ethAddress": null}),
    });
    wanted.eth_address = text("0xb");
    assert!(client.create_session(&wanted).is_ok(), "a missing claim");
}

#[test]
fn an_expired_session_of_other_options_is_replaced() {
    let sandbox = sandbox();
    let client = client(&sandbox, |_| {});
    create(&client, "replaced-x").unwrap();
    sandbox.age_sessions(Some("replaced-x"), 650);
    let mut wanted = options("replaced-x");
    wanted.eth_address = text("0xa");
    let session = client.create_session(&wanted).unwrap();
    assert_eq!(session.claim(Claim::EthAddress), Some("0xa"));
}
