use std::ffi::{CStr, c_char};

use zelf_core::{
    error::{Error, Status},
    identifier,
};

use crate::ffi::{guard, status::zelf_status};

/// Bytes that an identifier from these functions needs: 32 lower-case hex
/// digits and the NUL at the end.
pub const ZELF_IDENTIFIER_SIZE: usize = 33;

/// Makes an identifier from whatever tells this device or installation apart:
/// a serial number, a UUID, a MAC address as text. The same input gives the
/// same identifier on every device and in every version of this library.
///
/// The input cannot be computed back (PBKDF2-HMAC-SHA-256, salted, 10000
/// rounds: a few milliseconds of CPU, so keep the result). Whoever has a list
/// of possible inputs can still try them all; where that matters, keep a
/// random identifier instead.
///
/// device_id: any bytes up to a NUL, at least one.
/// out: where to put the identifier and its NUL; not written on failure.
/// capacity: the bytes that out has room for, at least ZELF_IDENTIFIER_SIZE.
///
/// Returns ZELF_OK, or ZELF_ERROR_INVALID_ARGUMENT when a pointer is NULL,
/// device_id is empty or capacity too small.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_identifier_derive(
    device_id: *const c_char,
    out: *mut c_char,
    capacity: usize,
) -> zelf_status {
    guard::status(|| {
        if device_id.is_null() {
            return Err(Error::new(Status::InvalidArgument, "the device id is NULL"));
        }
        // SAFETY: a C string, as the header asks.
        let device_id = unsafe { CStr::from_ptr(device_id) };
        // SAFETY: room for `capacity` bytes or NULL, as the header asks.
        unsafe { put(out, capacity, || identifier::derive(device_id.to_bytes())) }
    })
}

/// Makes a random identifier (128 bits from the system). Keep it: another one
/// is another device to the server.
///
/// out: where to put the identifier and its NUL; not written on failure.
/// capacity: the bytes that out has room for, at least ZELF_IDENTIFIER_SIZE.
///
/// Returns ZELF_OK, ZELF_ERROR_INVALID_ARGUMENT when out is NULL or capacity
/// too small, or ZELF_ERROR_SYSTEM when the system has no random numbers.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zelf_identifier_random(out: *mut c_char, capacity: usize) -> zelf_status {
    // SAFETY: room for `capacity` bytes or NULL, as the header asks.
    guard::status(|| unsafe { put(out, capacity, identifier::random) })
}

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
            "there is no room for an identifier",
        ));
    }
    let digits = make()?;
    // SAFETY: the room was just checked: the digits and a NUL.
    unsafe {
        out.copy_from_nonoverlapping(digits.as_ptr().cast(), digits.len());
        out.add(digits.len()).write(0);
    }
    Ok(())
}
