//! The server as the contract describes it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// The server's clock at the beginning of the world, in Unix seconds.
const START: u64 = 1_800_000_000;
pub const LIFETIME: u64 = 600;

#[derive(Clone, Debug)]
pub struct Stored {
    pub id: u64,
    pub identifier: String,
    tag: Option<String>,
    activated_at: u64,
    pub expires_at: u64,
    /// The request that it was made for.
    pub made_for: usize,
}

/// The state of the server. All callers have one IP address.
#[derive(Default)]
pub struct Server {
    sessions: Vec<Stored>,
    last_id: u64,
    /// Creates in progress: the identifier, and the request.
    creating: Vec<(String, usize)>,
}

/// The options of a request, as the server reads them.
#[derive(Clone, Debug)]
pub struct Asked {
    identifier: Option<String>,
    tag: Option<String>,
    pub kills: bool,
}

/// What the server does with a request.
pub enum Found {
    /// It returns a stored session.
    Session(Stored),
    /// It creates a session, which takes some time. It may have killed one before.
    Creates { killed: Option<Stored> },
}

/// The result of a create.
pub struct Created {
    pub session: Stored,
    /// Another request was faster, so the session is not stored.
    pub is_ghost: bool,
}

const IP: &str = "192.0.2.1";

/// Returns the server's clock, with its fraction.
pub fn clock(now: Duration) -> Duration {
    Duration::from_secs(START) + now
}

impl Asked {
    pub fn read(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).expect("a body is JSON");
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Self {
            identifier: text("identifier"),
            tag: text("tagName"),
            kills: body["killSession"] == json!(true),
        }
    }

    /// Returns whether the server makes a ghost of one of the two in any order: neither has an
    /// identifier, and their tag names differ.
    pub fn is_mixed_up_with(&self, other: &Self) -> bool {
        let has_identifier = self.identifier.is_some() || other.identifier.is_some();
        !has_identifier && self.tag != other.tag
    }

    fn stored_identifier(&self) -> String {
        self.identifier.clone().unwrap_or_else(|| IP.to_owned())
    }
}

impl Server {
    /// Looks for a session. Starts to create one if there is none, or after a kill.
    pub fn arrives(&mut self, request: usize, asked: &Asked) -> Found {
        let found = self.sessions.iter().position(|session| {
            let by_tag = asked.tag.is_some() && session.tag == asked.tag;
            let by_identifier = asked.identifier.as_ref() == Some(&session.identifier);
            by_tag || by_identifier || (asked.tag.is_none() && asked.identifier.is_none())
        });
        let killed = match found {
            Some(found) if !asked.kills => return Found::Session(self.sessions[found].clone()),
            Some(found) => Some(self.sessions.remove(found)),
            None => None,
        };
        self.creating.push((asked.stored_identifier(), request));
        Found::Creates { killed }
    }

    /// Finishes a create. It is a ghost if it overlapped with a faster one of the same identifier.
    pub fn creates(&mut self, request: usize, asked: &Asked, now: Duration) -> Created {
        let identifier = asked.stored_identifier();
        self.creating.retain(|(_, other)| *other != request);
        let activated_at = clock(now).as_secs();
        self.last_id += 1;
        let session = Stored {
            id: self.last_id,
            identifier: identifier.clone(),
            tag: asked.tag.clone(),
            activated_at,
            expires_at: activated_at + LIFETIME,
            made_for: request,
        };
        let is_ghost = self
            .sessions
            .iter()
            .any(|other| other.identifier == identifier);
        if !is_ghost {
            self.sessions.push(session.clone());
        }
        Created { session, is_ghost }
    }

    /// Returns the requests of an identifier whose creates are in progress.
    pub fn creating(&self, asked: &Asked) -> Vec<usize> {
        let identifier = asked.stored_identifier();
        let same = self
            .creating
            .iter()
            .filter(|(other, _)| *other == identifier);
        same.map(|(_, request)| *request).collect()
    }

    /// Returns any stored session.
    pub fn any(&self) -> Option<&Stored> {
        self.sessions.first()
    }

    pub fn reap(&mut self, now: Duration) {
        let now = clock(now).as_secs();
        self.sessions.retain(|session| session.expires_at > now);
    }
}

/// Returns the body of a 200.
pub fn body(session: &Stored, now: Duration) -> String {
    let claims = json!({
        "session": format!("{:024x}", session.id),
        "identifier": session.identifier,
        "iat": clock(now).as_secs(),
    });
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    json!({"data": {
        "token": format!("eyJ9.{payload}.sig"),
        "activatedAt": session.activated_at,
        "expiresAt": session.expires_at,
    }})
    .to_string()
}
