//! The token as written in the JSON.

use serde_json::value::RawValue;

use crate::secret::Secret;

/// The bytes of a token. Escapes are decoded here, because a JSON parser decodes them in a buffer
/// that it does not overwrite.
pub enum TokenText<'a> {
    Plain(&'a [u8]),
    Unescaped(Secret),
}

impl<'a> TokenText<'a> {
    /// Reads a JSON value if it is a string.
    pub fn of(value: &'a RawValue) -> Option<Self> {
        let text = value.get().strip_prefix('"')?.strip_suffix('"')?.as_bytes();
        match text.contains(&b'\\') {
            true => Some(Self::Unescaped(unescaped(text))),
            false => Some(Self::Plain(text)),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Plain(text) => text,
            Self::Unescaped(text) => text,
        }
    }
}

/// Decodes the escapes of RFC 8259, section 7.
fn unescaped(text: &[u8]) -> Secret {
    let mut plain = Secret::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'\\' {
            plain.append(&[first]);
            continue;
        }
        let Some((&kind, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        let byte = match kind {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let (digits, after) = rest.split_at_checked(4).unwrap_or((rest, &[]));
                rest = after;
                ascii(digits).unwrap_or(NOT_ASCII)
            }
            itself => itself,
        };
        plain.append(&[byte]);
    }
    plain
}

/// Replaces any character that a token cannot contain.
const NOT_ASCII: u8 = 0xff;

fn ascii(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok()?;
    let number = u8::from_str_radix(digits, 16).ok()?;
    number.is_ascii().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(json: &str) -> Option<Vec<u8>> {
        let value: &RawValue = serde_json::from_str(json).unwrap();
        TokenText::of(value).map(|text| text.bytes().to_vec())
    }

    #[test]
    fn a_token_is_the_same_however_json_writes_it() {
        for json in [
            r#""a/b.c+""#,
            r#""a\/b.c+""#,
            r#""\u0061\u002Fb.c+""#,
            r#""\u0061/b\u002ec\u002b""#,
        ] {
            assert_eq!(bytes(json).unwrap(), b"a/b.c+", "{json}");
        }
        assert_eq!(bytes(r#""\"\\\b\f\n\r\t""#).unwrap(), b"\"\\\x08\x0c\n\r\t");
    }

    #[test]
    fn a_token_outside_ascii_stays_outside_ascii() {
        for json in [
            r#""\u00e9""#,
            r#""\ud83d\ude00""#,
            r#""\ud800""#,
            "\"\u{e9}\\n\"",
        ] {
            assert!(!bytes(json).unwrap().is_ascii(), "{json}");
        }
    }

    #[test]
    fn only_a_string_is_a_token() {
        for json in ["1", "null", "true", "{}", "[\"a\"]"] {
            assert_eq!(bytes(json), None, "{json}");
        }
    }
}
