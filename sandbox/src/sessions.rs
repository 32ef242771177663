//! The collection of sessions: finds, creates, kills and rejects sessions.

use std::io;
use std::sync::Mutex;

use serde_json::Value;

use crate::identifier::{cast, lookup_key, to_store};
use crate::quota::Quota;
use crate::random;
use crate::sync::lock;
use crate::token::Claims;

const TYPES: [&str; 4] = ["createWallet", "decryptWallet", "importWallet", "general"];

/// The fields of a create, after their conversion.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The identifier for the look-up.
    pub identifier: Option<String>,
    /// The identifier for a new session.
    pub new_identifier: Option<String>,
    pub tag_name: Option<String>,
    pub eth_address: Option<String>,
    pub domain: String,
    pub ip: String,
    pub kill: bool,
    /// False if the database would reject the document, because of an unknown `type`, an
    /// `isWebExtension` that is not a boolean, or an `identifier` that is not a scalar.
    pub storable: bool,
}

impl Wanted {
    pub fn from_body(body: &Value, ip: String) -> Self {
        let kind_is_valid = match body.get("type") {
            None | Some(Value::Null) => true,
            Some(kind) => kind.as_str().is_some_and(|kind| TYPES.contains(&kind)),
        };
        let extension_is_valid = matches!(
            body.get("isWebExtension"),
            None | Some(Value::Null | Value::Bool(_))
        );
        let new_identifier = to_store(body.get("identifier"), &ip);
        Wanted {
            storable: kind_is_valid && extension_is_valid && new_identifier.is_some(),
            identifier: cast(body.get("identifier")),
            new_identifier,
            tag_name: cast(body.get("tagName")),
            eth_address: cast(body.get("ethAddress")),
            domain: cast(body.get("domain")).unwrap_or_else(|| "zelf".to_owned()),
            ip,
            kill: is_truthy(body.get("killSession")),
        }
    }

    /// Returns whether the create would return this stored session.
    fn finds(&self, session: &Session) -> bool {
        if session.ip != self.ip {
            return false;
        }
        if self.identifier.is_none() && self.tag_name.is_none() {
            return true;
        }
        let same_tag = self.tag_name.is_some() && self.tag_name == session.tag_name;
        let same_identifier = self
            .identifier
            .as_deref()
            .and_then(lookup_key)
            .is_some_and(|key| Some(key) == session.identifier);
        same_tag || same_identifier
    }
}

/// Returns whether a value is true in JavaScript, the service's language. A form sends
/// `killSession` as text.
fn is_truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(yes)) => *yes,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(_) | Value::Object(_)) => true,
    }
}

/// Whether routes that check the session accept it. A create finds it in both cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Active,
    Used,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Active => "active",
            Status::Used => "used",
        }
    }
}

/// A session, which is stored or (as a ghost) only exists in a token.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: String,
    /// `None` only for a ghost.
    pub identifier: Option<String>,
    pub ip: String,
    pub tag_name: Option<String>,
    pub eth_address: Option<String>,
    pub domain: String,
    pub activated_at: i64,
    pub expires_at: i64,
    pub status: Status,
    /// The number of requests with its token to protected routes.
    pub uses: u32,
    /// The used part of each quota, in the order of [`Quota`].
    spent: [u32; Quota::COUNT],
}

impl Session {
    pub fn spent(&self, quota: Quota) -> u32 {
        self.spent[quota as usize]
    }

    pub fn claims(&self, iat: i64) -> Claims {
        Claims {
            domain: self.domain.clone(),
            eth_address: self.eth_address.clone(),
            identifier: self.identifier.clone(),
            ip: self.ip.clone(),
            session: self.id.clone(),
            tag_name: self.tag_name.clone(),
            iat,
        }
    }
}

/// The result of an insert.
#[derive(Debug)]
pub enum Inserted {
    Created(Session),
    /// The database has rejected the document. The service ignores that, and signs a token for a
    /// session that does not exist.
    Ghost(Session),
}

