//! Text from a caller, which may contain any bytes.

use crate::error::{Error, Status};

/// The value of a setter, unchanged. Setters never fail: the value is checked when it is used, and
/// the error names the setting.
#[derive(Clone, Default)]
pub struct Text(Option<Vec<u8>>);

/// The rules for a text.
pub struct Rule {
    /// The name of the setting in messages.
    pub name: &'static str,
    pub max_bytes: usize,
    /// Headers and URLs can only contain visible ASCII. JSON can contain any text.
    pub ascii_only: bool,
    /// The status for an invalid text.
    pub status: Status,
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(Some(text.as_bytes()))
    }
}

impl Text {
    pub const UNSET: Text = Text(None);

    pub fn new(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(<[u8]>::to_vec))
    }

    /// Returns whether a value was given.
    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the value, unchanged.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Returns whether both are the same name of a header, or both are not set.
    pub fn is_same_name(&self, other: &Text) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Returns the text, `None` if it was not set, or an error for the rule that it violates.
    pub fn check(&self, rule: &Rule) -> Result<Option<&str>, Error> {
        let Some(bytes) = &self.0 else {
            return Ok(None);
        };
        let wrong = |what: &str| Err(Error::new(rule.status, format!("the {} {what}", rule.name)));
        if bytes.is_empty() {
            return wrong("is empty; set a value, or leave it unset");
        }
        if bytes.len() > rule.max_bytes {
            return wrong(&format!(
                "is {} bytes long; at most {} are allowed",
                bytes.len(),
                rule.max_bytes
            ));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return wrong("is not valid UTF-8; encode it as UTF-8");
        };
        if is_visible_ascii(bytes) {
            return Ok(Some(text));
        }
        if text.chars().any(char::is_control) {
            return wrong("contains a control character; remove it");
        }
        if rule.ascii_only && !text.is_ascii() {
            return wrong("contains a character outside ASCII; use ASCII only");
        }
        Ok(Some(text))
    }
}

/// Returns whether every byte is a space or a visible ASCII character.
///
/// The loop has no early exit and no boolean, so that it is vectorised.
pub fn is_visible_ascii(bytes: &[u8]) -> bool {
    let odd = bytes.iter().fold(0, |odd, byte| {
        odd | u8::from(byte.wrapping_sub(b' ') > b'~' - b' ')
    });
    odd == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visible_ascii_is_a_space_to_a_tilde() {
        let visible: Vec<u8> = (0..=255)
            .filter(|&byte| is_visible_ascii(&[byte]))
            .collect();
        assert_eq!(visible, (b' '..=b'~').collect::<Vec<_>>());
        assert!(is_visible_ascii(b""));
        assert!(!is_visible_ascii(&[[b'x'; 99].as_slice(), b"\n"].concat()));
    }
}
