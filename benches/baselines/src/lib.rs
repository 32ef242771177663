//! Several programs' worth of a session call, one a feature. Two just call the HTTP
//! crate, with no care beyond what a first version would take; the floor is the least
//! that a call can cost.

#[cfg(feature = "agent")]
mod agent;
#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "floor")]
mod floor;

use std::ffi::{CStr, c_char, c_int};
use std::path::Path;

#[cfg(feature = "agent")]
use agent::Client;
#[cfg(feature = "blocking")]
use blocking::Client;
#[cfg(feature = "floor")]
use floor::Client;

#[cfg(any(feature = "agent", feature = "blocking"))]
fn token_of(answer: &serde_json::Value) -> Option<String> {
    let data = &answer["data"];
    let token = data["token"].as_str().map(str::to_owned)?;
    data["expiresAt"].is_i64().then_some(token)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn baseline_start(
    base_url: *const c_char,
    ca_file: *const c_char,
) -> *mut Client {
    // SAFETY: the harness passes C strings; the CA file may be NULL.
    let (base_url, ca_file) = unsafe {
        let path = (!ca_file.is_null()).then(|| CStr::from_ptr(ca_file));
        (CStr::from_ptr(base_url), path)
    };
    let ca_file = ca_file.map(|path| path.to_str().map(Path::new));
    let (Ok(base_url), Ok(ca_file)) = (base_url.to_str(), ca_file.transpose()) else {
        return std::ptr::null_mut();
    };
    let client = Client::start(base_url, ca_file);
    client.map_or(std::ptr::null_mut(), |client| {
        Box::into_raw(Box::new(client))
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn baseline_create(client: *mut Client, identifier: *const c_char) -> c_int {
    // SAFETY: the harness passes what it got, and a C string.
    let (client, identifier) = unsafe { (&*client, CStr::from_ptr(identifier)) };
    let token = identifier.to_str().ok().and_then(|it| client.token(it));
    c_int::from(token.is_some_and(|token| !token.is_empty()))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn baseline_stop(client: *mut Client) {
    // SAFETY: the harness passes what it got, once.
    drop(unsafe { Box::from_raw(client) });
}
