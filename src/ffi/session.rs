use std::{ffi::c_char, mem, ptr::NonNull, sync::Arc};

use zelf_core::{
    host::errno::KeepErrno,
    session::{Claim, Session},
};

use crate::ffi::{
    client::{share, zelf_client},
    error::zelf_error,
    guard,
    session_options::{self, zelf_session_options},
    strings,
};

/// A session that the server created or had. Immutable: any number of threads
/// may read it at once. The getters never block and accept NULL.
// Always: cbindgen, which does not look at conditions, would write what is inside into
// the header.
#[cfg_attr(all(), repr(transparent))]
pub struct zelf_session(pub(super) Session);

/// Gives a session to the host. A provider hands out the same one many times.
pub(super) fn give(session: Arc<Session>) -> *mut zelf_session {
    // The same layout: it is transparent.
    Arc::into_raw(session).cast_mut().cast()
}

/// Creates a session with a POST to /api/sessions, on the calling thread.
///
/// The request is made again where that is worth it (see
/// zelf_config_set_max_attempts). The server may return a session that has
/// expired. When an identifier is set, the library then asks for a new one with
/// killSession, as zelf_session_options_set_kill_session does (but not if a tag
/// name may have found another identifier's). A session with under 2 s left when
/// the answer comes counts as expired.
///
/// A session is replaced only when it has expired by the time in its token, and by
/// the answer's Date header if that is sane. A token that tells no time leaves it to
/// Date and the device's clock: both must say so. A slow answer is no reason, nor is
/// a time that cannot be meant. The error is ZELF_ERROR_SESSION_EXPIRED when the
/// clocks disagree.
///
/// The server ignores a tag name, domain or Ethereum address that a live session was
/// not made with. The token says so, and the call fails with
/// ZELF_ERROR_OTHER_OPTIONS.
///
/// Calls of one client that come at once for one identifier take turns, and those
/// with equal options share one request. Each call gets its own session object.
///
/// Blocks until the answer is there, at most for the configured time limit.
/// Any number of threads may call it at once. A thread that is already ending (in
/// a thread-specific destructor, an atexit handler) may get
/// ZELF_ERROR_INVALID_ARGUMENT. A stack of 128 KiB is enough. pthread_cancel takes
/// effect after the call. errno and the signal mask stay as they were, and SIGPIPE
/// cannot reach your process from here. No thread is left behind. A name look-up
/// runs on a thread that ends with it and takes no signals of yours.
///
/// client: the client; another thread may free it meanwhile.
/// options: what to ask for; NULL sends the empty object.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a session that is yours: give it to zelf_session_free. On failure
/// NULL, and *error, if given, is yours for zelf_error_free; on success *error
/// is not written. Errors: any but ZELF_ERROR_INVALID_CONFIG, _CANCELLED and
/// _FORKED.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_create(
    client: Option<NonNull<zelf_client>>,
    options: Option<&zelf_session_options>,
    error: *mut *mut zelf_error,
) -> *mut zelf_session {
    guard::pointer(error, || {
        // SAFETY: a live client or NULL, as the header asks.
        let client = unsafe { share(client) }?;
        let options = session_options::or_default(options);
        client.create_session(options).map(Arc::new).map(give)
    })
}

/// The token, for later requests. A secret: keep it out of logs. Not verified:
/// only the server has the key.
///
/// Borrowed from session, valid until zelf_session_free. NULL when session is
/// NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_token(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(Some(session.0.token_with_nul()))
    })
}

/// The whole value of the Authorization header: "Bearer " and the token. Send
/// it as it is; the server takes whatever follows for part of the token.
///
/// Borrowed from session, valid until zelf_session_free. NULL when session is
/// NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_authorization(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(Some(session.0.authorization_with_nul()))
    })
}

/// The session's id on the server, read from the token without verifying it:
/// UTF-8 text that the server chose, of any characters.
///
/// Borrowed from session, valid until zelf_session_free. NULL when the token
/// does not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_id(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Id))
    })
}

/// Whose session it is: the identifier in the token, read without verifying
/// it. When you set none, this tells whether the session is yours; the server
/// then writes your public IP address here, or somebody else's identifier.
///
/// Borrowed from session, valid until zelf_session_free. NULL when the token
/// does not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_identifier(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Identifier))
    })
}

/// The domain that the session was made with, read from the token without verifying
/// it. The server writes "zelf" when none was asked for.
///
/// Borrowed from session, valid until zelf_session_free. NULL when the token
/// does not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_domain(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Domain))
    })
}

/// The tag name that the session was made with, read from the token without
/// verifying it.
///
/// Borrowed from session, valid until zelf_session_free. NULL when the session was
/// made without one, the token does not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_tag_name(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::TagName))
    })
}

/// The Ethereum address that the session was made with, read from the token without
/// verifying it.
///
/// Borrowed from session, valid until zelf_session_free. NULL when the session was
/// made without one, the token does not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_eth_address(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::EthAddress))
    })
}

/// When the session began, in Unix seconds by the server's clock. It can be
/// earlier than your call: the server returns a live session again. 0 when the
/// server did not say, or session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_activated_at(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.times().activated_at)
}

/// When the session ends, in Unix seconds by the server's clock; do not compare
/// it with the device's clock, use zelf_session_seconds_left. When the server
/// did not say, or said what cannot be meant, 600 s after the session began or
/// the answer came. The server may write the time as a number or as text, in
/// seconds or parts of them, or as a date (RFC 3339). 0 when session is NULL.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_expires_at(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.times().expires_at)
}

/// How many whole seconds the session still lives; 0 when it has expired, or
/// session is NULL. Counted from the server's clock on one that runs while the
/// device sleeps (CLOCK_BOOTTIME on Linux and Android, CLOCK_MONOTONIC on
/// Apple's systems, the performance counter on Windows), so a device whose date
/// is wrong gets the right answer. Counted from when the request left: it can be
/// too low by the time that the answer took, and 0 after a slow answer. The
/// device's own clock counts only when the Date header and the token do not tell
/// the time or contradict each other, and when it lies within the session. When
/// nothing tells the time, the session counts as new.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_session_seconds_left(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.seconds_left())
}

/// Frees a session and the strings borrowed from it. One from a provider lives on in the
/// provider, and in what else was got from it. With the last of them the token is overwritten
/// with zeros first, as the library's other copies of it were. Those that the
/// system and the buffers of TLS and HTTP had in passing are not. The session
/// lives on at the server. NULL is fine.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_session_free(session: Option<NonNull<zelf_session>>) {
    let Some(session) = session else {
        return;
    };
    // SAFETY: it came from `give` and is given back once, as the header asks.
    let session = unsafe { Arc::from_raw(session.as_ptr().cast::<Session>()) };
    let errno = KeepErrno::new();
    match Arc::into_inner(session) {
        // One of many, as a provider hands them out: a number was changed, no more. The
        // guard would take longer than that.
        None => mem::forget(errno),
        // The memory of the count is free now, which is no point of cancellation. The
        // texts are left.
        Some(last) => guard::value((), || drop(last)),
    }
}
