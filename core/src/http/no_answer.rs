//! Why received bytes are not an answer.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// They are not HTTP. The text says why.
    NotHttp(&'static str),
    /// The head is larger than accepted, or announces too much.
    HeadTooLarge,
    BodyTooLarge,
    /// The connection ended before the end of the answer.
    Ended,
}
