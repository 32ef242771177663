//! The server's own words, taken from an error body of any shape.

use serde_json::Value;

/// Enough for every message the server has; a proxy's page can be long.
const MAX_BYTES: usize = 512;

/// What the body says, for a person: control characters and tokens removed,
/// HTML reduced to its title, length bounded. `None` when it says nothing.
pub(super) fn read(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let words = match serde_json::from_str(text) {
        Ok(json) => from_json(&json)?,
        Err(_) if text.starts_with('<') => html_title(text)?.to_owned(),
        Err(_) => text.to_owned(),
    };
    // Tokens first: what takes their place may be longer.
    let words = printable(&without_tokens(&words));
    (!words.is_empty()).then_some(words)
}

fn from_json(json: &Value) -> Option<String> {
    let said: Vec<String> = match json {
        Value::Object(fields) => ["error", "validationError", "message"]
            .iter()
            .filter_map(|name| fields.get(*name))
            .filter(|value| !value.is_null())
            .map(plain)
            .collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    };
    (!said.is_empty()).then(|| said.join("; "))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().replace('\n', "; "),
        other => other.to_string(),
    }
}

fn html_title(html: &str) -> Option<&str> {
    // ASCII case only, so that byte positions stay those of the original.
    let lower = html.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(html[start..end].trim())
}

/// One line without control or bidirectional-override characters, so that a
/// log or a terminal shows what was said and nothing else happens.
fn printable(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|c| !is_invisible(*c)));
        if line.len() > MAX_BYTES {
            while line.len() > MAX_BYTES {
                line.pop();
            }
            line.push('…');
            break;
        }
    }
    line
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A server that echoes a request must not put a token into an error: every
/// run that begins like a JWT is replaced.
fn without_tokens(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        clean.push_str(&rest[..start]);
        clean.push_str("[token]");
        let run = &rest[start..];
        let end = run
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=')))
            .unwrap_or(run.len());
        rest = &run[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(body: &str) -> Option<String> {
        read(body.as_bytes())
    }

    #[test]
    fn every_shape_of_error_body_keeps_its_words() {
        assert_eq!(words(r#"{"error":"rejected"}"#).unwrap(), "rejected");
        assert_eq!(
            words(r#"{"validationError":"missing identifier\n"}"#).unwrap(),
            "missing identifier"
        );
        assert_eq!(words(r#"{"validationError":"a\nb\n"}"#).unwrap(), "a; b");
        assert_eq!(
            words(r#"{"error":"a","validationError":"b"}"#).unwrap(),
            "a; b"
        );
        assert_eq!(words(r#"{"error":{"code":7}}"#).unwrap(), r#"{"code":7}"#);
        assert_eq!(words("Bad Request").unwrap(), "Bad Request");
        assert_eq!(
            words("<html><TITLE>502 Bad Gateway</title>x").unwrap(),
            "502 Bad Gateway"
        );
    }

    #[test]
    fn a_body_without_words_gives_none() {
        for body in [
            "",
            " \n",
            "{}",
            "[]",
            "42",
            "null",
            "<html><body>x",
            "<title></title>",
            r#"{"error":null}"#,
        ] {
            assert_eq!(words(body), None, "{body}");
        }
    }

    #[test]
    fn words_are_one_bounded_printable_line() {
        assert_eq!(
            words("a\r\n\u{1b}[31mb\u{0}c\u{202e}d").unwrap(),
            "a [31mb cd"
        );
        for long in ["é".repeat(5000), "eyJ,".repeat(5000), "a ".repeat(5000)] {
            let long = words(&long).unwrap();
            assert!(long.len() <= MAX_BYTES + '…'.len_utf8(), "{}", long.len());
        }
        assert!(read(&[0xff, 0xfe, b'x']).is_some());
    }

    #[test]
    fn a_token_in_the_servers_words_is_removed() {
        let said = words(r#"{"error":"bad eyJhbGciOi.eyJk-b_2.sig, sorry"}"#).unwrap();
        assert_eq!(said, "bad [token], sorry");
        assert!(!words("<title>eyJhbGciOi</title>").unwrap().contains("eyJ"));
    }
}
