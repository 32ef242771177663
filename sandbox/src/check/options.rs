//! What a check is told.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

/// Everything that can be chosen for a check, apart from the deployment.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `Origin` that is sent. `None`: that of the base URL, as the library
    /// sends it.
    pub origin: Option<String>,
    /// Trust only these certificates (PEM). `None`: those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy. The environment is not asked for one.
    pub proxy: Option<String>,
    /// How long one exchange may take. A server whose database is away answers
    /// after 30 s.
    pub timeout: Duration,
    /// How long a connection rests before it is used again. `None`: one second
    /// less than the server announces.
    pub rest: Option<Duration>,
    /// Where the exchanges are written to.
    pub record: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            origin: None,
            ca_file: None,
            proxy: None,
            timeout: Duration::from_secs(40),
            rest: None,
            record: None,
        }
    }
}

/// Reads the URL of a deployment. A path in it stands before those of the API.
pub fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the base URL cannot be used: {error}"))?;
    let refuse = |reason: &str| Err(format!("the base URL cannot be used: {reason}"));
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it starts with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it has no user and no password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it has no query and no fragment");
    }
    Ok(url)
}

/// Reads the URL of a proxy. The client takes other schemes, and then goes to the
/// deployment without a proxy. The error does not repeat the text: it may have a
/// password.
pub fn proxy(text: &str) -> Result<Url, String> {
    let refuse = |reason: &str| Err(format!("the proxy's URL cannot be used: {reason}"));
    let Ok(url) = Url::parse(text) else {
        return refuse("it is http:// or https:// with a host");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it starts with http:// or https://");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return refuse("it ends after the host and the port");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{base_url, proxy};

    #[test]
    fn a_proxy_is_http_or_https_with_a_host() {
        for text in [
            "http://proxy.test:3128",
            "https://proxy.test/",
            "HTTP://u:p@[::1]:1",
        ] {
            assert!(proxy(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "proxy.test",
            "proxy.test:3128",
            "127.0.0.1:3128",
            "htp://u:pw@proxy.test",
            "ftp://u:pw@proxy.test",
            "socks5://u:pw@proxy.test",
            "http://",
            "http://u:pw@",
            "http://u:pw@proxy.test:99999",
            "http://u:pw@proxy.test/a",
            "http://u:pw@proxy.test?a",
        ] {
            let error = proxy(text).expect_err(text);
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn a_base_url_is_http_or_https_without_credentials_query_and_fragment() {
        for text in ["https://api.test", "http://127.0.0.1:1/v3/"] {
            assert!(base_url(text).is_ok(), "{text}");
        }
        for text in [
            "api.test",
            "ftp://api.test",
            "https://u:p@api.test",
            "https://api.test?a",
            "https://api.test#a",
            "https://",
        ] {
            assert!(base_url(text).is_err(), "{text}");
        }
    }
}
