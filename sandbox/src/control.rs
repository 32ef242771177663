//! The routes under `/sandbox/`, with which a test in any language changes the time, injects faults
//! and reads the received requests.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::fault::Fault;
use crate::probe;
use crate::quota::Quota;
use crate::request::{Body, Head};
use crate::response::{JSON, Response};
use crate::state::State;
use crate::visitor;

/// The longest body of a control request.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// For longer bodies, only the length and the hash are shown.
const SMALL_BODY: usize = 4 * 1024;

/// Returns whether a path on the plain listener is a control route.
pub fn is_at(path: &str) -> bool {
    (path == "/sandbox" || path.starts_with("/sandbox/")) && !probe::is_at(path)
}

pub fn respond(state: &State, head: &Head, body: &Body) -> Response {
    let (page, answered) = match visitor::admit(head) {
        Ok(page) => (page, answer(state, head, body)),
        Err(reason) => (None, Err((403, reason))),
    };
    let (status, value) = match answered {
        Ok(value) => (200, value),
        Err((status, reason)) => (status, json!({ "error": reason })),
    };
    let mut response = Response::bare(status, JSON, value.to_string());
    response.set_header("Vary", "Origin");
    // Unlike the service's answers, this one is not for all origins.
    if let Some(page) = page {
        response.set_header("Access-Control-Allow-Origin", page);
    }
    response
}

fn answer(state: &State, head: &Head, body: &Body) -> Result<Value, (u16, String)> {
    let body = match body {
        Body::Complete(bytes) if bytes.is_empty() => json!({}),
        Body::Complete(bytes) => {
            serde_json::from_slice(bytes).map_err(|error| (400, error.to_string()))?
        }
        Body::TooLarge => return Err((413, "the body is longer than 1 MiB".into())),
    };
    control(state, &head.method, &head.path, &body).map_err(|reason| (400, reason))
}

/// Carries out a control request.
pub fn control(state: &State, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    match (method, path) {
        ("GET", "/sandbox") => Ok(json!(state.ready)),
        ("GET", "/sandbox/faults") => Ok(json!({ "faults": faults(state) })),
        ("POST", "/sandbox/faults") => inject(state, body),
        ("DELETE", "/sandbox/faults") => Ok(json!({ "cleared": state.faults.clear() })),
        ("POST", "/sandbox/age") => {
            let identifier = identifier(body)?;
            let seconds = seconds(body, "seconds")?;
            Ok(json!({ "aged": state.sessions.age(identifier, seconds) }))
        }
        ("POST", "/sandbox/use") => {
            let used = state.sessions.mark_used(identifier(body)?);
            Ok(json!({ "used": used }))
        }
        ("POST", "/sandbox/address") => {
            let address = address(body)?;
            state.set_client_address(address);
            Ok(json!({ "address": address.map(|address| address.to_string()) }))
        }
        ("POST", "/sandbox/clock") => {
            let skew = seconds(body, "skew_seconds")?;
            state.clock.set_skew(skew);
            Ok(json!({ "skew_seconds": skew, "now": state.clock.now() }))
        }
        ("POST", "/sandbox/reap") => {
            Ok(json!({ "reaped": state.sessions.reap(state.clock.now()) }))
        }
        ("GET", "/sandbox/sessions") => Ok(json!({ "sessions": sessions(state) })),
        ("DELETE", "/sandbox/sessions") => Ok(json!({ "cleared": state.sessions.clear() })),
        ("GET", "/sandbox/requests") => Ok(json!({ "requests": requests(state) })),
        ("DELETE", "/sandbox/requests") => {
            state.requests.clear();
            Ok(json!({}))
        }
        ("GET", "/sandbox/work") => {
            let mut work = state.work.to_value();
            work["most_at_once"] = json!(state.at_once.most());
            Ok(work)
        }
        ("DELETE", "/sandbox/work") => {
            state.work.clear();
            state.at_once.clear();
            Ok(json!({}))
        }
        ("GET", "/sandbox/connections") => Ok(json!({
            "accepted": state.accepted.load(Ordering::SeqCst),
            "open": state.open.load(Ordering::SeqCst),
        })),
        _ => Err(format!(
            "there is no {method} {path}; see zelf-sandbox --help"
        )),
    }
}

/// Returns the identifier whose sessions are meant. `None` means all sessions.
fn identifier(body: &Value) -> Result<Option<&str>, String> {
    match &body["identifier"] {
        Value::Null => Ok(None),
        Value::String(identifier) => Ok(Some(identifier)),
        _ => Err("identifier must be a string".into()),
    }
}

fn address(body: &Value) -> Result<Option<IpAddr>, String> {
    let value = &body["address"];
    if value.is_null() {
        return Ok(None);
    }
    let address = value.as_str().and_then(|text| text.parse().ok());
    address
        .map(Some)
        .ok_or_else(|| "address must be an IP address or null".into())
}

fn seconds(body: &Value, name: &str) -> Result<i64, String> {
    let value = body[name].as_i64();
    value.ok_or_else(|| format!("{name} must be a whole number of seconds"))
}

/// Injects one fault or a list of them. If one is invalid, none is injected.
fn inject(state: &State, body: &Value) -> Result<Value, String> {
    let given = match body {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let faults = given.into_iter().map(Fault::from_value);
    for fault in faults.collect::<Result<Vec<_>, _>>()? {
        state.faults.inject(fault);
    }
    Ok(json!({ "faults": state.faults.all().len() }))
}

fn faults(state: &State) -> Vec<Value> {
    let all = state.faults.all().into_iter();
    all.map(|(fault, struck)| {
        let mut value = fault.to_value();
        value["struck"] = json!(struck);
        value
    })
    .collect()
}

/// Returns the sessions without their tokens, so that this route does not allow their use.
fn sessions(state: &State) -> Vec<Value> {
    let all = state.sessions.all().into_iter();
    all.map(|session| {
        json!({
            "session": session.id,
            "identifier": session.identifier,
            "ip": session.ip,
            "tagName": session.tag_name,
            "ethAddress": session.eth_address,
            "domain": session.domain,
            "activatedAt": session.activated_at,
            "expiresAt": session.expires_at,
            "status": session.status.name(),
            "uses": session.uses,
            "searches": session.spent(Quota::Search),
            "previews": session.spent(Quota::Preview),
            "leases": session.spent(Quota::Lease),
            "decryptions": session.spent(Quota::Decrypt),
        })
    })
    .collect()
}

fn requests(state: &State) -> Vec<Value> {
    let all = state.requests.all().into_iter();
    all.map(|request| {
        let mut value = json!({
            "method": request.method,
            "path": request.path,
            "headers": request.headers,
            "body_length": request.body_length,
            "body_sha256": request.body_sha256,
            "connection": request.connection,
            "https": request.https,
            "arrived_ms": u64::try_from(request.arrived.as_millis()).unwrap_or(u64::MAX),
            "carried_out": request.carried_out,
        });
        if request.body_length == Some(request.body.len()) && request.body.len() <= SMALL_BODY {
            value["body"] = json!(String::from_utf8_lossy(&request.body));
        }
        value
    })
    .collect()
}
