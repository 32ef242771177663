//! The handshake of SOCKS 5 as a state machine (RFC 1928, RFC 1929).

use std::net::IpAddr;

use crate::connect::proxy::Credentials;

/// The destination for the proxy.
pub enum Target {
    Address(IpAddr),
    /// At most 255 bytes. The proxy resolves it.
    Name(String),
}

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// Read exactly this many bytes: the following ones belong to the server.
    Read(usize),
    Done,
}

/// Why the proxy cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not speak SOCKS 5.
    NotSocks,
    /// It requires credentials, or other ones.
    Credentials,
    /// Its reply code for the request.
    Reply(u8),
}

pub struct Handshake {
    target: Target,
    port: u16,
    credentials: Option<Credentials>,
    state: State,
}

enum State {
    Greet,
    AwaitMethod,
    LogIn,
    AwaitLogIn,
    Ask,
    /// The version and the code: after a refusal, a proxy may send no more than these.
    AwaitReply,
    AwaitAddressKind,
    /// The length of the name in the reply's address. The address is not used.
    AwaitNameLength,
    AwaitAddress(usize),
    Done,
}

const VERSION: u8 = 5;
const NO_LOG_IN: u8 = 0;
const PASSWORD: u8 = 2;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

impl Handshake {
    pub fn new(target: Target, port: u16, credentials: Option<Credentials>) -> Self {
        Self {
            target,
            port,
            credentials,
            state: State::Greet,
        }
    }

    pub fn step(&mut self) -> Step {
        match &self.state {
            State::Greet => {
                self.state = State::AwaitMethod;
                Step::Send(match self.credentials {
                    Some(_) => vec![VERSION, 2, NO_LOG_IN, PASSWORD],
                    None => vec![VERSION, 1, NO_LOG_IN],
                })
            }
            State::LogIn => {
                self.state = State::AwaitLogIn;
                Step::Send(self.log_in())
            }
            State::Ask => {
                self.state = State::AwaitReply;
                Step::Send(self.request())
            }
            State::AwaitMethod
            | State::AwaitLogIn
            | State::AwaitReply
            | State::AwaitAddressKind => Step::Read(2),
            State::AwaitNameLength => Step::Read(1),
            State::AwaitAddress(length) => Step::Read(*length),
            State::Done => Step::Done,
        }
    }

    /// Processes the bytes of a [`Step::Read`].
    pub fn received(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        const PORT: usize = 2;
        self.state = match (&self.state, bytes) {
            (State::AwaitMethod, [VERSION, NO_LOG_IN]) => State::Ask,
            (State::AwaitMethod, [VERSION, PASSWORD]) if self.credentials.is_some() => State::LogIn,
            (State::AwaitMethod, [VERSION, _]) => return Err(Refusal::Credentials),
            (State::AwaitLogIn, [_, 0]) => State::Ask,
            (State::AwaitLogIn, [_, _]) => return Err(Refusal::Credentials),
            (State::AwaitReply, [VERSION, 0]) => State::AwaitAddressKind,
            (State::AwaitReply, [VERSION, code]) => return Err(Refusal::Reply(*code)),
            (State::AwaitAddressKind, [_, kind]) => match *kind {
                IPV4 => State::AwaitAddress(4 + PORT),
                IPV6 => State::AwaitAddress(16 + PORT),
                NAME => State::AwaitNameLength,
                _ => return Err(Refusal::NotSocks),
            },
            (State::AwaitNameLength, [length]) => State::AwaitAddress(usize::from(*length) + PORT),
            (State::AwaitAddress(_), _) => State::Done,
            _ => return Err(Refusal::NotSocks),
        };
        Ok(())
    }

    fn log_in(&self) -> Vec<u8> {
        let mut message = vec![1];
        if let Some(credentials) = &self.credentials {
            append_short(&mut message, &credentials.user);
            append_short(&mut message, &credentials.password);
        }
        message
    }

