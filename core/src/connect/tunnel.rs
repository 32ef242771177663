//! Tunnels through proxies: CONNECT and SOCKS 5.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    task::Poll,
    time::Duration,
};

use percent_encoding::percent_decode;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::{
    api::{refusal, server_words},
    connect::{
        failure::Failure,
        poll_socket::PollSocket,
        proxy::{Credentials, Proxy},
        socks::{Handshake, Step, Target},
        transfer::{Outgoing, Progress, advance},
        wire::{Broken, Wire},
    },
    host::clock,
    http::{
        answer::Answer,
        exchange::{Close, Exchange, Rules},
        head::Method,
        request::RequestHead,
    },
    moment::Moment,
};

/// The limits for a proxy's answer. [`MAX_WORDS_TIME`] limits the time of its body.
const RULES: Rules = Rules {
    method: Method::Connect,
    max_body: 64 * 1024,
    error_body_time: Some(Duration::ZERO),
    is_whole: |_| false,
};

/// How long to wait for the message of a refusal, or half of the remaining time if that is less.
/// The status must be reported even without the message.
const MAX_WORDS_TIME: Duration = Duration::from_secs(4);

/// The request for an HTTP proxy.
pub struct Asked<'a> {
    pub proxy: &'a Proxy,
    /// `host:port` of the server.
    pub authority: &'a str,
    pub user_agent: &'a str,
}

/// Opens a tunnel through an HTTP proxy. Returns the bytes behind the proxy's answer, which belong
/// to the server.
pub async fn connect(
    socket: &mut TcpStream,
    wire: &mut Wire,
    asked: &Asked<'_>,
    until: Instant,
) -> Result<Vec<u8>, Failure> {
    wire.send(&request(asked))
        .map_err(|error| Failure::Tunnel(Broken::Io(error)))?;
    let mut exchange = Exchange::new(RULES);
    let is_refusal = |exchange: &Exchange| exchange.status() >= 300;
    let progress = advance_until(wire, socket, &mut exchange, is_refusal).await?;
    if progress == Progress::Moved {
        let left = until.saturating_duration_since(Instant::now());
        let rest = advance_until(wire, socket, &mut exchange, |_| false);
        // The part of the message that has arrived is used in any case.
        let _ = timeout(MAX_WORDS_TIME.min(left / 2), rest).await;
        let _ = exchange.closed(Close::Broken);
    }
    let answer = exchange.answer();
    if (200..300).contains(&answer.status) {
        return Ok(exchange.left_over().to_vec());
    }
    let Asked {
        proxy, authority, ..
    } = asked;
    let answer = Answer {
        body: match may_repeat(proxy.credentials.as_ref(), &answer) {
            true => &[],
            false => answer.body,
        },
        ..answer
    };
    let error = refusal::of_proxy(&answer, &proxy.authority, authority, clock::wall());
    Err(Failure::Refused(error))
}

fn request(asked: &Asked<'_>) -> Vec<u8> {
    let credentials = asked.proxy.credentials.as_ref();
    let basic = credentials.map(|credentials| credentials.basic());
    let mut headers = vec![("host", asked.authority), ("user-agent", asked.user_agent)];
    if let Some(basic) = &basic {
        headers.push(("proxy-authorization", basic));
    }
    RequestHead::new("CONNECT", asked.authority, &headers).alone()
}

/// Continues until the answer is complete, or until `is_enough` returns true.
async fn advance_until(
    wire: &mut Wire,
    socket: &mut TcpStream,
    exchange: &mut Exchange,
    is_enough: impl Fn(&Exchange) -> bool,
) -> Result<Progress, Failure> {
    poll_fn(|context| {
        let mut socket = PollSocket::new(socket, context);
        loop {
            return Poll::Ready(
                match advance(
                    wire,
                    &mut socket,
                    &mut Outgoing::default(),
                    exchange,
                    || Moment::ZERO,
                ) {
                    Ok(Progress::Moved) if !is_enough(exchange) => continue,
                    Ok(Progress::Blocked) => return Poll::Pending,
                    Err(Failure::Lost(why)) => Err(Failure::Tunnel(why)),
                    Err(Failure::Answer(why)) => Err(Failure::NoTunnel(why)),
                    outcome => outcome,
                },
            );
        }
    })
    .await
}

