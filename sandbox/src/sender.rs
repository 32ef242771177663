//! The ways to send an answer.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::delivery::Delivery;
use crate::fault_kind::AnswerFraming;
use crate::response::Response;
use crate::sync::wait;

/// The size of a piece of oversized answers. Longer bodies are not copied.
const PIECE: usize = 64 * 1024;

/// An answer, and the properties of its connection.
pub struct Outgoing<'a> {
    pub response: &'a Response,
    pub date: Option<String>,
    pub keep_alive: bool,
    /// For the answer to a HEAD.
    pub without_body: bool,
}

impl Outgoing<'_> {
    fn body(&self) -> &[u8] {
        if self.without_body {
            &[]
        } else {
            &self.response.body
        }
    }

    fn head(&self) -> Vec<u8> {
        let length = self.response.body.len() as u64;
        let date = self.date.as_deref();
        self.response.head(Some(length), date, self.keep_alive)
    }

    fn head_without_length(&self, keep_alive: bool) -> Vec<u8> {
        self.response.head(None, self.date.as_deref(), keep_alive)
    }

    pub async fn whole<W: AsyncWrite + Unpin>(&self, out: &mut W) -> io::Result<()> {
        let mut bytes = self.head();
        if self.body().len() > PIECE {
            // Copying a long body costs more than a second call.
            out.write_all(&bytes).await?;
            return write(out, self.body()).await;
        }
        bytes.extend_from_slice(self.body());
        write(out, &bytes).await
    }

    /// Sends the head and this many bytes of the body (default: half). The pause lets them arrive
    /// before the next event.
    pub async fn part<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        length: Option<usize>,
    ) -> io::Result<()> {
        let body = self.body();
        let length = length.unwrap_or(body.len() / 2).min(body.len());
        let mut bytes = self.head();
        bytes.extend_from_slice(&body[..length]);
        write(out, &bytes).await?;
        wait(Duration::from_millis(10)).await;
        Ok(())
    }

    /// Sends half of the head, with the same pause.
    pub async fn half_head<W: AsyncWrite + Unpin>(&self, out: &mut W) -> io::Result<()> {
        let head = self.head();
        write(out, &head[..head.len() / 2]).await?;
        wait(Duration::from_millis(10)).await;
        Ok(())
    }

    /// Sends half of the head, and the rest after a pause.
    pub async fn head_in_two<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        pause: Duration,
    ) -> io::Result<()> {
        self.half_head(out).await?;
        wait(pause).await;
        let head = self.head();
        let mut bytes = head[head.len() / 2..].to_vec();
        bytes.extend_from_slice(self.body());
        write(out, &bytes).await
    }

    /// Sends the answer as described by `delivery`. Returns what happens to the connection.
    pub async fn delivered<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        delivery: &Delivery,
    ) -> io::Result<Delivered> {
        let chunked = delivery.framing == Some(AnswerFraming::Chunked);
        let head = match delivery.framing {
            None => self.head(),
            Some(AnswerFraming::Chunked) => self.chunked_head(),
            Some(AnswerFraming::UntilClose) => self.head_without_length(false),
        };
        write(out, &head).await?;
        if self.without_body {
            return Ok(Delivered::Whole);
        }
        let sent = self.body().len().saturating_sub(delivery.short);
        let default_piece = if chunked {
            Delivery::CHUNK
        } else {
            sent.max(1)
        };
        let piece = delivery.piece.unwrap_or(default_piece);
        for (nth, bytes) in self.body()[..sent].chunks(piece).enumerate() {
            if nth > 0 {
                wait(delivery.pause).await;
            }
            if chunked {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                write(out, &chunk).await?;
            } else {
                write(out, bytes).await?;
            }
        }
        if delivery.short > 0 {
            return Ok(Delivered::Short);
        }
        let mut end = Vec::new();
        if chunked {
            end.extend_from_slice(b"0\r\n\r\n");
        }
        end.resize(end.len() + delivery.long, b'+');
        write(out, &end).await?;
        Ok(match delivery.framing {
            Some(AnswerFraming::UntilClose) => Delivered::UntilClose,
            _ => Delivered::Whole,
        })
    }

    /// Sends the head and half of the body, and the rest after a pause.
    pub async fn in_two<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        pause: Duration,
    ) -> io::Result<()> {
        self.part(out, None).await?;
        wait(pause).await;
        write(out, &self.body()[self.body().len() / 2..]).await
    }

    pub async fn dripped<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        pause: Duration,
        head_too: bool,
    ) -> io::Result<()> {
        let head = self.head();
        if head_too {
            drip(out, &head, pause).await?;
        } else {
            write(out, &head).await?;
        }
        drip(out, self.body(), pause).await
    }

    /// Sends the answer with this framing. Returns whether the connection is kept.
    pub async fn framed<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        framing: AnswerFraming,
    ) -> io::Result<bool> {
        match framing {
            AnswerFraming::UntilClose => {
                let mut bytes = self.head_without_length(false);
                bytes.extend_from_slice(self.body());
                write(out, &bytes).await?;
                Ok(false)
            }
            AnswerFraming::Chunked => {
                let mut bytes = self.chunked_head();
                // Small chunks of an odd size expose a reader that expects a single chunk.
                for chunk in self.body().chunks(61) {
                    bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(chunk);
                    bytes.extend_from_slice(b"\r\n");
                }
                if !self.without_body {
                    bytes.extend_from_slice(b"0\r\n\r\n");
                }
                write(out, &bytes).await?;
                Ok(self.keep_alive)
            }
        }
    }

    fn chunked_head(&self) -> Vec<u8> {
        let mut response = self.response.clone();
        response.set_header("Transfer-Encoding", "chunked");
        response.head(None, self.date.as_deref(), self.keep_alive)
    }

    /// Sends the answer with this many additional bytes of headers.
    pub async fn with_padded_head<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        bytes: u64,
        line: usize,
    ) -> io::Result<()> {
        let mut head = self.head();
        head.truncate(head.len() - 2);
        write(out, &head).await?;
        let mut left = bytes;
        while left > 0 {
            let length = left.min(line as u64);
            out.write_all(b"X-Padding: ").await?;
            fill(out, length).await?;
            out.write_all(b"\r\n").await?;
            left -= length;
        }
        out.write_all(b"\r\n").await?;
        write(out, self.body()).await
    }

    /// Sends a body of this many bytes, which never leaves the token.
    pub async fn oversized<W: AsyncWrite + Unpin>(
        &self,
        out: &mut W,
        bytes: u64,
        chunked: bool,
    ) -> io::Result<()> {
        if !chunked {
            let date = self.date.as_deref();
            let head = self.response.head(Some(bytes), date, self.keep_alive);
            write(out, &head).await?;
            let start = TOKEN_START
                .len()
                .min(usize::try_from(bytes).unwrap_or(usize::MAX));
            out.write_all(&TOKEN_START[..start]).await?;
            fill(out, bytes - start as u64).await?;
            return out.flush().await;
        }
        write(out, &self.chunked_head()).await?;
        let start = format!("{:x}\r\n", TOKEN_START.len());
        out.write_all(start.as_bytes()).await?;
        out.write_all(TOKEN_START).await?;
        out.write_all(b"\r\n").await?;
        let mut left = bytes.saturating_sub(TOKEN_START.len() as u64);
        while left > 0 {
            let length = left.min(PIECE as u64);
            out.write_all(format!("{length:x}\r\n").as_bytes()).await?;
            fill(out, length).await?;
            out.write_all(b"\r\n").await?;
            left -= length;
        }
        write(out, b"0\r\n\r\n").await
    }
}

/// The result of a [`Delivery`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    Whole,
    /// The body ends with the connection.
    UntilClose,
    /// The end of the body is missing.
    Short,
}

const TOKEN_START: &[u8] = b"{\"data\":{\"token\":\"eyJ";

pub async fn write<W: AsyncWrite + Unpin>(out: &mut W, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes).await?;
    out.flush().await
}

async fn drip<W: AsyncWrite + Unpin>(out: &mut W, bytes: &[u8], pause: Duration) -> io::Result<()> {
    for &byte in bytes {
        write(out, &[byte]).await?;
        wait(pause).await;
    }
    Ok(())
}

async fn fill<W: AsyncWrite + Unpin>(out: &mut W, bytes: u64) -> io::Result<()> {
    // A static, because a future is moved with all its data.
    static FILLING: [u8; PIECE] = [b'A'; PIECE];
    let mut left = bytes;
    while left > 0 {
        let length = left.min(PIECE as u64);
        out.write_all(&FILLING[..length as usize]).await?;
        left -= length;
    }
    Ok(())
}
