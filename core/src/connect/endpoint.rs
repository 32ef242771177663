//! The address of the session API: the base URL, checked and completed.

use rustls::pki_types::ServerName;
use url::Url;

use crate::error::{Error, Status};

pub const DEFAULT_BASE_URL: &str = "https://api.zelf.world";

const ROUTE: &str = "/api/sessions";

/// The address of `POST /api/sessions` below a base URL.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub url: Url,
    /// The host name that the server's certificate must contain.
    pub server_name: ServerName<'static>,
}

impl Endpoint {
    pub fn parse(base: &str) -> Result<Self, Error> {
        // The parser corrects its input: it removes tabs and changes backslashes to slashes. The
        // corrected URL may name another server.
        if base.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(wrong(
                "contains a space, a backslash or a control character; remove it",
            ));
        }
        let host = base.split_once("://").map_or(base, |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let address = host.split(['[', ']']).nth(1);
        if address.is_some_and(|address| address.contains('%')) {
            return Err(wrong(
                "has an address with a zone, which is not supported; use a name, or an address without a zone",
            ));
        }
        let mut url = Url::parse(base).map_err(|error| {
            wrong(&format!(
                "is not a URL ({error}); use the form https://host"
            ))
        })?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(wrong(&format!(
                "has the scheme \"{}\"; use https",
                url.scheme()
            )));
        }
        let rest = base.split_once("://").map_or("", |(_, rest)| rest);
        if rest.starts_with('/') {
            return Err(wrong("has no host after \"//\"; add it"));
        }
        if rest
            .split('/')
            .next()
            .is_some_and(|host| host.contains('@'))
        {
            return Err(wrong(
                "contains credentials; remove them, the session API has none",
            ));
        }
        if !base[url.scheme().len()..].starts_with("://") {
            return Err(wrong(
                "lacks \"//\" after the scheme; use the form https://host",
            ));
        }
        if url.query().is_some() {
            return Err(wrong("contains a query; remove it"));
        }
        if url.fragment().is_some() {
            return Err(wrong("contains a fragment; remove it"));
        }
        let path = format!("{}{ROUTE}", url.path().trim_end_matches('/'));
        url.set_path(&path);

        let host = without_brackets(url.host_str().unwrap_or_default());
        let server_name = ServerName::try_from(host.to_owned()).map_err(|_| {
            wrong("has a host that is neither a DNS name nor an address; correct it")
        })?;
        let endpoint = Self { url, server_name };
        if !endpoint.is_https() && !endpoint.is_loopback() {
            return Err(wrong(
                "uses plain http to another machine, so others in the network could read the token; use https",
            ));
        }
        Ok(endpoint)
    }

    /// Returns the path of the base URL, without a slash at its end.
    pub fn base_path(&self) -> &str {
        let path = self.url.path();
        path.strip_suffix(ROUTE).unwrap_or(path)
    }

    /// Returns the URL without the route of sessions.
    pub fn base_url(&self) -> &str {
        let url = self.url.as_str();
        url.strip_suffix(ROUTE).unwrap_or(url)
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns `https://host:port`, the default of the `Origin` header.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Returns the host, with brackets around an IPv6 address.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Returns `host:port`, for messages.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host(), self.port())
    }

    /// Returns the value of the `Host` header: the port is added only if it is not the default.
    pub fn host_header(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    fn is_loopback(&self) -> bool {
        // The parser converts every form of an IPv4 address to dotted decimals.
        match without_brackets(self.host()).parse::<std::net::IpAddr>() {
            Ok(address) => address.is_loopback(),
            // The library resolves this name itself.
            Err(_) => is_localhost(self.host()),
        }
    }
}

/// Returns a host without the brackets that an IPv6 address has in a URL.
pub fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// Returns whether a name means this machine. A name server is not asked (RFC 6761).
pub fn is_localhost(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
}

