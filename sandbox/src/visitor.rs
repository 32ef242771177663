//! The access to the control routes. The sandbox listens on loopback only, but a browser on this
//! machine can reach it too, and may show pages of any site.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::request::Head;

/// Returns the origin of the request if it comes from a page of this machine. Returns an error for
/// requests that a page of another site can cause.
///
/// A page can make its own name resolve to loopback. The browser then treats this server as the
/// page's own, and only `Host` shows the difference. Otherwise `Origin` names the page. If a
/// browser sends no `Origin`, it sends `Sec-Fetch-Site`. A page cannot set any of the three.
pub fn admit(head: &Head) -> Result<Option<&str>, String> {
    match head.all("host").as_slice() {
        [host] if is_loopback(host) => {}
        [host] => {
            return Err(format!(
                "the control routes are for this machine: Host must be localhost, an address of \
                 127.0.0.0/8 or [::1], and not {host}"
            ));
        }
        _ => return Err("a request to a control route must have one Host".into()),
    }
    match head.all("origin").as_slice() {
        [] => {}
        [origin] if is_local(origin) => return Ok(Some(*origin)),
        _ => {
            let origin = head.all("origin").join(", ");
            return Err(format!(
                "the control routes are for pages of this machine (http://localhost:3000), not \
                 for pages of Origin: {origin}"
            ));
        }
    }
    match head.all("sec-fetch-site").as_slice() {
        [] | ["none" | "same-origin" | "same-site"] => Ok(None),
        sites => Err(format!(
            "the control routes are not for pages of other sites (Sec-Fetch-Site: {})",
            sites.join(", ")
        )),
    }
}

fn is_local(origin: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(is_loopback)
}

/// Returns whether a host, with or without a port, is this machine for every resolver. Names under
/// `localhost` and names with a dot at the end are not: some resolvers send queries for them.
fn is_loopback(authority: &str) -> bool {
    let port = if let Some(bracketed) = authority.strip_prefix('[') {
        let Some((address, port)) = bracketed.split_once(']') else {
            return false;
        };
        let address = address.parse::<Ipv6Addr>();
        if !address.is_ok_and(|address| address.to_canonical().is_loopback()) {
            return false;
        }
        port
    } else {
        let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let address = host.parse::<Ipv4Addr>();
        if !host.eq_ignore_ascii_case("localhost")
            && !address.is_ok_and(|address| address.is_loopback())
        {
            return false;
        }
        port
    };
    port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_loopback_by_name_or_by_address() {
        for host in [
            "localhost",
            "LocalHost:4001",
            "127.0.0.1",
            "127.0.0.1:4001",
            "127.255.255.254:65535",
            "[::1]",
            "[::1]:4001",
            "[0:0:0:0:0:0:0:1]:1",
            "[::ffff:127.0.0.1]:4001",
            "[::FFFF:7f00:1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_host_that_resembles_loopback_is_not_loopback() {
        for host in [
            "",
            ":4001",
            "evil.example",
            "localhost.evil.example",
            "evil.example.localhost",
            "127.0.0.1.evil.example:4001",
            "127.0.0.1.",
            "localhost.",
            "localhost.localdomain",
            "localhostx",
            "localhost@evil.example",
            "evil.example@localhost",
            "user:localhost@evil.example",
            "localhost:4001@evil.example",
            "localhost:4001:4002",
            "localhost:evil.example",
            "localhost:",
            "localhost:+1",
            "localhost:65536",
            "localhost/",
            "localhost#evil.example",
            "localhost, evil.example",
            "localhost evil.example",
            "localhost\t",
            "http://localhost",
            // The same address in forms that some parsers accept.
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "127.000.000.001",
            "127.1",
            "127",
            "0.0.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "192.168.0.1",
            "::1",
            "[::]",
            "[::2]",
            "[::1",
            "[::1]4001",
            "[::1]:",
            "[::1].evil.example",
            "[::1]@evil.example",
            "[::1%25lo]",
            "[::127.0.0.1]",
            "[::ffff:192.168.0.1]",
            "[127.0.0.1]",
            "[localhost]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
