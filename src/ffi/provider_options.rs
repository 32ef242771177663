use std::{
    ffi::{c_char, c_void},
    ptr::NonNull,
    sync::Arc,
};

use zelf_core::{
    create::rules::Renewal,
    host::forced_unwind::contain,
    provider::{listener::Listener, options::ProviderOptions},
};

use crate::ffi::{
    guard,
    log::{HostData, zelf_destroy_callback},
    session::zelf_session,
    strings,
};

/// When a provider renews its session, and whether it may end the old one.
pub type zelf_renewal = i32;

/// Renews when the session has less than min_valid left.
///
/// The provider first asks without killSession. If another process has renewed the session, the
/// server returns the new one. If it returns the same one, the provider replaces it with one
/// killSession: the old token stops working in all programs with this identifier.
pub const ZELF_RENEWAL_AT_EXPIRY: zelf_renewal = 0;
/// Renews without killSession. For shared identifiers.
///
/// The server accepts an expired session until it removes it, up to a minute after its end.
/// Until then the provider returns that session, even with less than min_valid left
/// (zelf_session_seconds_left may be 0), and asks the server once in 4 to 6 seconds.
pub const ZELF_RENEWAL_NEVER_KILL: zelf_renewal = 1;
/// Replaces the session with killSession before its end: by a minute, or a tenth of its life if
/// that is shorter.
///
/// It is for an identifier that a single process uses. A forked child that uses the provider is
/// another process.
pub const ZELF_RENEWAL_EARLY: zelf_renewal = 2;

/// Receives the session that a provider holds from now on, also the first one.
///
/// session: borrowed; valid during the call.
///
/// It runs on a thread that renews the session: one inside zelf_session_provider_get or
/// zelf_session_provider_send, or the client's I/O thread, with a stack of 512 KiB, where it
/// must return quickly. One provider calls it on one thread at a time, and the newest session
/// comes last. If a thread renews while another one runs it, that one calls it again. Several
/// providers with the same options may call it at the same time. It must not free the provider,
/// nor wait for the server (create or get a session, send a request). A call may still run after
/// zelf_session_provider_free: user_data is valid until destroy.
pub type zelf_renewed_callback =
    Option<unsafe extern "C-unwind" fn(session: *const zelf_session, user_data: *mut c_void)>;

/// How a provider keeps its session.
///
/// Setters copy their arguments and never fail: zelf_session_provider_new checks all options
/// and names the first wrong one.
pub struct zelf_provider_options(pub(super) ProviderOptions);

/// Makes options with every setting at its default.
#[unsafe(no_mangle)]
#[must_use]
pub extern "C-unwind" fn zelf_provider_options_new() -> Option<Box<zelf_provider_options>> {
    guard::value(None, || {
        Some(Box::new(zelf_provider_options(ProviderOptions::default())))
    })
}

/// Sets how many seconds a session must have left when a get returns it.
///
/// It is the time that your request needs to arrive, at most 86400 seconds. 0 is 0 seconds. If
/// sessions live shorter, gets fail with ZELF_ERROR_SESSION_EXPIRED.
///
/// Default: 5.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_provider_options_set_min_valid_s(
    options: Option<&mut zelf_provider_options>,
    seconds: u32,
) {
    set(options, |options| options.min_valid_s = Some(seconds));
}

/// Sets when to renew: one of the ZELF_RENEWAL_ constants.
///
/// Default: ZELF_RENEWAL_AT_EXPIRY.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_provider_options_set_renewal(
    options: Option<&mut zelf_provider_options>,
    renewal: zelf_renewal,
) {
    set(options, |options| {
        options.renewal = Some(match renewal {
            ZELF_RENEWAL_AT_EXPIRY => Ok(Renewal::AtExpiry),
            ZELF_RENEWAL_NEVER_KILL => Ok(Renewal::NeverKill),
            ZELF_RENEWAL_EARLY => Ok(Renewal::Early),
            other => Err(other),
        })
    });
}

/// Sets whether the client's I/O thread renews and confirms sessions ahead of time.
///
/// Callers then wait only for the first session, after an invalidation and after failures.
/// Without it, a caller that finds no valid session renews. In a forked child callers renew.
///
/// Default: false.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_provider_options_set_background(
    options: Option<&mut zelf_provider_options>,
    background: bool,
) {
    set(options, |options| options.is_background = background);
}

/// Sets a directory in which the provider stores the session.
///
/// Short-lived processes share it: one that finds a good session there makes no request. Choose an existing local
/// directory that only the user can write to; the path is UTF-8. If others can write to it, the
/// library logs a warning and still stores the session. A failed write is only logged. NULL
/// unsets it. It also contains the lock file (see zelf_session_provider).
///
/// The session's file contains the token, has mode 0600 and is replaced atomically. The library
/// ignores it if its owner or mode is wrong, it belongs to another base URL, origin or set of
/// session options, or the system was restarted.
///
/// It works on Linux, Android and Apple's systems. On Windows and the BSDs the library cannot tell
/// whether the system was restarted: zelf_session_provider_new refuses a directory. The lock file
/// works there too.
///
/// Default: none; nothing is stored.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_provider_options_set_directory(
    options: Option<&mut zelf_provider_options>,
    path: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header requires.
    set(options, |options| {
        options.directory = unsafe { strings::copy(path) }
    });
}

/// Sets a function that is called when the provider holds another session.
///
/// callback: NULL for none.
/// destroy: called once with user_data, when neither options nor providers need it. Called at
///   once if options is NULL. Not called in a forked child if the parent set it. May be NULL.
///
/// Default: none.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_provider_options_set_renewed_callback(
    options: Option<NonNull<zelf_provider_options>>,
    callback: zelf_renewed_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
) {
    guard::value((), || {
        let data = HostData { user_data, destroy };
        let sink = move |session: &zelf_core::session::Session| {
            let data = &data;
            if let Some(callback) = callback {
                let (session, user_data) = (std::ptr::from_ref(session).cast(), data.user_data);
                // SAFETY: the host's function with the host's data. The session is valid during the
                // call.
                contain(|| unsafe { callback(session, user_data) });
            }
        };
        let listener = Arc::new(Listener::new(Box::new(sink)));
        let unused = match options {
            // SAFETY: options, as the header requires.
            Some(mut options) => unsafe { options.as_mut() }.0.listener.replace(listener),
            None => Some(listener),
        };
        // This comes last: a destroy callback may free the options.
        drop(unused);
    });
}

/// Frees options.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_provider_options_free(options: Option<Box<zelf_provider_options>>) {
    guard::value((), || drop(options));
}

/// Returns the options of a provider. NULL means that none is set.
pub(super) fn or_default(options: Option<&zelf_provider_options>) -> &ProviderOptions {
    static UNSET: ProviderOptions = ProviderOptions::UNSET;
    options.map_or(&UNSET, |options| &options.0)
}

fn set(options: Option<&mut zelf_provider_options>, change: impl FnOnce(&mut ProviderOptions)) {
    guard::value((), || {
        if let Some(options) = options {
            change(&mut options.0);
        }
    });
}
