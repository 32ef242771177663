use std::{
    ffi::{CString, c_char, c_int},
    ptr::{self, NonNull},
    sync::{
        Arc,
        atomic::{AtomicPtr, AtomicUsize, Ordering::*},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;

use zelf_core::{
    client::Client,
    config::Config,
    error::{Error, Status},
};

use crate::ffi::{config::zelf_config, error::zelf_error, guard, status::zelf_status, strings};

/// Creates sessions with one set of settings. One client serves all threads of a program.
///
/// A client keeps connections for later calls: at most 32 for blocking and 32 for
/// asynchronous calls, one descriptor each.
pub struct zelf_client {
    /// `None` after the client was freed.
    client: ArcSwapOption<Client>,
    base_url: CString,
    origin: CString,
}

/// Checks the settings and makes a client.
///
/// It reads the CA file or the system's certificates (not for a base URL with "http://"). It
/// starts no thread and opens no connection.
///
/// config: copied; NULL for the defaults.
///
/// Errors: ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_TLS if the system's certificates cannot be
/// used, ZELF_ERROR_SYSTEM if the system refuses a descriptor, memory or random numbers.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_client_new(
    config: Option<&zelf_config>,
    error: *mut *mut zelf_error,
) -> *mut zelf_client {
    let new = || match config {
        Some(config) => Client::new(&config.0),
        None => Client::new(&Config::default()),
    };
    guard::pointer(error, new, |client| handle(client).as_ptr())
}

/// Returns the base URL of the API, such as "https://api.zelf.world".
///
/// It is in the normal form of URLs, without "/" at its end.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_client_base_url(client: Option<&zelf_client>) -> *const c_char {
    guard::get(client, ptr::null(), |client| {
        strings::lend(Some(&client.base_url))
    })
}

/// Returns the Origin header that the client sends, such as "https://app.example".
///
/// Requests with another HTTP client need it, too. Send the token only to the host of
/// zelf_client_base_url.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn zelf_client_origin(client: Option<&zelf_client>) -> *const c_char {
    guard::get(client, ptr::null(), |client| {
        strings::lend(Some(&client.origin))
    })
}

/// Cancels all asynchronous calls, waits for their callbacks and ends the client's threads.
///
/// After ZELF_OK no callback of an asynchronous call runs, except one that has called this
/// function. New calls fail with ZELF_ERROR_SHUT_DOWN from the start of the shutdown;
/// zelf_session_provider_get still returns a valid session. Blocking calls on other threads
/// continue, and may still call the log and a renewed callback.
///
/// The callback of each cancelled call gets ZELF_ERROR_CANCELLED. With zelf_config_set_dispatch
/// it runs inside this function. A callback, or a log callback, may call this function: the
/// remaining callbacks then run first. If that callback itself runs inside another callback of
/// this client, the function runs no callbacks, and returns ZELF_ERROR_TIMEOUT at once if some
/// remain. It does the same if 8 callbacks, of any clients, run inside each other on this thread:
/// the remaining callbacks run when one of the 8 has returned. The shutdown binds the client to
/// this process.
///
/// timeout_ms: how long to wait for callbacks, in milliseconds. 0 cancels and does not wait;
///   with zelf_config_set_dispatch each such call runs one callback. The function may take up to
///   100 ms longer, until the threads have ended. On Linux and Windows, that includes their
///   thread-specific destructors.
///
/// Returns ZELF_OK; ZELF_ERROR_TIMEOUT if callbacks or threads still run (call again to wait
/// longer); ZELF_ERROR_SYSTEM if no thread can be started; ZELF_ERROR_FORKED if the client is
/// bound to another process.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_client_shutdown(
    client: Option<NonNull<zelf_client>>,
    timeout_ms: u32,
) -> zelf_status {
    guard::status(|| {
        // SAFETY: a client or NULL, as the header requires.
        let client = unsafe { share(client) }?;
        client.shut_down(Duration::from_millis(timeout_ms.into()))
    })
}

