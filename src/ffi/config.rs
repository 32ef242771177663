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

/// The time limit of making one connection in milliseconds: name look-up, TCP,
/// the proxy and TLS together. The limit of the whole call holds as well.
///
/// Default: 5000.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_connect_timeout_ms(config: Option<&mut zelf_config>, ms: u32) {
    set(config, |config| config.connect_timeout_ms = ms);
}

/// How often a call may try in all when a failure is worth another attempt
/// (see zelf_error_is_retryable). 1 turns retries off. Retries also have a
/// budget, so that an outage is not multiplied: in a minute they add about a
/// tenth to a client's calls, or two where that is more.
///
/// A request that goes out again because a connection kept from an earlier call
/// was dead before a byte of the answer came is not counted. That happens once a
/// call at most. A call that replaces an expired session makes its further
/// requests by the same rules.
///
/// Not counted either is an answer of a server that is starting (404 "Not Found"):
/// the library asks again after 0.3 s to 3 s, until the time limit of the call.
///
/// Default: 3.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_max_attempts(config: Option<&mut zelf_config>, attempts: u32) {
    set(config, |config| config.max_attempts = attempts);
}

/// Trust only the certificates in this PEM file, instead of the authorities that
/// the system trusts, for the server and for a proxy with "https://".
/// zelf_client_new reads it; the path is UTF-8.
///
/// A certificate in it is an authority, or an intermediate one, that signs those
/// of servers. It may also be a server's own, self-signed or not: that one is
/// trusted in its time, for the hosts of its subjectAltName, or for its common
/// name where it has none.
///
/// It must be a regular file of at most 16 MiB, and every certificate in it must
/// be usable: the error names the one that is not by its number and line. Keys and
/// text between the certificates are skipped. A BEGIN may be indented; behind other
/// text on its line it is text.
///
/// Default: the system's trust, read by zelf_client_new. On Linux and the BSDs
/// that is the distribution's file of certificates, or its folder of them where
/// there is no such file. The environment can change it. SSL_CERT_FILE names
/// another file, and no folder of the system is read then. SSL_CERT_DIR names
/// folders, with colons between them, that are read as well as the file. Empty,
/// they count as not set. A place that cannot be used is named with its variable
/// when zelf_client_new finds no other, and when a server's certificate is not
/// trusted. A program that must not trust its environment, such as a setuid one,
/// sets a file here.
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

/// The same from memory: certificates in PEM form, copied. Setting both is an
/// error of zelf_client_new, and so is a text of more than 16 MiB.
///
/// pem: the text; NULL brings the default back.
/// length: its bytes, without a NUL at the end if it has one.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_ca_pem(
    config: Option<&mut zelf_config>,
    pem: *const c_char,
    length: usize,
) {
    set(config, |config| {
        config.ca_pem = match length {
            _ if pem.is_null() => None,
            // Checked before anything is read: a mistaken length must neither
            // be followed nor leave the system's trust in force.
            length if length > Pem::MAX => Some(Pem::TooLong(length)),
            // SAFETY: `length` readable bytes, as the header asks.
            length => Some(Pem::Text(
                unsafe { std::slice::from_raw_parts(pem.cast::<u8>(), length) }.to_vec(),
            )),
        };
    });
}

/// Adds a pin: the SHA-256 of the SubjectPublicKeyInfo of a key that the
/// server's certificate may have, in base64 (44 characters). With one or more,
/// a server with another key is ZELF_ERROR_PIN_MISMATCH, even with a
/// certificate that is trusted; the usual checks come first and stay. Pin a
/// spare key too, or a lost one locks your program out. The key is that of the
/// server's own certificate, not of an authority's. A proxy has no pins: a proxy
/// with "https://" is trusted by its certificate alone. NULL removes all pins.
///
/// A pin of a certificate: openssl x509 -in cert.pem -pubkey -noout | openssl
/// pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_add_pin(
    config: Option<&mut zelf_config>,
    spki_sha256_base64: *const c_char,
) {
    set(config, |config| {
        if spki_sha256_base64.is_null() {
            config.pins.clear();
        } else {
            // SAFETY: a C string, as the header asks.
            config
                .pins
                .push(unsafe { strings::copy(spki_sha256_base64) });
        }
    });
}

