//! A provider: one request for many callers, and a valid session.

use std::{
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use zelf_sandbox::{Fault, FaultKind, Reply, Sandbox, Stage};

use super::world::*;
use zelf_core::{
    create::rules::Renewal,
    error::Status,
    provider::{options::ProviderOptions, session_provider::Provider},
    text::Text,
};

fn provider(sandbox: &Sandbox, identifier: &str, options: ProviderOptions) -> Provider {
    let client = Arc::new(client(sandbox, |_| {}));
    Provider::new(client, &self::options(identifier), &options).unwrap()
}

fn plain(sandbox: &Sandbox, identifier: &str) -> Provider {
    provider(sandbox, identifier, ProviderOptions::default())
}

fn never_killing() -> ProviderOptions {
    ProviderOptions {
        renewal: Some(Ok(Renewal::NeverKill)),
        ..ProviderOptions::default()
    }
}

fn kills(sandbox: &Sandbox) -> Vec<bool> {
    let bodies = bodies(sandbox);
    bodies
        .iter()
        .map(|body| body.contains("killSession"))
        .collect()
}

fn forget_sessions(sandbox: &Sandbox) {
    let route = "/sandbox/sessions";
    sandbox
        .control("DELETE", route, &serde_json::json!({}))
        .unwrap();
}

#[test]
fn a_warm_get_asks_nobody() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "warm-x");
    let first = provider.get().unwrap();
    for _ in 0..100 {
        assert!(provider.get().unwrap().is_same_as(&first));
    }
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_hundred_threads_make_one_request() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "hundred-x");
    let barrier = Barrier::new(100);
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                barrier.wait();
                provider.get().unwrap();
            });
        }
    });
    assert_eq!(sandbox.requests().len(), 1);
}

#[test]
fn a_new_session_is_confirmed_by_the_first_get_after_250_ms() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "confirm-later-x");
    let first = provider.get().unwrap();
    suspend_for(Duration::from_millis(250));
    assert!(provider.get().unwrap().is_same_as(&first));
    assert_eq!(sandbox.requests().len(), 2);
    provider.get().unwrap();
    assert_eq!(sandbox.requests().len(), 2);
}

#[test]
fn at_expiry_a_plain_request_and_one_kill_bring_a_new_session() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "expiry-x");
    let first = provider.get().unwrap();
    sandbox.age_sessions(Some("expiry-x"), 596);
    suspend(596);
    let second = provider.get().unwrap();
    assert!(!second.is_same_as(&first));
    assert!(left(&second) > 500);
    assert_eq!(kills(&sandbox), [false, false, true]);
}

#[test]
fn a_session_that_another_renewed_is_adopted_without_a_kill() {
    let sandbox = sandbox();
    let mine = plain(&sandbox, "adopted-x");
    let old = mine.get().unwrap();
    suspend(596);
    sandbox.age_sessions(Some("adopted-x"), 596);
    let others = client(&sandbox, |_| {});
    let mut killing = options("adopted-x");
    killing.kill_session = Some(true);
    let new = others.create_session(&killing).unwrap();
    sandbox.clear_requests();
    let got = mine.get().unwrap();
    assert!(got.is_same_as(&new) && !got.is_same_as(&old));
    assert_eq!(kills(&sandbox), [false]);
}

#[test]
fn a_kill_whose_outcome_is_unknown_is_followed_by_a_plain_request() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "unknown-x");
    provider.get().unwrap();
    suspend(596);
    sandbox.age_sessions(Some("unknown-x"), 596);
    sandbox.clear_requests();
    let reset = FaultKind::Reset {
        stage: Stage::Answer,
    };
    sandbox.inject(Fault::from(reset).skip(1).times(1));
    assert!(left(&provider.get().unwrap()) > 500);
    assert_eq!(kills(&sandbox), [false, true, false]);
}

