//! The text of a body.

use std::borrow::Cow;

use crate::{api::json, http::coding::Coding};

/// Returns a body as text, or its coding. A body that is text counts as not coded, even if a header
/// says otherwise.
pub fn read(body: &[u8], named: Option<Coding>) -> Result<Cow<'_, str>, Coding> {
    let body = json::without_byte_order_mark(body);
    let whole = match std::str::from_utf8(body) {
        // The body was cut inside a character.
        Err(error) if error.error_len().is_none() => &body[..error.valid_up_to()],
        _ => body,
    };
    let is_odd = |c: char| c.is_control() && !matches!(c, '\t'..='\r' | '\u{1b}');
    let recognised = Coding::of(body);
    match (std::str::from_utf8(whole), recognised, named) {
        (Ok(text), None, None) => return Ok(text.into()),
        (Ok(text), None, Some(_)) if !text.contains(is_odd) => return Ok(text.into()),
        _ => {}
    }
    match recognised.or(named) {
        Some(Coding::Utf16) => utf16(body).ok_or(Coding::Utf16).map(Cow::Owned),
        Some(coding) => Err(coding),
        // Decode Latin-1, which older proxies use for their pages.
        None => {
            let text: String = body.iter().copied().map(char::from).collect();
            let is_binary = text.contains(|c: char| c < ' ' && is_odd(c));
            if is_binary {
                Err(Coding::Unknown)
            } else {
                Ok(text.into())
            }
        }
    }
}

fn utf16(body: &[u8]) -> Option<String> {
    let (body, is_little) = match body {
        [0xff, 0xfe, rest @ ..] => (rest, true),
        [0xfe, 0xff, rest @ ..] => (rest, false),
        [0, ..] => (body, false),
        _ => (body, true),
    };
    let units = body.chunks_exact(2).map(|pair| match is_little {
        true => u16::from_le_bytes([pair[0], pair[1]]),
        false => u16::from_be_bytes([pair[0], pair[1]]),
    });
    char::decode_utf16(units).collect::<Result<_, _>>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(body: &[u8]) -> Option<Cow<'_, str>> {
        read(body, None).ok()
    }

    #[test]
    fn a_body_is_read_in_utf_8_utf_16_and_latin_1() {
        let json = r#"{"error":"rejected"}"#;
        let little: Vec<u8> = json.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = json.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, rest) in [
            (&b""[..], json.as_bytes()),
            (b"\xef\xbb\xbf", json.as_bytes()),
            (b"", &little),
            (b"\xff\xfe", &little),
            (b"", &big),
            (b"\xfe\xff", &big),
        ] {
            assert_eq!(text(&[mark, rest].concat()).unwrap(), json);
        }
        assert_eq!(text(b"gesch\xfctzt").unwrap(), "geschützt");
        assert_eq!(text(b"caf\xc3").unwrap(), "caf", "cut in a character");
        assert_eq!(text(b"x^2\0").unwrap(), "x^2\0");
        assert_eq!(text(b"").unwrap(), "");
    }

    #[test]
    fn a_body_that_is_text_is_not_coded() {
        let json = r#"{"error":"é"}"#;
        for named in [Coding::Gzip, Coding::Deflate, Coding::Brotli] {
            assert_eq!(read(json.as_bytes(), Some(named)).unwrap(), json);
        }
    }

    #[test]
    fn a_body_that_is_coded_says_how() {
        const GZIP: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabV";
        for (body, named, coding) in [
            (GZIP, None, Coding::Gzip),
            (GZIP, Some(Coding::Brotli), Coding::Gzip),
            (b"\x78\x01\xabV", None, Coding::Deflate),
            (b"\x78\x5e\xabV", None, Coding::Deflate),
            (b"\x78\x9c\xabV", None, Coding::Deflate),
            (b"\x78\xda\xabV", None, Coding::Deflate),
            (b"\x28\xb5\x2f\xfd\x04\0", None, Coding::Zstd),
            (b"\x8b\x09\x80{}\x03", Some(Coding::Brotli), Coding::Brotli),
            (b"\x0b\x02\x80", Some(Coding::Deflate), Coding::Deflate),
            (b"\x0b\x02", Some(Coding::Brotli), Coding::Brotli),
            (b"\xff\xfe\0\xd8", None, Coding::Utf16),
            (b"\x89PNG\r\n\x1a\n\0\x01", None, Coding::Unknown),
        ] {
            assert_eq!(read(body, named), Err(coding), "{body:x?}");
        }
    }
}
