//! The proxy: its URL, its credentials, and the variables of the environment.

use std::{env, net::Ipv6Addr};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;

use crate::{
    connect::no_proxy,
    error::{Error, Status},
};

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// CONNECT over TCP.
    Http,
    /// CONNECT over TLS.
    Https,
    /// The library resolves names, and sends addresses.
    Socks5,
    /// The proxy resolves names.
    Socks5h,
}

/// A proxy, from its URL.
#[derive(Clone)]
pub struct Proxy {
    pub protocol: Protocol,
    /// Without brackets around an IPv6 address.
    pub host: String,
    pub port: u16,
    pub credentials: Option<Credentials>,
    /// `host:port`, for messages.
    pub authority: String,
}

#[derive(Clone)]
pub struct Credentials {
    pub user: Vec<u8>,
    pub password: Vec<u8>,
}

impl Credentials {
    /// Returns the value of `Proxy-Authorization` (RFC 7617).
    pub fn basic(&self) -> String {
        let text = [&self.user, b":".as_slice(), &self.password].concat();
        format!("Basic {}", STANDARD.encode(text))
    }
}

/// SOCKS stores each length in one byte (RFC 1929).
const MAX_SOCKS_CREDENTIAL: usize = 255;

/// Parses the URL of a proxy.
///
/// Messages contain no part of the URL, because it may have a password.
pub fn parse(url: &str) -> Result<Proxy, Error> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("is not a URL; use the form http://host:port"))?;
    let (protocol, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Protocol::Http, 80),
        "https" => (Protocol::Https, 443),
        "socks5" => (Protocol::Socks5, 1080),
        "socks5h" => (Protocol::Socks5h, 1080),
        _ => {
            return Err(wrong(
                "has an unknown scheme; use http, https, socks5 or socks5h",
            ));
        }
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '\\']) || rest.contains(char::is_whitespace) {
        return Err(wrong(
            "contains more than credentials, a host and a port; percent-encode special characters of a password",
        ));
    }
    let (credentials, host_and_port) = match rest.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, rest),
    };
    let (host, port) = split_port(host_and_port, default_port)?;
    if host.is_empty() {
        return Err(wrong("has no host; add it"));
    }
    if ServerName::try_from(host).is_err() {
        return Err(wrong(
            "has a host that is neither a DNS name nor an address; correct it",
        ));
    }
    let authority = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let credentials = credentials.map(parse_credentials).transpose()?;
    if let Some(credentials) = &credentials {
        check_credentials(protocol, credentials)?;
    }
    Ok(Proxy {
        protocol,
        host: host.to_owned(),
        port,
        credentials,
        authority,
    })
}

/// Checks that the protocol can transmit the credentials.
fn check_credentials(protocol: Protocol, credentials: &Credentials) -> Result<(), Error> {
    match protocol {
        Protocol::Http | Protocol::Https if credentials.user.contains(&b':') => Err(wrong(
            "has a \":\" in its user, which HTTP does not allow; use another user",
        )),
        Protocol::Http | Protocol::Https => Ok(()),
        Protocol::Socks5 | Protocol::Socks5h => {
            let lengths = [credentials.user.len(), credentials.password.len()];
            match lengths.iter().any(|length| *length > MAX_SOCKS_CREDENTIAL) {
                true => Err(wrong(
                    "has a user or a password of more than 255 bytes, which SOCKS does not allow; use shorter ones",
                )),
                false => Ok(()),
            }
        }
    }
}

fn split_port(text: &str, default: u16) -> Result<(&str, u16), Error> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed
                .split_once(']')
                .ok_or_else(|| wrong("has an address without its \"]\"; add it"))?;
            if host.contains('%') {
                return Err(wrong(
                    "has an address with a zone, which is not supported; use a name, or an address without a zone",
                ));
            }
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(wrong(
                    "has brackets around something that is not an IPv6 address; remove them",
                ));
            }
            (
                host,
                after.strip_prefix(':').or((after.is_empty()).then_some("")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("")),
        },
    };
    let port = port.ok_or_else(|| {
        wrong("has characters after \"]\" that are not a port; use [address]:port")
    })?;
    if port.is_empty() {
        return Ok((host, default));
    }
    match port.parse() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((host, number))
        }
        _ => Err(wrong(
            "has a port that is not a number from 1 to 65535; correct it",
        )),
    }
}

fn parse_credentials(text: &str) -> Result<Credentials, Error> {
    if text.contains('@') {
        return Err(wrong("has an \"@\" in its credentials; percent-encode it"));
    }
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let credentials = Credentials {
        user: decode(user),
        password: decode(password),
    };
    let all = || credentials.user.iter().chain(&credentials.password);
    if all().any(u8::is_ascii_control) {
        return Err(wrong(
            "has a control character in its credentials; remove it",
        ));
    }
    Ok(credentials)
}

fn wrong(what: &str) -> Error {
    Error::new(Status::InvalidConfig, format!("the proxy URL {what}"))
}

