//! Reads HTTP/1.1 requests from a socket, with the limits of the service.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

/// The longest head of a request.
pub const HEAD_LIMIT: usize = 16 * 1024;
/// A body that was refused is still read up to this length.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// The least capacity for one read.
const PIECE: usize = 16 * 1024;

/// How long a head may take from its first byte to its last.
const WHOLE_HEAD: Duration = Duration::from_secs(60);

/// A request without its body.
#[derive(Clone, Debug)]
pub struct Head {
    pub method: String,
    /// The path and query, as received.
    pub target: String,
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub http_1_0: bool,
    pub framing: Framing,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the values of all headers with this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let matching = self.headers.iter();
        matching
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// Returns the media type of the body, without parameters, in lower case.
    pub fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        let media_type = value.split(';').next().unwrap_or_default();
        media_type.trim().to_ascii_lowercase()
    }

    pub fn wants_close(&self) -> bool {
        let connection = self.header("connection").unwrap_or_default();
        self.http_1_0
            || connection
                .split(',')
                .any(|token| token.trim().eq_ignore_ascii_case("close"))
    }

    pub fn expects_continue(&self) -> bool {
        self.header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Returns the values of a parameter of the query.
    pub fn parameters(&self, name: &str) -> Vec<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    /// Returns the path as the service's router compares it: in lower case, without a slash at the
    /// end.
    pub fn route(&self) -> String {
        let path = self.path.strip_suffix('/').unwrap_or(&self.path);
        path.to_ascii_lowercase()
    }
}

/// The rest of the body that was not received yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(u64),
    Chunked { left_in_chunk: u64, first: bool },
    Done,
}

/// Why there is no request.
#[derive(Debug)]
pub enum NoRequest {
    /// The peer has closed the connection, or has sent nothing in time. Close without an answer.
    Closed,
    /// It is not HTTP. Answer a bare 400.
    Malformed,
    /// It is longer than [`HEAD_LIMIT`]. Answer a bare 431.
    TooLarge,
}

/// A body, as far as it was read.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Complete(Vec<u8>),
    TooLarge,
}

/// Received bytes that were not used yet.
#[derive(Debug, Default)]
pub struct Inbound {
    buffer: Vec<u8>,
}

impl Inbound {
    async fn fill<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<()> {
        // Read directly into the buffer: an array in the future would be moved with it.
        self.buffer.reserve(PIECE);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// Waits for the head of a request. `patience` is the limit for its first byte. Then
    /// [`WHOLE_HEAD`] is the limit for the rest.
    pub async fn head<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        patience: Duration,
    ) -> Result<Head, NoRequest> {
        if self.buffer.is_empty() {
            match timeout(patience, self.fill(stream)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return Err(NoRequest::Closed),
            }
        }
        let whole = async {
            loop {
                match parse_head(&self.buffer)? {
                    Some((head, length)) => {
                        self.buffer.drain(..length);
                        return Ok(head);
                    }
                    None if self.buffer.len() > HEAD_LIMIT => return Err(NoRequest::TooLarge),
                    None => self.fill(stream).await.map_err(|_| NoRequest::Closed)?,
                }
            }
        };
        timeout(WHOLE_HEAD, whole)
            .await
            .unwrap_or(Err(NoRequest::Closed))
    }

