//! Faults: what goes wrong, and when.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault_kind::{FaultKind, Stage};
use crate::reply::Reply;

/// One of the two listeners of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    Http,
    Https,
}

/// When a fault applies. By default always, until it is cleared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// Applies this many times at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Skips this many requests (or connections) first.
    pub skip: u32,
    /// Applies to this share of the rest, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The same seed selects the same requests.
    pub seed: u64,
    /// Only requests with this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path starts with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests whose query contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Only on this listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<Listener>,
}

/// A fault: what goes wrong, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub when: When,
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Fault {
            kind,
            when: When::default(),
        }
    }
}

impl From<Reply> for Fault {
    fn from(reply: Reply) -> Self {
        FaultKind::Answer(reply).into()
    }
}

/// The members of a fault's JSON for [`When`]. The others belong to the kind.
const WHEN: [&str; 8] = [
    "times", "skip", "share", "seed", "method", "path", "query", "listener",
];

impl Fault {
    /// Parses a fault from the command line or the control route.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Fault::from_value(value)
    }

    pub fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(mut what) = value else {
            return Err("a fault must be a JSON object".into());
        };
        let mut when = Map::new();
        for name in WHEN {
            if let Some(value) = what.remove(name) {
                when.insert(name.to_owned(), value);
            }
        }
        let fault = Fault {
            kind: serde_json::from_value(Value::Object(what)).map_err(|error| error.to_string())?,
            when: serde_json::from_value(Value::Object(when)).map_err(|error| error.to_string())?,
        };
        fault.check()?;
        Ok(fault)
    }

    pub fn to_value(&self) -> Value {
        let kind = serde_json::to_value(&self.kind).unwrap_or_default();
        let when = serde_json::to_value(&self.when).unwrap_or_default();
        let mut both = Map::new();
        for part in [kind, when] {
            if let Value::Object(part) = part {
                both.extend(part);
            }
        }
        Value::Object(both)
    }

    /// Applies this many times at most.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.when.times = Some(times);
        self
    }

    /// Skips this many requests (or connections) first.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.when.skip = skip;
        self
    }

    /// Applies to this share, from 0 to 1. The same seed selects the same requests.
    #[must_use]
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        self.when.share = Some(share);
        self.when.seed = seed;
        self
    }

    /// Applies only to requests with this method and this start of the path.
    #[must_use]
    pub fn only(mut self, method: &str, path: &str) -> Self {
        self.when.method = Some(method.to_owned());
        self.when.path = Some(path.to_owned());
        self
    }

    /// Applies only on this listener.
    #[must_use]
    pub fn on(mut self, listener: Listener) -> Self {
        self.when.listener = Some(listener);
        self
    }

    /// Checks that the fault can happen as described.
    pub fn check(&self) -> Result<(), String> {
        let When {
            share,
            method,
            path,
            query,
            listener,
            ..
        } = &self.when;
        if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
            return Err("share must be from 0 to 1".into());
        }
        let before_a_request = matches!(self.kind.stage(), Stage::Accept | Stage::Tls);
        let names_a_request = method.is_some() || path.is_some() || query.is_some();
        if before_a_request && names_a_request {
            return Err("a fault at accept or tls cannot have a method, path or query".into());
        }
        if self.kind.stage() == Stage::Tls && *listener == Some(Listener::Http) {
            return Err("the http listener has no TLS".into());
        }
        match &self.kind {
            FaultKind::Garbage {
                stage: Stage::Upload | Stage::Answer | Stage::HalfHead | Stage::Body,
                ..
            } => Err("garbage is only possible at accept, tls or request".into()),
            FaultKind::Garbage { text, base64, .. } if text.is_none() && base64.is_none() => Ok(()),
            FaultKind::Garbage { text, base64, .. } | FaultKind::Raw { text, base64, .. } => {
                exact_bytes(text.as_deref(), base64.as_deref()).map(|_| ())
            }
            FaultKind::Answer(reply) => {
                let status = reply.status.unwrap_or(200);
                let mut parts = reply.headers.iter().flat_map(|(name, value)| [name, value]);
                if !(200..=999).contains(&status) {
                    Err("the status must be from 200 to 999".into())
                } else if parts.any(|part| part.contains(['\r', '\n'])) {
                    Err(NOT_ONE_LINE.into())
                } else {
                    Ok(())
                }
            }
            FaultKind::Header { name, value }
                if [name, value].iter().any(|part| part.contains(['\r', '\n'])) =>
            {
                Err(NOT_ONE_LINE.into())
            }
            FaultKind::Redirect {
                status: Some(status),
                ..
            } if !(300..400).contains(status) => Err("the status of a redirect must be 3xx".into()),
            FaultKind::Redirect {
                location: Some(place),
                ..
            } if place.contains(['\r', '\n']) => Err("a location must be one line".into()),
            FaultKind::OversizedHeaders { line: Some(0), .. } => {
                Err("a header line must have at least one byte".into())
            }
            _ => Ok(()),
        }
    }
}

const NOT_ONE_LINE: &str = "a header must be one line; use raw for others";

/// Returns the bytes of `text` or `base64`.
pub fn exact_bytes(text: Option<&str>, base64: Option<&str>) -> Result<Vec<u8>, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.as_bytes().to_vec()),
        (None, Some(encoded)) => STANDARD
            .decode(encoded)
            .map_err(|error| format!("base64: {error}")),
        _ => Err("the bytes must be given as text or as base64".into()),
    }
}
