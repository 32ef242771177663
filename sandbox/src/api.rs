//! The routes of the service.

use serde_json::{Value, json};

use crate::body;
use crate::clock::formatted;
use crate::cors::preflight;
use crate::options::Answers;
use crate::request::{Body, Head};
use crate::response::{Response, TEXT};
use crate::sessions::{Inserted, Session, Wanted};
use crate::state::State;
use crate::sync::wait;
use crate::token::{Claims, from_authorization};

/// An answer, and what to say about it in the log.
#[derive(Debug)]
pub struct Answer {
    pub response: Response,
    pub note: String,
}

impl From<Response> for Answer {
    fn from(response: Response) -> Self {
        Answer {
            response,
            note: String::new(),
        }
    }
}

const UNAUTHORIZED: &str = "Protected resource, use Authorization header to get access";

/// `claims` is a merge patch on the claims of a token that is signed.
pub async fn handle(
    state: &State,
    head: &Head,
    body: Body,
    peer: &str,
    claims: Option<&Value>,
) -> Answer {
    if state.is_starting() {
        let mut answer = Answer::from(Response::new(404, TEXT, "Not Found"));
        answer.note = "starting".into();
        return answer;
    }
    state.reap_when_due();
    // The body parser stands in front of everything else.
    let body = match body::parse(head, body) {
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
        (_, route) => protected(state, head, route),
    }
}

/// The first `X-Forwarded-For` entry, which the service trusts, or the peer.
/// The address that a test has set goes before both.
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
    // Between look-up and insert the service waits for its database: a second
    // create of the same identifier finds nothing either, and becomes a ghost.
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
    // Written by hand where the order of the fields is the service's.
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
    let mut answer = Answer::from(Response::new(200, crate::response::JSON, body));
    answer.note = format!("{what} {}", note(session.identifier.as_deref()));
    answer
}

fn note(identifier: Option<&str>) -> String {
    format!("identifier={}", identifier.unwrap_or_default())
}

/// Refuses as the database layer does, which looks only for texts.
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

/// Checks the message and never decrypts it: the sandbox has no key.
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

/// Everything that needs a token, and everything that does not exist: the
/// service asks for the token first.
fn protected(state: &State, head: &Head, route: &str) -> Answer {
    let authorization = head.header("authorization").unwrap_or_default();
    let claims = from_authorization(authorization).and_then(|token| state.signer.verify(token));
    let Some(claims) = claims else {
        return Response::error(401, UNAUTHORIZED).into();
    };
    let uses = state.sessions.count_use(&claims.session);
    if uses.is_some_and(|uses| uses > state.options.use_limit) {
        return Response::error(401, "Invalid session").into();
    }
    let response = match (head.method.as_str(), route) {
        ("GET" | "HEAD", "/api/zelf-name-service/v2/search") => search(state, head, &claims),
        ("GET" | "HEAD", "/api/ethereum/address") => address(),
        _ => Response::new(404, TEXT, "Not Found"),
    };
    Answer {
        response,
        note: note(claims.identifier.as_deref()),
    }
}

/// A route that asks whether the session is still there and not used.
fn search(state: &State, head: &Head, claims: &Claims) -> Response {
    let Some(searches) = state.sessions.count_search(&claims.session) else {
        return Response::validation_error(403, "Session is not active");
    };
    if searches >= state.options.search_limit {
        return Response::validation_error(403, "Search limit exceeded");
    }
    let names = head.parameters("zelfName");
    let Some(name) = names.first().filter(|name| !name.is_empty()) else {
        return missing("zelfName");
    };
    let name = json!(name);
    let body =
        format!(r#"{{"data":{{"price":72,"reward":1440,"zelfName":{name},"available":true}}}}"#);
    Response::new(200, crate::response::JSON, body)
}

/// A route that looks at the signature only.
fn address() -> Response {
    Response::data(&json!({ "address": "0x0000000000000000000000000000000000000000" }))
}
