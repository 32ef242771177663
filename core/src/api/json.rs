//! JSON objects, read field by field, because the server may change the type of a field.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The values of some fields, as JSON. If a field occurs twice, the last value counts, as in
/// JavaScript, the language of the server.
pub type Values<'a, const N: usize> = [Option<&'a RawValue>; N];

/// Returns the values of these fields of an object.
pub fn fields<'a, const N: usize>(
    json: &'a [u8],
    names: [&str; N],
) -> serde_json::Result<Values<'a, N>> {
    read(json, Fields(&names))
}

/// Returns the values of these fields of an inner object, which is the value of `outer`. They are
/// all `None` if `outer` is not an object.
pub fn fields_within<'a, const N: usize>(
    json: &'a [u8],
    outer: &str,
    names: [&str; N],
) -> serde_json::Result<Values<'a, N>> {
    let inner = Fields(&names);
    read(json, Outer { name: outer, inner }).or_else(|_| {
        // The visitor fails if the outer value is not an object.
        let [value] = fields(json, [outer])?;
        match value.map(RawValue::get) {
            Some(object) if object.starts_with('{') => fields(object.as_bytes(), names),
            _ => Ok([None; N]),
        }
    })
}

fn read<'a, V: Visitor<'a>>(json: &'a [u8], object: V) -> serde_json::Result<V::Value> {
    let mut parser = serde_json::Deserializer::from_slice(json);
    let found = parser.deserialize_map(object)?;
    parser.end()?;
    Ok(found)
}

/// Returns the text without its byte order mark. Some editors and servers write one.
pub fn without_byte_order_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}

/// Returns whether the text is a complete JSON object.
pub fn is_whole_object(json: &[u8]) -> bool {
    let json = without_byte_order_mark(json);
    // In most cases the first and the last byte are enough to tell.
    json.trim_ascii_end().ends_with(b"}")
        && json.trim_ascii_start().starts_with(b"{")
        && is_whole(json)
}

/// Returns whether the text is a complete JSON value.
pub fn is_whole(json: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(without_byte_order_mark(json)).is_ok()
}

struct Outer<'n, const N: usize> {
    name: &'n str,
    inner: Fields<'n, N>,
}

impl<'a, const N: usize> Visitor<'a> for Outer<'_, N> {
    type Value = Values<'a, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = [None; N];
        while let Some(place) = map.next_key_seed(Name(&[self.name]))? {
            match place {
                Some(_) => found = map.next_value_seed(self.inner)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Reads the fields of an object.
#[derive(Clone, Copy)]
struct Fields<'n, const N: usize>(&'n [&'n str; N]);

impl<'a, const N: usize> DeserializeSeed<'a> for Fields<'_, N> {
    type Value = Values<'a, N>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a, const N: usize> Visitor<'a> for Fields<'_, N> {
    type Value = Values<'a, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut found = [None; N];
        while let Some(place) = map.next_key_seed(Name(self.0))? {
            match place {
                Some(place) => found[place] = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Reads a name, and returns its index among the requested names.
struct Name<'n>(&'n [&'n str]);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // As bytes, because requested names are text and need no check.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| wanted.as_bytes() == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<[Option<String>; 2]> {
        let found = fields(json.as_bytes(), ["a", "b"]).ok()?;
        Some(found.map(|value| value.map(|value| value.get().to_owned())))
    }

    fn texts(a: &str, b: &str) -> Option<[Option<String>; 2]> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Some([text(a), text(b)])
    }

    #[test]
    fn the_last_of_a_doubled_field_counts() {
        assert_eq!(read(r#"{"a":1,"b":2,"a":"x"}"#), texts("\"x\"", "2"));
        assert_eq!(read(r#"{"a":{"b":1},"\u0061":[]}"#), texts("[]", ""));
    }

    #[test]
    fn an_object_within_an_object_is_read_in_one_go() {
        let read = |json: &str| {
            fields_within(json.as_bytes(), "o", ["a"])
                .ok()
                .map(|[a]| a.map(RawValue::get).map(str::to_owned))
        };
        assert_eq!(read(r#"{"x":[],"o":{"a":1}}"#), Some(Some("1".to_owned())));
        assert_eq!(
            read(r#"{"o":{"a":1},"o":{"a":2}}"#),
            Some(Some("2".to_owned()))
        );
        for other in [
            "null",
            "7",
            "-7",
            "0.5",
            "\"x\"",
            "\"\\u0061\"",
            "true",
            "[1,{}]",
            "{}",
            "1e999",
            "\"\\ud800\"",
            "[1e999]",
        ] {
            let doubled = format!(r#"{{"o":{other},"o":{{"a":1}}}}"#);
            assert_eq!(read(&doubled), Some(Some("1".to_owned())), "{other}");
            let reversed = format!(r#"{{"o":{{"a":1}},"o": {other}}}"#);
            assert_eq!(read(&reversed), Some(None), "{other}");
            assert_eq!(read(&format!(r#"{{"o":{other}}}"#)), Some(None), "{other}");
        }
        assert_eq!(read(r#"{"o":7,"o":{"a":1}} x"#), None);
        assert_eq!(read(r#"{"o":[1,}"#), None);
        assert_eq!(read(r#"{"a":1}"#), Some(None));
        assert_eq!(read(r#"{"o":{"a":1}"#), None);
    }

    #[test]
    fn a_number_of_any_size_is_no_reason_to_refuse_the_rest() {
        assert_eq!(read(r#"{"a":1e999,"b":2,"c":-1e999}"#), texts("1e999", "2"));
    }

    #[test]
    fn only_white_space_may_follow_the_object() {
        assert_eq!(read("{} \r\n\t"), texts("", ""));
        for odd in ["{} x", "{}{}", "{}\0", "[]", "1", "", "{"] {
            assert_eq!(read(odd), None, "{odd:?}");
        }
    }
}