    fn request(&self) -> Vec<u8> {
        const CONNECT: u8 = 1;
        let mut message = vec![VERSION, CONNECT, 0];
        match &self.target {
            Target::Address(IpAddr::V4(address)) => {
                message.push(IPV4);
                message.extend(address.octets());
            }
            Target::Address(IpAddr::V6(address)) => {
                message.push(IPV6);
                message.extend(address.octets());
            }
            Target::Name(name) => {
                message.push(NAME);
                append_short(&mut message, name.as_bytes());
            }
        }
        message.extend(self.port.to_be_bytes());
        message
    }
}

/// Appends a text after its length, which was checked before.
fn append_short(message: &mut Vec<u8>, text: &[u8]) {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    message.push(length);
    message.extend_from_slice(&text[..usize::from(length)]);
}

/// The reply code for a host without an address.
pub const HOST_UNREACHABLE: u8 = 4;

/// Returns the meaning of a reply code.
pub fn meaning(code: u8) -> &'static str {
    match code {
        1 => "it has failed",
        2 => "its rules forbid it",
        3 => "the network is unreachable",
        4 => "the host is unreachable, or unknown to it",
        5 => "the server refuses the connection",
        6 => "the connection took too long",
        7 => "it cannot make connections",
        8 => "it does not know this kind of address",
        _ => "it does not say why",
    }
}

/// Returns whether the proxy has no route to this address. It may have one to another.
pub fn is_no_route(code: u8) -> bool {
    matches!(code, 3 | 4 | 8)
}

/// Returns whether a reply code is a temporary error.
pub fn is_transient(code: u8) -> bool {
    matches!(code, 1 | 3 | 4 | 5 | 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Option<Credentials> {
        Some(Credentials {
            user: b"u".to_vec(),
            password: b"pw".to_vec(),
        })
    }

    /// Runs the handshake with the bytes of a proxy. Returns the bytes that were sent.
    fn play(mut handshake: Handshake, mut proxy: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut sent = Vec::new();
        loop {
            match handshake.step() {
                Step::Send(bytes) => sent.extend(bytes),
                Step::Read(count) => {
                    let (now, later) = proxy.split_at(count);
                    handshake.received(now)?;
                    proxy = later;
                }
                Step::Done => {
                    assert!(proxy.is_empty(), "what follows is not read");
                    return Ok(sent);
                }
            }
        }
    }

    #[test]
    fn an_address_is_asked_for_without_a_log_in() {
        let target = Target::Address([192, 0, 2, 1].into());
        let sent = play(
            Handshake::new(target, 443, credentials()),
            b"\x05\x00\x05\x00\x00\x01\0\0\0\0\0\0",
        );
        assert_eq!(
            sent.unwrap(),
            b"\x05\x02\x00\x02\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb"
        );
    }

    #[test]
    fn a_name_is_asked_for_after_a_log_in() {
        let target = Target::Name("a.test".to_owned());
        let sent = play(
            Handshake::new(target, 443, credentials()),
            b"\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\0\0",
        );
        assert_eq!(
            sent.unwrap(),
            b"\x05\x02\x00\x02\x01\x01u\x02pw\x05\x01\x00\x03\x06a.test\x01\xbb"
        );
    }

    #[test]
    fn each_refusal_has_its_name() {
        let refusal = |credentials, proxy| {
            let target = Target::Name("a.test".to_owned());
            play(Handshake::new(target, 443, credentials), proxy).unwrap_err()
        };
        assert_eq!(refusal(None, b"\x05\xff"), Refusal::Credentials);
        assert_eq!(refusal(None, b"\x05\x02"), Refusal::Credentials);
        assert_eq!(
            refusal(credentials(), b"\x05\x02\x01\x01"),
            Refusal::Credentials
        );
        assert_eq!(refusal(None, b"HTTP"), Refusal::NotSocks);
        assert_eq!(
            refusal(None, b"\x05\x00\x05\x02\x00\x01"),
            Refusal::Reply(2)
        );
        assert_eq!(refusal(None, b"\x05\x00\x05\x05"), Refusal::Reply(5));
        // A refusal of SOCKS 4.
        assert_eq!(refusal(None, b"\x00\x5b"), Refusal::NotSocks);
        assert_eq!(
            refusal(None, b"\x05\x00\x05\x00\x00\x09"),
            Refusal::NotSocks
        );
    }
}
