use std::ffi::c_char;

use zelf_core::{api::request::SessionType, session_options::SessionOptions};

use crate::ffi::{guard, strings};

/// What a session is created for. The server mistakes any other value for a
/// session that does not exist, so none can be sent.
pub type zelf_session_type = i32;

/// Anything; what the server assumes when no type is sent.
pub const ZELF_SESSION_TYPE_GENERAL: zelf_session_type = 0;
/// Creating a wallet.
pub const ZELF_SESSION_TYPE_CREATE_WALLET: zelf_session_type = 1;
/// Decrypting a wallet.
pub const ZELF_SESSION_TYPE_DECRYPT_WALLET: zelf_session_type = 2;
/// Importing a wallet.
pub const ZELF_SESSION_TYPE_IMPORT_WALLET: zelf_session_type = 3;

/// What to ask of a new session. Only what was set is sent.
///
/// The setters copy what they are given and never fail; zelf_session_create
/// checks everything and names the first option that is wrong. Strings are
/// UTF-8 without control characters; NULL takes an option back. NULL options
/// are ignored.
///
/// Not for two threads at once, unless both only read (zelf_session_create
/// reads).
pub struct zelf_session_options(pub(super) SessionOptions);

/// New options in which nothing is set.
///
/// Returns an object that is yours: give it to zelf_session_options_free. It
/// can serve any number of calls. NULL only for a bug in this library.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_new() -> Option<Box<zelf_session_options>> {
    guard::value(None, || {
        Some(Box::new(zelf_session_options(SessionOptions::default())))
    })
}

/// The device's unique identifier, at most 1024 bytes. Set one: without it the
/// server returns any session that it has for your public IP address, and
/// behind a shared address that can be somebody else's.
///
/// Choose it per installation, random or a hash, and keep it. The server
/// mishandles what looks like a date or a database key ("my-device-1",
/// "build 2024", 24 upper-case hex digits): from the second call on it returns
/// tokens without a session. A lower-case UUID or 32 lower-case hex digits are
/// safe. The empty string and "undefined" are refused.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_options_set_identifier(
    options: Option<&mut zelf_session_options>,
    identifier: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(options, |options| {
        options.identifier = unsafe { strings::copy(identifier) }
    });
}

/// What the session is for: one of the ZELF_SESSION_TYPE_ constants. Any other
/// number makes zelf_session_create fail.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_set_type(
    options: Option<&mut zelf_session_options>,
    session_type: zelf_session_type,
) {
    set(options, |options| {
        options.session_type = Some(known(session_type))
    });
}

/// An enum of Rust must never hold a number that it does not know.
fn known(number: zelf_session_type) -> Result<SessionType, zelf_session_type> {
    match number {
        ZELF_SESSION_TYPE_GENERAL => Ok(SessionType::General),
        ZELF_SESSION_TYPE_CREATE_WALLET => Ok(SessionType::CreateWallet),
        ZELF_SESSION_TYPE_DECRYPT_WALLET => Ok(SessionType::DecryptWallet),
        ZELF_SESSION_TYPE_IMPORT_WALLET => Ok(SessionType::ImportWallet),
        other => Err(other),
    }
}

/// Whether the session belongs to a browser extension.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_set_web_extension(
    options: Option<&mut zelf_session_options>,
    is_web_extension: bool,
) {
    set(options, |options| {
        options.web_extension = Some(is_web_extension)
    });
}

/// The name service domain, such as "zelf" (what the server assumes when none
/// is sent); at most 512 bytes.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_options_set_domain(
    options: Option<&mut zelf_session_options>,
    domain: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(options, |options| {
        options.domain = unsafe { strings::copy(domain) }
    });
}

/// A tag name, such as "alice.zelf"; at most 512 bytes. The server then also
/// looks for a session of this name, and may return the one of another
/// identifier: see zelf_session_identifier.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_options_set_tag_name(
    options: Option<&mut zelf_session_options>,
    tag_name: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(options, |options| {
        options.tag_name = unsafe { strings::copy(tag_name) }
    });
}

/// An Ethereum address, copied into the token; at most 512 bytes.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_options_set_eth_address(
    options: Option<&mut zelf_session_options>,
    eth_address: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(options, |options| {
        options.eth_address = unsafe { strings::copy(eth_address) }
    });
}

/// Whether to end the session that the server has for the identifier and make
/// a new one; its old token stops working. Needs an identifier: without one it
/// could end somebody else's session, so zelf_session_create refuses. With a tag
/// name the server ends the first session that it finds for either, which may
/// be another identifier's.
///
/// Such a request is made again only when the server has certainly not carried
/// it out; after a connection that broke, a time limit or an HTTP status of 5xx
/// nobody knows, and the call fails.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_set_kill_session(
    options: Option<&mut zelf_session_options>,
    kill_session: bool,
) {
    set(options, |options| options.kill_session = Some(kill_session));
}

/// Whether zelf_session_create makes sure that the session exists. Default: false.
///
/// The server can return a token whose session does not exist (a ghost): after a
/// change of network, after a race with another process, or for an identifier that
/// it mistakes. Such a token is refused with 403 "Session is not active". With this
/// option the library asks again, 250 ms after an answer with a session that is new.
/// The same session comes twice only if it exists. After three different ones the
/// call fails with ZELF_ERROR_GHOST_SESSION. This costs one more request whenever
/// the session is new; all of it counts against the time limit.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_set_confirm(
    options: Option<&mut zelf_session_options>,
    confirm: bool,
) {
    set(options, |options| options.confirms = confirm);
}

/// Frees options. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_options_free(options: Option<Box<zelf_session_options>>) {
    guard::value((), || drop(options));
}

/// The options of a call: NULL stands for none set.
pub(super) fn or_default(options: Option<&zelf_session_options>) -> &SessionOptions {
    static UNSET: SessionOptions = SessionOptions::UNSET;
    options.map_or(&UNSET, |options| &options.0)
}

fn set(options: Option<&mut zelf_session_options>, change: impl FnOnce(&mut SessionOptions)) {
    guard::value((), || {
        if let Some(options) = options {
            change(&mut options.0);
        }
    });
}
