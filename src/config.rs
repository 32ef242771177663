//! A client's settings: as the caller gave them, and as checked.

use std::time::Duration;

use crate::{
    endpoint::{DEFAULT_BASE_URL, Endpoint},
    error::{Error, Status},
    text::{Rule, Text},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// What the caller set; nothing is judged before [`Config::check`].
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) base_url: Text,
    pub(crate) origin: Text,
    pub(crate) user_agent: Text,
    pub(crate) ca_file: Text,
    pub(crate) timeout_ms: u32,
    pub(crate) connect_timeout_ms: u32,
    pub(crate) max_attempts: u32,
}

/// Settings that hold together.
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: String,
    pub(crate) user_agent: String,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) ca_file: Option<String>,
}

impl Config {
    /// The first setting that is wrong, in the order of the header.
    pub(crate) fn check(&self) -> Result<Settings, Error> {
        let base_url = self.base_url.check(&header_text("base URL", 2048))?;
        let endpoint = Endpoint::parse(base_url.unwrap_or(DEFAULT_BASE_URL))?;
        let origin = self.origin.check(&header_text("origin", 1024))?;
        let user_agent = self.user_agent.check(&header_text("user agent", 1024))?;
        let ca_file = self.ca_file.check(&Rule {
            ascii_only: false,
            ..header_text("CA file's path", 4096)
        })?;
        Ok(Settings {
            origin: origin.map_or_else(|| endpoint.origin(), str::to_owned),
            user_agent: user_agent
                .unwrap_or(concat!("libzelf/", env!("CARGO_PKG_VERSION")))
                .to_owned(),
            timeout: milliseconds(self.timeout_ms, DEFAULT_TIMEOUT),
            connect_timeout: milliseconds(self.connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT),
            max_attempts: match self.max_attempts {
                0 => DEFAULT_MAX_ATTEMPTS,
                attempts => attempts,
            },
            ca_file: ca_file.map(str::to_owned),
            endpoint,
        })
    }
}

fn header_text(name: &'static str, max_bytes: usize) -> Rule {
    Rule {
        name,
        max_bytes,
        ascii_only: true,
        status: Status::InvalidConfig,
    }
}

fn milliseconds(ms: u32, default: Duration) -> Duration {
    match ms {
        0 => default,
        ms => Duration::from_millis(ms.into()),
    }
}
