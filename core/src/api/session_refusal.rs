//! Answers of a route that refuse the session of a request.

use crate::{api::server_words, http::coding::Coding};

/// The maximum length of a refusal, in bytes.
pub const LONGEST: usize = 4096;

/// Why a route refuses a session. The route has done no work in either case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SessionRefusal {
    /// 403: the session has ended on the server.
    Inactive,
    /// 401: the token is invalid. The server gives the same answer for a path that does not exist.
    Unauthorized,
}

impl SessionRefusal {
    /// Reads an answer. Returns `None` if it does not refuse the session.
    ///
    /// 401 "Invalid session" and 403 "... limit exceeded" are about quotas.
    pub fn read(status: u16, body: &[u8], coding: Option<Coding>) -> Option<Self> {
        if !matches!(status, 401 | 403) || body.len() > LONGEST {
            return None;
        }
        let words = server_words::read(body, coding);
        let said = words.said?.to_ascii_lowercase();
        // A route answers "Tag is not active".
        match status {
            403 if said == "session is not active" => Some(Self::Inactive),
            401 if said.starts_with("protected resource") => Some(Self::Unauthorized),
            _ => None,
        }
    }

    /// Returns whether the session may be replaced with killSession.
    pub fn may_kill(self) -> bool {
        // Otherwise a path that does not exist would end a working session.
        self == Self::Inactive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Option<SessionRefusal> {
        SessionRefusal::read(status, body.as_bytes(), None)
    }

    #[test]
    fn a_session_that_has_ended_is_inactive() {
        let body = r#"{"validationError":"Session is not active"}"#;
        assert_eq!(of(403, body), Some(SessionRefusal::Inactive));
    }

    #[test]
    fn a_token_that_is_invalid_is_unauthorized() {
        let body = "Protected resource, use Authorization header to get access";
        assert_eq!(of(401, body), Some(SessionRefusal::Unauthorized));
    }

    #[test]
    fn other_answers_do_not_refuse_the_session() {
        for (status, body) in [
            (200, r#"{"validationError":"Session is not active"}"#),
            (401, r#"{"error":"Invalid session"}"#),
            (403, r#"{"validationError":"Search limit exceeded"}"#),
            (403, r#"{"validationError":"Tag is not active"}"#),
            (403, ""),
        ] {
            assert_eq!(of(status, body), None, "{status} {body}");
        }
    }

    #[test]
    fn a_long_body_is_no_refusal() {
        let padding = " ".repeat(LONGEST);
        let body = format!(r#"{{"validationError":"Session is not active"}}{padding}"#);
        assert_eq!(of(403, &body), None);
    }
}
