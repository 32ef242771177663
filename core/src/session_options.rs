//! The options for a new session.

use crate::{
    api::request::{SessionRequest, SessionType},
    create::aim::{Aim, Errand},
    error::{Error, Status},
    text::{Rule, Text},
};

/// The server copies these fields into the token, as JSON and base64, and answers 431 to a request
/// with more than 16 KiB of headers. With these limits, the longest token is below half of that.
const MAX_IDENTIFIER: usize = 1024;
const MAX_OTHER: usize = 512;

/// The caller's values. [`SessionOptions::check`] validates them.
#[derive(Clone, Default)]
pub struct SessionOptions {
    pub identifier: Text,
    /// `Err` with the caller's number if it is not a type.
    pub session_type: Option<Result<SessionType, i32>>,
    pub web_extension: Option<bool>,
    pub domain: Text,
    pub tag_name: Text,
    pub eth_address: Text,
    pub kill_session: Option<bool>,
    /// A session that may be a ghost is requested again before it is returned.
    pub confirms: bool,
}

impl SessionOptions {
    pub const UNSET: SessionOptions = SessionOptions {
        identifier: Text::UNSET,
        session_type: None,
        web_extension: None,
        domain: Text::UNSET,
        tag_name: Text::UNSET,
        eth_address: Text::UNSET,
        kill_session: None,
        confirms: false,
    };

    /// Returns the errand, or an error for the first invalid option in the order of the header.
    pub fn check(&self) -> Result<Errand, Error> {
        let aim = Aim {
            confirms: self.confirms,
            ..Aim::default()
        };
        self.request().map(|request| Errand { request, aim })
    }

    fn request(&self) -> Result<SessionRequest, Error> {
        let text = |text: &Text, name, max_bytes| {
            text.check(&Rule {
                name,
                max_bytes,
                ascii_only: false,
                status: Status::InvalidArgument,
            })
            .map(|text| text.map(str::to_owned))
        };
        let request = SessionRequest {
            identifier: text(&self.identifier, "identifier", MAX_IDENTIFIER)?,
            session_type: self.session_type.transpose().map_err(|number| {
                refused(&format!(
                    "{number} is not a session type; use a ZELF_SESSION_TYPE_ constant"
                ))
            })?,
            is_web_extension: self.web_extension,
            domain: text(&self.domain, "domain", MAX_OTHER)?,
            tag_name: text(&self.tag_name, "tag name", MAX_OTHER)?,
            eth_address: text(&self.eth_address, "Ethereum address", MAX_OTHER)?,
            kill_session: self.kill_session,
        };
        match request.identifier.as_deref() {
            Some("undefined") => Err(refused(
                "the identifier is \"undefined\", which the server ignores; set another one",
            )),
            None if request.kills() => Err(refused(
                "kill session without an identifier could end somebody else's session; set an identifier",
            )),
            _ => Ok(request),
        }
    }
}

fn refused(message: &str) -> Error {
    Error::new(Status::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_the_server_would_answer_with_a_ghost_cannot_be_sent() {
        for number in [-1, 4, i32::MAX, i32::MIN] {
            let options = SessionOptions {
                session_type: Some(Err(number)),
                ..Default::default()
            };
            let error = options.check().unwrap_err();
            assert_eq!(error.status, Status::InvalidArgument);
            assert!(error.message.contains(&number.to_string()));
        }
    }

    #[test]
    fn identifiers_the_server_would_ignore_or_choke_on_are_refused() {
        let long = vec![b'x'; MAX_IDENTIFIER + 1];
        for bad in [b"".as_slice(), b"undefined", b"a\nb", b"a\xff", &long] {
            let options = SessionOptions {
                identifier: Text::new(Some(bad)),
                ..Default::default()
            };
            let error = options.check().unwrap_err();
            assert_eq!(error.status, Status::InvalidArgument);
            assert!(error.message.contains("identifier"), "{}", error.message);
        }
    }

    #[test]
    fn killing_a_session_that_might_be_a_strangers_is_refused() {
        let options = SessionOptions {
            kill_session: Some(true),
            ..Default::default()
        };
        assert!(
            options
                .check()
                .unwrap_err()
                .message
                .contains("kill session")
        );
    }
}
