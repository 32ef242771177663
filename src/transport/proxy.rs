//! A proxy, when one is asked for.

use std::env;

use reqwest::{NoProxy, Proxy, Url};

use crate::error::{Error, Status};

/// The way through a proxy.
#[derive(Clone)]
pub(crate) struct Route {
    pub(crate) proxy: Proxy,
    /// `host:port` of the proxy, for messages.
    pub(crate) authority: String,
    /// For some hosts it is not used; for which, only reqwest knows.
    pub(crate) has_exceptions: bool,
    /// The proxy's host, when it is spoken to in TLS itself.
    pub(crate) tls_host: Option<String>,
}

/// What a proxy's URL must be before it is used, with credentials or without.
pub(crate) fn parse(url: &str) -> Result<Route, Error> {
    // Neither the URL nor the parser's words go into a message: both may hold
    // a password.
    let wrong = |what: &str| Error::new(Status::InvalidConfig, format!("the proxy URL {what}"));
    let parsed =
        Url::parse(url).map_err(|_| wrong("is not a URL; it looks like http://host:port"))?;
    if !matches!(parsed.scheme(), "http" | "https" | "socks5" | "socks5h") {
        return Err(wrong(&format!(
            "has the scheme \"{}\"; http, https, socks5 and socks5h work",
            parsed.scheme()
        )));
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err(wrong("has no host"));
    }
    // Plain http goes to this machine only, where no proxy is in between.
    let proxy = Proxy::https(url).map_err(|_| wrong("cannot be used"))?;
    let tls_host = match parsed.scheme() {
        "https" => parsed.host_str().map(str::to_owned),
        _ => None,
    };
    let host = parsed.host_str().unwrap_or_default();
    let authority = match parsed.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    Ok(Route {
        proxy,
        authority,
        has_exceptions: false,
        tls_host,
    })
}

/// The proxy that the environment names, the way curl reads it: `https_proxy`
/// before `all_proxy`, each also in capitals, and `no_proxy` with exceptions.
pub(crate) fn from_env() -> Result<Option<Route>, Error> {
    let named = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        .into_iter()
        .filter_map(env::var_os)
        .find(|value| !value.is_empty());
    let Some(url) = named else {
        return Ok(None);
    };
    // Going without the proxy that somebody asked for would be worse.
    let url = url.to_str().ok_or_else(|| {
        Error::new(
            Status::InvalidConfig,
            "the proxy URL of the environment is not valid UTF-8",
        )
    })?;
    let mut route = if url.contains("://") {
        parse(url)?
    } else {
        parse(&format!("http://{url}"))?
    };
    let exceptions = NoProxy::from_env();
    route.has_exceptions = exceptions.is_some();
    route.proxy = route.proxy.no_proxy(exceptions);
    Ok(Some(route))
}
