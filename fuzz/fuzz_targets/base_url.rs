//! The base URL: it is refused, or it becomes the address of the API on exactly its host.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zelf_core::connect::endpoint::{Endpoint, without_brackets};
use zelf_fuzz::assert_fit;

fuzz_target!(|input: &str| {
    let endpoint = match Endpoint::parse(input) {
        Ok(endpoint) => endpoint,
        Err(error) => return assert_fit(&error),
    };
    let is_visible =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let target = endpoint.url.path();
    for part in [
        &endpoint.origin(),
        &endpoint.host_header(),
        &endpoint.authority(),
        endpoint.host(),
        target,
    ] {
        assert!(is_visible(part), "{part:?}");
    }
    assert!(target.starts_with('/') && target.ends_with("/api/sessions"));
    assert!(!target.contains(['?', '#']));
    assert!(endpoint.port() > 0 || input.contains(":0"));
    if !endpoint.is_https() {
        let host = without_brackets(endpoint.host());
        let address = host.parse::<std::net::IpAddr>();
        assert!(host == "localhost" || address.is_ok_and(|address| address.is_loopback()));
    }
    // The host is a part of the input, and not of another origin.
    let is_plain = endpoint
        .host()
        .bytes()
        .all(|byte| byte.is_ascii_lowercase());
    let has_host = input.to_ascii_lowercase().contains(endpoint.host());
    assert!(
        has_host || !is_plain || input.contains('%'),
        "{}",
        endpoint.host()
    );

    let scheme = endpoint.url.scheme();
    let again = format!(
        "{scheme}://{}{}",
        endpoint.host_header(),
        endpoint.base_path()
    );
    let again = Endpoint::parse(&again).expect("an accepted URL is accepted again");
    assert_eq!(again.url, endpoint.url);
    assert_eq!(again.server_name, endpoint.server_name);
});
