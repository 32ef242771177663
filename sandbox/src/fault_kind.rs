//! The kinds of faults.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::tls::WrongCertificate;

/// The point in the life of a connection at which a fault applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The connection was accepted, and nothing was read.
    Accept,
    /// The client's first TLS message was read, and not answered.
    Tls,
    /// The head of a request was read, but not its body. A client with a long body is still sending
    /// it.
    Upload,
    /// The request was read, and not carried out. `headers` means the same.
    #[default]
    #[serde(alias = "headers")]
    Request,
    /// The request was carried out (a session may exist now), and nothing was sent.
    Answer,
    /// Half of the head was sent.
    HalfHead,
    /// The head and a part of the body were sent.
    Body,
}

/// The kind of a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// Everything happens as usual, but later.
    Delay {
        ms: u64,
        #[serde(default)]
        stage: Stage,
    },
    /// Nothing happens from this stage on, until the client closes the connection.
    Stall { stage: Stage },
    /// A TCP RST.
    Reset { stage: Stage },
    /// A TCP FIN, over TLS without `close_notify`.
    Close { stage: Stage },
    /// `bytes` of the body (default: half of it), then a FIN.
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
    /// A refusal of the service, or of a proxy in front of it, with the exact text.
    Refusal {
        #[serde(rename = "as")]
        refusal: Refusal,
    },
    /// A redirect to `location`, or to the same path on the HTTPS listener.
    Redirect {
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        location: Option<String>,
    },
    /// A body of this many bytes, generated while it is sent.
    OversizedBody {
        bytes: u64,
        #[serde(default)]
        chunked: bool,
    },
    /// This many bytes of headers, in lines of `line` bytes (default: 8000).
    OversizedHeaders {
        bytes: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        line: Option<usize>,
    },
    /// One byte every `ms`, starting with the status line or with the body.
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
    /// Exactly these bytes. Then the connection is kept or closed.
    Raw {
        #[serde(default)]
        keep: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
    },
    /// The service's answer, and after `ms` this text, which was not requested.
    Unasked {
        text: String,
        #[serde(default)]
        ms: u64,
    },
    /// A TLS handshake with a wrong certificate. With `hang_up`, the server sends its whole flight,
    /// then a FIN, then a RST, without reading the client's reply.
    Certificate {
        wrong: WrongCertificate,
        #[serde(default)]
        hang_up: bool,
    },
    /// A wrong `Date`, from a service whose clock is right.
    ClockSkew { seconds: i64 },
    /// No `Date`.
    MissingDate {},
    /// Another value of a header of the service's answer, or an additional header.
    Header { name: String, value: String },
    /// A JSON merge patch (RFC 7396) on the body of the service's answer.
    Patch { body: Value },
    /// A JSON merge patch on the claims of the token, which is signed as usual.
    Claims { claims: Value },
}

/// Where a [`FaultKind::Drip`] starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DripStage {
    #[default]
    Headers,
    Body,
}

/// How an answer may be framed, other than with `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerFraming {
    Chunked,
    /// Without a length: the body ends with the connection.
    UntilClose,
}

impl FaultKind {
    /// Returns the stage at which it applies.
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

    /// Returns whether it replaces the answer, so that only one such fault can apply.
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

/// Writes the name for the log.
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
