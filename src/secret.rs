//! Bytes that are gone when they are freed.

use std::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// A buffer that holds a token: never printed, and wiped when dropped.
///
/// It grows by hand. A `Vec` that moves would leave its old bytes in freed
/// memory.
#[derive(Default)]
pub(crate) struct Secret(Vec<u8>);

impl Secret {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn append(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut larger = Self::with_capacity(needed.next_power_of_two());
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl From<Vec<u8>> for Secret {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        let mut copy = Self::with_capacity(self.0.len());
        copy.append(&self.0);
        copy
    }
}

impl Deref for Secret {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Secret {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // With its spare room, and at once: `Zeroize` goes byte by byte.
        self.0.clear();
        self.0.resize(self.0.capacity(), 0);
        optimization_barrier(self.0.as_slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_what_was_appended() {
        let mut secret = Secret::default();
        for part in [b"one".as_slice(), b"", &[7; 1000]] {
            secret.append(part);
        }
        assert_eq!(secret.len(), 1003);
        assert_eq!(&secret.clone()[..4], b"one\x07");
    }
}
