//! Calls as futures, on the caller's tokio runtime, against a sandbox.

mod failures;
mod guest;
#[cfg(target_os = "linux")]
mod memory;

use std::{
    fs,
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use zelf_core::{
    config::Config,
    error::{Error, Status},
    futures::AsyncClient,
    provider::options::ProviderOptions,
    send::request::Request,
    session_options::SessionOptions,
};
use zelf_sandbox::{Options, Sandbox};

/// The limit for something that ends at once. It leaves room for a busy machine.
const AT_ONCE: Duration = Duration::from_secs(10);

fn sandbox() -> Sandbox {
    Sandbox::start(Options {
        log: false,
        ..Options::default()
    })
    .unwrap()
}

fn config(sandbox: &Sandbox) -> Config {
    Config {
        base_url: sandbox.https_url().into(),
        ca_file: sandbox.ca_file().to_str().unwrap().into(),
        ..Config::default()
    }
}

fn options(identifier: &str) -> SessionOptions {
    SessionOptions {
        identifier: identifier.into(),
        ..SessionOptions::default()
    }
}

fn on_one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn on_two_threads() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// Runs a program with a client and its driver.
fn run<F: Future>(
    runtime: &Runtime,
    config: &Config,
    program: impl FnOnce(AsyncClient) -> F,
) -> F::Output {
    let (client, driver) = AsyncClient::new(config).unwrap();
    runtime.block_on(async {
        let (driven, done) = tokio::join!(driver.run(), program(client));
        driven.unwrap();
        done
    })
}

fn stall(sandbox: &Sandbox) {
    let fault = serde_json::json!({"kind": "stall", "stage": "request"});
    sandbox.control("POST", "/sandbox/faults", &fault).unwrap();
}

#[test]
fn a_call_creates_a_session() {
    let sandbox = sandbox();
    let session = run(&on_one_thread(), &config(&sandbox), |client| async move {
        client.create_session(&options("futures-x")).await
    });
    assert_eq!(session.unwrap().identifier(), Some("futures-x"));
}

#[test]
fn the_futures_of_a_client_run_on_any_thread() {
    let sandbox = sandbox();
    let outcomes = run(&on_two_threads(), &config(&sandbox), |client| async move {
        let calls = (0..20).map(|number| {
            let client = client.clone();
            tokio::spawn(async move {
                client
                    .create_session(&options(&format!("many-{number}")))
                    .await
            })
        });
        let mut outcomes = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            outcomes.push(call.await.unwrap());
        }
        outcomes
    });
    assert_eq!(outcomes.len(), 20);
    for outcome in outcomes {
        outcome.unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_of_the_library_runs() {
    let sandbox = sandbox();
    run(&on_one_thread(), &config(&sandbox), |client| async move {
        client.create_session(&options("threads-x")).await.unwrap();
        for task in fs::read_dir("/proc/self/task").unwrap() {
            // A thread of another test may end meanwhile.
            let name = fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default();
            assert!(!name.starts_with("zelf-io"), "{name}");
            assert!(!name.starts_with("zelf-callbacks"), "{name}");
        }
    });
}

#[test]
fn dropping_a_future_cancels_its_call() {
    let sandbox = sandbox();
    stall(&sandbox);
    let begun = Instant::now();
    run(&on_one_thread(), &config(&sandbox), |client| async move {
        let options = options("dropped-x");
        let call = client.create_session(&options);
        timeout(Duration::from_millis(50), call).await.unwrap_err();
    });
    // The driver has ended, so the call has ended too, before its time limit of 15 s.
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
fn a_call_ends_at_its_time_limit() {
    let sandbox = sandbox();
    stall(&sandbox);
    let config = Config {
        timeout_ms: 100,
        ..config(&sandbox)
    };
    let outcome = run(&on_one_thread(), &config, |client| async move {
        client.create_session(&options("late-x")).await
    });
    assert_eq!(outcome.unwrap_err().status, Status::Timeout);
}

#[test]
fn calls_end_with_their_driver() {
    let sandbox = sandbox();
    stall(&sandbox);
    let (client, driver) = AsyncClient::new(&config(&sandbox)).unwrap();
    let outcome = on_one_thread().block_on(async {
        let options = options("left-x");
        let call = client.create_session(&options);
        let ended = async {
            timeout(Duration::from_millis(50), driver.run())
                .await
                .unwrap_err();
        };
        tokio::join!(call, ended).0
    });
    assert_eq!(outcome.unwrap_err().status, Status::ShutDown);
    let outcome = on_one_thread().block_on(client.create_session(&options("later-x")));
    assert_eq!(outcome.unwrap_err().status, Status::ShutDown);
}

#[test]
fn a_provider_replaces_a_session_that_a_route_refuses() {
    let sandbox = sandbox();
    let control = |route: &str| {
        sandbox
            .control("POST", route, &serde_json::json!({"identifier": "kept-x"}))
            .unwrap();
    };
    let (first, response, second) = run(&on_one_thread(), &config(&sandbox), |client| async move {
        let provider = client
            .provider(&options("kept-x"), &ProviderOptions::default())
            .unwrap();
        let first = provider.get().await?;
        control("/sandbox/use");
        let request = Request::new("GET".into(), "/sandbox/echo?check=session".into());
        let response = provider.send(&request).await?;
        Ok::<_, Error>((first, response, provider.get().await?))
    })
    .unwrap();
    assert_eq!(response.status(), 200);
    assert!(!first.is_same_as(&second));
}

#[test]
fn a_request_has_the_session_of_the_caller() {
    let sandbox = sandbox();
    let (with, without) = run(&on_one_thread(), &config(&sandbox), |client| async move {
        let session = client.create_session(&options("own-x")).await?;
        let request = Request::new("GET".into(), "/sandbox/echo?check=session".into());
        let with = client.send(&request, Some(&session)).await?;
        Ok::<_, Error>((with, client.send(&request, None).await?))
    })
    .unwrap();
    assert_eq!((with.status(), without.status()), (200, 401));
}

#[test]
fn a_provider_renews_in_the_background_on_the_driver() {
    let sandbox = sandbox();
    run(&on_one_thread(), &config(&sandbox), |client| async {
        let in_background = ProviderOptions {
            is_background: true,
            ..ProviderOptions::default()
        };
        let provider = client
            .provider(&options("ahead-x"), &in_background)
            .unwrap();
        drop(client);
        timeout(AT_ONCE, async {
            while sandbox.requests().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
        provider.get().await.unwrap();
    });
    // `run` has returned, because the end of the provider ends the driver.
}

#[test]
fn an_async_client_shares_its_calls_with_the_blocking_one() {
    let sandbox = sandbox();
    let (client, driver) = AsyncClient::new(&config(&sandbox)).unwrap();
    let blocking = Arc::clone(client.blocking());
    let session = on_one_thread().block_on(async {
        let program = async move { client.create_session(&options("both-x")).await };
        tokio::join!(driver.run(), program).1
    });
    let again = blocking.create_session(&options("both-x"));
    assert_eq!(session.unwrap().id(), again.unwrap().id());
}
