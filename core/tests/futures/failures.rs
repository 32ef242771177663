//! Each kind of failure, by its status.

use serde_json::{Value, json};
use zelf_core::{
    config::Config,
    error::{Error, Status},
};
use zelf_sandbox::Sandbox;

use super::{config, on_one_thread, options, run, sandbox};

fn failure(config: &Config, identifier: &str) -> Error {
    let one_attempt = Config {
        max_attempts: 1,
        ..config.clone()
    };
    run(&on_one_thread(), &one_attempt, |client| async move {
        client.create_session(&options(identifier)).await
    })
    .unwrap_err()
}

fn answer(sandbox: &Sandbox, fault: &Value) {
    sandbox.control("POST", "/sandbox/faults", fault).unwrap();
}

#[test]
fn a_rejected_origin_has_the_servers_words() {
    let sandbox = sandbox();
    answer(
        &sandbox,
        &json!({"kind": "answer", "status": 403, "error": "rejected"}),
    );
    let error = failure(&config(&sandbox), "rejected-x");
    assert_eq!(error.status, Status::RejectedOrigin);
    assert_eq!(
        (error.http_status, error.server_message.as_deref()),
        (403, Some("rejected"))
    );
    assert!(!error.is_retryable());
}

#[test]
fn a_rate_limit_has_the_time_until_the_next_attempt() {
    let sandbox = sandbox();
    answer(
        &sandbox,
        &json!({"kind": "answer", "status": 429, "headers": {"Retry-After": "7"}}),
    );
    let error = failure(&config(&sandbox), "limited-x");
    assert_eq!(error.status, Status::RateLimited);
    assert_eq!(error.retry_after.map(|wait| wait.as_secs()), Some(7));
}

#[test]
fn a_server_with_the_certificate_of_another_authority_gets_no_request() {
    let sandbox = sandbox();
    let other = super::sandbox();
    let untrusting = Config {
        ca_file: other.ca_file().to_str().unwrap().into(),
        ..config(&sandbox)
    };
    let error = failure(&untrusting, "untrusted-x");
    assert_eq!(error.status, Status::Tls, "{error}");
    assert!(!error.is_retryable());
    assert!(sandbox.requests().is_empty());
}

#[test]
fn an_invalid_argument_is_named() {
    let sandbox = sandbox();
    let error = failure(&config(&sandbox), "");
    assert_eq!(error.status, Status::InvalidArgument);
    assert!(error.message.contains("identifier"), "{error}");
}
