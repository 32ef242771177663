//! Text from a caller who may send anything.

use crate::error::{Error, Status};

/// What a setter was given, kept as it came. Setters never fail: the value is
/// checked when it is used, and the error names the setting.
#[derive(Clone, Default)]
pub struct Text(Option<Vec<u8>>);

/// What a text may hold.
pub struct Rule {
    /// The setting's name in messages.
    pub name: &'static str,
    pub max_bytes: usize,
    /// Headers and URLs carry visible ASCII only; JSON carries any text.
    pub ascii_only: bool,
    /// Which status a violation has.
    pub status: Status,
}

impl Text {
    pub const UNSET: Text = Text(None);

    pub fn new(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(<[u8]>::to_vec))
    }

    pub fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Returns what was set, as it came.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether both are the same name of a header, or neither is set.
    pub fn is_same_name(&self, other: &Text) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    /// Returns the text, `None` when it was not set, or the rule that it breaks.
    pub fn check(&self, rule: &Rule) -> Result<Option<&str>, Error> {
        let Some(bytes) = &self.0 else {
            return Ok(None);
        };
        let wrong = |what: &str| Err(Error::new(rule.status, format!("the {} {what}", rule.name)));
        if bytes.is_empty() {
            return wrong("is empty; pass NULL to leave it unset");
        }
        if bytes.len() > rule.max_bytes {
            return wrong(&format!(
                "is {} bytes long; at most {} are allowed",
                bytes.len(),
                rule.max_bytes
            ));
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            return wrong("is not valid UTF-8");
        };
        if is_visible_ascii(bytes) {
            return Ok(Some(text));
        }
        if text.chars().any(char::is_control) {
            return wrong("contains a control character");
        }
        if rule.ascii_only && !text.is_ascii() {
            return wrong("contains a character outside ASCII");
        }
        Ok(Some(text))
    }
}

/// Returns whether every byte is a space or a visible character of ASCII.
///
/// The loop has no early end and no boolean in it, so that it is vectorised.
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
