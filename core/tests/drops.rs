//! What is left of a client that a Rust program drops.

use std::{
    net::TcpListener,
    sync::{
        Arc, Weak,
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use zelf_core::{
    background::yields::Outcome,
    client::{Client, Unsent},
    config::Config,
    context::Context,
    error::Status,
    provider::{options::ProviderOptions, session_provider::Provider},
    session_options::SessionOptions,
};

/// The limit for something that ends at once. It leaves room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Returns a server that accepts connections and never answers, and a client of it.
fn client(is_dispatched: bool) -> (TcpListener, Client) {
    client_with_timeout(is_dispatched, Config::default().timeout_ms)
}

fn client_with_timeout(is_dispatched: bool, timeout_ms: u32) -> (TcpListener, Client) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let config = Config {
        base_url: format!("http://{}", server.local_addr().unwrap())
            .as_str()
            .into(),
        dispatched_by_host: is_dispatched,
        timeout_ms,
        ..Config::default()
    };
    (server, Client::new(&config).unwrap())
}

/// The threads own the context, so this waits for their end.
fn assert_ends(context: &Weak<Context>) {
    let begun = Instant::now();
    while context.strong_count() > 0 {
        assert!(begun.elapsed() < AT_ONCE, "the threads have not ended");
        thread::sleep(Duration::from_millis(1));
    }
}

fn begin(client: &Client) -> Unsent {
    client.begin(&SessionOptions::default()).unwrap().1
}

fn submit(unsent: Unsent) -> Receiver<Outcome> {
    let (sender, outcome) = mpsc::channel();
    unsent.submit(Box::new(move |outcome| sender.send(outcome).unwrap()));
    outcome
}

#[test]
fn dropping_a_client_cancels_its_calls_and_ends_its_threads() {
    let (_server, client) = client(false);
    let context = Arc::downgrade(client.context());
    let outcome = submit(begin(&client));
    drop(client);
    let outcome = outcome.recv_timeout(AT_ONCE).unwrap();
    assert_eq!(outcome.unwrap_err().status, Status::Cancelled);
    assert_ends(&context);
}

#[test]
fn dropping_a_background_provider_and_its_client_ends_the_threads() {
    for is_dispatched in [false, true] {
        // A renewal in progress owns the client.
        let (_server, client) = client_with_timeout(is_dispatched, 100);
        let context = Arc::downgrade(client.context());
        let session = SessionOptions {
            identifier: "dropped-x".into(),
            ..SessionOptions::default()
        };
        let options = ProviderOptions {
            is_background: true,
            ..ProviderOptions::default()
        };
        let provider = Provider::new(Arc::new(client), &session, &options).unwrap();
        drop(provider);
        assert_ends(&context);
    }
}

#[test]
fn dropping_a_dispatched_client_runs_the_callbacks_of_its_calls() {
    let (_server, client) = client(true);
    let outcome = submit(begin(&client));
    drop(client);
    let outcome = outcome.try_recv().unwrap();
    assert_eq!(outcome.unwrap_err().status, Status::Cancelled);
}

#[test]
fn a_call_may_be_submitted_after_its_client_was_dropped() {
    for is_dispatched in [false, true] {
        let (_server, client) = client(is_dispatched);
        let context = Arc::downgrade(client.context());
        let unsent = begin(&client);
        drop(client);
        let outcome = submit(unsent).recv_timeout(AT_ONCE).unwrap();
        assert_eq!(outcome.unwrap_err().status, Status::Cancelled);
        assert_ends(&context);
    }
}

#[test]
fn a_call_that_is_dropped_does_not_hold_up_a_shutdown() {
    for is_dispatched in [false, true] {
        let (_server, client) = client(is_dispatched);
        drop(begin(&client));
        client.shut_down(AT_ONCE).unwrap();
    }
}

#[test]
fn a_call_that_is_dropped_after_its_client_ends_the_threads() {
    let (_server, client) = client(false);
    let context = Arc::downgrade(client.context());
    let unsent = begin(&client);
    drop(client);
    drop(unsent);
    assert_ends(&context);
}

#[test]
fn a_callback_may_drop_its_client() {
    let (_server, client) = client(false);
    let context = Arc::downgrade(client.context());
    let client = Arc::new(client);
    let (call, unsent) = client.begin(&SessionOptions::default()).unwrap();
    unsent.submit(Box::new(move |_| drop(client)));
    call.cancel();
    assert_ends(&context);
}

#[test]
fn the_longest_timeout_of_a_shutdown_does_not_overflow() {
    let (_server, client) = client(false);
    let outcome = submit(begin(&client));
    client.shut_down(Duration::MAX).unwrap();
    outcome.try_recv().unwrap().unwrap_err();
}

/// The child has only the thread that forks, so a client that waits for another one or takes an
/// inherited lock may not return.
#[cfg(unix)]
#[test]
fn a_forked_child_drops_its_copy_and_leaves_the_parents_client_as_it_is() {
    let (_server, client) = client(true);
    let outcome = submit(begin(&client));
    let unsent = begin(&client);
    // SAFETY: the child only drops its copies and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        drop(client);
        drop(unsent);
        let told = i32::from(outcome.try_recv().is_ok());
        // SAFETY: this ends the child without the harness of the tests.
        unsafe { libc::_exit(told) };
    }
    let mut status = 1;
    let begun = Instant::now();
    // SAFETY: the child of this test.
    while unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) } == 0 {
        assert!(begun.elapsed() < AT_ONCE, "the child has not ended");
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(status, 0);
    outcome.try_recv().unwrap_err();
    drop(unsent);
    drop(client);
    outcome.try_recv().unwrap().unwrap_err();
}
