//! What a caller asks of a new session: only what was set is sent.

use serde::Serialize;

use crate::{
    error::{Error, Status},
    text::{Rule, Text},
};

/// The server copies these fields into the token, base64 and JSON around them,
/// and answers 431 to requests with more than 16 KiB of headers. With these
/// bounds the longest token stays below half of that.
const MAX_IDENTIFIER: usize = 1024;
const MAX_OTHER: usize = 512;

/// What the caller set; nothing is judged before [`SessionOptions::check`].
#[derive(Clone, Default)]
pub(crate) struct SessionOptions {
    pub(crate) identifier: Text,
    /// The number that the caller gave where it names no type.
    pub(crate) session_type: Option<Result<SessionType, i32>>,
    pub(crate) web_extension: Option<bool>,
    pub(crate) domain: Text,
    pub(crate) tag_name: Text,
    pub(crate) eth_address: Text,
    pub(crate) kill_session: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SessionType {
    General,
    CreateWallet,
    DecryptWallet,
    ImportWallet,
}

/// The body of the request, in the server's field names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) identifier: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub(crate) session_type: Option<SessionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_web_extension: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) eth_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kill_session: Option<bool>,
}

impl SessionOptions {
    /// The first option that is wrong, in the order of the header.
    pub(crate) fn check(&self) -> Result<SessionRequest, Error> {
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
            session_type: self
                .session_type
                .transpose()
                .map_err(|number| refused(&format!("{number} is not a session type")))?,
            is_web_extension: self.web_extension,
            domain: text(&self.domain, "domain", MAX_OTHER)?,
            tag_name: text(&self.tag_name, "tag name", MAX_OTHER)?,
            eth_address: text(&self.eth_address, "Ethereum address", MAX_OTHER)?,
            kill_session: self.kill_session,
        };
        match request.identifier.as_deref() {
            Some("undefined") => Err(refused(
                "the identifier is \"undefined\", which the server treats as not sent",
            )),
            None if request.kill_session == Some(true) => Err(refused(
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

    fn body(options: &SessionOptions) -> String {
        serde_json::to_string(&options.check().unwrap()).unwrap()
    }

    #[test]
    fn no_options_are_the_public_pages_empty_object() {
        assert_eq!(body(&SessionOptions::default()), "{}");
    }

    #[test]
    fn options_add_only_what_was_set_in_the_servers_names() {
        let options = SessionOptions {
            identifier: Text::new(Some(b"d\"1")),
            session_type: Some(Ok(SessionType::DecryptWallet)),
            web_extension: Some(false),
            domain: Text::new(Some(b"avax")),
            tag_name: Text::new(Some(b"alice.avax")),
            eth_address: Text::new(Some(b"0xabc")),
            kill_session: Some(true),
        };
        assert_eq!(
            body(&options),
            r#"{"identifier":"d\"1","type":"decryptWallet","isWebExtension":false,"domain":"avax","tagName":"alice.avax","ethAddress":"0xabc","killSession":true}"#
        );
    }

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
