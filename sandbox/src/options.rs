//! The options of a sandbox.

use std::path::PathBuf;
use std::time::Duration;

use crate::fault::Fault;

/// The options of a sandbox. The defaults behave like the production service.
#[derive(Clone, Debug)]
pub struct Options {
    /// Listen on `::1` instead of `127.0.0.1`.
    pub ipv6: bool,
    /// The port of the plain HTTP listener. 0: any free port.
    pub http_port: u16,
    /// The port of the HTTPS listener. 0: any free port.
    pub https_port: u16,
    /// The port of the listener for `/sandbox/…` only. 0: any free port.
    pub control_port: u16,
    /// Only TLS 1.2, like an old server.
    pub tls12_only: bool,
    /// The path for the CA certificate. `None`: a private directory that is removed when the
    /// sandbox stops.
    pub ca_file: Option<PathBuf>,
    /// The time between the look-up and the insert of a create. Two creates of one identifier
    /// within this time make one ghost.
    pub create_delay: Duration,
    /// The life of a session, in seconds.
    pub session_lifetime: i64,
    /// How often expired sessions are removed, by the sandbox's clock. `None`: only by
    /// [`crate::Sandbox::reap`].
    pub reap_interval: Option<Duration>,
    /// How many uses of one session are accepted on protected routes. Further ones get `Invalid
    /// session`.
    pub use_limit: u32,
    /// The number of the first search of a session that is refused.
    pub search_limit: u32,
    /// The same for previews.
    pub preview_limit: u32,
    /// The same for leases.
    pub lease_limit: u32,
    /// The same for decryptions.
    pub decrypt_limit: u32,
    /// The longest body of a request.
    pub body_limit: usize,
    /// The time after which an idle connection is closed.
    pub idle_close: Duration,
    /// This many requests are answered 404 `Not Found` first, as by a server that is starting.
    pub starting_for: u32,
    /// The format of a successful create.
    pub answers: Answers,
    /// The offset of the sandbox's clock from the machine's, in seconds.
    pub clock_skew: i64,
    /// Faults that apply from the start.
    pub faults: Vec<Fault>,
    /// How many of the latest requests are recorded.
    pub record_limit: usize,
    /// Write one line for each request to stderr.
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
            // The header says 5 s. The server waits a little longer.
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

/// The formats of a successful create during the life of the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// `{"data":{"token":…,"activatedAt":1,"expiresAt":601}}`
    #[default]
    Current,
    /// `{"data":{"token":…}}`
    TokenOnly,
    /// Times in the form `"2026-11-23 16:51:09"`.
    FormattedTimes,
    /// The current format with additional unknown fields.
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
                "{name:?} is unknown; use current, token-only, formatted-times or extra-fields"
            )),
        }
    }
}
