//! A proxy, when one is asked for.

use std::{
    env,
    net::{IpAddr, Ipv6Addr},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use rustls::pki_types::ServerName;

use crate::{
    connect::endpoint::without_brackets,
    error::{Error, Status},
};

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// CONNECT over TCP.
    Http,
    /// CONNECT over TLS.
    Https,
    /// Addresses are looked up here.
    Socks5,
    /// Names are looked up by the proxy.
    Socks5h,
}

/// A proxy, as its URL names it.
#[derive(Clone)]
pub struct Proxy {
    pub protocol: Protocol,
    /// An IPv6 address is without brackets.
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

/// SOCKS has one byte for each length (RFC 1929).
const MAX_SOCKS_CREDENTIAL: usize = 255;

/// Reads a proxy's URL.
///
/// Neither the URL nor a part of it goes into a message: it may hold a password.
pub fn parse(url: &str) -> Result<Proxy, Error> {
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| wrong("is not a URL; it looks like http://host:port"))?;
    let (protocol, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Protocol::Http, 80),
        "https" => (Protocol::Https, 443),
        "socks5" => (Protocol::Socks5, 1080),
        "socks5h" => (Protocol::Socks5h, 1080),
        _ => {
            return Err(wrong(
                "has another scheme than http, https, socks5 and socks5h, which work",
            ));
        }
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '\\']) || rest.contains(char::is_whitespace) {
        return Err(wrong(
            "holds more than a host and credentials; write special characters of a password in percent form",
        ));
    }
    let (credentials, host_and_port) = match rest.rsplit_once('@') {
        Some((credentials, host)) => (Some(credentials), host),
        None => (None, rest),
    };
    let (host, port) = split_port(host_and_port, default_port)?;
    if host.is_empty() {
        return Err(wrong("has no host"));
    }
    if ServerName::try_from(host).is_err() {
        return Err(wrong(
            "has a host that is neither a DNS name nor an address",
        ));
    }
    let authority = match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    };
    let credentials = credentials.map(parse_credentials).transpose()?;
    if let Some(credentials) = &credentials
        && matches!(protocol, Protocol::Socks5 | Protocol::Socks5h)
    {
        let lengths = [credentials.user.len(), credentials.password.len()];
        if lengths.iter().any(|length| *length > MAX_SOCKS_CREDENTIAL) {
            return Err(wrong(
                "has a user or a password of more than 255 bytes, which SOCKS cannot carry",
            ));
        }
    }
    Ok(Proxy {
        protocol,
        host: host.to_owned(),
        port,
        credentials,
        authority,
    })
}

fn split_port(text: &str, default: u16) -> Result<(&str, u16), Error> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed
                .split_once(']')
                .ok_or_else(|| wrong("has an address without its \"]\""))?;
            if host.parse::<Ipv6Addr>().is_err() {
                return Err(wrong("has brackets around what is no IPv6 address"));
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
    let port = port.ok_or_else(|| wrong("has no port where one is expected"))?;
    if port.is_empty() {
        return Ok((host, default));
    }
    match port.parse() {
        Ok(number) if number > 0 && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok((host, number))
        }
        _ => Err(wrong("has a port that is no number from 1 to 65535")),
    }
}

fn parse_credentials(text: &str) -> Result<Credentials, Error> {
    if text.contains('@') {
        return Err(wrong(
            "has an \"@\" in its credentials; write it in percent form",
        ));
    }
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let credentials = Credentials {
        user: decode(user),
        password: decode(password),
    };
    let all = || credentials.user.iter().chain(&credentials.password);
    if all().any(u8::is_ascii_control) {
        return Err(wrong("has a control character in its credentials"));
    }
    Ok(credentials)
}

fn wrong(what: &str) -> Error {
    Error::new(Status::InvalidConfig, format!("the proxy URL {what}"))
}

/// Returns the proxy that the environment names for `host`, as curl reads it:
/// `https_proxy` before `all_proxy`, each also in capitals, and `no_proxy` with
/// exceptions.
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
        && is_exception(&exceptions.to_string_lossy(), host, port)
    {
        return Ok(None);
    }
    // To go without the proxy that somebody asked for would be worse.
    let url = url
        .to_str()
        .ok_or_else(|| wrong("of the environment is not valid UTF-8"))?;
    match url.contains("://") {
        true => parse(url).map(Some),
        false => parse(&format!("http://{url}")).map(Some),
    }
}

/// Whether `list`, the value of `no_proxy`, names the host: by `*`, a name or the
/// end of one, an address, or a range of addresses (`10.0.0.0/8`).
fn is_exception(list: &str, host: &str, port: u16) -> bool {
    let host = without_brackets(host).trim_end_matches('.');
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| names(entry, host, port))
}

fn names(entry: &str, host: &str, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    let entry = match entry.rsplit_once(':') {
        // One colon: a port, and not an IPv6 address.
        Some((name, number)) if !name.contains(':') || name.ends_with(']') => {
            match number.parse::<u16>() {
                Ok(number) if number == port => name,
                _ => return false,
            }
        }
        _ => entry,
    };
    let entry = without_brackets(entry);
    if let Ok(address) = host.parse::<IpAddr>() {
        return match entry.split_once('/') {
            Some((network, bits)) => is_in_network(address, network, bits),
            None => entry.parse() == Ok(address),
        };
    }
    let entry = entry.trim_start_matches('.').trim_end_matches('.');
    if entry.is_empty() || host.len() < entry.len() {
        return false;
    }
    // At a character's border, as both are compared in ASCII only.
    let (front, end) = host.as_bytes().split_at(host.len() - entry.len());
    end.eq_ignore_ascii_case(entry.as_bytes()) && (front.is_empty() || front.ends_with(b"."))
}

fn is_in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_the_proxy() {
        for (url, protocol, authority) in [
            ("http://p.test:3128", Protocol::Http, "p.test:3128"),
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
    fn what_cannot_be_used_as_written_is_refused_and_never_repeated() {
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
        let long = "x".repeat(256);
        assert!(parse(&format!("socks5://u:{long}@p.test")).is_err());
        assert!(parse(&format!("http://u:{long}@p.test")).is_ok());
    }

    #[test]
    fn exceptions_are_names_addresses_ports_and_networks() {
        for (list, host, is_one) in [
            ("*", "a.test", true),
            ("*", "[::1]", true),
            ("a.test", "a.test", true),
            (".a.test", "a.test", true),
            ("a.test.", "b.A.test", true),
            ("a.test", "xa.test", false),
            ("b.test, a.test", "a.test", true),
            ("b.test a.test", "a.test", true),
            ("a.test:443", "a.test", true),
            ("a.test:80", "a.test", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("::1", "[::1]", true),
            ("[::1]:443", "[::1]", true),
            ("2001:db8::/32", "[2001:db8:1::1]", true),
            ("fe80::/10", "[2001:db8::1]", false),
            ("", "a.test", false),
            (" , ", "a.test", false),
            (".", "a.test", false),
        ] {
            assert_eq!(is_exception(list, host, 443), is_one, "{list:?} {host}");
        }
    }
}