/// Returns the proxy for `host` from the environment, with the same meaning as in curl:
/// `https_proxy`, then `all_proxy`, each also in capitals. `no_proxy` lists the exceptions.
pub fn from_env(host: &str, port: u16) -> Result<Option<Proxy>, Error> {
    let named = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
        .into_iter()
        .filter_map(env::var_os)
        .find(|value| !value.is_empty());
    let Some(url) = named else {
        return Ok(None);
    };
    let exceptions = env::var_os("no_proxy").or_else(|| env::var_os("NO_PROXY"));
    if let Some(exceptions) = exceptions
        && no_proxy::names(&exceptions.to_string_lossy(), host, port)
    {
        return Ok(None);
    }
    // An invalid value is an error: a connection without the requested proxy would be worse.
    let url = url
        .to_str()
        .ok_or_else(|| wrong("in the environment is not valid UTF-8; correct it"))?;
    match url.contains("://") {
        true => parse(url).map(Some),
        false => parse(&format!("http://{url}")).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_proxy() {
        for (url, protocol, authority) in [
            ("http://p.test:3128", Protocol::Http, "p.test:3128"),
            ("http://my_proxy:0080", Protocol::Http, "my_proxy:80"),
            ("http://p.test.:", Protocol::Http, "p.test.:80"),
            ("http://10.0.0.1:65535/", Protocol::Http, "10.0.0.1:65535"),
            ("HTTP://p.test/", Protocol::Http, "p.test:80"),
            ("https://p.test", Protocol::Https, "p.test:443"),
            ("socks5://127.0.0.1", Protocol::Socks5, "127.0.0.1:1080"),
            ("socks5h://[::1]:9050", Protocol::Socks5h, "[::1]:9050"),
        ] {
            let proxy = parse(url).unwrap();
            assert_eq!((proxy.protocol, &*proxy.authority), (protocol, authority));
            assert!(proxy.credentials.is_none());
        }
    }

    #[test]
    fn credentials_are_decoded() {
        let proxy = parse("http://us%40er:p%2Fa%3Ass@p.test:1").unwrap();
        let credentials = proxy.credentials.unwrap();
        assert_eq!(credentials.user, b"us@er");
        assert_eq!(credentials.password, b"p/a:ss");
        let proxy = parse("http://user:pass@p.test").unwrap();
        assert_eq!(proxy.credentials.unwrap().basic(), "Basic dXNlcjpwYXNz");
    }

    #[test]
    fn a_user_and_a_password_may_be_empty() {
        for (url, user, password) in [
            ("socks5://@p.test", "", ""),
            ("socks5://:@p.test", "", ""),
            ("socks5://user@p.test", "user", ""),
            ("socks5://user:@p.test", "user", ""),
            ("socks5://:pass@p.test", "", "pass"),
            ("socks5://user:pa:ss@p.test", "user", "pa:ss"),
            ("socks5://us%3Aer:50%off@p.test", "us:er", "50%off"),
        ] {
            let credentials = parse(url).unwrap().credentials.unwrap();
            assert_eq!(credentials.user, user.as_bytes(), "{url}");
            assert_eq!(credentials.password, password.as_bytes(), "{url}");
        }
    }

    #[test]
    fn a_bad_url_is_refused_and_never_repeated() {
        for url in [
            "s3cr3t",
            "ftp://s3cr3t@p.test",
            "s3cr3t://p.test",
            "socks5h://${s3cr3t}:9050",
            "http://{s3cr3t}:3128",
            "socks5h://s3cr3t%2Ecorp:1080",
            "http://CORP\\user:s3cr3t@p.test",
            "http://12#s3cr3t@p.test",
            "http://12/s3cr3t@p.test",
            "http://12?s3cr3t@p.test",
            "http://a@s3cr3t@p.test",
            "http://a%0ab:s3cr3t@p.test",
            "http://p.test:s3cr3t",
            "http://p.test:0",
            "http://p.test:65536",
            "http://p.test:+80",
            "ghp-s3cr3t:@p.test:3128",
            "socks://s3cr3t@p.test",
            "socks4a://s3cr3t@p.test",
            "http://us%3Aer:s3cr3t@p.test",
            "http://s3cr3t:a b@p.test",
            "http://s3cr3t:\u{1}@p.test",
            "http://s3cr3t:a%00@p.test",
            "http://p.test\t:s3cr3t",
            "http://p.test: 80",
            "http://p.test:80:s3cr3t",
            "http://p.test:80/s3cr3t",
            "http://p.test:80?s3cr3t",
            "http://p.test:80#s3cr3t",
            "http://p.test:80//",
            "http://p..test",
            "http://3128",
            "http://127.1:80",
            "http://0x7f000001",
            "http://1.2.3.4.5",
            "http://-p.test",
            "http://p*.test",
            "http://p.test:65536",
            "http://p.test:99999999999999999999",
            "http://p.test:-1",
            "http://p.test:8O",
            "http://fe80::1:80",
            "http://[fe80::1%25s3cr3t]:80",
            "http://[fe80::1%s3cr3t]:80",
            "http://[127.0.0.1]:80",
            "http://[s3cr3t]:80",
            "http://[::1",
            "http://[::1]80",
            "http://",
            "http://@:80",
            "http:///",
        ] {
            let error = parse(url).err().unwrap_or_else(|| panic!("{url}"));
            assert_eq!(error.status, Status::InvalidConfig);
            assert!(!error.message.contains("s3cr3t"), "{}", error.message);
        }
        for (url, why) in [
            ("http://[fe80::1%25eth0]:80", "zone"),
            ("http://p.test:0", "port"),
            ("socks4://p.test", "scheme"),
            ("http://us%3Aer:x@p.test", "user"),
        ] {
            let message = parse(url).err().unwrap().message;
            assert!(message.contains(why), "{message}");
        }
        let long = "x".repeat(256);
        assert!(parse(&format!("socks5://u:{long}@p.test")).is_err());
        assert!(parse(&format!("http://u:{long}@p.test")).is_ok());
    }
}
