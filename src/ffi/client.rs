use std::{ptr::NonNull, sync::Arc};

use crate::{
    client::Client,
    config::Config,
    error::{Error, Status},
    ffi::{config::zelf_config, error::zelf_error, guard},
};

/// Makes sessions with one set of settings, and keeps connections warm between
/// calls. Make one and use it from any number of threads at once.
pub struct zelf_client(Arc<Client>);

/// Checks the settings and makes a client. Reads the CA file if one is set;
/// starts no thread and opens no connection.
///
/// config: the settings, copied; NULL for the defaults.
/// error: where to put the reason on failure, or NULL.
///
/// Returns a client that is yours: give it to zelf_client_free. On failure
/// NULL, and *error, if given, is yours for zelf_error_free; on success *error
/// is not written. Errors: ZELF_ERROR_INVALID_CONFIG.
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

/// Frees a client and closes its connections. NULL is fine. Calls that other
/// threads are still inside of go on to their end; none may begin after this.
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
