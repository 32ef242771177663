//! Faults: something that goes wrong, and when.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault_kind::{FaultKind, Stage};
use crate::reply::Reply;

/// One of the two doors of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listener {
    Http,
    Https,
}

/// When a fault strikes: unless said otherwise always, until it is cleared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// It is over after it has struck that many times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// The first so many requests (or connections) are spared.
    pub skip: u32,
    /// Of the rest this share, from 0 to 1, is struck.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Which ones: the same seed strikes the same ones.
    pub seed: u64,
    /// Only requests of this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path starts so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Only requests whose query has this in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Only through this door.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listener: Option<Listener>,
}

/// Something that goes wrong, and when.
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

/// The members of a fault's JSON that say when; the others say what.
const WHEN: [&str; 8] = [
    "times", "skip", "share", "seed", "method", "path", "query", "listener",
];

impl Fault {
    /// Reads a fault as the command line and the control route take it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        Fault::from_value(value)
    }

    pub fn from_value(value: Value) -> Result<Self, String> {
        let Value::Object(mut what) = value else {
            return Err("a fault is a JSON object".into());
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

    /// It is over after it has struck that many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.when.times = Some(times);
        self
    }

    /// The first so many requests (or connections) are spared.
    #[must_use]
    pub fn skip(mut self, skip: u32) -> Self {
        self.when.skip = skip;
        self
    }

    /// Strikes that share, from 0 to 1; the same seed strikes the same ones.
    #[must_use]
    pub fn share(mut self, share: f64, seed: u64) -> Self {
        self.when.share = Some(share);
        self.when.seed = seed;
        self
    }

    /// Strikes only requests of that method whose path starts so.
    #[must_use]
    pub fn only(mut self, method: &str, path: &str) -> Self {
        self.when.method = Some(method.to_owned());
        self.when.path = Some(path.to_owned());
        self
    }

    /// Strikes only through that door.
    #[must_use]
    pub fn on(mut self, listener: Listener) -> Self {
        self.when.listener = Some(listener);
        self
    }

    /// Says what keeps it from ever striking as its author meant it.
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
            return Err("share goes from 0 to 1".into());
        }
        let before_a_request = matches!(self.kind.stage(), Stage::Accept | Stage::Tls);
        let names_a_request = method.is_some() || path.is_some() || query.is_some();
        if before_a_request && names_a_request {
            return Err("before a request is read there is no method and no path".into());
        }
        if self.kind.stage() == Stage::Tls && *listener == Some(Listener::Http) {
            return Err("the http listener has no TLS".into());
        }
        match &self.kind {
            FaultKind::Garbage {
                stage: Stage::Upload | Stage::Answer | Stage::HalfHead | Stage::Body,
                ..
            } => Err("garbage comes at accept, tls or request".into()),
            FaultKind::Garbage { text, base64, .. } if text.is_none() && base64.is_none() => Ok(()),
            FaultKind::Garbage { text, base64, .. } | FaultKind::Raw { text, base64, .. } => {
                exact_bytes(text.as_deref(), base64.as_deref()).map(|_| ())
            }
            FaultKind::Answer(reply) => {
                let status = reply.status.unwrap_or(200);
                let mut parts = reply.headers.iter().flat_map(|(name, value)| [name, value]);
                if !(200..=999).contains(&status) {
                    Err("a final status has three digits and is not below 200".into())
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
            } if !(300..400).contains(status) => Err("a redirect is a 3xx".into()),
            FaultKind::Redirect {
                location: Some(place),
                ..
            } if place.contains(['\r', '\n']) => Err("a location is one line".into()),
            FaultKind::OversizedHeaders { line: Some(0), .. } => {
                Err("a header line has at least one byte".into())
            }
            _ => Ok(()),
        }
    }
}

const NOT_ONE_LINE: &str = "a header is one line; use raw for what is not";

/// The bytes that `text` or `base64` stands for.
pub fn exact_bytes(text: Option<&str>, base64: Option<&str>) -> Result<Vec<u8>, String> {
    match (text, base64) {
        (Some(text), None) => Ok(text.as_bytes().to_vec()),
        (None, Some(encoded)) => STANDARD
            .decode(encoded)
            .map_err(|error| format!("base64: {error}")),
        _ => Err("the bytes come as text or as base64".into()),
    }
}
