//! The head of a response: its status line and headers.

use std::{mem::MaybeUninit, ops::Range};

use crate::{
    http::{
        coding::Coding,
        date::http_date,
        no_answer::NoAnswer,
        retry_after::{self, RetryAfter},
    },
    secret::Secret,
};

/// More than servers send. A response with more headers is refused.
const MAX_HEADERS: usize = 256;

/// The first bytes of every head.
pub const BEGINNING: &[u8] = b"HTTP/1.";

/// The status and the headers that the library uses.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub status: u16,
    pub date: Option<i64>,
    pub retry_after: Option<RetryAfter>,
    /// The position of the value of `Location`.
    pub location: Option<Range<usize>>,
    pub coding: Option<Coding>,
    pub framing: Framing,
    /// The connection may be used again after this response.
    pub keeps_connection: bool,
}

/// How the body ends (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    #[default]
    Nothing,
    Length(u64),
    Chunked,
    /// At the end of the connection.
    UntilClose,
}

/// The kind of request, which decides about the framing of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET, POST and others.
    Usual,
    Head,
    Connect,
}

/// Reads the head at the beginning of `bytes`. Returns the head and its length, or `None` if it is
/// incomplete.
///
/// It accepts what curl accepts: a space before a header's colon, folded lines, odd status lines,
/// control characters. A line that is not a header is ignored.
pub fn read(bytes: &[u8], method: Method) -> Result<Option<(Head, usize)>, NoAnswer> {
    read_as_it_is(bytes, method).or_else(|_| read_cleaned(bytes, method))
}

/// Reads a head whose control characters are replaced by spaces. The connection is not used again,
/// because a proxy may see other lines in this head.
#[cold]
fn read_cleaned(bytes: &[u8], method: Method) -> Result<Option<(Head, usize)>, NoAnswer> {
    let mut found = read_as_it_is(&cleaned(bytes), method)?;
    if let Some((head, _)) = &mut found {
        head.keeps_connection = false;
    }
    Ok(found)
}

/// Returns the bytes with their control characters replaced by spaces. They may contain a token.
fn cleaned(bytes: &[u8]) -> Secret {
    // The next byte decides whether a CR ends a line, so ignore one at the end.
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let mut clean = Secret::from(bytes.to_vec());
    for (at, byte) in clean.iter_mut().enumerate() {
        let ends_line = match *byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) == Some(&b'\n'),
            _ => false,
        };
        if byte.is_ascii_control() && !ends_line {
            *byte = b' ';
        }
    }
    clean
}

/// Calls `each` for every header of a head, with the position of its name and its value.
pub fn for_each_header(bytes: &[u8], mut each: impl FnMut(Range<usize>, &[u8])) {
    if !each_header(bytes, &mut each) {
        each_header(&cleaned(bytes), &mut each);
    }
}

/// Calls `each` for every header. Returns whether the head could be read.
fn each_header(bytes: &[u8], each: &mut impl FnMut(Range<usize>, &[u8])) -> bool {
    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = parser().parse_response_with_uninit_headers(&mut response, bytes, &mut room);
    if parsed.is_err() {
        return false;
    }
    for header in response.headers.iter() {
        let start = header.name.as_ptr().addr() - bytes.as_ptr().addr();
        each(start..start + header.name.len(), header.value);
    }
    true
}

/// Returns a parser that accepts what curl accepts.
fn parser() -> httparse::ParserConfig {
    let mut parser = httparse::ParserConfig::default();
    parser
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_multiple_spaces_in_response_status_delimiters(true)
        .ignore_invalid_headers_in_responses(true);
    parser
}

fn read_as_it_is(bytes: &[u8], method: Method) -> Result<Option<(Head, usize)>, NoAnswer> {
    let is_http_so_far = bytes
        .iter()
        .zip(BEGINNING)
        .all(|(got, wanted)| got == wanted);
    if !is_http_so_far {
        return Err(NoAnswer::NotHttp("it does not begin with \"HTTP/1.\""));
    }

    let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = parser().parse_response_with_uninit_headers(&mut response, bytes, &mut room);
    let length = match parsed {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoAnswer::HeadTooLarge),
        Err(httparse::Error::Status | httparse::Error::Version) => {
            return Err(NoAnswer::NotHttp("its status line is malformed"));
        }
        Err(_) => return Err(NoAnswer::NotHttp("its headers are malformed")),
    };

    let status = response.code.unwrap_or_default();
    let mut fields = Fields::default();
    if !opens_tunnel(status, method) {
        for header in response.headers.iter() {
            fields.take(header, bytes)?;
        }
    }
    // An ignored line may have been a length. A folded line counts too.
    let has_odd_lines = count_lines(&bytes[..length]) != response.headers.len() + 2;
    let framing = fields.framing(status, method);
    let keeps_connection = response.version == Some(1)
        && !fields.closes
        && !has_odd_lines
        && !fields.is_ambiguous(status)
        && framing != Framing::UntilClose;
    let head = Head {
        status,
        date: fields.date,
        retry_after: fields.retry_after,
        location: fields.location,
        coding: fields.coding,
        framing,
        keeps_connection,
    };
    Ok(Some((head, length)))
}