/// The proxy to go through: "http://", "https://", "socks5://" or "socks5h://"
/// (the proxy resolves names), with "user:password@" if need be. The session is
/// encrypted between this library and the server. A base URL with plain http is
/// never proxied.
///
/// In the user and the password write "@", ":", "/", "\", "?", "#", "%" and a
/// space in percent form. HTTP cannot carry a user with a ":". The host is a name or an address, an IPv6 address in
/// brackets and without a zone. The default ports are 80, 443 and 1080.
/// zelf_client_new refuses a URL that it cannot use exactly as it is written: no
/// call goes around a proxy.
///
/// A proxy with "https://" is spoken to over TLS. Its certificate is checked as the
/// server's is, with the same CA file, and pins do not concern it. A proxy with
/// "http://" or "socks5://" is not checked, and sees the credentials that are sent
/// to it, as does anyone on the way there.
///
/// Default: none, whatever the environment says.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_proxy(
    config: Option<&mut zelf_config>,
    url: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(config, |config| {
        config.proxy = unsafe { strings::copy(url) }
    });
}

/// Lets zelf_client_new take the proxy from the environment, unless one is set:
/// https_proxy, or else all_proxy, each also in capitals. A URL without a scheme
/// has "http://", one that cannot be used is an error, and an empty one is none.
///
/// no_proxy, or else NO_PROXY, lists exceptions with commas or spaces between: names
/// and their subdomains, addresses, networks ("10.0.0.0/8", "2001:db8::/32"), each
/// with a port if need be ("host:443", "[::1]:443"), or "*". An empty no_proxy has
/// none.
///
/// Do not call zelf_client_new then while another thread changes the environment.
///
/// Default: off.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_proxy_from_env(config: Option<&mut zelf_config>, from_env: bool) {
    set(config, |config| config.proxy_from_env = from_env);
}

/// Tells you what the library does: attempts, retries, connections, timings.
/// Never a token. Nothing is ever written elsewhere.
///
/// callback: called on the thread of the call that it speaks of, so possibly
///   on several at once, and for asynchronous calls on the one that does their
///   I/O, with a stack of 512 KiB: while it runs, none of the client's
///   asynchronous calls goes on, and no blocking one for an identifier that such
///   a call is about. NULL turns the log off. It may call
///   anything of this library but zelf_session_create. It must return: no
///   exception, longjmp or pthread_exit, and no child that was forked in it. On
///   the client's threads it falls silent at exit of the process, as
///   zelf_session_create_async says. On the client's threads signals are
///   blocked in it, which a program that it starts inherits.
/// user_data: passed to callback and destroy.
/// destroy: called once with user_data, when the configuration and all clients
///   made from it are freed or have got another log, and no call is under way;
///   on the thread that comes last, which may be a client's. In a forked child
///   it is not called for what its parent has used. NULL for nothing to do.
/// level: the most that is told, one of ZELF_LOG_; another number turns the log
///   off.
///
/// With config NULL destroy is called at once.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_config_set_log_callback(
    config: Option<NonNull<zelf_config>>,
    callback: zelf_log_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    level: zelf_log_level,
) {
    guard::value((), || {
        let log = log::to_host(callback, user_data, destroy, level);
        let unused = match config {
            // SAFETY: a configuration, as the header asks.
            Some(mut config) => unsafe { config.as_mut() }.0.set_log(log),
            None => [Some(log), None],
        };
        // Last: a destroy may free the configuration.
        drop(unused);
    });
}

/// Lets your program run the callbacks of zelf_session_create_async itself, on
/// the thread of its choice: wait until zelf_client_descriptor is readable, then
/// call zelf_client_dispatch. The client has no callback thread then.
///
/// On Windows zelf_client_new refuses such a configuration.
///
/// Default: off, callbacks run on a thread of the client's.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_config_set_dispatch(config: Option<&mut zelf_config>, by_host: bool) {
    set(config, |config| config.dispatched_by_host = by_host);
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
