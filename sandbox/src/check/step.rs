//! The exchanges of a check, in their order.

use serde_json::{Value, json};

use crate::check::exchange::Request;
use crate::check::made::Made;
use crate::check::seen::Seen;
use crate::check::session::{Session, spoiled};

/// One exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Create,
    CreateAgain,
    CreateWithOtherDomain,
    CreateWithAllFields,
    CreateWithAllFieldsAgain,
    CreateWithTagName,
    NoOrigin,
    EmptyOrigin,
    BrokenJson,
    NoToken,
    SpoiledToken,
    UnknownPath,
    Use,
    Key,
    KeyWithoutIdentifier,
    CreateAfterRest,
    Kill,
    CreateAfterKill,
    UseKilled,
    UseNew,
}

pub const SESSIONS: &str = "/api/sessions";
pub const KEY: &str = "/api/sessions/yek-cilbup";
/// A route that checks whether the session still exists.
pub const SEARCH: &str = "/api/zelf-name-service/v2/search";

impl Step {
    pub const ALL: [Step; 20] = [
        Step::Create,
        Step::CreateAgain,
        Step::CreateWithOtherDomain,
        Step::CreateWithAllFields,
        Step::CreateWithAllFieldsAgain,
        Step::CreateWithTagName,
        Step::NoOrigin,
        Step::EmptyOrigin,
        Step::BrokenJson,
        Step::NoToken,
        Step::SpoiledToken,
        Step::UnknownPath,
        Step::Use,
        Step::Key,
        Step::KeyWithoutIdentifier,
        Step::CreateAfterRest,
        Step::Kill,
        Step::CreateAfterKill,
        Step::UseKilled,
        Step::UseNew,
    ];

    /// The creates before the kill that must return session A.
    pub const PLAIN_CREATES: [Step; 4] = [
        Step::Create,
        Step::CreateAgain,
        Step::CreateWithOtherDomain,
        Step::CreateAfterRest,
    ];

