//! Chunked transfer coding (RFC 9112, section 7.1), decoded in place.

use crate::http::no_answer::NoAnswer;

/// The longest line with a chunk's size and extensions.
const MAX_LINE: usize = 4 * 1024;
const MAX_TRAILERS: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, Default)]
pub struct Chunks {
    state: State,
    /// In a size line, the size so far. In data, the bytes that are missing.
    left: u64,
    /// The bytes of the line, or of all trailers, so far.
    seen: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    SizeStart,
    Size,
    Extension,
    Data,
    AfterData,
    TrailerStart,
    Trailer,
    Done,
}

impl Chunks {
    /// Decodes `bytes[from..]`. Moves the data to `bytes[*end..]`, and adds its length to `end`.
    /// Returns where the undecoded bytes begin: the bytes behind a body that
    /// [`is_done`](Self::is_done), else the end of `bytes`.
    pub fn decode(
        &mut self,
        bytes: &mut [u8],
        from: usize,
        end: &mut usize,
    ) -> Result<usize, NoAnswer> {
        let mut at = from;
        while at < bytes.len() && !self.is_done() {
            if self.state == State::Data {
                let here = bytes.len() - at;
                let count = usize::try_from(self.left).map_or(here, |left| left.min(here));
                bytes.copy_within(at..at + count, *end);
                at += count;
                *end += count;
                self.left -= count as u64;
                if self.left == 0 {
                    self.state = State::AfterData;
                }
            } else {
                self.step(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    fn step(&mut self, byte: u8) -> Result<(), NoAnswer> {
        self.seen += 1;
        let limit = match self.state {
            State::Trailer | State::TrailerStart => MAX_TRAILERS,
            _ => MAX_LINE,
        };
        if self.seen > limit {
            return Err(NoAnswer::NotHttp("the line of a chunk is too long"));
        }
        self.state = match (self.state, byte) {
            (State::SizeStart | State::Size, byte) if byte.is_ascii_hexdigit() => {
                self.add_digit(byte)?;
                State::Size
            }
            (State::Size | State::Extension, b'\n') => self.begin_data(),
            // A single CR counts as padding: only LF ends the line.
            (State::Size, b' ' | b'\t' | b'\r' | b';') | (State::Extension, _) => State::Extension,
            (State::AfterData, b'\r') => State::AfterData,
            (State::AfterData, b'\n') => {
                self.seen = 0;
                State::SizeStart
            }
            (State::TrailerStart, b'\n') => State::Done,
            (State::TrailerStart, b'\r') => State::TrailerStart,
            (State::Trailer, b'\n') => State::TrailerStart,
            (State::TrailerStart | State::Trailer, _) => State::Trailer,
            _ => return Err(NoAnswer::NotHttp("a chunk has no size")),
        };
        Ok(())
    }

    fn add_digit(&mut self, digit: u8) -> Result<(), NoAnswer> {
        let value = char::from(digit).to_digit(16).unwrap_or_default();
        self.left = self
            .left
            .checked_mul(16)
            .ok_or(NoAnswer::BodyTooLarge)?
            .saturating_add(value.into());
        Ok(())
    }

    fn begin_data(&mut self) -> State {
        self.seen = 0;
        match self.left {
            0 => State::TrailerStart,
            _ => State::Data,
        }
    }
}
