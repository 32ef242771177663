//! The routes of the service.

use serde_json::{Value, json};

use crate::body;
use crate::clock::formatted;
use crate::content;
use crate::cors::preflight;
use crate::delivery::Delivery;
use crate::guard;
use crate::options::Answers;
use crate::probe;
use crate::refusal::Refusal;
use crate::request::{Body, Head};
use crate::response::{JSON, Response, TEXT};
use crate::route::{self, Guard, Route};
use crate::rpc;
use crate::sessions::{Inserted, Session, Wanted};
use crate::state::State;
use crate::sync::wait;
use crate::token::Claims;

/// An answer, its note for the log, and how it is sent.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    pub note: String,
    pub delivery: Delivery,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Answer {
            response,
            note: String::new(),
            delivery: Delivery::default(),
        }
    }
}

/// The longest answer that a test can request.
const LENGTH_LIMIT: usize = 64 * 1024 * 1024;

/// Answers a request. `claims` is a merge patch for the claims of a signed token.
pub async fn handle(
    state: &State,
    head: &Head,
    body: Body,
    peer: &str,
    claims: Option<&Value>,
) -> Answer {
    if state.is_starting() {
        let mut answer = Answer::from(Refusal::Starting.response());
        answer.note = "starting".into();
        return answer;
    }
    state.reap_when_due();
    // A probe echoes the body, so no parser may change it.
    if probe::is_at(&head.path) {
        return probe::respond(state, head, body);
    }
    // The service parses the body before anything else.
    let body = match body::parse(head, body, state.options.body_limit) {
        Ok(body) => body,
        Err(refusal) => return refusal.into(),
    };
    if let Some(permission) = preflight(head) {
        return permission.into();
    }
    match (head.method.as_str(), head.route().as_str()) {
        ("POST", "/api/sessions") => create(state, head, &body, peer, claims).await,
        ("POST", "/api/sessions/decrypt-content") => decrypt(&body).into(),
        ("GET" | "HEAD", "/api/sessions/yek-cilbup") => public_key(head).into(),
        (_, path) => protected(state, head, path, &body),
    }
}

/// Returns the address of the caller: set by a test, or else the first `X-Forwarded-For` entry,
/// which the service trusts, or else the peer's.
fn client_ip(state: &State, head: &Head, peer: &str) -> String {
    if let Some(address) = state.client_address() {
        return address.to_string();
    }
    let forwarded = head.header("x-forwarded-for").unwrap_or_default();
    match forwarded.split(',').next().map(str::trim) {
        Some(first) if !first.is_empty() => first.to_owned(),
        _ => peer.to_owned(),
    }
}

async fn create(
    state: &State,
    head: &Head,
    body: &Value,
    peer: &str,
    patch: Option<&Value>,
) -> Answer {
    if head.header("origin").unwrap_or_default().trim().is_empty() {
        return Response::error(403, "rejected").into();
    }
    if let Some(object @ Value::Object(_)) = body.get("identifier") {
        return cast_error(object).into();
    }
    let wanted = Wanted::from_body(body, client_ip(state, head, peer));
    let found = state.sessions.find(&wanted);
    if let (Some(session), false) = (&found, wanted.kill) {
        return created(state, session, "reused", patch);
    }
    if let Some(killed) = &found {
        state.sessions.remove(&killed.id);
    }
    // The service waits for its database between look-up and insert. A second create of the same
    // identifier finds nothing in this time, and becomes a ghost.
    wait(state.options.create_delay).await;
    let inserted = state.sessions.insert(&wanted, state.clock.now());
    match (&inserted, found) {
        (Inserted::Ghost(session), _) => created(state, session, "ghost", patch),
        (Inserted::Created(session), Some(_)) => created(state, session, "recreated", patch),
        (Inserted::Created(session), None) => created(state, session, "created", patch),
    }
}