    /// Reads a body of up to `limit` bytes. A longer one is not read: see [`Inbound::drain`].
    pub async fn body<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        framing: &mut Framing,
        limit: usize,
    ) -> io::Result<Body> {
        if let Framing::Length(length) = *framing
            && length > limit as u64
        {
            return Ok(Body::TooLarge);
        }
        if let Framing::Length(length) = *framing {
            let body = self.whole_body(stream, length as usize).await?;
            *framing = Framing::Done;
            return Ok(Body::Complete(body));
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece(stream, framing).await? {
            body.extend_from_slice(&piece);
            if body.len() > limit {
                return Ok(Body::TooLarge);
            }
        }
        Ok(Body::Complete(body))
    }

    /// Reads a body of this length directly into its buffer.
    async fn whole_body<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        length: usize,
    ) -> io::Result<Vec<u8>> {
        let here = length.min(self.buffer.len());
        let mut body = Vec::with_capacity(length);
        body.extend(self.buffer.drain(..here));
        while body.len() < length {
            let left = (length - body.len()) as u64;
            if (&mut *stream).take(left).read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(body)
    }

    /// Reads and discards the rest of a body, so that the next request can be read.
    pub async fn drain<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        framing: &mut Framing,
    ) -> io::Result<()> {
        let mut drained = 0;
        while let Some(piece) = self.piece(stream, framing).await? {
            drained += piece.len();
            if drained > DRAIN_LIMIT {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(())
    }

    /// Returns the next bytes of a body, or `None` at its end.
    async fn piece<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        framing: &mut Framing,
    ) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Framing::Length(left)
            | Framing::Chunked {
                left_in_chunk: left,
                ..
            } = framing
                && *left > 0
            {
                if self.buffer.is_empty() {
                    self.fill(stream).await?;
                }
                let length = usize::try_from(*left).unwrap_or(usize::MAX);
                let length = length.min(self.buffer.len());
                *left -= length as u64;
                return Ok(Some(self.buffer.drain(..length).collect()));
            }
            match framing {
                Framing::Chunked { first, .. } => {
                    *framing = self.next_chunk(stream, *first).await?;
                }
                Framing::Length(_) | Framing::Done => {
                    *framing = Framing::Done;
                    return Ok(None);
                }
            }
        }
    }

    /// Reads the first line of a chunk, and before it the end of the previous one.
    async fn next_chunk<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        first: bool,
    ) -> io::Result<Framing> {
        if !first && !self.line(stream).await?.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut line = self.line(stream).await?;
        line.extend_from_slice(b"\r\n");
        let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        if size > 0 {
            return Ok(Framing::Chunked {
                left_in_chunk: size,
                first: false,
            });
        }
        // Trailers end with an empty line. They are ignored.
        while !self.line(stream).await?.is_empty() {}
        Ok(Framing::Done)
    }

    async fn line<S: AsyncRead + Unpin>(&mut self, stream: &mut S) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.buffer[..end].to_vec();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if self.buffer.len() > HEAD_LIMIT {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.fill(stream).await?;
        }
    }
}

fn parse_head(buffer: &[u8]) -> Result<Option<(Head, usize)>, NoRequest> {
    let mut headers = [httparse::EMPTY_HEADER; 256];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoRequest::TooLarge),
        Err(_) => return Err(NoRequest::Malformed),
    };
    if length > HEAD_LIMIT {
        return Err(NoRequest::TooLarge);
    }
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head = Head {
        method: parsed.method.unwrap_or_default().to_owned(),
        target: target.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: parsed
            .headers
            .iter()
            .map(|header| {
                let value = String::from_utf8_lossy(header.value);
                (header.name.to_owned(), value.into_owned())
            })
            .collect(),
        http_1_0: parsed.version == Some(0),
        framing: Framing::Done,
    };
    head.framing = framing(&head)?;
    if !head.http_1_0 && head.header("host").is_none() {
        return Err(NoRequest::Malformed);
    }
    Ok(Some((head, length)))
}

/// Applies the length rules of RFC 9112, section 6.3. Two lengths are refused, because choosing one
/// of them would allow request smuggling.
fn framing(head: &Head) -> Result<Framing, NoRequest> {
    match (
        head.all("content-length").as_slice(),
        head.all("transfer-encoding").as_slice(),
    ) {
        ([], []) => Ok(Framing::Done),
        ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
            .parse()
            .map(Framing::Length)
            .map_err(|_| NoRequest::Malformed),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked {
            left_in_chunk: 0,
            first: true,
        }),
        _ => Err(NoRequest::Malformed),
    }
}
