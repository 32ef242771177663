//! A proxy, when one is asked for.

use std::env;

use reqwest::{NoProxy, Proxy, Url};

use crate::error::{Error, Status};

/// What a proxy's URL must be before it is used, with credentials or without.
pub(crate) fn parse(url: &str) -> Result<Proxy, Error> {
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
    Proxy::https(url).map_err(|_| wrong("cannot be used"))
}

/// The proxy that the environment names, the way curl reads it: `https_proxy`
/// before `all_proxy`, each also in capitals, and `no_proxy` with exceptions.
pub(crate) fn from_env() -> Result<Option<Proxy>, Error> {
    let named = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|value| !value.is_empty());
    let Some(url) = named else {
        return Ok(None);
    };
    let url = if url.contains("://") {
        url
    } else {
        format!("http://{url}")
    };
    Ok(Some(parse(&url)?.no_proxy(NoProxy::from_env())))
}