#[test]
fn without_kills_an_expired_session_is_handed_out_as_long_as_the_server_has_it() {
    let sandbox = sandbox();
    let provider = provider(&sandbox, "never-x", never_killing());
    let first = provider.get().unwrap();
    suspend(600);
    sandbox.age_sessions(Some("never-x"), 600);
    for _ in 0..10 {
        let session = provider.get().unwrap();
        assert!(session.is_same_as(&first));
        assert_eq!(left(&session), 0);
    }
    assert_eq!(kills(&sandbox), [false, false]);
    sandbox.reap();
    suspend(7);
    let second = provider.get().unwrap();
    assert!(!second.is_same_as(&first) && left(&second) > 500);
    assert_eq!(kills(&sandbox), [false, false, false]);
}

#[test]
fn of_a_hundred_threads_that_were_refused_one_renews() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "refused-x");
    let first = provider.get().unwrap();
    sandbox.mark_sessions_used(Some("refused-x"));
    sandbox.clear_requests();
    let news = thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| provider.invalidate(&first)))
            .collect();
        let told = threads.into_iter().map(|thread| thread.join().unwrap());
        told.filter(|is_news| *is_news).count()
    });
    assert_eq!(news, 1);
    let second = provider.get().unwrap();
    assert!(!second.is_same_as(&first));
    assert_eq!(kills(&sandbox), [false, true]);
    assert!(!provider.invalidate(&first), "it was replaced long ago");
}

#[test]
fn a_refused_session_that_has_been_replaced_is_replaced_without_a_kill() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "gone-x");
    let first = provider.get().unwrap();
    forget_sessions(&sandbox);
    sandbox.clear_requests();
    assert!(provider.invalidate(&first));
    assert!(!provider.get().unwrap().is_same_as(&first));
    assert_eq!(kills(&sandbox), [false]);
}

#[test]
fn a_permanent_error_is_remembered_for_a_second() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "rejected-x");
    sandbox.inject(Reply::error(403, "rejected"));
    for _ in 0..50 {
        let error = provider.get().unwrap_err();
        assert_eq!(error.status, Status::RejectedOrigin);
    }
    assert_eq!(sandbox.requests().len(), 1);
    let error = provider.last_error().unwrap();
    assert!(error.retry_after.unwrap() <= Duration::from_secs(1));
    sandbox.clear_faults();
    suspend(2);
    provider.get().unwrap();
    assert!(provider.last_error().is_none());
}

#[test]
fn after_a_change_of_network_the_error_says_how_long_it_lasts() {
    let sandbox = sandbox();
    let provider = plain(&sandbox, "moved-away-x");
    provider.get().unwrap();
    // From here on the session is known to exist.
    suspend(1);
    provider.get().unwrap();
    suspend(598);
    sandbox.age_sessions(Some("moved-away-x"), 599);
    sandbox.set_client_address(Some("198.51.100.7".parse().unwrap()));
    let mut outcome = provider.get();
    for _ in 0..5 {
        if outcome.is_err() {
            break;
        }
        suspend(1);
        outcome = provider.get();
    }
    let error = outcome.unwrap_err();
    assert_eq!(error.status, Status::GhostSession);
    assert!(error.is_retryable());
    let after = error.retry_after.unwrap().as_secs();
    assert!((50..=62).contains(&after), "{after} s");
    sandbox.age_sessions(Some("moved-away-x"), 60);
    sandbox.reap();
    suspend(20);
    assert!(left(&provider.get().unwrap()) > 500);
}

#[test]
fn a_stored_session_needs_no_request() {
    let sandbox = sandbox();
    let folder = std::env::temp_dir().join(format!("zelf-provider-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let options = ProviderOptions {
        directory: Text::new(folder.to_str().map(str::as_bytes)),
        ..ProviderOptions::default()
    };
    let mut session = self::options("stored-x");
    session.confirms = true;
    let make = || {
        let client = Arc::new(client(&sandbox, |_| {}));
        Provider::new(client, &session, &options).unwrap()
    };
    let first = make().get().unwrap();
    assert_eq!(sandbox.requests().len(), 2);
    let second = make();
    assert!(second.get().unwrap().is_same_as(&first));
    assert_eq!(sandbox.requests().len(), 2);
    assert!(second.invalidate(&first));
    forget_sessions(&sandbox);
    assert!(
        !make().get().unwrap().is_same_as(&first),
        "it was forgotten"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
