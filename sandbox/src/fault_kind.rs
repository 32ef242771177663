//! What can go wrong on demand.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::tls::WrongCertificate;

/// Where in the life of a connection a fault strikes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The connection was accepted; nothing of it has been read.
    Accept,
    /// The client's first TLS message was read; it has had no answer.
    Tls,
    /// The head of a request was read, its body was not: a client that sends a long one
    /// is still at it.
    Upload,
    /// The request was read and not acted upon. `headers` means the same.
    #[default]
    #[serde(alias = "headers")]
    Request,
    /// The request was acted upon (a session may exist now); nothing was sent.
    Answer,
    /// Half of the head was sent.
    HalfHead,
    /// The head and a part of the body were sent.
    Body,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Everything is as usual, only later.
    Delay {
        ms: u64,
        #[serde(default)]
        stage: Stage,
    },
    /// From that stage on nothing happens, until the client goes away.
    Stall { stage: Stage },
    /// A TCP RST.
    Reset { stage: Stage },
    /// A TCP FIN, over TLS without `close_notify`.
    Close { stage: Stage },
    /// `bytes` of the body (half of it unless said), then a FIN.
    Truncate {
        #[serde(skip_serializing_if = "Option::is_none")]
        bytes: Option<usize>,
    },
    /// Bytes that are not the protocol, then a FIN.
    Garbage {
        #[serde(default)]
        stage: Stage,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// A fixed answer instead of the service's.
    Answer(Reply),
    /// The service's refusal, or one of a proxy in front of it, word for word.
    Refusal {
        #[serde(rename = "as")]
        refusal: Refusal,
    },
    /// To `location`, or to the same path on the HTTPS listener.
    Redirect {
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// A body of that many bytes, made while it is sent.
    OversizedBody {
        bytes: u64,
        #[serde(default)]
        chunked: bool,
    },
    /// That many bytes of headers, `line` bytes each (8000 unless said).
    OversizedHeaders {
        bytes: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
    },
    /// One byte each `ms`, from the status line on, or from the body on.
    Drip {
        ms: u64,
        #[serde(default)]
        stage: DripStage,
    },
    /// The service's answer in another framing.
    Framing {
        #[serde(rename = "as")]
        framing: AnswerFraming,
    },
    /// Exactly these bytes; the connection is then kept or closed.
    Raw {
        #[serde(default)]
        keep: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// The service's answer, and `ms` after it this text, which nobody has asked
    /// for.
    Unasked {
        text: String,
        #[serde(default)]
        ms: u64,
    },
    /// A TLS handshake with a wrong certificate. With `hang_up` the server
    /// sends its whole flight, then a FIN, then a RST, before it hears a word.
    Certificate {
        wrong: WrongCertificate,
        #[serde(default)]
        hang_up: bool,
    },
    /// A `Date` that is off, from a service whose clock is right.
    ClockSkew { seconds: i64 },
    /// No `Date`.
    MissingDate {},
    /// Another value of a header, or one more header, of the service's answer.
    Header { name: String, value: String },
    /// A JSON merge patch (RFC 7396) on the body of the service's answer.
    Patch { body: Value },
    /// A JSON merge patch on the claims of the token, signed like any other.
    Claims { claims: Value },
}

/// From where on a [`FaultKind::Drip`] drips.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DripStage {
    #[default]
    Headers,
    Body,
}

/// How an answer may say where it ends, other than by `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFraming {
    Chunked,
    /// Not at all: the body ends with the connection.
    UntilClose,
}

impl FaultKind {
    /// Where it strikes.
    pub fn stage(&self) -> Stage {
        match self {
            FaultKind::Delay { stage, .. }
            | FaultKind::Stall { stage }
            | FaultKind::Reset { stage }
            | FaultKind::Close { stage }
            | FaultKind::Garbage { stage, .. } => *stage,
            FaultKind::Certificate { .. } => Stage::Tls,
            _ => Stage::Request,
        }
    }

    /// Whether it takes the place of the answer, so that no other can.
    pub fn is_final(&self) -> bool {
        !matches!(
            self,
            FaultKind::Delay { .. }
                | FaultKind::ClockSkew { .. }
                | FaultKind::MissingDate {}
                | FaultKind::Header { .. }
                | FaultKind::Patch { .. }
                | FaultKind::Claims { .. }
        )
    }
}

/// As the log names it.
impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = serde_json::to_value(self).unwrap_or_default();
        f.write_str(value["kind"].as_str().unwrap_or("fault"))?;
        let details = ["stage", "wrong", "as"].iter();
        match details.filter_map(|name| value[name].as_str()).next() {
            Some(detail) => write!(f, "@{detail}"),
            None => Ok(()),
        }
    }
}
