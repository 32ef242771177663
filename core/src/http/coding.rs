//! The coding of a body. The library requests none: it sends `Accept-Encoding: identity`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
    Utf16,
    Unknown,
}

impl Coding {
    /// Reads a `Content-Encoding`. Returns `None` if the body is not coded.
    pub fn named(value: &[u8]) -> Option<Self> {
        // Of several codings, the last one was applied last.
        let value = value.rsplit(|byte| *byte == b',').next()?;
        let value = value.trim_ascii().to_ascii_lowercase();
        Some(match &value[..] {
            b"" | b"identity" => return None,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            b"deflate" => Coding::Deflate,
            b"br" => Coding::Brotli,
            b"zstd" => Coding::Zstd,
            _ => Coding::Unknown,
        })
    }

    /// Detects a coding by the first bytes of the body.
    pub fn of(body: &[u8]) -> Option<Self> {
        match body {
            [0x1f, 0x8b, ..] => Some(Coding::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstd),
            // The header of zlib (RFC 1950), for its four levels.
            [0x78, 0x01 | 0x9c | 0xda, ..] => Some(Coding::Deflate),
            // This one is "x^" in ASCII, so check that the body is not text.
            [0x78, 0x5e, ..] if std::str::from_utf8(body).is_err() => Some(Coding::Deflate),
            // A byte order mark, or ASCII in UTF-16, as at the start of JSON or HTML.
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=u8::MAX, ..] | [1..=u8::MAX, 0, ..] => {
                Some(Coding::Utf16)
            }
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Brotli => "Brotli",
            Coding::Zstd => "zstd",
            Coding::Utf16 => "UTF-16",
            Coding::Unknown => "unknown",
        }
    }
}
