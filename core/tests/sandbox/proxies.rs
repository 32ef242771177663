//! Which certificates a client trusts through a proxy, and what it may send again there. One
//! sandbox is the proxy, another one is the server.

use std::fs;

use zelf_sandbox::{Fault, Reply, Sandbox};

use super::world::*;
use zelf_core::{
    client::Client,
    config::{Config, Pem},
    error::{Error, Status},
    session::Session,
    session_options::SessionOptions,
    text::Text,
};

fn authorities(of: &[&Sandbox]) -> Option<Pem> {
    let texts = of.iter().map(|one| fs::read(one.ca_file()).unwrap());
    Some(Pem::Text(texts.collect::<Vec<_>>().concat()))
}

/// Returns a client that uses a proxy over TLS, and trusts both authorities.
fn client_through(proxy: &Sandbox, server: &Sandbox, change: impl FnOnce(&mut Config)) -> Client {
    client(server, |config| {
        config.proxy = Text::new(Some(proxy.https_url().as_bytes()));
        config.ca_file = Text::UNSET;
        config.ca_pem = authorities(&[proxy, server]);
        change(config);
    })
}

fn kill(client: &Client) -> Result<Session, Error> {
    client.create_session(&SessionOptions {
        kill_session: Some(true),
        ..options("proxied-x")
    })
}

/// Lets a proxy refuse this many tunnels.
fn refuse(proxy: &Sandbox, reply: Reply, times: u32) {
    let mut fault = Fault::from(reply).times(times);
    fault.when.method = Some("CONNECT".to_owned());
    proxy.inject(fault);
}

#[test]
fn pins_concern_the_server_and_not_a_proxy() {
    let (proxy, server) = (sandbox(), sandbox());
    for (pinned, is_right) in [(&server, true), (&proxy, false)] {
        let pin = Text::new(Some(pinned.spki_sha256().as_bytes()));
        let client = client_through(&proxy, &server, |config| config.pins = vec![pin]);
        match create(&client, "proxied-x") {
            Ok(_) => assert!(is_right),
            Err(error) => assert_eq!((error.status, is_right), (Status::PinMismatch, false)),
        }
    }
}

#[test]
fn a_proxy_and_a_server_both_need_a_certificate_that_is_trusted() {
    let (proxy, server) = (sandbox(), sandbox());
    for (trusted, stranger) in [(&server, "the proxy localhost"), (&proxy, "localhost")] {
        let client = client_through(&proxy, &server, |config| {
            config.ca_pem = authorities(&[trusted]);
        });
        let error = create(&client, "proxied-x").unwrap_err();
        assert_eq!(error.status, Status::Tls);
        assert!(error.message.contains(stranger), "{}", error.message);
    }
}

#[test]
fn a_kill_goes_out_again_after_what_a_proxy_refused_and_not_after_what_the_server_did() {
    let (proxy, server) = (sandbox(), sandbox());
    let client = client_through(&proxy, &server, |_| {});
    let busy = || Reply::error(503, "busy");
    refuse(&proxy, busy(), 2);
    kill(&client).unwrap();
    assert_eq!(server.requests().len(), 1);
    server.clear_requests();
    server.inject(Fault::from(busy()).times(2));
    assert_eq!(kill(&client).unwrap_err().status, Status::Server);
    assert_eq!(server.requests().len(), 1);
}
