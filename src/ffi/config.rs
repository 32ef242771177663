use std::{
    ffi::{c_char, c_void},
    ptr::NonNull,
};

use zelf_core::config::{Config, Pem};

use crate::ffi::{
    guard,
    log::{self, zelf_destroy_callback, zelf_log_callback, zelf_log_level},
    strings,
};

/// The settings of a client.
///
/// Setters copy their arguments and never fail: zelf_client_new checks all settings and
/// names the first wrong one. A string of NULL and a number of 0 restore the default. An empty
/// string is an error.
pub struct zelf_config(pub(super) Config);

/// Makes a configuration with every setting at its default.
///
/// The defaults work with the public API. It may be freed as soon as zelf_client_new has
/// returned.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C-unwind" fn zelf_config_new() -> Option<Box<zelf_config>> {
    guard::value(None, || Some(Box::new(zelf_config(Config::default()))))
}

/// Sets the address of the API: "https://host", with an optional port and path.
///
/// The library appends "/api/sessions". It accepts "http://" only for this machine
/// (localhost, 127.0.0.0/8, [::1]). It refuses credentials, a query and a fragment. A host name
/// outside ASCII is given in its ASCII form ("xn--...").
///
/// Default: "https://api.zelf.world".
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_base_url(
    config: Option<&mut zelf_config>,
    url: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(config, |config| {
        config.base_url = unsafe { strings::copy(url) }
    });
}

/// Sets the Origin header, which the server requires.
///
/// Use the scheme and host of your application, such as "https://app.example": ASCII, at
/// most 1024 bytes.
///
/// Default: the origin of the base URL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_origin(
    config: Option<&mut zelf_config>,
    origin: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(config, |config| {
        config.origin = unsafe { strings::copy(origin) }
    });
}

/// Sets the User-Agent header: ASCII, at most 1024 bytes.
///
/// Default: "libzelf/" and the version.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_user_agent(
    config: Option<&mut zelf_config>,
    agent: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(config, |config| {
        config.user_agent = unsafe { strings::copy(agent) }
    });
}

/// Limits the time of a whole session call, in milliseconds.
///
/// The limit covers everything from the name look-up to the last byte of the answer, retries
/// included. Requests have zelf_request_set_timeout_ms.
///
/// Default: 15000.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_set_timeout_ms(config: Option<&mut zelf_config>, ms: u32) {
    set(config, |config| config.timeout_ms = ms);
}

/// Limits the time to make one connection, in milliseconds.
///
/// The limit covers name look-up, TCP, proxy and TLS together. The limit of the whole call
/// applies as well.
///
/// Default: 5000.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_set_connect_timeout_ms(
    config: Option<&mut zelf_config>,
    ms: u32,
) {
    set(config, |config| config.connect_timeout_ms = ms);
}

/// Sets how many attempts a call or request may make, counting the first.
///
/// Another attempt follows a retryable error (see zelf_error_is_retryable). 1 disables retries.
/// A budget limits the retries of a client to a tenth of its calls, or two in a minute if that
/// is more. A resend after a dead kept-alive connection does not count, nor do the answers of a
/// server that is starting (404 "Not Found"), which the library asks again until the time limit.
///
/// Default: 3.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_set_max_attempts(
    config: Option<&mut zelf_config>,
    attempts: u32,
) {
    set(config, |config| config.max_attempts = attempts);
}

/// Trusts only the certificates in a PEM file, not those of the system.
///
/// They apply to the server and to a proxy with "https://". zelf_client_new reads the file: a
/// regular file of at most 16 MiB, its path in UTF-8. It contains roots, intermediates, or a
/// server's own certificate, which is trusted for its names while it is valid.
///
/// Default: the certificates of the system. On Linux and the BSDs the environment variables
/// SSL_CERT_FILE and SSL_CERT_DIR change them (docs/guide.md). A setuid program must not trust
/// them: it sets a file.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_ca_file(
    config: Option<&mut zelf_config>,
    pem_path: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(config, |config| {
        config.ca_file = unsafe { strings::copy(pem_path) }
    });
}

