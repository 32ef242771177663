use std::ffi::{CStr, c_char};

use zelf_core::{
    error::{Error, Status},
    identifier,
};

use crate::ffi::{guard, status::zelf_status};

/// Size of an identifier in bytes: 32 lower-case hex digits and a NUL.
pub const ZELF_IDENTIFIER_SIZE: usize = 33;

/// Derives an identifier from a device id, such as a serial number.
///
/// The same input gives the same identifier on every device and in every version
/// (PBKDF2-HMAC-SHA-256, fixed salt). It takes a few milliseconds: keep the result. Someone with
/// a list of possible inputs can try them all; zelf_identifier_random has no such weakness.
///
/// device_id: a serial number, UUID, MAC address or other bytes up to a NUL, at least one.
/// out: receives the identifier and a NUL; not written on failure.
/// capacity: the size of out in bytes, at least ZELF_IDENTIFIER_SIZE.
///
/// Returns ZELF_OK or ZELF_ERROR_INVALID_ARGUMENT.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_identifier_derive(
    device_id: *const c_char,
    out: *mut c_char,
    capacity: usize,
) -> zelf_status {
    guard::status(|| {
        if device_id.is_null() {
            return Err(Error::new(
                Status::InvalidArgument,
                "the device id is NULL; pass a string",
            ));
        }
        // SAFETY: a C string, as the header requires.
        let device_id = unsafe { CStr::from_ptr(device_id) };
        // SAFETY: room for `capacity` bytes or NULL, as the header requires.
        unsafe { put(out, capacity, || identifier::derive(device_id.to_bytes())) }
    })
}

/// Makes a random identifier of 128 bits.
///
/// Keep it: to the server, another identifier is another device.
///
/// out, capacity: as in zelf_identifier_derive.
///
/// Returns ZELF_OK, ZELF_ERROR_INVALID_ARGUMENT, or ZELF_ERROR_SYSTEM if the system has no
/// random numbers.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C-unwind" fn zelf_identifier_random(
    out: *mut c_char,
    capacity: usize,
) -> zelf_status {
    // SAFETY: room for `capacity` bytes or NULL, as the header requires.
    guard::status(|| unsafe { put(out, capacity, identifier::random) })
}

/// Writes an identifier and a NUL.
///
/// # Safety
///
/// `out` is NULL or has room for `capacity` bytes.
unsafe fn put(
    out: *mut c_char,
    capacity: usize,
    make: impl FnOnce() -> Result<[u8; identifier::DIGITS], Error>,
) -> Result<(), Error> {
    if out.is_null() || capacity < ZELF_IDENTIFIER_SIZE {
        return Err(Error::new(
            Status::InvalidArgument,
            "the buffer is NULL or too small; pass ZELF_IDENTIFIER_SIZE bytes",
        ));
    }
    let digits = make()?;
    // SAFETY: the size was checked: the digits and a NUL fit.
    unsafe {
        out.copy_from_nonoverlapping(digits.as_ptr().cast(), digits.len());
        out.add(digits.len()).write(0);
    }
    Ok(())
}