fn created(state: &State, session: &Session, what: &str, patch: Option<&Value>) -> Answer {
    let claims = session.claims(state.clock.now());
    let token = match patch {
        None => state.signer.sign(&claims),
        Some(patch) => {
            let mut claims = json!(claims);
            json_patch::merge(&mut claims, patch);
            state.signer.sign_value(&claims)
        }
    };
    let (from, to) = (session.activated_at, session.expires_at);
    // Formatted by hand, in the service's order of the fields.
    let token = json!(token);
    let body = match state.options.answers {
        Answers::Current => {
            format!(r#"{{"data":{{"token":{token},"activatedAt":{from},"expiresAt":{to}}}}}"#)
        }
        Answers::TokenOnly => format!(r#"{{"data":{{"token":{token}}}}}"#),
        Answers::FormattedTimes => format!(
            r#"{{"data":{{"token":{token},"activatedAt":"{}","expiresAt":"{}"}}}}"#,
            formatted(from),
            formatted(to)
        ),
        Answers::ExtraFields => format!(
            r#"{{"status":"ok","data":{{"id":{},"token":{token},"refreshToken":null,"activatedAt":{from},"expiresAt":{to},"scopes":["general"]}},"meta":{{"version":2}}}}"#,
            json!(session.id)
        ),
    };
    let mut answer = Answer::from(Response::new(200, JSON, body));
    answer.note = format!("{what} {}", note(session.identifier.as_deref()));
    answer
}

fn note(identifier: Option<&str>) -> String {
    format!("identifier={}", identifier.unwrap_or_default())
}

/// Returns the error of the service's database layer, which only searches for texts.
fn cast_error(value: &Value) -> Response {
    let value = json!(value.to_string());
    let message =
        format!("Cast to string failed for value {value} (type Object) at path \"identifier\"");
    Response::error(500, &message)
}

fn public_key(head: &Head) -> Response {
    match head.parameters("identifier").as_slice() {
        [] => missing("identifier"),
        [empty] if empty.is_empty() => missing("identifier"),
        [identifier] => Response::data(&json!(crate::armor::public_key(identifier))),
        _ => not_a_string("identifier"),
    }
}

/// Checks the message, and never decrypts it: the sandbox has no key.
fn decrypt(body: &Value) -> Response {
    match body.get("message") {
        None | Some(Value::Null) => missing("message"),
        Some(Value::String(message)) if message.is_empty() => missing("message"),
        Some(Value::String(_)) => Response::error(500, "decryption_failed"),
        Some(_) => not_a_string("message"),
    }
}

fn missing(field: &str) -> Response {
    Response::validation_error(409, &format!("missing {field}\n"))
}

fn not_a_string(field: &str) -> Response {
    Response::validation_error(409, &format!("{field} must be a string\n"))
}

/// Answers routes that need a token, and paths that do not exist: the service checks the token
/// first.
fn protected(state: &State, head: &Head, path: &str, body: &Value) -> Answer {
    let claims = match guard::token(state, head) {
        Ok(claims) => claims,
        Err(refusal) => return refusal.response().into(),
    };
    let response = match Route::find(&head.method, path) {
        Some(route) => work(state, route, head, body, &claims),
        None => Response::new(404, TEXT, "Not Found"),
    };
    let mut answer = Answer::from(response);
    answer.note = note(claims.identifier.as_deref());
    answer
}

/// Answers a route, if the token's session allows it.
fn work(state: &State, route: &Route, head: &Head, body: &Value, claims: &Claims) -> Response {
    if let Guard::Session(quota) = route.guard
        && let Err(refusal) = guard::quota(state, claims, quota)
    {
        return refusal.response();
    }
    let mut name = None;
    if let Some(needed) = route.needs {
        name = head.parameters(needed).into_iter().next();
        if name.as_deref().unwrap_or_default().is_empty() {
            return missing(needed);
        }
    }
    let wanted = match wanted_length(head) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let data = |length| content::data(&head.method, &head.target, length);
    let body = match (route.answers, wanted) {
        (route::Answers::Offer, None) => offer(&name.unwrap_or_default()).into_bytes(),
        (route::Answers::Offer, Some(length)) => data(length),
        (route::Answers::Data(length), wanted) => data(wanted.unwrap_or(length)),
        (route::Answers::Rpc(length), wanted) => rpc::answer(body, wanted.unwrap_or(length)),
    };
    Response::new(200, JSON, body)
}

fn offer(name: &str) -> String {
    let name = json!(name);
    format!(r#"{{"data":{{"price":72,"reward":1440,"zelfName":{name},"available":true}}}}"#)
}

/// Returns the parameter `bytes`, with which a test requests an answer of that length.
fn wanted_length(head: &Head) -> Result<Option<usize>, Response> {
    if head.query.is_empty() {
        return Ok(None);
    }
    match head
        .parameters("bytes")
        .first()
        .map(|digits| digits.parse())
    {
        None => Ok(None),
        Some(Ok(length)) if length <= LENGTH_LIMIT => Ok(Some(length)),
        Some(_) => Err(Response::error(400, "bytes must be a number up to 64 MiB")),
    }
}
