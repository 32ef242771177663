use std::{ffi::c_void, ptr::NonNull};

use zelf_core::{
    error::{Error, Status},
    provider::session_provider::Provider,
};

use crate::ffi::{
    call::{self, zelf_call, zelf_session_callback},
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    log::zelf_destroy_callback,
    provider_options::{self, zelf_provider_options},
    session::{give, zelf_session},
    session_options::{self, zelf_session_options},
};

/// Keeps one session for your program, and renews it: a token that works, at any
/// moment, for years.
///
/// Several processes may use one identifier. They renew one at a time. For each base URL
/// and identifier there is a lock file. It lies in the directory of
/// zelf_provider_options_set_directory, else in XDG_RUNTIME_DIR, else in the folder
/// zelf-UID of TMPDIR or /tmp, which is made when it is needed. Processes with different
/// environments (a desktop's and cron's) meet only in a directory that is set. The system
/// frees the lock when a process dies. A process that is stopped keeps it: the others go
/// on without the lock 2 s after the holder's time limit, and until then a get without a
/// session may fail with ZELF_ERROR_TIMEOUT. They also go on without it where no lock file
/// can be had, or where other users may open it. The log is told of both. Confirmation
/// then finds the sessions that do not exist.
///
/// A new session is confirmed: the first get 250 ms later (with background the client's
/// thread) asks the server again. Only a session that exists comes twice. The caller of
/// that get waits for at most 2 s. Other callers are handed the session meanwhile. If the
/// request fails, another get repeats it 1 s to 30 s later. After
/// ZELF_ERROR_GHOST_SESSION, and with zelf_session_options_set_confirm, a session is
/// confirmed before it is handed out for the first time.
///
/// A renewal that fails is repeated after a random pause of up to 1 s, then 2 s, up to
/// 30 s; Retry-After is kept, up to 10 minutes. A get without a valid session fails at
/// once with the same error until then. A permanent error is remembered for 1 s, and for
/// 4 s to 6 s when the server has returned a session that does not serve
/// (ZELF_ERROR_OTHER_OPTIONS, for example).
///
/// Any number of threads may use a provider at once. A forked child goes on with the
/// session that its parent had, and renews for itself.
pub struct zelf_session_provider(Provider);

/// Makes a provider. Makes no request and starts no thread, but with
/// zelf_provider_options_set_background: the client's thread then asks for a session at
/// once. Without a directory it reads the environment variables XDG_RUNTIME_DIR and
/// TMPDIR, but not in a program with more rights than its user (setuid).
///
/// client: the client; it may be freed meanwhile. Renewals fail with
///   ZELF_ERROR_SHUT_DOWN then, and what is held is handed out to its end.
/// options: what to ask for, copied. It must have an identifier, and must not kill.
/// provider: how to keep the session, copied; NULL for the defaults.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a provider that is yours: give it to zelf_session_provider_free. On failure
/// NULL, and *error, if given, is yours for zelf_error_free; on success *error is not
/// written. Errors: ZELF_ERROR_INVALID_ARGUMENT, and with background what
/// zelf_session_create_async returns.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_new(
    client: Option<NonNull<zelf_client>>,
    options: Option<&zelf_session_options>,
    provider: Option<&zelf_provider_options>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session_provider {
    guard::object(error, || {
        // SAFETY: a live client or NULL, as the header asks.
        let client = unsafe { share(client) }?;
        let options = session_options::or_default(options);
        let provider = provider_options::or_default(provider);
        Provider::new(client, options, provider).map(zelf_session_provider)
    })
}

/// Returns a session that is valid for min_valid seconds or more (but see
/// ZELF_RENEWAL_NEVER_KILL).
///
/// While there is one, this takes some nanoseconds: no lock, no system call, no memory
/// (but in the first call of a thread). A stack of 64 KiB is enough for such a get. Any get
/// may have to make a request: give its thread 128 KiB.
///
/// Without background one caller at a time confirms a new session, for at most 2 s, and
/// renews it early with ZELF_RENEWAL_EARLY. Without a session it blocks while one is asked
/// for, at most for the client's time limit. One caller makes the request for all who
/// wait. It is as zelf_session_create in everything else.
///
/// error: where to put the reason on failure, or NULL.
///
/// Returns a session that is yours: give it to zelf_session_free. Many calls may return
/// the same object, and each has to be freed. On failure NULL, and *error, if given, is
/// yours for zelf_error_free; on success *error is not written. Errors: those of
/// zelf_session_create, ZELF_ERROR_GHOST_SESSION, and ZELF_ERROR_SESSION_NOT_ACTIVE when
/// the server goes on returning a session that was invalidated.
/// zelf_error_retry_after_ms says when the next attempt may come. Of a ghost, after a
/// change of network, it says when the old session must have ended; attempts are made
/// every 8 to 12 s until then.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_get(
    provider: Option<NonNull<zelf_session_provider>>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    // SAFETY: a live provider or NULL, as the header asks.
    let provider = unsafe { to_ref(provider) };
    // Outside of the guard, which takes longer than this. There is nothing in it that
    // could panic, be cancelled or set errno.
    if let Some(session) = provider.and_then(|provider| provider.0.warm()) {
        return give(session);
    }
    get_cold(provider, error)
}

