/// Gives the library the Java environment that it needs to ask Android's trust manager.
///
/// Call it once, before zelf_client_new, on a thread of the Java virtual machine, such as in a
/// native method. Until it has succeeded, zelf_client_new fails with ZELF_ERROR_TLS, unless the
/// configuration has a CA file, PEM certificates or an "http://" base URL.
///
/// The app must contain the class org.rustls.platformverifier.CertificateVerifier: add the Maven
/// package org.rustls:rustls-platform-verifier in version 0.2.0 (docs/guide.md).
///
/// env: the JNIEnv * of the calling thread. The type is void * so that this header does not need
///   jni.h.
/// context: a jobject, any android.content.Context of the app. The library keeps a global
///   reference to the application's context.
///
/// Returns ZELF_OK, also if it has succeeded before; ZELF_ERROR_INVALID_ARGUMENT for NULL;
/// ZELF_ERROR_TLS if the class cannot be loaded. No Java exception is pending afterwards.
#[cfg(target_os = "android")]
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn zelf_android_init(
    env: *mut std::ffi::c_void,
    context: *mut std::ffi::c_void,
) -> crate::ffi::status::zelf_status {
    use zelf_core::{
        error::{Error, Status},
        host::system,
    };

    crate::ffi::guard::status(|| {
        if env.is_null() || context.is_null() {
            return Err(Error::new(
                Status::InvalidArgument,
                "the environment or the context is NULL",
            ));
        }
        // SAFETY: the thread's environment and a context, as the header requires.
        unsafe { system::init_java(env, context) }.map_err(|_| {
            Error::new(
                Status::Tls,
                "the certificate verifier cannot be loaded; add its package to the app",
            )
        })
    })
}
