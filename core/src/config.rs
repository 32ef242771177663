//! The settings of a client: the caller's values, and the checked ones.

use std::{sync::Arc, time::Duration};

use crate::{
    connect::{
        connector::Destination,
        endpoint::{DEFAULT_BASE_URL, Endpoint},
        proxy::{self, Proxy},
        trust::{
            ca_file::{self, MAX_PEM},
            given_roots::GivenRoots,
            pins::Pin,
            policy::Trust,
        },
    },
    error::{Error, Status},
    log::Log,
    text::{Rule, Text},
};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// The caller's values. [`Config::check`] validates them.
#[derive(Clone, Default)]
pub struct Config {
    pub base_url: Text,
    pub origin: Text,
    pub user_agent: Text,
    pub ca_file: Text,
    /// Certificates in PEM form, as a text instead of a file.
    pub ca_pem: Option<Pem>,
    pub pins: Vec<Text>,
    pub proxy: Text,
    pub proxy_from_env: bool,
    pub log: Option<Arc<Log>>,
    pub timeout_ms: u32,
    pub connect_timeout_ms: u32,
    pub max_attempts: u32,
    /// The host runs the callbacks of asynchronous calls with `zelf_client_dispatch`.
    pub dispatched_by_host: bool,
}

/// A text, or only its length if it is too long to be copied.
#[derive(Clone)]
pub enum Pem {
    Text(Vec<u8>),
    TooLong(usize),
}

impl Pem {
    /// The longest text, in bytes.
    pub const MAX: usize = MAX_PEM;
}

/// Valid settings.
pub struct Settings {
    pub destination: Destination,
    pub origin: String,
    pub timeout: Duration,
    pub max_attempts: u32,
    pub log: Option<Arc<Log>>,
}

impl Config {
    /// Sets the log, or none if `log` is silent. Returns the logs that are no longer used. Dropping
    /// them calls the host, and the host may free the configuration then.
    pub fn set_log(&mut self, log: Arc<Log>) -> [Option<Arc<Log>>; 2] {
        if log.is_silent() {
            [self.log.take(), Some(log)]
        } else {
            [self.log.replace(log), None]
        }
    }

    /// Returns the settings, or an error for the first invalid one in the order of the header.
    pub fn check(&self) -> Result<Settings, Error> {
        let base_url = self.base_url.check(&header_text("base URL", 2048))?;
        let endpoint = Endpoint::parse(base_url.unwrap_or(DEFAULT_BASE_URL))?;
        let origin = self.origin.check(&header_text("origin", 1024))?;
        let origin = origin.map_or_else(|| endpoint.origin(), str::to_owned);
        let user_agent = self
            .user_agent
            .check(&header_text("user agent", 1024))?
            .unwrap_or(concat!("libzelf/", env!("CARGO_PKG_VERSION")))
            .to_owned();
        let roots = self.roots()?;
        let pins = self.pins()?;
        let proxy = self.proxy(&endpoint)?;
        let trust = match roots {
            // Plain HTTP verifies no certificates, so no file is read.
            None if !endpoint.is_https() => Trust::nobody(),
            roots => Trust::new(roots, pins)?,
        };
        let timeout = milliseconds(self.timeout_ms, DEFAULT_TIMEOUT);
        Ok(Settings {
            destination: Destination {
                authority: endpoint.authority(),
                endpoint,
                proxy,
                trust,
                user_agent,
                timeout,
                connect_timeout: milliseconds(self.connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT),
            },
            origin,
            timeout,
            max_attempts: match self.max_attempts {
                0 => DEFAULT_MAX_ATTEMPTS,
                attempts => attempts,
            },
            log: self.log.clone(),
        })
    }

    fn roots(&self) -> Result<Option<GivenRoots>, Error> {
        let path = self.ca_file.check(&Rule {
            ascii_only: false,
            ..header_text("CA file's path", 4096)
        })?;
        match (path, &self.ca_pem) {
            (Some(_), Some(_)) => Err(Error::new(
                Status::InvalidConfig,
                "both a CA file and CA certificates are set; set only one",
            )),
            (Some(path), None) => ca_file::from_file(path).map(Some),
            (None, Some(Pem::Text(pem))) => ca_file::from_text(pem, "the CA text").map(Some),
            (None, Some(Pem::TooLong(length))) => Err(Error::new(
                Status::InvalidConfig,
                format!("the CA text is {length} bytes long; at most {MAX_PEM} are allowed"),
            )),
            (None, None) => Ok(None),
        }
    }

    fn pins(&self) -> Result<Vec<Pin>, Error> {
        let rule = header_text("pin", 64);
        self.pins
            .iter()
            .filter_map(|pin| pin.check(&rule).transpose())
            .map(|pin| pin.and_then(Pin::parse))
            .collect()
    }

    /// Returns the proxy. Plain HTTP only connects to this machine, and never uses a proxy.
    fn proxy(&self, endpoint: &Endpoint) -> Result<Option<Proxy>, Error> {
        let proxy = match self.proxy.check(&header_text("proxy URL", 2048))? {
            Some(url) => Some(proxy::parse(url)?),
            None if self.proxy_from_env && endpoint.is_https() => {
                proxy::from_env(endpoint.host(), endpoint.port())?
            }
            None => None,
        };
        Ok(proxy.filter(|_| endpoint.is_https()))
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