fn wrong(what: &str) -> Error {
    Error::new(Status::InvalidConfig, format!("the base URL {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(base: &str) -> String {
        Endpoint::parse(base).unwrap().url.to_string()
    }

    fn refusal(base: &str) -> String {
        let error = Endpoint::parse(base).unwrap_err();
        assert_eq!(error.status, Status::InvalidConfig, "{base}");
        error.message
    }

    #[test]
    fn the_path_is_appended_to_any_base() {
        assert_eq!(url("https://a.test"), "https://a.test/api/sessions");
        assert_eq!(url("https://a.test/"), "https://a.test/api/sessions");
        assert_eq!(url("https://a.test/v3/"), "https://a.test/v3/api/sessions");
        assert_eq!(
            url("https://a.test:8443/x"),
            "https://a.test:8443/x/api/sessions"
        );
        assert_eq!(
            url("https://[2001:db8::1]:9"),
            "https://[2001:db8::1]:9/api/sessions"
        );
        // A bracket in a path is not part of an address.
        assert_eq!(
            url("https://a.test/x]%20"),
            "https://a.test/x]%20/api/sessions"
        );
        assert_eq!(url("HTTPS://A.test"), "https://a.test/api/sessions");
        assert_eq!(
            url("https://xn--bcher-kva.test"),
            "https://xn--bcher-kva.test/api/sessions"
        );
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for base in [
            "http://127.0.0.1:1",
            "http://[::1]:1",
            "http://localhost",
            "http://127.9.9.9",
        ] {
            assert!(Endpoint::parse(base).is_ok(), "{base}");
        }
        for base in [
            "http://a.test",
            "http://10.0.0.1",
            "http://localhost.a.test",
            "http://127.0.0.1.a.test",
            "http://[::ffff:10.0.0.1]",
            "http://0.0.0.0",
        ] {
            assert!(refusal(base).contains("plain http"), "{base}");
        }
    }

    #[test]
    fn a_bad_part_of_a_base_url_is_refused_by_name() {
        assert!(refusal("https://user:pass@a.test").contains("credentials"));
        assert!(refusal("https://user@a.test").contains("credentials"));
        assert!(refusal("https://a.test/?x=1").contains("query"));
        assert!(refusal("https://a.test/#x").contains("fragment"));
        assert!(refusal("ftp://a.test").contains("scheme \"ftp\""));
        assert!(refusal("file:///etc/passwd").contains("scheme \"file\""));
        assert!(refusal("https://[fe80::1%25eth0]").contains("zone"));
        assert!(refusal("https://[fe80::1%eth0]:443").contains("zone"));
        assert!(refusal("a.test").contains("not a URL"));
        assert!(refusal("https:a.test").contains("//"));
        assert!(refusal("https:/a.test/://").contains("//"));
        assert!(refusal("https:///a.test").contains("no host"));
        assert!(refusal("https:////a.test").contains("no host"));
        assert!(refusal("https://:@a.test").contains("credentials"));
        assert!(refusal("https://").contains("not a URL"));
        assert!(refusal("https://a.test\r\nX: y").contains("control"));
        assert!(refusal("https://a.test\\@evil.test").contains("backslash"));
    }

    #[test]
    fn a_refused_url_never_repeats_its_credentials() {
        assert!(!refusal("https://user:hunter2@a.test").contains("hunter2"));
        assert!(!refusal("https://user:hunter2@").contains("hunter2"));
    }

    #[test]
    fn a_host_that_no_call_could_reach_is_refused() {
        let long = format!("https://{}.test", "a".repeat(64));
        for base in [
            "https://foo-.example",
            "https://a..b",
            "https://x*y.test",
            "https://a%7Eb.test",
            &long,
        ] {
            assert!(refusal(base).contains("host"), "{base}");
        }
    }

    #[test]
    fn the_origin_is_the_servers_own() {
        let endpoint = Endpoint::parse("https://a.test:8443/v3").unwrap();
        assert_eq!(endpoint.origin(), "https://a.test:8443");
    }
}
