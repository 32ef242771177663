use std::{
    collections::VecDeque,
    ffi::c_int,
    ptr::NonNull,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwapOption;

use zelf_core::{
    client::Client,
    config::Config,
    error::{Error, Status},
};

use crate::ffi::{config::zelf_config, error::zelf_error, guard, status::zelf_status};

/// Makes sessions with one set of settings. Make one and use it from any number
/// of threads at once.
///
/// It keeps connections for the next call: as many as there were calls at once,
/// at most 32 blocking and 32 asynchronous ones. Each is one descriptor. A
/// connection of a blocking call stays open until a later call finds it old, or
/// the client is freed.
pub struct zelf_client {
    /// `None`: freed.
    client: ArcSwapOption<Client>,
}

/// Checks the settings and makes a client. Reads the CA file, or the system's
/// trusted certificates (not for a base URL with plain http); starts no thread
/// and opens no connection.
///
/// config: the settings, copied; NULL for the defaults.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a client that is yours: give it to zelf_client_free. On failure
/// NULL, and *error, if given, is yours for zelf_error_free; on success *error
/// is not written. Errors: ZELF_ERROR_INVALID_CONFIG, ZELF_ERROR_TLS when the
/// system's certificates cannot be used, ZELF_ERROR_SYSTEM when no descriptor or
/// memory is left to read certificates, ZELF_ERROR_PANIC.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_new(
    config: Option<&zelf_config>,
    error: *mut *mut zelf_error,
) -> *mut zelf_client {
    guard::pointer(error, || {
        let client = match config {
            Some(config) => Client::new(&config.0),
            None => Client::new(&Config::default()),
        };
        client.map(|client| handle(client).as_ptr())
    })
}

/// Cancels the asynchronous calls of a client, waits until their callbacks have
/// returned, and ends the client's threads. After ZELF_OK no callback of this
/// client ever runs again; its connections are closed when it is freed. A name
/// look-up that hangs goes on, on a thread of its own that calls nothing of
/// yours and ends with it. From the beginning of this call on the client takes
/// no more calls: those that create a session fail with ZELF_ERROR_SHUT_DOWN.
/// Blocking calls under way on other threads go on to their end, and tell the
/// log, and a provider's renewed callback, until then.
///
/// Every call that is cancelled calls back with ZELF_ERROR_CANCELLED first. With
/// zelf_config_set_dispatch that happens on this thread. Inside a callback it
/// is allowed as well: the callbacks that are left run then, and the one that
/// called, with its destroy, is the last to return. So is a log callback.
///
/// It makes the client this process's own, as an asynchronous call does.
///
/// timeout_ms: how long to wait, in milliseconds, and up to 100 more for the
///   threads to end, on Linux with the destructors of what your callbacks left
///   in thread-specific data. Callbacks are your code, and how long they run is up
///   to it. 0 does not wait, but cancels all the same.
///
/// Returns ZELF_OK; ZELF_ERROR_TIMEOUT when callbacks, the log's included, or
/// threads of the client were still running (call again to go on waiting);
/// ZELF_ERROR_INVALID_ARGUMENT for NULL; ZELF_ERROR_FORKED in a child whose
/// parent used the client for asynchronous calls.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_shutdown(
    client: Option<NonNull<zelf_client>>,
    timeout_ms: u32,
) -> zelf_status {
    guard::status(|| {
        // SAFETY: a client or NULL, as the header asks.
        let client = unsafe { share(client) }?;
        client.shut_down(Duration::from_millis(timeout_ms.into()))
    })
}

