//! Which start of the system this is. Moments of one start mean nothing in another.

/// Returns a text that is another after each start of the system, if the system tells.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(target_vendor = "apple")]
pub fn id() -> Option<String> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: a C string, a buffer with its length, and nothing to set.
    let outcome = unsafe {
        libc::sysctlbyname(
            c"kern.bootsessionuuid".as_ptr(),
            text.as_mut_ptr().cast(),
            &mut length,
            std::ptr::null_mut(),
            0,
        )
    };
    let id = text.get(..length)?.split(|byte| *byte == 0).next()?;
    let id = std::str::from_utf8(id).ok()?;
    (outcome == 0 && !id.is_empty()).then(|| id.to_owned())
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub fn id() -> Option<String> {
    None
}