    /// Returns the name of the step, which is also used for recordings.
    pub fn name(self) -> &'static str {
        match self {
            Step::Create => "create",
            Step::CreateAgain => "create-again",
            Step::CreateWithOtherDomain => "create-with-other-domain",
            Step::CreateWithAllFields => "create-with-all-fields",
            Step::CreateWithAllFieldsAgain => "create-with-all-fields-again",
            Step::CreateWithTagName => "create-with-tag-name",
            Step::NoOrigin => "no-origin",
            Step::EmptyOrigin => "empty-origin",
            Step::BrokenJson => "broken-json",
            Step::NoToken => "no-token",
            Step::SpoiledToken => "spoiled-token",
            Step::UnknownPath => "unknown-path",
            Step::Use => "use",
            Step::Key => "key",
            Step::KeyWithoutIdentifier => "key-without-identifier",
            Step::CreateAfterRest => "create-after-rest",
            Step::Kill => "kill",
            Step::CreateAfterKill => "create-after-kill",
            Step::UseKilled => "use-killed",
            Step::UseNew => "use-new",
        }
    }

    /// Returns the purpose of the step, for the plan.
    pub fn purpose(self) -> &'static str {
        match self {
            Step::Create => "creates session A, with a random identifier",
            Step::CreateAgain => "requests session A again",
            Step::CreateWithOtherDomain => "requests session A with another domain",
            Step::CreateWithAllFields => "creates session B, with every field set",
            Step::CreateWithAllFieldsAgain => "requests session B again",
            Step::CreateWithTagName => "requests B's tag name, with a third identifier",
            Step::NoOrigin => "requests session A without an Origin: refused",
            Step::EmptyOrigin => "requests session A with an empty Origin: refused",
            Step::BrokenJson => "sends incomplete JSON: refused",
            Step::NoToken => "searches a random name without a token: refused",
            Step::SpoiledToken => "searches with a wrong signature: refused",
            Step::UnknownPath => "requests a path that does not exist: refused",
            Step::Use => "searches with the token of session A",
            Step::Key => "fetches the public key for A's identifier",
            Step::KeyWithoutIdentifier => "the same without an identifier: refused",
            Step::CreateAfterRest => "waits, then requests session A again",
            Step::Kill => "kills session A and creates its successor",
            Step::CreateAfterKill => "requests the successor again",
            Step::UseKilled => "searches with the killed session's token: refused",
            Step::UseNew => "searches with the successor's token",
        }
    }

    pub fn method(self) -> &'static str {
        match self {
            Step::NoToken
            | Step::SpoiledToken
            | Step::UnknownPath
            | Step::Use
            | Step::Key
            | Step::KeyWithoutIdentifier
            | Step::UseKilled
            | Step::UseNew => "GET",
            _ => "POST",
        }
    }

    /// Returns the path, without its query.
    pub fn path(self) -> &'static str {
        match self {
            Step::NoToken | Step::SpoiledToken | Step::Use | Step::UseKilled | Step::UseNew => {
                SEARCH
            }
            Step::Key | Step::KeyWithoutIdentifier => KEY,
            Step::UnknownPath => "/api/zelf-check-no-such-path",
            _ => SESSIONS,
        }
    }

    /// Returns whether the session of the answer certainly belongs to the check.
    pub fn is_own(self, session: &Session, made: &Made) -> bool {
        let identifier = session.claim("identifier");
        let mut identifiers = self.identifiers(made).into_iter();
        identifiers.any(|own| identifier == Some(own))
    }

    /// Returns the identifiers that the session of the answer may have.
    fn identifiers(self, made: &Made) -> Vec<&String> {
        match self {
            Step::CreateWithAllFields | Step::CreateWithAllFieldsAgain => vec![&made.b],
            // The tag name may return session B.
            Step::CreateWithTagName => vec![&made.b, &made.c],
            _ => vec![&made.a],
        }
    }

    /// Returns the request. `Err` says why it must not or cannot be sent: the check only uses
    /// tokens and kills sessions that certainly belong to it.
    pub fn request(self, made: &Made, seen: &Seen) -> Result<Request, String> {
        let a = json!({ "identifier": made.a });
        Ok(match self {
            Step::Create | Step::CreateAgain | Step::CreateAfterRest | Step::CreateAfterKill => {
                self.create(Some(&made.origin), a.to_string())
            }
            Step::CreateWithOtherDomain => {
                let body = json!({"identifier": made.a, "domain": "avax"});
                self.create(Some(&made.origin), body.to_string())
            }
            Step::CreateWithAllFields | Step::CreateWithAllFieldsAgain => {
                self.create(Some(&made.origin), made.all_fields().to_string())
            }
            Step::CreateWithTagName => {
                let body = json!({"identifier": made.c, "tagName": made.tag_name()});
                self.create(Some(&made.origin), body.to_string())
            }
            Step::NoOrigin => self.create(None, a.to_string()),
            Step::EmptyOrigin => self.create(Some(""), a.to_string()),
            Step::BrokenJson => {
                let whole = a.to_string();
                self.create(Some(&made.origin), whole[..whole.len() - 1].to_owned())
            }
            Step::Kill => {
                seen.may_kill()?;
                let body = json!({"identifier": made.a, "killSession": true});
                self.create(Some(&made.origin), body.to_string())
            }
            Step::NoToken => self.search(made, None),
            Step::SpoiledToken => self.search(made, Some(spoiled(&seen.own_token(Step::Create)?))),
            Step::Use | Step::UseKilled => self.search(made, Some(seen.own_token(Step::Create)?)),
            Step::UseNew => self.search(made, Some(seen.own_token(Step::Kill)?)),
            Step::Key => self.get(&format!("?identifier={}", made.a), Vec::new()),
            Step::KeyWithoutIdentifier => self.get("", Vec::new()),
            Step::UnknownPath => self.get(&format!("-{}", made.name), Vec::new()),
        })
    }

    fn create(self, origin: Option<&str>, body: String) -> Request {
        let mut headers = vec![("Content-Type", "application/json".to_owned())];
        headers.extend(origin.map(|origin| ("Origin", origin.to_owned())));
        Request {
            method: self.method(),
            path: self.path().to_owned(),
            headers,
            body: Some(body),
        }
    }

    fn search(self, made: &Made, token: Option<String>) -> Request {
        let token = token.map(|token| ("Authorization", format!("Bearer {token}")));
        let query = format!("?zelfName=check-{}.zelf", made.name);
        self.get(&query, token.into_iter().collect())
    }

    fn get(self, rest: &str, headers: Vec<(&'static str, String)>) -> Request {
        Request {
            method: self.method(),
            path: format!("{}{rest}", self.path()),
            headers,
            body: None,
        }
    }
}

impl Made {
    /// Returns a create with every field that the library can send.
    pub fn all_fields(&self) -> Value {
        json!({
            "identifier": self.b,
            "type": "createWallet",
            "isWebExtension": false,
            "domain": "avax",
            "tagName": self.tag_name(),
            "ethAddress": format!("0x{}{}", self.name, &self.name[..8]),
        })
    }

    fn tag_name(&self) -> String {
        format!("check-{}.avax", self.name)
    }
}