/// Apart from the warm way, which then needs no room on the stack for this.
#[cold]
#[inline(never)]
fn get_cold(
    provider: Option<&zelf_session_provider>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    guard::pointer(error, || not_null(provider)?.get().map(give))
}

/// Gets a session as zelf_session_provider_get does, without waiting for it: callback
/// receives it as that of zelf_session_create_async does, with the same promises, also
/// when the session is there already. min_valid counts from when the session came: look at
/// zelf_session_seconds_left where callbacks run late. A call that is cancelled while it
/// replaces a session lets that request go on to its end, for later calls.
///
/// Returns a call that is yours: give it to zelf_call_free, at any time. On failure
/// NULL, and neither callback nor destroy ever runs. Errors: those of
/// zelf_session_create_async.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_get_async(
    provider: Option<NonNull<zelf_session_provider>>,
    callback: zelf_session_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    error: *mut *mut zelf_error,
) -> *mut zelf_call {
    // SAFETY: a live provider or NULL, as the header asks.
    let provider = unsafe { to_ref(provider) };
    call::begin(callback, user_data, destroy, error, || {
        not_null(provider)?.begin_get()
    })
}

/// Tells a provider that a route has refused its session. Call it for two answers: 401
/// "Protected resource", and 403 "Session is not active". The next get asks the server: another session is taken as it is; the
/// same one is replaced with one killSession (but see ZELF_RENEWAL_NEVER_KILL).
///
/// Of many threads with the same refusal one causes a renewal: the others' session is no
/// longer the one that is held. Then repeat your request with what
/// zelf_session_provider_get returns. Any other 401 or 403 is not about the session: for
/// 401 "Invalid session" and 403 "... limit exceeded" its quota is used up, and a new
/// session would end the token of all who share the identifier.
///
/// rejected: the session that was refused; it stays yours.
///
/// Returns whether that was the session that is held, and it is no longer handed out.
/// false for NULL. Does not make a request; removes the stored session.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_provider_invalidate(
    provider: Option<NonNull<zelf_session_provider>>,
    rejected: Option<&zelf_session>,
) -> bool {
    // SAFETY: a live provider or NULL, as the header asks.
    let provider = unsafe { to_ref(provider) };
    guard::value(false, || match (provider, rejected) {
        (Some(provider), Some(rejected)) => provider.0.invalidate(&rejected.0),
        _ => false,
    })
}

/// Why the last renewal failed. zelf_error_retry_after_ms of it says when the next
/// attempt may come; it is made by a get, or by the client's thread with background.
///
/// Returns an error that is yours: give it to zelf_error_free. NULL when the last renewal
/// worked, there was none, or provider is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_provider_last_error(
    provider: Option<&zelf_session_provider>,
) -> Option<Box<zelf_error>> {
    guard::value(None, || {
        let error = provider?.0.last_error()?;
        Some(Box::new(zelf_error::from(error)))
    })
}

/// Frees a provider. No thread may be inside one of its functions, or enter one.
/// Asynchronous calls that it began go on to their end. So does a renewal that the
/// client's thread has begun: destroy of zelf_provider_options_set_renewed_callback may
/// run on that thread until the client's time limit is over. Sessions that came from it
/// stay valid. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_provider_free(provider: Option<Box<zelf_session_provider>>) {
    guard::value((), || drop(provider));
}

/// # Safety
///
/// `provider` came from zelf_session_provider_new and lives, or is NULL.
pub(super) unsafe fn to_ref<'a>(
    provider: Option<NonNull<zelf_session_provider>>,
) -> Option<&'a zelf_session_provider> {
    // SAFETY: the caller's promise. All of it may be used by many threads at once.
    provider.map(|provider| unsafe { provider.as_ref() })
}

pub(super) fn not_null(provider: Option<&zelf_session_provider>) -> Result<&Provider, Error> {
    provider
        .map(|provider| &provider.0)
        .ok_or_else(|| Error::new(Status::InvalidArgument, "the provider is NULL"))
}
