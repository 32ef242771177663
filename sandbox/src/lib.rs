//! The Zelf session API on loopback. It behaves like the service, and can produce everything that
//! goes wrong in production.
//!
//! ```
//! use zelf_sandbox::{Fault, FaultKind, Options, Reply, Sandbox, Stage};
//!
//! let sandbox = Sandbox::start(Options::default())?;
//! // The connection breaks twice, then the server is busy, then it works.
//! sandbox.inject(Fault::from(FaultKind::Reset { stage: Stage::Request }).times(2));
//! let busy = Reply::error(429, "slow down").with_header("Retry-After", "1");
//! sandbox.inject(Fault::from(busy).times(1));
//! // … connect a client to `sandbox.https_url()` that trusts `sandbox.ca_file()` …
//! assert_eq!(sandbox.requests().len(), 0);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The program `zelf-sandbox` does the same: see `zelf-sandbox --help`.
#![forbid(unsafe_code)]

mod api;
mod armor;
mod at_once;
mod body;
mod ca_file;
pub mod check;
mod clock;
mod connection;
mod content;
mod control;
mod cors;
mod date;
mod delivery;
mod exchange;
mod fault;
mod fault_kind;
mod guard;
mod handshake;
mod identifier;
mod log;
mod options;
mod probe;
mod quota;
mod random;
mod ready;
mod record;
mod refusal;
mod reply;
mod request;
mod response;
mod route;
mod rpc;
mod sandbox;
mod schedule;
mod sender;
mod server;
mod sessions;
mod state;
mod sync;
mod tls;
mod token;
mod transport;
mod tunnel;
mod visitor;
mod work;

pub use fault::{Fault, Listener, When};
pub use fault_kind::{AnswerFraming, DripStage, FaultKind, Stage};
pub use options::{Answers, Options};
pub use ready::Ready;
pub use record::RecordedRequest;
pub use refusal::Refusal;
pub use reply::Reply;
pub use sandbox::Sandbox;
pub use tls::WrongCertificate;
