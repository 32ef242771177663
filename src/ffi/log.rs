use std::{
    ffi::{c_char, c_void},
    sync::Arc,
};

use zelf_core::{
    host::forced_unwind::contain,
    log::{Level, Log},
};

use crate::ffi::strings;

/// The importance of a log message.
pub type zelf_log_level = i32;

/// Calls to the server that failed, with their zelf_error_message.
pub const ZELF_LOG_ERROR: zelf_log_level = 1;
/// Also failed attempts that are repeated.
pub const ZELF_LOG_WARNING: zelf_log_level = 2;
/// Also actions of the library, such as replacing an expired session.
pub const ZELF_LOG_INFO: zelf_log_level = 3;
/// Also every answer, with its duration and whether its connection was kept alive.
pub const ZELF_LOG_DEBUG: zelf_log_level = 4;

/// Receives one log message: one line of UTF-8, valid during the call.
pub type zelf_log_callback = Option<
    unsafe extern "C-unwind" fn(
        level: zelf_log_level,
        message: *const c_char,
        user_data: *mut c_void,
    ),
>;

/// Frees user_data when the library no longer needs it.
pub type zelf_destroy_callback = Option<unsafe extern "C-unwind" fn(user_data: *mut c_void)>;

/// The host's data. The host's function frees it after its last use.
pub(super) struct HostData {
    pub(super) user_data: *mut c_void,
    pub(super) destroy: zelf_destroy_callback,
}

// SAFETY: the header says that the callbacks are called on any thread.
unsafe impl Send for HostData {}
// SAFETY: as above.
unsafe impl Sync for HostData {}

impl Drop for HostData {
    fn drop(&mut self) {
        let user_data = self.user_data;
        if let Some(destroy) = self.destroy {
            // SAFETY: the host's function with the host's data.
            contain(|| unsafe { destroy(user_data) });
        }
    }
}

/// Creates a log that calls the host. Without a callback, or with an unknown level, the log is
/// silent.
pub(super) fn to_host(
    callback: zelf_log_callback,
    user_data: *mut c_void,
    destroy: zelf_destroy_callback,
    level: zelf_log_level,
) -> Arc<Log> {
    let most = match level {
        ZELF_LOG_ERROR => Some(Level::Error),
        ZELF_LOG_WARNING => Some(Level::Warning),
        ZELF_LOG_INFO => Some(Level::Info),
        ZELF_LOG_DEBUG => Some(Level::Debug),
        _ => None,
    };
    let data = HostData { user_data, destroy };
    let sink = move |level, words| {
        let data = &data;
        if let Some(callback) = callback {
            let text = strings::owned(words);
            let (level, words, user_data) = (number(level), text.as_ptr(), data.user_data);
            // SAFETY: the host's function with the host's data. The message is valid during the
            // call.
            contain(|| unsafe { callback(level, words, user_data) });
        }
    };
    Arc::new(Log::new(
        most.filter(|_| callback.is_some()),
        Box::new(sink),
    ))
}

fn number(level: Level) -> zelf_log_level {
    match level {
        Level::Error => ZELF_LOG_ERROR,
        Level::Warning => ZELF_LOG_WARNING,
        Level::Info => ZELF_LOG_INFO,
        Level::Debug => ZELF_LOG_DEBUG,
    }
}