#[derive(Debug)]
pub struct Sessions {
    stored: Mutex<Vec<Session>>,
    ids: ObjectIds,
    lifetime: i64,
}

impl Sessions {
    pub fn new(lifetime: i64) -> io::Result<Self> {
        Ok(Sessions {
            stored: Mutex::default(),
            ids: ObjectIds::new()?,
            lifetime,
        })
    }

    /// Returns the first session that the create finds. It may have expired: the service finds it
    /// until the reaper has removed it.
    pub fn find(&self, wanted: &Wanted) -> Option<Session> {
        let stored = lock(&self.stored);
        stored.iter().find(|session| wanted.finds(session)).cloned()
    }

    pub fn remove(&self, id: &str) {
        lock(&self.stored).retain(|session| session.id != id);
    }

    /// Stores a new session, unless its identifier exists: `identifier` is a unique key, also for
    /// different client addresses.
    pub fn insert(&self, wanted: &Wanted, now: i64) -> Inserted {
        let session = Session {
            id: self.ids.next(now),
            identifier: wanted.new_identifier.clone(),
            ip: wanted.ip.clone(),
            tag_name: wanted.tag_name.clone(),
            eth_address: wanted.eth_address.clone(),
            domain: wanted.domain.clone(),
            activated_at: now,
            expires_at: now.saturating_add(self.lifetime),
            status: Status::Active,
            uses: 0,
            spent: [0; Quota::COUNT],
        };
        let mut stored = lock(&self.stored);
        let taken = stored.iter().any(|s| s.identifier == session.identifier);
        if taken || !wanted.storable {
            return Inserted::Ghost(session);
        }
        stored.push(session.clone());
        Inserted::Created(session)
    }

    /// Counts a use of a session. Returns the number of its uses, with this one, or `None` if there
    /// is no such session.
    pub fn count_use(&self, id: &str) -> Option<u32> {
        let mut stored = lock(&self.stored);
        let session = stored.iter_mut().find(|session| session.id == id)?;
        session.uses = session.uses.saturating_add(1);
        Some(session.uses)
    }

    /// Returns whether the session exists and is not used.
    pub fn is_active(&self, id: &str) -> bool {
        let stored = lock(&self.stored);
        let mut all = stored.iter();
        all.any(|session| session.id == id && session.status == Status::Active)
    }

    /// Does the same as [`Sessions::count_use`] for a quota. Also returns `None` if the session is
    /// used.
    pub fn spend(&self, id: &str, quota: Quota) -> Option<u32> {
        let mut stored = lock(&self.stored);
        let session = stored
            .iter_mut()
            .find(|session| session.id == id && session.status == Status::Active)?;
        let spent = &mut session.spent[quota as usize];
        *spent = spent.saturating_add(1);
        Some(*spent)
    }

    /// Makes sessions older. Returns their number.
    pub fn age(&self, identifier: Option<&str>, seconds: i64) -> usize {
        self.change(identifier, |session| {
            session.activated_at = session.activated_at.saturating_sub(seconds);
            session.expires_at = session.expires_at.saturating_sub(seconds);
        })
    }

    /// Sets the status of sessions to "used". Returns their number.
    pub fn mark_used(&self, identifier: Option<&str>) -> usize {
        self.change(identifier, |session| session.status = Status::Used)
    }

    /// Changes the sessions of an identifier (or all). Returns their number.
    fn change(&self, identifier: Option<&str>, change: impl Fn(&mut Session)) -> usize {
        let mut stored = lock(&self.stored);
        let chosen = stored
            .iter_mut()
            .filter(|session| identifier.is_none() || session.identifier.as_deref() == identifier);
        let mut changed = 0;
        for session in chosen {
            change(session);
            changed += 1;
        }
        changed
    }

    /// Removes expired sessions. Returns their number.
    pub fn reap(&self, now: i64) -> usize {
        let mut stored = lock(&self.stored);
        let before = stored.len();
        stored.retain(|session| session.expires_at > now);
        before - stored.len()
    }

