//! `no_proxy`: entries are independent of each other, and an entry that equals the host matches.

#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use zelf_core::connect::{endpoint::without_brackets, no_proxy};
use zelf_fuzz::lines;

const PORT: u16 = 443;

fn names(list: &str, host: &str) -> bool {
    no_proxy::names(list, host, PORT)
}

/// Returns whether the first bits of two addresses are equal, bit by bit.
fn shares(one: IpAddr, other: IpAddr, bits: usize) -> bool {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let (one, other) = (octets(one), octets(other));
    let bit = |bytes: &[u8], at: usize| bytes[at / 8] >> (7 - at % 8) & 1;
    one.len() == other.len()
        && bits <= one.len() * 8
        && (0..bits).all(|at| bit(&one, at) == bit(&other, at))
}

fuzz_target!(|input: &[u8]| {
    let Some([host, list]) = lines(input) else {
        return;
    };
    let is_named = names(list, host);
    let is_gap = |c: char| c == ',' || c.is_whitespace();
    let by_one = list.split(is_gap).any(|entry| names(entry, host));
    assert_eq!(is_named, by_one, "one by one");
    let reversed: Vec<_> = list.rsplit(is_gap).collect();
    assert_eq!(
        is_named,
        names(&reversed.join(", "), host),
        "in another order"
    );
    assert!(names(&format!("{list},*"), host), "with *");
    assert_eq!(
        is_named,
        names(&list.to_ascii_uppercase(), host),
        "in capitals"
    );

    let bare = without_brackets(host).trim_end_matches('.');
    if let Ok(address) = bare.parse::<IpAddr>() {
        assert!(names(&bare.to_ascii_uppercase(), host));
        if let Some((network, bits)) = list.split_once('/')
            && let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<usize>())
        {
            assert_eq!(is_named, shares(address, network, bits), "{host} {list}");
        }
    } else if !bare.is_empty()
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        for entry in [
            bare.to_owned(),
            format!(".{bare}"),
            format!("{bare}:{PORT}"),
            format!("{bare}."),
        ] {
            assert!(names(&entry, host), "{entry} names {host}");
        }
        assert!(names(bare, &format!("a.{bare}")), "a name in a domain");
        assert!(!names(bare, &format!("a{bare}")), "another name");
        assert!(!names(&format!("{bare}:444"), host), "another port");
    }
});
