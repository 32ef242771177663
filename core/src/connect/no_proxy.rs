//! The exceptions from a proxy: the value of `no_proxy`, with the same meaning as in curl.

use std::net::IpAddr;

use crate::connect::endpoint::without_brackets;

/// Returns whether `list` contains the host: as `*`, a name, a domain, an address, or a range of
/// addresses (`10.0.0.0/8`), each with or without a port.
pub fn names(list: &str, host: &str, port: u16) -> bool {
    let host = without_brackets(host).trim_end_matches('.');
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| is_named_by(entry, host, port))
}

fn is_named_by(entry: &str, host: &str, port: u16) -> bool {
    let Some((what, wanted)) = split_port(entry) else {
        return false;
    };
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if what == "*" {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => is_in_network(address, what),
        Err(_) => is_in_domain(host, what),
    }
}

/// Splits off the port of an entry. Returns `None` if the port is invalid.
fn split_port(entry: &str) -> Option<(&str, Option<u16>)> {
    let Some((what, port)) = entry.rsplit_once(':') else {
        return Some((entry, None));
    };
    // An IPv6 address contains colons too. With a port, it must have brackets.
    match what.contains(':') && !what.contains(']') {
        true => Some((entry, None)),
        false if port.contains(']') => Some((entry, None)),
        false => port.parse().ok().map(|port| (what, Some(port))),
    }
}

fn is_in_domain(host: &str, domain: &str) -> bool {
    let domain = domain.trim_start_matches('.').trim_end_matches('.');
    if domain.is_empty() || host.len() < domain.len() {
        return false;
    }
    // As bytes, because both are compared in ASCII.
    let (front, end) = host.as_bytes().split_at(host.len() - domain.len());
    end.eq_ignore_ascii_case(domain.as_bytes()) && (front.is_empty() || front.ends_with(b"."))
}

/// Returns whether an address is in a network. The brackets may include the number of bits.
fn is_in_network(address: IpAddr, network: &str) -> bool {
    let network = without_brackets(network);
    let (network, bits) = match network.split_once('/') {
        Some((network, bits)) => (network, Some(bits)),
        None => (network, None),
    };
    let Ok(network) = without_brackets(network).parse::<IpAddr>() else {
        return false;
    };
    let Some(bits) = bits else {
        return network == address;
    };
    let Ok(bits) = bits.parse::<u32>() else {
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
    fn exceptions_are_names_addresses_ports_and_networks() {
        for (list, host, is_one) in [
            ("*", "a.test", true),
            ("*", "10.1.2.3", true),
            ("*", "[::1]", true),
            ("a.test", "a.test", true),
            ("a.test", "a.test.", true),
            (".a.test", "a.test", true),
            (".a.test", "b.a.test", true),
            ("a.test.", "b.A.test", true),
            ("A.TEST", "b.a.test", true),
            ("a.test", "xa.test", false),
            ("b.a.test", "a.test", false),
            ("*.a.test", "b.a.test", false),
            ("b.test, a.test", "a.test", true),
            ("b.test a.test", "a.test", true),
            ("b.test,a.test", "a.test", true),
            (",, b.test ,\ta.test,", "a.test", true),
            ("a.test:443", "a.test", true),
            ("a.test:80", "a.test", false),
            ("a.test:https", "a.test", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.0.0.0/8:443", "10.1.2.3", true),
            ("10.0.0.0/8:80", "10.1.2.3", false),
            ("10.0.0.0/33", "10.1.2.3", false),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("2.3", "10.1.2.3", false),
            ("::1", "[::1]", true),
            ("0:0:0:0:0:0:0:1", "[::1]", true),
            ("[::1]", "[::1]", true),
            ("[::1]:443", "[::1]", true),
            ("[::1]:80", "[::1]", false),
            ("2001:db8::/32", "[2001:db8:1::1]", true),
            ("[2001:db8::]/32", "[2001:db8:1::1]", true),
            ("[2001:db8::/32]", "[2001:db8:1::1]", true),
            ("[2001:db8::]/32:443", "[2001:db8:1::1]", true),
            ("[2001:db8::]/32:80", "[2001:db8:1::1]", false),
            ("[2001:db8::/32]:80", "[2001:db8:1::1]", false),
            ("fe80::/10", "[2001:db8::1]", false),
            ("::/0", "[2001:db8::1]", true),
            ("::/0", "10.1.2.3", false),
            ("", "a.test", false),
            (" , ", "a.test", false),
            (".", "a.test", false),
            (":443", "a.test", false),
        ] {
            assert_eq!(names(list, host, 443), is_one, "{list:?} {host}");
        }
    }
}
