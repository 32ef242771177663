//! A client's settings: as the caller gave them, and as checked.

use std::{sync::Arc, time::Duration};

use rustls::RootCertStore;

use crate::{
    endpoint::{DEFAULT_BASE_URL, Endpoint},
    error::{Error, Status},
    log::Log,
    text::{Rule, Text},
    transport::{
        Pin, Trust,
        proxy::{self, Route},
        tls::{self, MAX_PEM, TrustSettings},
    },
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
    /// Certificates in PEM form, instead of a file of them.
    pub(crate) ca_pem: Option<Pem>,
    pub(crate) pins: Vec<Text>,
    pub(crate) proxy: Text,
    pub(crate) proxy_from_env: bool,
    pub(crate) log: Option<Arc<Log>>,
    pub(crate) timeout_ms: u32,
    pub(crate) connect_timeout_ms: u32,
    pub(crate) max_attempts: u32,
    /// The host runs the callbacks of asynchronous calls on a thread of its own.
    pub(crate) dispatched_by_host: bool,
}

/// A text, or the length of one that is too long to copy.
pub(crate) type Pem = Result<Vec<u8>, usize>;

/// Settings that hold together. Whom to trust stands apart, in [`Trust`].
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) origin: String,
    pub(crate) user_agent: String,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) proxy: Option<Route>,
    pub(crate) log: Option<Arc<Log>>,
}

impl Config {
    /// The first setting that is wrong, in the order of the header.
    pub(crate) fn check(&self) -> Result<(Settings, Trust), Error> {
        let base_url = self.base_url.check(&header_text("base URL", 2048))?;
        let endpoint = Endpoint::parse(base_url.unwrap_or(DEFAULT_BASE_URL))?;
        let origin = self.origin.check(&header_text("origin", 1024))?;
        let user_agent = self.user_agent.check(&header_text("user agent", 1024))?;
        let roots = self.roots()?;
        let pins = self.pins()?;
        let proxy = self.proxy()?;
        let trust = Trust::new(
            TrustSettings {
                roots,
                pins,
                proxy_host: proxy.as_ref().and_then(|route| route.tls_host.as_deref()),
            },
            &endpoint,
        )?;
        let settings = Settings {
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
            proxy,
            log: self.log.clone(),
            endpoint,
        };
        Ok((settings, trust))
    }

    fn roots(&self) -> Result<Option<RootCertStore>, Error> {
        let path = self.ca_file.check(&Rule {
            ascii_only: false,
            ..header_text("CA file's path", 4096)
        })?;
        match (path, &self.ca_pem) {
            (Some(_), Some(_)) => Err(Error::new(
                Status::InvalidConfig,
                "both a CA file and CA certificates are set; choose one",
            )),
            (Some(path), None) => tls::roots_from_file(path).map(Some),
            (None, Some(Ok(pem))) => tls::roots_from_pem(pem, "the CA text").map(Some),
            (None, Some(Err(length))) => Err(Error::new(
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

    fn proxy(&self) -> Result<Option<proxy::Route>, Error> {
        match self.proxy.check(&header_text("proxy URL", 2048))? {
            Some(url) => proxy::parse(url).map(Some),
            None if self.proxy_from_env => proxy::from_env(),
            None => Ok(None),
        }
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
