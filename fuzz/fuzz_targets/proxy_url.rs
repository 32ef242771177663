//! The URL of a proxy: it is refused without being repeated, or parsed without loss.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zelf_core::connect::proxy::{self, Protocol};
use zelf_fuzz::{assert_fit, assert_fit_for_a_log};

fn in_percent_form(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// Asserts that a message contains no part of a URL, which may have a password.
fn assert_silent(message: &str, url: &str) {
    const PIECE: usize = 24;
    for piece in url.as_bytes().windows(PIECE) {
        let is_said = message.as_bytes().windows(PIECE).any(|said| said == piece);
        // A URL may consist of our own words: a fuzzer finds them in the program.
        let is_ours = piece.contains(&b' ');
        assert!(!is_said || is_ours, "{message}");
    }
}

fuzz_target!(|url: &str| {
    let proxy = match proxy::parse(url) {
        Ok(proxy) => proxy,
        Err(error) => {
            assert_fit(&error);
            return assert_silent(&error.message, url);
        }
    };
    assert!(proxy.port > 0 && !proxy.host.is_empty());
    assert_fit_for_a_log(&proxy.authority);
    assert!(proxy.authority.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(proxy.authority.ends_with(&format!(":{}", proxy.port)));
    let scheme = match proxy.protocol {
        Protocol::Http => "http",
        Protocol::Https => "https",
        Protocol::Socks5 => "socks5",
        Protocol::Socks5h => "socks5h",
    };
    let login = proxy.credentials.as_ref().map(|credentials| {
        let all = [&credentials.user[..], &credentials.password].concat();
        assert!(!all.iter().any(u8::is_ascii_control));
        let header = credentials.basic();
        assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        if matches!(proxy.protocol, Protocol::Socks5 | Protocol::Socks5h) {
            assert!(credentials.user.len() <= 255 && credentials.password.len() <= 255);
        } else {
            assert!(!credentials.user.contains(&b':'));
        }
        let (user, password) = (&credentials.user, &credentials.password);
        format!("{}:{}@", in_percent_form(user), in_percent_form(password))
    });
    let again = format!(
        "{scheme}://{}{}/",
        login.unwrap_or_default(),
        proxy.authority
    );
    let again = proxy::parse(&again).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((again.protocol, again.port), (proxy.protocol, proxy.port));
    assert_eq!(
        (&again.host, &again.authority),
        (&proxy.host, &proxy.authority)
    );
    let parts = |proxy: &proxy::Proxy| {
        let credentials = proxy.credentials.clone();
        credentials.map(|credentials| (credentials.user, credentials.password))
    };
    assert_eq!(parts(&again), parts(&proxy));
});
