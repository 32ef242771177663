//! The result of an asynchronous call.

use crate::{
    error::{Error, Status},
    send::response::Response,
    session::Session,
};

pub type Outcome = Result<Yield, Error>;

/// The value of a successful call.
#[derive(Debug)]
pub enum Yield {
    Session(Session),
    Response(Response),
}

impl Yield {
    pub fn session(self) -> Result<Session, Error> {
        match self {
            Self::Session(session) => Ok(session),
            Self::Response(_) => Err(mixed_up()),
        }
    }

    pub fn response(self) -> Result<Response, Error> {
        match self {
            Self::Response(response) => Ok(response),
            Self::Session(_) => Err(mixed_up()),
        }
    }
}

fn mixed_up() -> Error {
    let words = "libzelf has a bug: a call has the result of another kind of call; report it";
    Error::new(Status::Panic, words)
}

impl From<Session> for Yield {
    fn from(session: Session) -> Self {
        Self::Session(session)
    }
}
