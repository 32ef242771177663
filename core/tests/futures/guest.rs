//! A program with many calls: calls at once, a session that ends, and the end of the process.

use std::{
    env, io,
    process::{self, Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    task::{spawn_blocking, yield_now},
    time::{sleep, timeout},
};
use zelf_core::{config::Config, error::Error, provider::options::ProviderOptions};
use zelf_sandbox::Sandbox;

use super::{AT_ONCE, config, on_one_thread, on_two_threads, options, run, sandbox, stall};

async fn server_has(sandbox: &Sandbox, requests: usize) {
    timeout(AT_ONCE, async {
        while sandbox.requests().len() < requests {
            yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[test]
fn twenty_calls_are_at_the_server_at_the_same_time() {
    let sandbox = sandbox();
    stall(&sandbox);
    run(&on_two_threads(), &config(&sandbox), |client| async {
        let calls: Vec<_> = (0..20)
            .map(|number| {
                let client = client.clone();
                tokio::spawn(async move {
                    client
                        .create_session(&options(&format!("held-{number}")))
                        .await
                })
            })
            .collect();
        drop(client);
        server_has(&sandbox, 20).await;
        for call in &calls {
            call.abort();
        }
    });
    assert_eq!(sandbox.requests().len(), 20);
}

#[test]
fn twenty_futures_share_the_session_of_a_provider() {
    let sandbox = sandbox();
    let sessions = run(&on_two_threads(), &config(&sandbox), |client| async move {
        let options = options("shared-x");
        let provider = Arc::new(client.provider(&options, &ProviderOptions::default())?);
        let gets: Vec<_> = (0..20)
            .map(|_| {
                let provider = Arc::clone(&provider);
                tokio::spawn(async move { provider.get().await })
            })
            .collect();
        let mut sessions = Vec::new();
        for get in gets {
            sessions.push(get.await.unwrap()?);
        }
        Ok::<_, Error>(sessions)
    })
    .unwrap();
    assert!(sessions.iter().all(|one| one.is_same_as(&sessions[0])));
    // On a slow machine a get may have to confirm the session.
    assert!(sandbox.requests().len() <= 2);
}

fn make_older(sandbox: &Sandbox, identifier: &str, seconds: u32) {
    let age = json!({"identifier": identifier, "seconds": seconds});
    sandbox.control("POST", "/sandbox/age", &age).unwrap();
}

#[test]
fn a_provider_renews_a_session_that_is_about_to_end() {
    let sandbox = sandbox();
    let (first, second) = run(&on_one_thread(), &config(&sandbox), |client| async {
        let named = options("ending-x");
        client.create_session(&named).await?;
        make_older(&sandbox, "ending-x", 592);
        let keeping = ProviderOptions {
            min_valid_s: Some(6),
            ..ProviderOptions::default()
        };
        let provider = client.provider(&named, &keeping)?;
        drop(client);
        let first = provider.get().await?;
        while first.seconds_left() >= 6 {
            sleep(Duration::from_millis(10)).await;
        }
        Ok::<_, Error>((first, provider.get().await?))
    })
    .unwrap();
    assert!(!first.is_same_as(&second));
    assert!(second.seconds_left() > 590);
}

#[test]
fn a_provider_replaces_a_session_that_has_expired() {
    let sandbox = sandbox();
    let (old, new) = run(&on_one_thread(), &config(&sandbox), |client| async {
        let named = options("expired-x");
        let old = client.create_session(&named).await?;
        make_older(&sandbox, "expired-x", 601);
        let provider = client.provider(&named, &ProviderOptions::default())?;
        drop(client);
        Ok::<_, Error>((old, provider.get().await?))
    })
    .unwrap();
    assert!(!old.is_same_as(&new));
    assert!(new.seconds_left() > 590);
}

/// The variables that tell a child process where the sandbox is.
const CHILD_URL: &str = "ZELF_CHILD_URL";
const CHILD_CA: &str = "ZELF_CHILD_CA";

/// Starts one of the ignored tests in another process, so that it has a process to itself.
pub fn child(test: &str, sandbox: &Sandbox) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env(CHILD_URL, sandbox.https_url())
        .env(CHILD_CA, sandbox.ca_file())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Returns the settings in a child process, and `None` in another process.
pub fn child_config() -> Option<Config> {
    Some(Config {
        base_url: env::var(CHILD_URL).ok()?.as_str().into(),
        ca_file: env::var(CHILD_CA).ok()?.as_str().into(),
        ..Config::default()
    })
}

#[test]
fn a_process_ends_with_calls_under_way() {
    let sandbox = sandbox();
    stall(&sandbox);
    let child = child("guest::ends_with_calls", &sandbox);
    on_one_thread().block_on(server_has(&sandbox, 20));
    let begun = Instant::now();
    // This closes its stdin.
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    // The calls have a limit of 15 s.
    assert!(begun.elapsed() < AT_ONCE);
}

#[test]
#[ignore = "a child of another test"]
fn ends_with_calls() {
    let Some(config) = child_config() else { return };
    run(&on_one_thread(), &config, |client| async move {
        for number in 0..20 {
            let client = client.clone();
            tokio::spawn(async move {
                let options = options(&format!("last-{number}"));
                client.create_session(&options).await
            });
        }
        let end = spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
        end.await.unwrap().unwrap();
        process::exit(0);
    });
}
