//! The body of `POST /api/sessions`, in the server's field names.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionType {
    General,
    CreateWallet,
    DecryptWallet,
    ImportWallet,
}

/// The fields of the request. Fields that are not set are not sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub session_type: Option<SessionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_web_extension: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eth_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_session: Option<bool>,
}

impl SessionRequest {
    pub fn kills(&self) -> bool {
        self.kill_session == Some(true)
    }

    /// Returns the same request with `killSession`, which ends the session that the server finds.
    pub fn killing(&self) -> Self {
        Self {
            kill_session: Some(true),
            ..self.clone()
        }
    }

    /// Returns the same request without `killSession`.
    pub fn sparing(&self) -> Self {
        Self {
            kill_session: None,
            ..self.clone()
        }
    }

    /// Returns the JSON of the request.
    pub fn body(&self) -> Vec<u8> {
        // All fields are plain values, which JSON can always represent.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &SessionRequest) -> String {
        String::from_utf8(request.body()).unwrap()
    }

    #[test]
    fn nothing_set_is_the_public_pages_empty_object() {
        assert_eq!(body(&SessionRequest::default()), "{}");
    }

    #[test]
    fn options_are_sent_under_the_servers_names() {
        let request = SessionRequest {
            identifier: Some("d\"1".to_owned()),
            session_type: Some(SessionType::DecryptWallet),
            is_web_extension: Some(false),
            domain: Some("avax".to_owned()),
            tag_name: Some("alice.avax".to_owned()),
            eth_address: Some("0xabc".to_owned()),
            kill_session: None,
        };
        assert_eq!(
            body(&request.killing()),
            r#"{"identifier":"d\"1","type":"decryptWallet","isWebExtension":false,"domain":"avax","tagName":"alice.avax","ethAddress":"0xabc","killSession":true}"#
        );
    }
}
