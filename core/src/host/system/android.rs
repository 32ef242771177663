//! Android, from API level 21. The loader refuses a library that imports a function which the system
//! lacks: `tests/platforms/android/functions` lists what it may import.
//!
//! Nothing is probed: the sandbox of an app ends the process at a call that it forbids.

use std::{
    ffi::{c_int, c_void},
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use jni::{
    EnvUnowned, Outcome, jni_sig, jni_str,
    objects::{JClassLoader, JObject},
};

pub use super::{
    linux_kernel::{
        CALLS, at_exit, boot_id, collectors_signals, is_privileged, process_id, since_boot, tick,
    },
    missing::{
        CONNECTIONS, EVENT_LOOPS, FILES, LOOK_UPS, NOTIFIERS, NoCancel, RANDOM_NUMBERS, THREADS,
        WAITS, WITHOUT_A_WAY_OUT, call_on_nothing, reserved_stack, without_size_signal,
    },
    unix::*,
};

/// Returns where the thread's error number is.
pub fn error_number() -> *mut c_int {
    // SAFETY: it takes no arguments, and its result is valid for the thread's life.
    unsafe { libc::__errno() }
}

// ---- Trust

/// The class that asks Android's trust manager. It is a part of rustls-platform-verifier that the
/// app has to contain.
const VERIFIER: &str = "org.rustls.platformverifier.CertificateVerifier";

static CAN_VERIFY: AtomicBool = AtomicBool::new(false);

/// Why `init_java` fails.
pub struct NoVerifier;

/// Gives the verifier its Java environment. Fails if the app does not contain the verifier's class.
///
/// # Safety
///
/// `env` is the `JNIEnv *` of the calling thread, and `context` a local or global reference to an
/// `android.content.Context`. Neither is NULL.
pub unsafe fn init_java(env: *mut c_void, context: *mut c_void) -> Result<(), NoVerifier> {
    if CAN_VERIFY.load(SeqCst) {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let mut env = unsafe { EnvUnowned::from_raw(env.cast()) };
    let outcome = env.with_env(|env| {
        // SAFETY: the caller's promise.
        let context = unsafe { JObject::from_raw(env, context.cast()) };
        let initialised = (|| {
            // The application's context lives as long as the process. An activity's does not, and
            // the global reference would keep it.
            let application = jni_str!("getApplicationContext");
            let application = env
                .call_method(
                    &context,
                    application,
                    jni_sig!(() -> android.content.Context),
                    &[],
                )?
                .l()?;
            // An application that is just being created has none yet.
            let context = match application.is_null() {
                true => context,
                false => application,
            };
            let loader = jni_str!("getClassLoader");
            let loader = env.call_method(&context, loader, jni_sig!(() -> JClassLoader), &[])?;
            let loader = env.cast_local::<JClassLoader>(loader.l()?)?;
            let name = env.new_string(VERIFIER)?;
            loader.load_class(env, name)?;
            rustls_platform_verifier::android::init_with_env(env, context)
        })();
        if initialised.is_err() {
            // The exception would strike the next Java call of the app.
            env.exception_clear();
        }
        initialised
    });
    match outcome.into_outcome() {
        Outcome::Ok(()) => {
            CAN_VERIFY.store(true, SeqCst);
            Ok(())
        }
        Outcome::Err(_) | Outcome::Panic(_) => Err(NoVerifier),
    }
}

/// Returns an error if the system's verifier cannot be used yet. It would panic.
pub fn check_verifier() -> Result<(), &'static str> {
    match CAN_VERIFY.load(SeqCst) {
        true => Ok(()),
        false => Err("Android's need a Java environment; call zelf_android_init, or set a CA file"),
    }
}
