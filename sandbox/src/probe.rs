//! Two routes that the service does not have. With them, a test can see what a client sends, and
//! choose what it receives. Unlike control requests, these requests are recorded, can have faults,
//! and work on both listeners.

use std::time::Duration;

use crate::api::Answer;
use crate::content;
use crate::delivery::Delivery;
use crate::fault_kind::AnswerFraming;
use crate::guard;
use crate::request::{Body, Head};
use crate::response::{Response, TEXT};
use crate::state::State;

/// The longest body of a request.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The longest answer that a test can request.
const BYTES_LIMIT: usize = 64 * 1024 * 1024;

const BINARY: &str = "application/octet-stream";

/// The parameters of the query.
struct Wishes {
    status: u16,
    content_type: Option<String>,
    check: Check,
    delivery: Delivery,
}

/// The check of the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Nothing,
    Signature,
    Session,
}

pub fn is_at(path: &str) -> bool {
    is_echo(path) || path.starts_with("/sandbox/bytes/")
}

fn is_echo(path: &str) -> bool {
    path == "/sandbox/echo"
}

pub fn respond(state: &State, head: &Head, body: Body) -> Answer {
    let wishes = match Wishes::from_query(&head.query) {
        Ok(wishes) => wishes,
        Err(error) => return Response::error(400, &error).into(),
    };
    if let Err(refusal) = wishes.check.passes(state, head) {
        return refusal.response().into();
    }
    let (body, default_type) = match (is_echo(&head.path), body) {
        (true, Body::TooLarge) => {
            return Response::bare(413, TEXT, "request entity too large").into();
        }
        (true, Body::Complete(body)) => (body, head.header("content-type").unwrap_or(BINARY)),
        (false, _) => match length(&head.path) {
            Ok(length) => (content::bytes(length), BINARY),
            Err(error) => return Response::error(400, &error).into(),
        },
    };
    if wishes.delivery.short > body.len() {
        return Response::error(400, "short must be at most the body's length").into();
    }
    let content_type = wishes.content_type.as_deref().unwrap_or(default_type);
    let mut response = Response::new(wishes.status, content_type, body);
    // A page of another site may have requested a page with a script. That script must not run as a
    // page of this machine, which may use the control routes.
    response.set_header("Content-Security-Policy", "sandbox");
    Answer {
        response,
        note: String::new(),
        delivery: wishes.delivery,
    }
}

fn length(path: &str) -> Result<usize, String> {
    let digits = path.strip_prefix("/sandbox/bytes/").unwrap_or_default();
    match digits.parse() {
        Ok(length) if length <= BYTES_LIMIT => Ok(length),
        _ => Err(format!("the length must be a number up to {BYTES_LIMIT}")),
    }
}

impl Wishes {
    fn from_query(query: &str) -> Result<Self, String> {
        let mut wishes = Wishes {
            status: 200,
            content_type: None,
            check: Check::Nothing,
            delivery: Delivery::default(),
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            wishes.set(&name, &value)?;
        }
        Ok(wishes)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let number = || {
            let number = value.parse::<usize>();
            number.map_err(|_| format!("{name} must be a number"))
        };
        let delivery = &mut self.delivery;
        match (name, value) {
            ("framing", "length") => delivery.framing = None,
            ("framing", "chunked") => delivery.framing = Some(AnswerFraming::Chunked),
            ("framing", "until_close") => delivery.framing = Some(AnswerFraming::UntilClose),
            ("short", _) => delivery.short = number()?,
            ("long", _) => delivery.long = number()?,
            ("piece", _) => delivery.piece = Some(number()?.max(1)),
            ("pause_ms", _) => delivery.pause = Duration::from_millis(number()? as u64),
            ("check", "token") => self.check = Check::Signature,
            ("check", "session") => self.check = Check::Session,
            ("type", value) if !value.contains(['\r', '\n']) => {
                self.content_type = Some(value.to_owned());
            }
            ("status", _) => {
                self.status = match number()? {
                    status @ 200..=999 => status as u16,
                    _ => return Err("the status must be from 200 to 999".into()),
                };
            }
            // With it, a test can distinguish its requests.
            ("id", _) => {}
            _ => {
                return Err(format!(
                    "the parameter {name}={value} is unknown; see zelf-sandbox --help"
                ));
            }
        }
        Ok(())
    }
}

impl Check {
    fn passes(self, state: &State, head: &Head) -> Result<(), crate::refusal::Refusal> {
        if self == Check::Nothing {
            return Ok(());
        }
        let claims = guard::token(state, head)?;
        match self {
            Check::Session => guard::session(state, &claims),
            _ => Ok(()),
        }
    }
}