    /// Removes all sessions, like an emptied database. Returns their number.
    pub fn clear(&self) -> usize {
        std::mem::take(&mut *lock(&self.stored)).len()
    }

    pub fn all(&self) -> Vec<Session> {
        lock(&self.stored).clone()
    }
}

/// Ids in the format of the service's database: seconds, five bytes of the process, a counter.
#[derive(Debug)]
struct ObjectIds {
    process: [u8; 5],
    counter: Mutex<u32>,
}

impl ObjectIds {
    fn new() -> io::Result<Self> {
        let [a, b, c, d, e, x, y, z] = random::bytes()?;
        Ok(ObjectIds {
            process: [a, b, c, d, e],
            counter: Mutex::new(u32::from_be_bytes([0, x, y, z])),
        })
    }

    fn next(&self, now: i64) -> String {
        let mut last = lock(&self.counter);
        *last = (*last + 1) & 0x00FF_FFFF;
        let counter = *last;
        // The format has 32 bits for the seconds, which overflow in 2106.
        let seconds = now as u32;
        let [a, b, c, d, e] = self.process;
        format!("{seconds:08x}{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{counter:06x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(body: Value) -> Wanted {
        Wanted::from_body(&body, "127.0.0.1".into())
    }

    fn created(sessions: &Sessions, body: Value) -> Session {
        match sessions.insert(&wanted(body), 1000) {
            Inserted::Created(session) => session,
            Inserted::Ghost(session) => panic!("a ghost: {session:?}"),
        }
    }

    #[test]
    fn session_ids_look_like_object_ids() {
        let ids = ObjectIds::new().unwrap();
        let (first, second) = (ids.next(1_795_452_669), ids.next(1_795_452_669));
        assert_eq!(first.len(), 24);
        assert_eq!(&first[..8], "6b046efd");
        assert_eq!(first[..18], second[..18]);
        assert_ne!(first, second);
    }

    #[test]
    fn without_identifier_and_tag_any_session_of_the_address_is_found() {
        let sessions = Sessions::new(600).unwrap();
        let first = created(&sessions, json!({"identifier": "somebody else"}));
        assert_eq!(sessions.find(&wanted(json!({}))).unwrap().id, first.id);
        let other_address = Wanted::from_body(&json!({}), "198.51.100.9".into());
        assert!(sessions.find(&other_address).is_none());
    }

    #[test]
    fn a_tag_finds_the_session_of_another_identifier() {
        let sessions = Sessions::new(600).unwrap();
        let first = created(&sessions, json!({"identifier": "a", "tagName": "bob.zelf"}));
        let other = wanted(json!({"identifier": "b", "tagName": "bob.zelf"}));
        assert_eq!(sessions.find(&other).unwrap().id, first.id);
        assert!(sessions.find(&wanted(json!({"identifier": "b"}))).is_none());
    }

    #[test]
    fn a_taken_identifier_an_unknown_type_and_a_non_boolean_make_ghosts() {
        let sessions = Sessions::new(600).unwrap();
        created(&sessions, json!({"identifier": "a"}));
        for body in [
            json!({"identifier": "a"}),
            json!({"identifier": "b", "type": "nonsense"}),
            json!({"identifier": "b", "isWebExtension": "true"}),
            json!({"identifier": ["b"]}),
        ] {
            let inserted = sessions.insert(&wanted(body.clone()), 1000);
            assert!(matches!(inserted, Inserted::Ghost(_)), "{body}");
        }
        assert_eq!(sessions.all().len(), 1);
    }

    #[test]
    fn the_reaper_takes_what_has_expired_and_nothing_else() {
        let sessions = Sessions::new(600).unwrap();
        created(&sessions, json!({"identifier": "old"}));
        created(&sessions, json!({"identifier": "young"}));
        assert_eq!(sessions.age(Some("old"), 600), 1);
        assert_eq!(sessions.reap(1000), 1);
        assert_eq!(sessions.all()[0].identifier.as_deref(), Some("young"));
    }
}
