use std::ffi::c_char;

use zelf_core::{api::request::SessionType, session_options::SessionOptions};

use crate::ffi::{guard, strings};

/// The purpose of a session.
///
/// For an unknown type the server returns a token without a session, so the library refuses
/// to send one.
pub type zelf_session_type = i32;

/// Anything. The server assumes it if no type is sent.
pub const ZELF_SESSION_TYPE_GENERAL: zelf_session_type = 0;
/// Create a wallet.
pub const ZELF_SESSION_TYPE_CREATE_WALLET: zelf_session_type = 1;
/// Decrypt a wallet.
pub const ZELF_SESSION_TYPE_DECRYPT_WALLET: zelf_session_type = 2;
/// Import a wallet.
pub const ZELF_SESSION_TYPE_IMPORT_WALLET: zelf_session_type = 3;

/// What to ask of a new session. Only what is set is sent.
///
/// Setters copy their arguments and never fail: zelf_session_create checks all options and
/// names the first wrong one. Strings are UTF-8 without control characters. NULL unsets an
/// option. An empty string is an error.
pub struct zelf_session_options(pub(super) SessionOptions);

/// Makes options with nothing set. They can serve any number of calls.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C-unwind" fn zelf_session_options_new() -> Option<Box<zelf_session_options>> {
    guard::value(None, || {
        Some(Box::new(zelf_session_options(SessionOptions::default())))
    })
}

/// Sets the unique identifier of the device, at most 1024 bytes.
///
/// Always set one: without it the server returns any session of your public IP address,
/// possibly somebody else's. Make one per installation (zelf_identifier_random,
/// zelf_identifier_derive), and keep it. The server misreads identifiers that look like a date
/// or a database key ("my-device-1", "build 2024", 24 upper-case hex digits) and returns tokens
/// without a session. A lower-case UUID or 32 lower-case hex digits are safe.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_options_set_identifier(
    options: Option<&mut zelf_session_options>,
    identifier: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(options, |options| {
        options.identifier = unsafe { strings::copy(identifier) }
    });
}

/// Sets the purpose of the session: one of the ZELF_SESSION_TYPE_ constants.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_options_set_type(
    options: Option<&mut zelf_session_options>,
    session_type: zelf_session_type,
) {
    set(options, |options| {
        options.session_type = Some(known(session_type))
    });
}

/// Converts a number. A Rust enum must not have a value that it does not define.
fn known(number: zelf_session_type) -> Result<SessionType, zelf_session_type> {
    match number {
        ZELF_SESSION_TYPE_GENERAL => Ok(SessionType::General),
        ZELF_SESSION_TYPE_CREATE_WALLET => Ok(SessionType::CreateWallet),
        ZELF_SESSION_TYPE_DECRYPT_WALLET => Ok(SessionType::DecryptWallet),
        ZELF_SESSION_TYPE_IMPORT_WALLET => Ok(SessionType::ImportWallet),
        other => Err(other),
    }
}

/// Sets whether the session belongs to a browser extension.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_options_set_web_extension(
    options: Option<&mut zelf_session_options>,
    is_web_extension: bool,
) {
    set(options, |options| {
        options.web_extension = Some(is_web_extension)
    });
}

/// Sets the name service domain, such as "zelf"; at most 512 bytes.
///
/// The server assumes "zelf" if none is sent.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_options_set_domain(
    options: Option<&mut zelf_session_options>,
    domain: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(options, |options| {
        options.domain = unsafe { strings::copy(domain) }
    });
}

/// Sets a tag name, such as "alice.zelf"; at most 512 bytes.
///
/// The server then also looks for a session with this name, and may return that of another
/// identifier (see zelf_session_identifier).
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_options_set_tag_name(
    options: Option<&mut zelf_session_options>,
    tag_name: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(options, |options| {
        options.tag_name = unsafe { strings::copy(tag_name) }
    });
}

/// Sets an Ethereum address of at most 512 bytes. The server copies it into the token.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_options_set_eth_address(
    options: Option<&mut zelf_session_options>,
    eth_address: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(options, |options| {
        options.eth_address = unsafe { strings::copy(eth_address) }
    });
}

/// Sets whether the server ends the identifier's session and makes a new one.
///
/// The old token stops working. An identifier is required. With a tag name the server ends the
/// first session that it finds for the identifier or the tag name, possibly another
/// identifier's. The library repeats such a request only if the server has certainly not
/// carried it out. After a broken connection, a time-out or HTTP 5xx the call fails, and the
/// session may have been replaced: another call may then end the new session.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_options_set_kill_session(
    options: Option<&mut zelf_session_options>,
    kill_session: bool,
) {
    set(options, |options| options.kill_session = Some(kill_session));
}

/// Sets whether creating a session confirms that it exists. Default: false.
///
/// The server can return a token whose session does not exist: after a change of network or a
/// race with another process, or if it misreads the identifier. Routes refuse it with 403
/// "Session is not active". To confirm a new session, the library asks again after 250 ms. After
/// three different sessions the call fails with ZELF_ERROR_GHOST_SESSION. A provider confirms in
/// any case. With this setting, it confirms a session before it first returns it.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_options_set_confirm(
    options: Option<&mut zelf_session_options>,
    confirm: bool,
) {
    set(options, |options| options.confirms = confirm);
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_options_free(options: Option<Box<zelf_session_options>>) {
    guard::value((), || drop(options));
}

/// Returns the options of a call. NULL means that none is set.
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
