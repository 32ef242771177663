use std::{
    ffi::{c_char, c_void},
    sync::Arc,
};

use zelf_core::log::{Level, Log};

use crate::ffi::strings;

/// How much to tell, or what a message is.
pub type zelf_log_level = i32;

/// Calls that failed, each once, with what zelf_error_message says.
pub const ZELF_LOG_ERROR: zelf_log_level = 1;
/// Also attempts that failed and are made again.
pub const ZELF_LOG_WARNING: zelf_log_level = 2;
/// Also what the library did on its own, such as replacing an expired session.
pub const ZELF_LOG_INFO: zelf_log_level = 3;
/// Also every answer, with its time and whether its connection was kept.
pub const ZELF_LOG_DEBUG: zelf_log_level = 4;

/// Receives one message: a line of UTF-8 text without a line feed, borrowed
/// for the call.
pub type zelf_log_callback = Option<
    unsafe extern "C" fn(level: zelf_log_level, message: *const c_char, user_data: *mut c_void),
>;

/// Frees user data when the library is done with it.
pub type zelf_destroy_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The host's data, freed by the host's function when the last user is gone.
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
        if let Some(destroy) = self.destroy {
            // SAFETY: the host's own function with the host's own data.
            unsafe { destroy(self.user_data) };
        }
    }
}

/// Makes a log that calls the host. Without a callback, or with a level that is
/// none, it tells nothing.
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
            let words = strings::owned(words);
            // SAFETY: the host's own function with the host's own data; the
            // message lives for the call.
            unsafe { callback(number(level), words.as_ptr(), data.user_data) };
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
