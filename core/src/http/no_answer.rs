//! Why bytes that came are no answer.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// They are not HTTP; the words say where.
    NotHttp(&'static str),
    /// The head is larger, or announces more, than is accepted.
    HeadTooLarge,
    BodyTooLarge,
    /// The connection ended before the answer did.
    Ended,
}
