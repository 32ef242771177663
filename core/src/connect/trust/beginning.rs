//! Decodes the first lines of a certificate without allocating memory.

/// Most certificates contain their subject within a quarter of this.
const MAX: usize = 1024;

/// The first bytes of a certificate's DER, decoded as far as needed.
pub struct Beginning<'a> {
    text: &'a [u8],
    der: [u8; MAX],
    length: usize,
}

impl<'a> Beginning<'a> {
    pub fn new(base64: &'a [u8]) -> Self {
        Self {
            text: base64,
            der: [0; MAX],
            length: 0,
        }
    }

    pub fn der(&self) -> &[u8] {
        &self.der[..self.length]
    }

    /// Decodes at least `length` bytes. Returns false if the text is too short, has lines of an
    /// unusual length, or is invalid. Then only decoding the whole text can tell.
    pub fn extend_to(&mut self, length: usize) -> bool {
        while self.length < length {
            if self.decode_line().is_none() {
                return false;
            }
        }
        true
    }

    fn decode_line(&mut self) -> Option<()> {
        let start = self.text.iter().position(|&byte| !is_space(byte))?;
        let text = &self.text[start..];
        let der = &mut self.der[self.length..];
        let mut line = text.get(..64).unwrap_or(text);
        if !decode_quads(line, der) {
            line = &line[..line.iter().position(|&byte| is_space(byte))?];
            decode_quads(line, der).then_some(())?;
        }
        self.text = &text[line.len()..];
        self.length += line.len() / 4 * 3;
        Some(())
    }
}

/// Decodes base64 without padding. The decoder of the base64 crate takes almost twice the
/// instructions for a line.
fn decode_quads(text: &[u8], der: &mut [u8]) -> bool {
    let (quads, rest) = text.as_chunks();
    let mut all = 0;
    for (index, &[a, b, c, d]) in quads.iter().enumerate() {
        let [a, b, c, d] =
            [(0, a), (1, b), (2, c), (3, d)].map(|(place, byte)| VALUES[place][usize::from(byte)]);
        let value = a | b | c | d;
        all |= value;
        // Stores four bytes at once. The next quad overwrites the fourth, or it is not used.
        let Some(bytes) = der.get_mut(index * 3..index * 3 + 4) else {
            return false;
        };
        bytes.copy_from_slice(&value.to_be_bytes());
    }
    rest.is_empty() && all & INVALID == 0
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const INVALID: u32 = 1;

/// The value of each character, shifted to each of the four positions of a quad.
static VALUES: [[u32; 256]; 4] = {
    let mut values = [[INVALID; 256]; 4];
    let mut index = 0;
    while index < 256 {
        let (place, value) = (index / 64, index % 64);
        values[place][ALPHABET[value] as usize] = (value as u32) << (26 - 6 * place);
        index += 1;
    }
    values
};

/// Returns whether PEM allows the byte between the characters of its base64.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;

    fn der() -> Vec<u8> {
        (0..900).map(|byte| (byte * 7) as u8).collect()
    }

    fn wrapped(width: usize, newline: &str) -> String {
        let text = STANDARD.encode(der()).into_bytes();
        let lines = text.chunks(width).map(|line| str::from_utf8(line).unwrap());
        lines.flat_map(|line| [line, newline]).collect()
    }

    #[test]
    fn decodes_what_the_whole_text_begins_with() {
        for (width, newline) in [
            (64, "\n"),
            (64, "\r\n"),
            (76, "\n"),
            (4, " \t\n"),
            (5000, ""),
        ] {
            let text = wrapped(width, newline);
            for length in [0, 1, 47, 48, 49, 200, 890] {
                let mut beginning = Beginning::new(text.as_bytes());
                assert!(beginning.extend_to(length), "{width} {length}");
                assert!(beginning.der().len() >= length);
                assert_eq!(beginning.der(), &der()[..beginning.der().len()]);
            }
        }
    }

    #[test]
    fn gives_up_on_a_line_that_ends_inside_a_quad() {
        for width in [1, 63, 65, 75] {
            assert!(!Beginning::new(wrapped(width, "\n").as_bytes()).extend_to(100));
        }
    }

    #[test]
    fn gives_up_on_what_is_not_base64() {
        for text in ["", "\n", "====", "AAA!", "AAAA-AAA", "AA\0A"] {
            assert!(!Beginning::new(text.as_bytes()).extend_to(4), "{text}");
        }
    }

    #[test]
    fn gives_up_where_the_text_or_the_buffer_ends() {
        let text = "A".repeat(4 * MAX);
        assert!(!Beginning::new(text.as_bytes()).extend_to(MAX + 1));
        assert!(!Beginning::new(text.as_bytes()).extend_to(usize::MAX));
        assert!(!Beginning::new(b"AAAA").extend_to(4));
    }
}
