//! JSON merge patch, RFC 7396.

use serde_json::{Value, json};

pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(key);
            } else {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Patches a body; one that is not JSON stays as it is.
pub fn merge_bytes(body: &mut Vec<u8>, patch: &Value) {
    if let Ok(mut value) = serde_json::from_slice(body) {
        merge(&mut value, patch);
        *body = value.to_string().into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (
                json!({"a": [1]}),
                json!({"a": {"b": 1}}),
                json!({"a": {"b": 1}}),
            ),
            (
                json!({"a": {"b": 1}}),
                json!({"a": {"c": null}}),
                json!({"a": {"b": 1}}),
            ),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (json!([1, 2]), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1}), json!("bar"), json!("bar")),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} with {patch}");
        }
    }

    #[test]
    fn a_body_that_is_not_json_stays_as_it_is() {
        let mut body = b"Bad Request".to_vec();
        merge_bytes(&mut body, &json!({"a": 1}));
        assert_eq!(body, b"Bad Request");
    }
}
