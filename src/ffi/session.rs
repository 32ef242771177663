use std::{ffi::c_char, mem, ptr::NonNull, sync::Arc};

use zelf_core::{
    host::errno::KeepErrno,
    session::{Claim, Session},
};

use crate::ffi::{guard, strings};

/// A session. It is immutable, and its getters do not block.
///
/// Texts from the token are not verified: only the server has the key.
// `all()` is always true. cbindgen does not evaluate conditions, and would write a plain `repr`
// into the header.
#[cfg_attr(all(), repr(transparent))]
pub struct zelf_session(pub(super) Session);

/// Passes a session to the host. A provider passes the same one many times.
pub(super) fn give(session: Arc<Session>) -> *mut zelf_session {
    // `repr(transparent)` guarantees the same layout.
    Arc::into_raw(session).cast_mut().cast()
}

/// Returns the token, a secret.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_token(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(Some(session.0.token_with_nul()))
    })
}

/// Returns the value of the Authorization header: "Bearer " and the token.
///
/// Send it unchanged.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_authorization(
    session: Option<&zelf_session>,
) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(Some(session.0.authorization_with_nul()))
    })
}

/// Returns the session's id on the server, from the token.
///
/// It is UTF-8 text of any characters. NULL if the token has none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_id(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Id))
    })
}

/// Returns the identifier in the token, which says whose session it is.
///
/// If you set none, the server writes your public IP address here, or it returned the
/// session of somebody else's identifier. NULL if the token has none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_identifier(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Identifier))
    })
}

/// Returns the domain that the session was made with, from the token.
///
/// The server writes "zelf" if none was asked for. NULL if the token has none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_domain(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::Domain))
    })
}

/// Returns the tag name that the session was made with, from the token.
///
/// NULL if it was made without one, or the token has none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_tag_name(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::TagName))
    })
}

/// Returns the Ethereum address that the session was made with, from the token.
///
/// NULL if it was made without one, or the token has none.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_eth_address(session: Option<&zelf_session>) -> *const c_char {
    guard::get(session, std::ptr::null(), |session| {
        strings::lend_bytes(session.0.claim_with_nul(Claim::EthAddress))
    })
}

/// Returns when the session began, in Unix seconds of the server's clock.
///
/// It may lie before your call: the server returns a live session again. 0 if the server
/// did not say.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_activated_at(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.times().activated_at)
}

/// Returns when the session ends, in Unix seconds of the server's clock.
///
/// Use zelf_session_seconds_left to compare it with now. If the server says nothing usable, it
/// is 600 s after the session began, or after the answer came if the beginning is unknown or
/// too long ago.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_expires_at(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.times().expires_at)
}

/// Returns how many whole seconds the session has left. 0 if it has expired.
///
/// It starts from the server's clock at the moment the request left, and counts on a clock that
/// runs during sleep. The device's date has no effect if the server sends a usable time.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_session_seconds_left(session: Option<&zelf_session>) -> i64 {
    guard::get(session, 0, |session| session.0.seconds_left())
}

/// Frees a session. The session on the server is not affected.
///
/// When the last reference is freed (a provider may hold one), the library overwrites the token
/// with zeros, but not copies in the kernel and in the buffers of the TLS library.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_session_free(session: Option<NonNull<zelf_session>>) {
    let Some(session) = session else {
        return;
    };
    // SAFETY: it came from `give` and is freed once, as the header requires.
    let session = unsafe { Arc::from_raw(session.as_ptr().cast::<Session>()) };
    let errno = KeepErrno::new();
    match Arc::into_inner(session) {
        // There are other references, as for sessions of a provider: only a number was changed. The
        // guard would take longer than that.
        None => mem::forget(errno),
        // Only the reference count has been freed, and freeing memory is not a cancellation point.
        // The texts are freed here.
        Some(last) => guard::value((), || drop(last)),
    }
}