/// Returns whether the message of an answer may repeat the credentials, or a part of them.
///
/// An answer about the credentials may repeat them in any form, and an incomplete one may contain a
/// part of them. So these two kinds are not searched. In other answers only letters and digits are
/// compared, because a page may encode other characters in many ways. A short user name is not a
/// secret.
fn may_repeat(credentials: Option<&Credentials>, answer: &Answer<'_>) -> bool {
    const SHORT: usize = 8;
    let Some(credentials) = credentials else {
        return false;
    };
    if answer.status == 407 || answer.is_cut_short {
        return true;
    }
    let words = server_words::read(answer.body, answer.coding)
        .said
        .unwrap_or_default();
    let texts = [
        letters_and_digits(answer.body),
        letters_and_digits(words.as_bytes()),
    ];
    let basic = credentials.basic();
    let encoded = letters_and_digits(basic.trim_start_matches("Basic ").as_bytes());
    let user = letters_and_digits(&credentials.user);
    let password = letters_and_digits(&credentials.password);
    let is_user_secret = user.len() >= SHORT || credentials.password.is_empty();
    [(encoded, true), (password, true), (user, is_user_secret)]
        .iter()
        .filter(|(secret, counts)| *counts && !secret.is_empty())
        .any(|(secret, _)| texts.iter().any(|text| text.contains(secret.as_str())))
}

/// Returns the letters and digits of a text, after decoding percent-encoding and entities.
fn letters_and_digits(text: &[u8]) -> String {
    let text = percent_decode(text).decode_utf8_lossy().into_owned();
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let is_of_entity = |c: char| c.is_ascii_alphanumeric() || c == '#';
        let end = after.find(|c| !is_of_entity(c)).unwrap_or(after.len());
        rest = after[end..].strip_prefix(';').unwrap_or(after);
    }
    plain.push_str(rest);
    plain.retain(|c| c.is_ascii_alphanumeric() || !c.is_ascii());
    plain
}

/// Opens a connection through a SOCKS proxy.
pub async fn socks(
    socket: &mut TcpStream,
    proxy: &Proxy,
    target: Target,
    port: u16,
) -> Result<(), Failure> {
    let broken = |error| Failure::Tunnel(Broken::Io(error));
    let mut handshake = Handshake::new(target, port, proxy.credentials.clone());
    let mut bytes = [0; 512];
    loop {
        match handshake.step() {
            Step::Send(message) => write_all(socket, &message).await.map_err(broken)?,
            Step::Read(count) => {
                let bytes = &mut bytes[..count];
                read_exact(socket, bytes).await.map_err(broken)?;
                handshake.received(bytes).map_err(Failure::Socks)?;
            }
            Step::Done => return Ok(()),
        }
    }
}

async fn write_all(socket: &mut TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = poll(socket, |socket| socket.write(bytes)).await?;
        bytes = &bytes[count..];
    }
    Ok(())
}

async fn read_exact(socket: &mut TcpStream, bytes: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < bytes.len() {
        match poll(socket, |socket| socket.read(&mut bytes[filled..])).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    Ok(())
}

/// Waits until an operation on the socket has a result.
pub async fn poll<T>(
    socket: &mut TcpStream,
    mut operation: impl FnMut(&mut PollSocket<'_, '_>) -> io::Result<T>,
) -> io::Result<T> {
    poll_fn(
        |context| match operation(&mut PollSocket::new(socket, context)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            outcome => Poll::Ready(outcome),
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_may_show_the_credentials_are_not_used() {
        let credentials = |user: &str, password: &str| Credentials {
            user: user.as_bytes().to_vec(),
            password: password.as_bytes().to_vec(),
        };
        let hidden = |credentials: &Credentials, body: &str| {
            may_repeat(Some(credentials), &Answer::of(403, body.as_bytes()))
        };
        let usual = credentials("user", "s3c&r3t/@x");
        for body in [
            "password s3c&r3t/@x",
            "password s3c&amp;r3t/@x",
            r#"{"error":{"password":"s3c&r3t\/@x"}}"#,
            "http://user:s3c%26r3t%2F%40x@proxy",
            "Basic dXNlcjpzM2MmcjN0L0B4",
        ] {
            assert!(hidden(&usual, body), "{body}");
        }
        for body in ["Blocked by policy", "no user of that name", "", "&"] {
            assert!(!hidden(&usual, body), "{body}");
        }
        assert!(hidden(
            &credentials("ghp_s3cr3tToken", "x-oauth"),
            "ghp_s3cr3tToken"
        ));
        assert!(hidden(&credentials("token", ""), "who is token?"));
        for (status, is_cut_short) in [(407, false), (403, true)] {
            let answer = Answer {
                is_cut_short,
                ..Answer::of(status, b"your password s3c")
            };
            assert!(may_repeat(Some(&usual), &answer));
            assert!(!may_repeat(None, &answer));
        }
    }
}
