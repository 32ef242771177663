//! Bytes that are overwritten with zeros before they are freed.

use std::{
    mem::MaybeUninit,
    ops::{Deref, DerefMut},
};

use zeroize::optimization_barrier;

/// A buffer for a token. It is never printed, and is overwritten with zeros when it is dropped.
///
/// It does not use the growth of `Vec`, which leaves the old bytes in freed memory.
#[derive(Default)]
pub struct Secret(Vec<u8>);

impl Secret {
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub fn append(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            self.move_to(roomy(needed));
        }
        self.0.extend_from_slice(bytes);
    }

    /// Allocates memory for exactly `count` more bytes.
    pub fn reserve(&mut self, count: usize) {
        let needed = self.0.len().saturating_add(count);
        if needed > self.0.capacity() {
            self.move_to(needed);
        }
    }

    fn move_to(&mut self, capacity: usize) {
        let mut larger = Self::with_capacity(capacity);
        larger.0.extend_from_slice(&self.0);
        *self = larger;
    }

    /// Removes the first `count` bytes, and moves the others to the front.
    pub fn remove_front(&mut self, count: usize) {
        let left = self.0.len() - count;
        self.0.copy_within(count.., 0);
        self.truncate(left);
    }

    /// Keeps the first `length` bytes, and overwrites the others with zeros.
    pub fn truncate(&mut self, length: usize) {
        if let Some(rest) = self.0.get_mut(length..) {
            rest.fill(0);
            optimization_barrier(&*rest);
        }
        self.0.truncate(length);
    }
}

/// Returns the capacity for a growing buffer: up to twice the needed size while it is small, and a
/// quarter more when it is large.
fn roomy(needed: usize) -> usize {
    const LARGE: usize = 256 * 1024;
    match needed < LARGE {
        true => needed.next_power_of_two(),
        false => needed + needed / 4,
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
        // Including the spare capacity. `Zeroize` writes single bytes, and a large `memset` uses an
        // instruction that is slow to start.
        const PART: usize = 1024;
        self.0.clear();
        for part in self.0.spare_capacity_mut().chunks_mut(PART) {
            part.fill(MaybeUninit::new(0));
            optimization_barrier(&*part);
        }
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

    #[test]
    fn room_is_made_once() {
        let mut secret = Secret::from(b"abc".to_vec());
        secret.reserve(1000);
        let place = secret.as_ptr();
        secret.append(&[7; 1000]);
        assert_eq!((secret.as_ptr(), secret.len()), (place, 1003));
    }

    #[test]
    fn either_end_can_be_cut_off() {
        let mut secret = Secret::from(b"abcdef".to_vec());
        secret.remove_front(2);
        secret.truncate(3);
        secret.truncate(9);
        assert_eq!(&*secret, b"cde");
    }
}