/// Trusts only these certificates, as zelf_config_set_ca_file does with a file.
///
/// zelf_client_new fails if both are set, or if the text is longer than 16 MiB.
///
/// pem: the certificates in PEM form; NULL restores the default.
/// length: the length of pem in bytes, without a terminating NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_ca_pem(
    config: Option<&mut zelf_config>,
    pem: *const c_char,
    length: usize,
) {
    set(config, |config| {
        config.ca_pem = match length {
            _ if pem.is_null() => None,
            // The length is checked before the text is read. A wrong length must not be used, and
            // must not leave the system's certificates trusted.
            length if length > Pem::MAX => Some(Pem::TooLong(length)),
            // SAFETY: `length` readable bytes, as the header requires.
            length => Some(Pem::Text(
                unsafe { std::slice::from_raw_parts(pem.cast::<u8>(), length) }.to_vec(),
            )),
        };
    });
}

/// Adds a pin: the server's own certificate must have one of the pinned keys.
///
/// A server with another key gives ZELF_ERROR_PIN_MISMATCH. The usual checks still apply and
/// come first. Pin a spare key as well, in case a key is lost. Pins do not apply to a proxy.
///
/// spki_sha256_base64: the SHA-256 of the key's SubjectPublicKeyInfo in base64, 44 characters
///   (see docs/guide.md). NULL removes all pins.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_add_pin(
    config: Option<&mut zelf_config>,
    spki_sha256_base64: *const c_char,
) {
    set(config, |config| {
        if spki_sha256_base64.is_null() {
            config.pins.clear();
        } else {
            // SAFETY: a C string, as the header requires.
            config
                .pins
                .push(unsafe { strings::copy(spki_sha256_base64) });
        }
    });
}

/// Sets the proxy: "http://", "https://", "socks5://", or "socks5h://" to resolve names there.
///
/// The URL may contain "user:password@", percent-encoded; only "https://" encrypts them. The
/// default ports are 80, 443 and 1080. zelf_client_new refuses a URL that it cannot use exactly
/// as it is written. Every call uses the proxy, unless the base URL begins with "http://". See
/// docs/guide.md.
///
/// Default: none, also if the environment names one.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_proxy(
    config: Option<&mut zelf_config>,
    url: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(config, |config| {
        config.proxy = unsafe { strings::copy(url) }
    });
}

/// Takes the proxy from the environment, unless one is set.
///
/// zelf_client_new uses the first of https_proxy, HTTPS_PROXY, all_proxy and ALL_PROXY that is
/// not empty. A URL without a scheme means "http://". An unusable URL is an error. no_proxy, else
/// NO_PROXY, lists exceptions (docs/guide.md). No other thread may change the environment during
/// zelf_client_new.
///
/// Default: off.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_set_proxy_from_env(
    config: Option<&mut zelf_config>,
    from_env: bool,
) {
    set(config, |config| config.proxy_from_env = from_env);
}

/// Sets a function that receives log messages. A message never contains a token or a body.
///
/// callback: runs on the thread of the call that the message is about; several threads may run
///   it at the same time. For asynchronous calls and background renewals it runs on the
///   client's I/O thread, which has a stack of 512 KiB. All of them wait until it returns. In
///   it, functions that may wait for the server fail with ZELF_ERROR_INVALID_ARGUMENT. A child
///   forked in it must not return from it. NULL turns the log off.
/// destroy: called once with user_data, when no configuration, client, provider or call uses
///   it, possibly on a client's thread. Called at once if config is NULL. Not called in a forked
///   child if the parent set it. May be NULL.
/// level: the most detailed level to report, one of ZELF_LOG_; any other number turns the
///   log off.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_config_set_log_callback(
    config: Option<NonNull<zelf_config>>,
    callback: zelf_log_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    level: zelf_log_level,
) {
    guard::value((), || {
        let log = log::to_host(callback, user_data, destroy, level);
        let unused = match config {
            // SAFETY: a configuration, as the header requires.
            Some(mut config) => unsafe { config.as_mut() }.0.set_log(log),
            None => [Some(log), None],
        };
        // This comes last: a destroy callback may free the configuration.
        drop(unused);
    });
}

/// Lets your program run the callbacks of asynchronous calls, on threads of its choice.
///
/// Wait until zelf_client_descriptor is readable, then call zelf_client_dispatch. The client
/// has no callback thread then.
///
/// Default: off; callbacks run on a thread of the client.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_set_dispatch(config: Option<&mut zelf_config>, by_host: bool) {
    set(config, |config| config.dispatched_by_host = by_host);
}

/// Frees a configuration. Its clients are not affected.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_config_free(config: Option<Box<zelf_config>>) {
    guard::value((), || drop(config));
}

fn set(config: Option<&mut zelf_config>, change: impl FnOnce(&mut Config)) {
    guard::value((), || {
        if let Some(config) = config {
            change(&mut config.0);
        }
    });
}
