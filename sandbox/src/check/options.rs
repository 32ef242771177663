//! The options of a check.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

/// All options except the deployment.
#[derive(Clone, Debug)]
pub struct Options {
    /// The `Origin` to send. `None`: the origin of the base URL, as in the library.
    pub origin: Option<String>,
    /// Trust only these certificates (PEM). `None`: the system's certificates.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy. The environment is ignored.
    pub proxy: Option<String>,
    /// The time limit for one exchange. A server without its database answers after 30 s.
    pub timeout: Duration,
    /// How long a connection is idle before it is used again. `None`: one second less than the
    /// server announces.
    pub rest: Option<Duration>,
    /// The folder for the recordings.
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

/// Parses the URL of a deployment. Its path is added before the paths of the API.
pub fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the base URL cannot be used: {error}"))?;
    let refuse = |reason: &str| Err(format!("the base URL cannot be used: {reason}"));
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it must start with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("it must not have a user or a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it must not have a query or a fragment");
    }
    Ok(url)
}

/// Parses the URL of a proxy. The HTTP client accepts other schemes, but then connects without a
/// proxy. The error does not contain the URL, which may have a password.
pub fn proxy(text: &str) -> Result<Url, String> {
    let refuse = |reason: &str| Err(format!("the proxy's URL cannot be used: {reason}"));
    let Ok(url) = Url::parse(text) else {
        return refuse("it must be http:// or https:// with a host");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it must start with http:// or https://");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return refuse("it must end after the host and the port");
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
