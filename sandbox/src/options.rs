//! What can be chosen when a sandbox starts.

use std::path::PathBuf;
use std::time::Duration;

use crate::fault::Fault;

/// Everything that can be chosen when a sandbox starts. The defaults behave
/// like the production service.
#[derive(Clone, Debug)]
pub struct Options {
    /// Listen on `::1` instead of `127.0.0.1`.
    pub ipv6: bool,
    /// Port of the plain HTTP listener; 0 takes a free one.
    pub http_port: u16,
    /// Port of the HTTPS listener; 0 takes a free one.
    pub https_port: u16,
    /// Port of the listener that only answers `/sandbox/…`; 0 takes a free one.
    pub control_port: u16,
    /// Speak TLS 1.2 only, as an old server does.
    pub tls12_only: bool,
    /// Where to write the CA certificate. `None`: a private directory that is
    /// removed when the sandbox stops.
    pub ca_file: Option<PathBuf>,
    /// The time a create spends between its look-up and its insert. Two
    /// creates of one identifier inside that time end with one ghost.
    pub create_delay: Duration,
    /// How long a session lives, in seconds.
    pub session_lifetime: i64,
    /// How often expired sessions are removed, by the sandbox's clock; `None`
    /// leaves that to [`crate::Sandbox::reap`].
    pub reap_interval: Option<Duration>,
    /// Uses of one session on protected routes that are served; the next one
    /// is answered `Invalid session`.
    pub use_limit: u32,
    /// The search of one session that is the first to be refused.
    pub search_limit: u32,
    /// As above, for previews.
    pub preview_limit: u32,
    /// As above, for leases.
    pub lease_limit: u32,
    /// As above, for decryptions.
    pub decrypt_limit: u32,
    /// Where the service stops reading a body.
    pub body_limit: usize,
    /// When an idle connection is closed.
    pub idle_close: Duration,
    /// This many first requests are answered 404 `Not Found`, as by a server
    /// that is still starting.
    pub starting_for: u32,
    /// The shape of a successful create.
    pub answers: Answers,
    /// Offset of the sandbox's clock from the machine's, in seconds.
    pub clock_skew: i64,
    /// Faults that are there from the start.
    pub faults: Vec<Fault>,
    /// How many of the latest requests are remembered; 0 remembers none.
    pub record_limit: usize,
    /// Write one line per request to stderr.
    pub log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            ipv6: false,
            http_port: 0,
            https_port: 0,
            control_port: 0,
            tls12_only: false,
            ca_file: None,
            create_delay: Duration::from_millis(3),
            session_lifetime: 600,
            reap_interval: Some(Duration::from_secs(60)),
            use_limit: 3000,
            search_limit: 300,
            preview_limit: 300,
            lease_limit: 15,
            decrypt_limit: 30,
            body_limit: 1024 * 1024,
            // The header promises 5 s; the server is seen to wait a little longer.
            idle_close: Duration::from_millis(5_500),
            starting_for: 0,
            answers: Answers::Current,
            clock_skew: 0,
            faults: Vec::new(),
            record_limit: 20_000,
            log: false,
        }
    }
}

/// The shapes a successful create has had over the life of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// `{"data":{"token":…,"activatedAt":1,"expiresAt":601}}`
    #[default]
    Current,
    /// `{"data":{"token":…}}`
    TokenOnly,
    /// Times as `"2026-11-23 16:51:09"`.
    FormattedTimes,
    /// The current shape among fields that no client knows.
    ExtraFields,
}

impl std::str::FromStr for Answers {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "current" => Ok(Answers::Current),
            "token-only" => Ok(Answers::TokenOnly),
            "formatted-times" => Ok(Answers::FormattedTimes),
            "extra-fields" => Ok(Answers::ExtraFields),
            _ => Err(format!(
                "{name:?} is none of current, token-only, formatted-times, extra-fields"
            )),
        }
    }
}