/// A descriptor that poll, select, epoll or kqueue report as readable while
/// callbacks are due, for a client with zelf_config_set_dispatch.
///
/// It belongs to the client, which closes it when freed: take it out of your
/// loop before. Do not read from it. A loop that is told of changes only
/// (EPOLLET, EV_CLEAR) works too. While one thread runs callbacks it may be
/// silent for all: a callback with a loop of its own has to dispatch unasked.
///
/// Asking for it makes the client this process's own, as an asynchronous call
/// does: a child forked later needs another client.
///
/// Returns -1 without zelf_config_set_dispatch, for NULL, in a forked child
/// whose parent used the client in that way, and when the system has no more
/// descriptors.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_descriptor(client: Option<NonNull<zelf_client>>) -> c_int {
    guard::value(-1, || {
        // SAFETY: a client or NULL, as the header asks.
        let client = unsafe { share(client) };
        client
            .ok()
            .and_then(|client| client.descriptor())
            .unwrap_or(-1)
    })
}

/// Runs the callbacks that are due, on the calling thread, for a client with
/// zelf_config_set_dispatch. Does not block but in your callbacks. Those that
/// become due meanwhile are left for the next time. While another thread runs
/// some, it runs none: there is never more than one of them at a time.
///
/// Returns ZELF_OK, also when none was due; ZELF_ERROR_INVALID_ARGUMENT for
/// NULL or without zelf_config_set_dispatch; ZELF_ERROR_FORKED in a child whose
/// parent used the client for asynchronous calls, also when it was forked in a
/// callback and returned from that: then what is due remains the parent's.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_dispatch(client: Option<NonNull<zelf_client>>) -> zelf_status {
    // SAFETY: a client or NULL, as the header asks.
    guard::status(|| unsafe { share(client) }?.dispatch())
}

/// Frees a client. NULL is fine.
///
/// Calls of other threads that are inside the library go on to their end;
/// asynchronous ones are cancelled. Their callbacks run a little later on the
/// client's thread, which then ends; with zelf_config_set_dispatch they run here,
/// or on the thread that is inside one.
/// Use zelf_client_shutdown before if your program must know when the last has
/// returned. Sessions, errors and calls that came from the client stay valid.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_free(client: Option<NonNull<zelf_client>>) {
    guard::value((), || {
        let Some(handle) = client else {
            return;
        };
        // SAFETY: a client, as the header asks; a handle is never deallocated.
        let handle: &'static zelf_client = unsafe { handle.as_ref() };
        if let Some(client) = handle.client.swap(None) {
            client.let_go();
            keep(handle);
        }
    });
}

/// The client behind a handle, kept alive for the call: another thread may
/// free the handle meanwhile.
///
/// # Safety
///
/// `client` came from zelf_client_new, or is NULL.
pub(super) unsafe fn share(client: Option<NonNull<zelf_client>>) -> Result<Arc<Client>, Error> {
    let invalid = |what| Error::new(Status::InvalidArgument, what);
    let handle = client.ok_or_else(|| invalid("the client is NULL"))?;
    // SAFETY: the caller's promise; a handle is never deallocated.
    let client = unsafe { handle.as_ref() }.client.load_full();
    client.ok_or_else(|| invalid("the client has been freed"))
}

/// Handles whose client has been freed, the oldest first.
///
/// A thread may have entered a call with a handle that another is freeing, and
/// not yet have looked at what is behind it. So handles, which are one pointer
/// large, are never given back to the allocator, and used again only after
/// many others.
static FREED: Mutex<VecDeque<&'static zelf_client>> = Mutex::new(VecDeque::new());
const MIN_FREED: usize = 256;

fn handle(client: Client) -> NonNull<zelf_client> {
    let client = Some(Arc::new(client));
    // Not to be had at once only while another thread frees a client, or held
    // by one that a forked child does not have.
    if let Ok(mut freed) = FREED.try_lock()
        && freed.len() >= MIN_FREED
        && let Some(handle) = freed.pop_front()
    {
        handle.client.store(client);
        return NonNull::from(handle);
    }
    NonNull::from(Box::leak(Box::new(zelf_client {
        client: ArcSwapOption::new(client),
    })))
}

fn keep(handle: &'static zelf_client) {
    // Else it is lost, which is a pointer's worth.
    if let Ok(mut freed) = FREED.try_lock() {
        freed.push_back(handle);
    }
}
