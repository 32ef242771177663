use std::ffi::c_char;

use crate::{
    config::Config,
    ffi::{guard, strings},
};

/// The settings of a client.
///
/// The setters copy what they are given and never fail; zelf_client_new checks
/// everything and names the first setting that is wrong. A string of NULL and
/// a number of 0 bring the default back. A NULL config is ignored.
///
/// Not for two threads at once, unless both only read (zelf_client_new reads).
pub struct zelf_config(pub(super) Config);

/// A new configuration in which everything has its default, which works
/// against the public API.
///
/// Returns an object that is yours: give it to zelf_config_free, which may be
/// as soon as the client is made. NULL only for a bug in this library.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_new() -> Option<Box<zelf_config>> {
    guard::value(None, || Some(Box::new(zelf_config(Config::default()))))
}

/// Where the API is: "https://host", with a port or a path if need be;
/// "/api/sessions" is appended. Plain "http://" is for this machine only
/// (localhost, 127.0.0.0/8, [::1]). Credentials, a query and a fragment are
/// refused.
///
/// Default: "https://api.zelf.world".
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_base_url(
    config: Option<&mut zelf_config>,
    url: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(config, |config| {
        config.base_url = unsafe { strings::copy(url) }
    });
}

/// The Origin header, of which the server requires that there is one: the
/// scheme and host of your application, such as "https://app.example". ASCII,
/// at most 1024 bytes.
///
/// Default: that of the base URL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_origin(
    config: Option<&mut zelf_config>,
    origin: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(config, |config| {
        config.origin = unsafe { strings::copy(origin) }
    });
}

/// The User-Agent header: ASCII, at most 1024 bytes.
///
/// Default: "libzelf/" and the version.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_user_agent(
    config: Option<&mut zelf_config>,
    agent: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(config, |config| {
        config.user_agent = unsafe { strings::copy(agent) }
    });
}

/// The time limit of a whole call in milliseconds, from name look-up to the
/// last byte of the answer, retries included.
///
/// Default: 15000.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_timeout_ms(config: Option<&mut zelf_config>, ms: u32) {
    set(config, |config| config.timeout_ms = ms);
}

/// The time limit of making one connection in milliseconds: name look-up, TCP
/// and TLS together. The limit of the whole call holds as well.
///
/// Default: 5000.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_connect_timeout_ms(config: Option<&mut zelf_config>, ms: u32) {
    set(config, |config| config.connect_timeout_ms = ms);
}

/// How often a call may try in all when a failure is worth another attempt
/// (see zelf_error_is_retryable). 1 turns retries off.
///
/// Default: 3.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_max_attempts(config: Option<&mut zelf_config>, attempts: u32) {
    set(config, |config| config.max_attempts = attempts);
}

/// Trust only the certificate authorities in this PEM file, instead of those
/// that the system trusts. zelf_client_new reads it; the path is UTF-8.
///
/// Default: the system's trust, read by the first call that needs it.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_ca_file(
    config: Option<&mut zelf_config>,
    pem_path: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(config, |config| {
        config.ca_file = unsafe { strings::copy(pem_path) }
    });
}

/// Frees a configuration. Clients made from it stay as they are. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_free(config: Option<Box<zelf_config>>) {
    guard::value((), || drop(config));
}

fn set(config: Option<&mut zelf_config>, change: impl FnOnce(&mut Config)) {
    guard::value((), || {
        if let Some(config) = config {
            change(&mut config.0);
        }
    });
}