/// Returns whether the bytes behind this head are those of the tunnel. Then headers about a body
/// must be ignored (RFC 9110, section 9.3.6).
fn opens_tunnel(status: u16, method: Method) -> bool {
    method == Method::Connect && (200..300).contains(&status)
}

fn count_lines(bytes: &[u8]) -> usize {
    // Summed up in bytes, in parts that cannot overflow, so that the loop is vectorised.
    let in_part = |part: &[u8]| part.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    bytes
        .chunks(255)
        .map(|part| usize::from(in_part(part)))
        .sum()
}

/// The headers that the library uses.
#[derive(Default)]
struct Fields {
    date: Option<i64>,
    retry_after: Option<RetryAfter>,
    location: Option<Range<usize>>,
    coding: Option<Coding>,
    length: Option<u64>,
    is_chunked: bool,
    has_coding: bool,
    closes: bool,
}

impl Fields {
    fn take(&mut self, header: &httparse::Header<'_>, bytes: &[u8]) -> Result<(), NoAnswer> {
        let value = header.value.trim_ascii();
        // Compare the length first: most headers are none of these.
        match header.name.len() {
            4 if header.name.eq_ignore_ascii_case("date") => {
                self.date = self.date.or_else(|| http_date(value));
            }
            8 if header.name.eq_ignore_ascii_case("location") => {
                let start = value.as_ptr().addr() - bytes.as_ptr().addr();
                self.location.get_or_insert(start..start + value.len());
            }
            10 if header.name.eq_ignore_ascii_case("connection") => {
                self.closes |= tokens(value).any(|token| token.eq_ignore_ascii_case(b"close"));
            }
            11 if header.name.eq_ignore_ascii_case("retry-after") => {
                self.retry_after = match (self.retry_after, retry_after::read(value)) {
                    (Some(one), Some(other)) => Some(one.or_longer(other)),
                    (one, other) => one.or(other),
                };
            }
            14 if header.name.eq_ignore_ascii_case("content-length") => self.take_length(value)?,
            16 if header.name.eq_ignore_ascii_case("content-encoding") => {
                self.coding = Coding::named(value);
            }
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                self.take_coding(value)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn take_length(&mut self, value: &[u8]) -> Result<(), NoAnswer> {
        for token in value.split(|byte| *byte == b',') {
            let token = token.trim_ascii();
            if token.is_empty() || !token.iter().all(u8::is_ascii_digit) {
                return Err(NoAnswer::NotHttp("its Content-Length is not a number"));
            }
            // It has only digits, so the only possible error is an overflow.
            let length = std::str::from_utf8(token)
                .ok()
                .and_then(|text| text.parse().ok())
                .ok_or(NoAnswer::HeadTooLarge)?;
            if self.length.is_some_and(|other| other != length) {
                return Err(NoAnswer::NotHttp("it has two different Content-Lengths"));
            }
            self.length = Some(length);
        }
        Ok(())
    }

    fn take_coding(&mut self, value: &[u8]) -> Result<(), NoAnswer> {
        for token in tokens(value) {
            if token.eq_ignore_ascii_case(b"identity") {
                self.has_coding = true;
            } else if token.eq_ignore_ascii_case(b"chunked") && !self.is_chunked {
                self.has_coding = true;
                self.is_chunked = true;
            } else {
                return Err(NoAnswer::NotHttp("its Transfer-Encoding is not chunked"));
            }
        }
        Ok(())
    }

    fn framing(&self, status: u16, method: Method) -> Framing {
        if matches!(status, 100..=199 | 204 | 304)
            || method == Method::Head
            || opens_tunnel(status, method)
        {
            Framing::Nothing
        } else if self.is_chunked {
            Framing::Chunked
        } else if let Some(length) = self.length {
            Framing::Length(length)
        } else {
            Framing::UntilClose
        }
    }

    /// Returns whether a proxy may see the end of this response at another place.
    fn is_ambiguous(&self, status: u16) -> bool {
        let has_length = self.length.is_some_and(|length| length > 0);
        self.has_coding && self.length.is_some() || status == 204 && (has_length || self.has_coding)
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}