/// Returns a descriptor that is readable while callbacks are due.
///
/// It is for a client with zelf_config_set_dispatch, and works with poll, select, epoll and
/// kqueue, also edge-triggered. Do not read from it. zelf_client_free closes it: remove it from
/// your loop first. It may not become readable while a callback runs: an event loop inside a
/// callback calls zelf_client_dispatch without waiting for it. The function binds the client to
/// this process.
///
/// On Windows it is a SOCKET, for select, WSAPoll and WSAEventSelect. A SOCKET has at most 32
/// significant bits: cast the int to SOCKET.
///
/// The result is -1 without zelf_config_set_dispatch, for NULL, if the client is bound to
/// another process, or if the system has no descriptor left.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_client_descriptor(
    client: Option<NonNull<zelf_client>>,
) -> c_int {
    guard::value(-1, || {
        // SAFETY: a client or NULL, as the header requires.
        let client = unsafe { share(client) };
        client
            .ok()
            .and_then(|client| client.descriptor())
            .unwrap_or(-1)
    })
}

/// Runs the callbacks that are due, on the calling thread.
///
/// It is for a client with zelf_config_set_dispatch. It blocks only while your callbacks run.
/// Callbacks that become due meanwhile wait for the next call. It runs none while another
/// thread runs a callback, none in a log callback on an I/O thread, and none if 8 callbacks, of
/// any clients, already run inside each other on this thread. It binds the client to this
/// process.
///
/// Returns ZELF_OK, also if no callback was due; ZELF_ERROR_INVALID_ARGUMENT without
/// zelf_config_set_dispatch; ZELF_ERROR_FORKED if the client is bound to another
/// process, also in a child that a callback has forked, when that callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_client_dispatch(
    client: Option<NonNull<zelf_client>>,
) -> zelf_status {
    // SAFETY: a client or NULL, as the header requires.
    guard::status(|| unsafe { share(client) }?.dispatch())
}

/// Frees a client and cancels its asynchronous calls.
///
/// No thread may start a call with the client during this function or after it. Calls that run
/// on other threads continue. The callbacks of cancelled calls run soon after on the client's
/// callback thread, which then ends. With zelf_config_set_dispatch they run inside this
/// function, or on the thread that runs a callback at that moment. If 8 callbacks, of any
/// clients, run inside each other on this thread, they run when one of these has returned. In a
/// log callback on an I/O thread they run on a thread of the client, and this function may wait
/// until that thread can be started. To know when the last callback has returned, call
/// zelf_client_shutdown first. Sessions, responses, errors, calls and providers of the client
/// stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_client_free(client: Option<NonNull<zelf_client>>) {
    guard::value((), || {
        let Some(handle) = client else {
            return;
        };
        // SAFETY: a client, as the header requires.
        if let Some(client) = unsafe { handle.as_ref() }.client.swap(None) {
            client.let_go();
            keep(handle);
        }
    });
}

/// Returns the client of a handle. The result keeps the client alive, because another thread may
/// free the handle after this call.
///
/// # Safety
///
/// `client` came from zelf_client_new and is not freed before this returns, or is NULL.
pub(super) unsafe fn share(client: Option<NonNull<zelf_client>>) -> Result<Arc<Client>, Error> {
    let invalid = |what| Error::new(Status::InvalidArgument, what);
    let handle =
        client.ok_or_else(|| invalid("the client is NULL; pass one of zelf_client_new"))?;
    // SAFETY: the caller's promise.
    let client = unsafe { handle.as_ref() }.client.load_full();
    client.ok_or_else(|| invalid("the client has been freed; create another"))
}

fn handle(client: Client) -> NonNull<zelf_client> {
    NonNull::from(Box::leak(Box::new(zelf_client {
        base_url: strings::owned(client.base_url().to_owned()),
        origin: strings::owned(client.origin().to_owned()),
        client: ArcSwapOption::from_pointee(client),
    })))
}

/// The handles that were freed last. Each one is deallocated when this many others have been freed.
///
/// So a host gets an error instead of a crash if it frees a client twice, or if a thread starts a
/// call while another frees the client. This takes the memory of one pointer for each element, and
/// no lock, which a forked child could find held.
static FREED: [AtomicPtr<zelf_client>; 256] = [const { AtomicPtr::new(ptr::null_mut()) }; 256];

fn keep(handle: NonNull<zelf_client>) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let place = &FREED[NEXT.fetch_add(1, Relaxed) % FREED.len()];
    let oldest = place.swap(handle.as_ptr(), AcqRel);
    if !oldest.is_null() {
        // SAFETY: zelf_client_new has allocated it, and it was only in this element.
        drop(unsafe { Box::from_raw(oldest) });
    }
}
