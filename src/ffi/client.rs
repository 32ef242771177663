use std::{ptr::NonNull, sync::Arc};

use crate::{
    client::Client,
    config::Config,
    error::{Error, Status},
    ffi::{config::zelf_config, error::zelf_error, guard},
};

/// Makes sessions with one set of settings. Make one and use it from any number
/// of threads at once.
///
/// It keeps connections for the next call: as many as there were calls at once,
/// at most 32 (four descriptors each), until a later call finds them old or the
/// client is freed.
pub struct zelf_client(Arc<Client>);

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
/// system's certificates cannot be used, ZELF_ERROR_PANIC.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_client_new(
    config: Option<&zelf_config>,
    error: *mut *mut zelf_error,
) -> *mut zelf_client {
    guard::object(error, || {
        let client = match config {
            Some(config) => Client::new(&config.0),
            None => Client::new(&Config::default()),
        };
        client.map(|client| zelf_client(Arc::new(client)))
    })
}

/// Frees a client and closes its connections. NULL is fine. Calls of other
/// threads that wait for the network go on to their end. None may begin while
/// this runs, or after: only your program can know that, for example by
/// counting the threads that are about to call.
/// Sessions and errors that came from the client stay valid.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn zelf_client_free(client: Option<Box<zelf_client>>) {
    guard::value((), || drop(client));
}

/// The client behind a pointer, kept alive for the call: another thread may
/// free the handle meanwhile.
///
/// # Safety
///
/// `client` is a live client at this moment.
pub(super) unsafe fn share(client: Option<NonNull<zelf_client>>) -> Result<Arc<Client>, Error> {
    let client = client.ok_or_else(|| Error::new(Status::InvalidArgument, "the client is NULL"))?;
    // SAFETY: the caller's promise; the reference ends with this expression.
    Ok(Arc::clone(unsafe { &client.as_ref().0 }))
}
