//! Identifiers in the form that the server handles best: 32 lower-case hex digits.

use std::num::NonZeroU32;

use ring::pbkdf2;

use crate::{
    error::{Error, Status},
    host::entropy,
};

pub const DIGITS: usize = 32;

/// The salt, the algorithm and the rounds must never change: the same device gets the same
/// identifier in every version.
const SALT: &[u8] = b"libzelf identifier 1";
/// A serial number or a MAC has few bits, so guessing must be slow. This takes a few milliseconds
/// for each call.
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

/// Returns a salted hash of a unique property of the device.
pub fn derive(device_id: &[u8]) -> Result<[u8; DIGITS], Error> {
    if device_id.is_empty() {
        return Err(Error::new(
            Status::InvalidArgument,
            "the device id is empty; pass one that is unique to the device",
        ));
    }
    let mut hash = [0; DIGITS / 2];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        ROUNDS,
        SALT,
        device_id,
        &mut hash,
    );
    Ok(hex(hash))
}

/// Returns 128 random bits.
pub fn random() -> Result<[u8; DIGITS], Error> {
    let mut bytes = [0; DIGITS / 2];
    entropy::fill(&mut bytes)?;
    Ok(hex(bytes))
}

fn hex(bytes: [u8; DIGITS / 2]) -> [u8; DIGITS] {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; DIGITS];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = HEX[usize::from(byte >> 4)];
        pair[1] = HEX[usize::from(byte & 15)];
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(identifier: Result<[u8; DIGITS], Error>) -> String {
        String::from_utf8(identifier.unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_device_keeps_its_identifier_in_every_version() {
        // PBKDF2-HMAC-SHA-256, computed with another implementation.
        assert_eq!(
            text(derive(b"serial-0001")),
            "b19869862375fa324ef230d85dc24bf9"
        );
        assert_eq!(
            text(derive(b"\x00\x1b\x44\x11\x3a\xb7")),
            "aefe5438a9604d0571dc694a6e938f62"
        );
    }

    #[test]
    fn an_empty_device_id_is_refused() {
        assert_eq!(derive(b"").unwrap_err().status, Status::InvalidArgument);
    }

    #[test]
    fn random_identifiers_differ_and_are_lower_case_hex() {
        let (one, other) = (text(random()), text(random()));
        assert_ne!(one, other);
        assert!(one.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    }
}
