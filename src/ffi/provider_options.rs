use std::{
    ffi::{c_char, c_void},
    ptr::NonNull,
    sync::Arc,
};

use zelf_core::{
    create::rules::Renewal,
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

/// When too little is left. A plain request finds a session that another process has
/// renewed. If the same session comes back, one killSession replaces it: the old token
/// stops working for all who share the identifier.
pub const ZELF_RENEWAL_AT_EXPIRY: zelf_renewal = 0;
/// Plain requests only, at most one in 4 to 6 seconds. The server goes on accepting an
/// expired session until it removes it, up to a minute after its end. As long as the
/// server returns that session, it is handed out, with less than min_valid left, down to
/// zelf_session_seconds_left 0.
/// For identifiers that several devices share.
pub const ZELF_RENEWAL_NEVER_KILL: zelf_renewal = 1;
/// By a killSession before the end: a minute before, or a tenth of the session's life
/// where that is less. For an identifier that one process owns. A forked child that goes
/// on with the provider is another process.
pub const ZELF_RENEWAL_EARLY: zelf_renewal = 2;

/// Receives the session that a provider holds from now on, borrowed for the call.
///
/// It runs on the thread that has renewed: one that is inside
/// zelf_session_provider_get, or the client's, where it must be quick. Several threads
/// may be in it at once. It may call anything of this library but what creates a
/// session, gets one that is not there yet, or frees the provider. It must return: no
/// exception, longjmp or pthread_exit. After zelf_session_provider_free it is not called
/// for another session; a call under way goes on, and zelf_client_shutdown waits for
/// those on the client's thread.
pub type zelf_renewed_callback =
    Option<unsafe extern "C" fn(session: *const zelf_session, user_data: *mut c_void)>;

/// How a provider keeps its session. All of it has defaults.
///
/// The setters copy what they are given and never fail; zelf_session_provider_new checks
/// everything and names the first option that is wrong. NULL options are ignored.
///
/// Not for two threads at once, unless both only read (zelf_session_provider_new
/// reads).
pub struct zelf_provider_options(pub(super) ProviderOptions);

/// New options in which everything has its default.
///
/// Returns an object that is yours: give it to zelf_provider_options_free. NULL only for
/// a bug in this library.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_provider_options_new() -> Option<Box<zelf_provider_options>> {
    guard::value(None, || {
        Some(Box::new(zelf_provider_options(ProviderOptions::default())))
    })
}

/// How many seconds a session must have left to be handed out, at most 86400. It is the
/// time that your request needs to arrive.
///
/// Default: 5.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_provider_options_set_min_valid_s(
    options: Option<&mut zelf_provider_options>,
    seconds: u32,
) {
    set(options, |options| options.min_valid_s = Some(seconds));
}

/// When to renew: one of the ZELF_RENEWAL_ constants. Any other number makes
/// zelf_session_provider_new fail.
///
/// Default: ZELF_RENEWAL_AT_EXPIRY.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_provider_options_set_renewal(
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

/// Whether the client's thread renews the session some seconds before it is of no more
/// use, and confirms new ones, so that no caller waits for that. Without it there is no
/// thread, and the caller who finds the session expired renews it.
///
/// In a forked child there is no such thread: callers renew.
///
/// Default: false.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_provider_options_set_background(
    options: Option<&mut zelf_provider_options>,
    background: bool,
) {
    set(options, |options| options.is_background = background);
}

/// A directory in which the session is stored, so that a process that lives briefly
/// starts with a token and makes no request. It must exist; UTF-8. NULL takes it back.
/// Choose a local directory: with a network's file system the client's thread waits for
/// the network.
///
/// A stored session that was not confirmed is confirmed by the next process that reads it
/// 250 ms or more later, before it is handed out. If that fails within 2 s, it is handed
/// out unconfirmed. zelf_session_options_set_confirm has the first process confirm it.
///
/// The file is for its user alone (mode 0600). It is replaced as a whole, and holds the
/// token: choose a directory that only the user can write to. What is read is checked:
/// owner, mode, the base URL, the origin, all session options, and that the system has
/// not been started anew since. Anything odd counts as no session. Whatever cannot be
/// written is told to the log and does no harm.
///
/// The lock file lies there too (see zelf_session_provider). Both are for Linux, Android,
/// Apple's systems and the BSDs; the session is stored where the system tells its starts
/// apart, which the BSDs do not.
///
/// Default: none; nothing is stored.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_provider_options_set_directory(
    options: Option<&mut zelf_provider_options>,
    path: *const c_char,
) {
    // SAFETY: a C string or NULL, as the header asks.
    set(options, |options| {
        options.directory = unsafe { strings::copy(path) }
    });
}

/// What to call when the provider holds another session.
///
/// destroy, if not NULL, is called with user_data once, when neither options nor
/// providers need it any more; a later call of this function is such a moment. In a
/// forked child whose parent was called it is never called.
///
/// With options NULL destroy is called at once.
///
/// Default: none.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_provider_options_set_renewed_callback(
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
                let session = std::ptr::from_ref(session).cast();
                // SAFETY: the host's own function with the host's own data; the session
                // lives for the call.
                unsafe { callback(session, data.user_data) };
            }
        };
        let listener = Arc::new(Listener::new(Box::new(sink)));
        let unused = match options {
            // SAFETY: options, as the header asks.
            Some(mut options) => unsafe { options.as_mut() }.0.listener.replace(listener),
            None => Some(listener),
        };
        // Last: a destroy may free the options.
        drop(unused);
    });
}

/// Frees options. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_provider_options_free(options: Option<Box<zelf_provider_options>>) {
    guard::value((), || drop(options));
}

/// The options of a provider: NULL stands for none set.
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
