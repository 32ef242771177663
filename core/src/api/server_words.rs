//! The server's message, from a body in any format.

use serde_json::value::RawValue;

use crate::{
    api::{body_text, claim::Claim, json},
    http::coding::Coding,
};

/// Longer than all messages of the server. The page of a proxy may be longer.
const MAX_BYTES: usize = 512;

/// The message in a body, for people to read.
#[derive(Debug, Default, PartialEq)]
pub struct Words {
    /// One line of limited length, without control characters and tokens. For HTML it is the title.
    /// `None` if the body has no message.
    pub said: Option<String>,
    /// The body is HTML.
    pub is_page: bool,
    /// The coding, if it makes the message unreadable.
    pub coding: Option<Coding>,
}

/// Reads the message of a body. `named`: the coding in `Content-Encoding`.
pub fn read(body: &[u8], named: Option<Coding>) -> Words {
    match body_text::read(body, named) {
        Ok(text) => {
            let text = text.trim();
            Words {
                said: words(text),
                is_page: text.starts_with('<'),
                coding: None,
            }
        }
        Err(coding) => Words {
            coding: Some(coding),
            ..Words::default()
        },
    }
}

fn words(text: &str) -> Option<String> {
    let json = json::is_whole(text.as_bytes());
    match text.as_bytes().first()? {
        b'{' if json => on_one_line(&of_object(text)?),
        b'"' if json => on_one_line(&serde_json::from_str::<String>(text).ok()?),
        _ if json => None,
        b'<' => on_one_line(html_title(text)?),
        _ => on_one_line(text),
    }
}

/// Returns a text for use in a message: on one line, without tokens, of limited length. Returns
/// `None` if nothing is left.
pub fn on_one_line(text: &str) -> Option<String> {
    // Join the lines first: a removed character may be in the middle of a token.
    let words = shortened(without_tokens(&one_line(text)));
    (!words.is_empty()).then_some(words)
}

fn of_object(json: &str) -> Option<String> {
    let fields = json::fields(json.as_bytes(), ["error", "validationError", "message"]).ok()?;
    let said: Vec<String> = fields
        .into_iter()
        .flatten()
        .filter(|value| value.get() != "null")
        .map(plain)
        .filter(|words| !words.is_empty())
        .collect();
    (!said.is_empty()).then(|| said.join("; "))
}

fn plain(value: &RawValue) -> String {
    match Claim::of(Some(value)) {
        Claim::Text(text) => {
            let lines = text.lines().map(one_line);
            let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
            lines.join("; ")
        }
        _ => without_escapes(value.get()),
    }
}

/// Decodes the escapes of JSON that is shown unparsed. An escaped line break, which is written as
/// letters, could hide a token. Quotes and backslashes stay escaped.
fn without_escapes(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let code = escape.get(1..5).filter(|_| escape.starts_with('u'));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
        let (written, length) = match (escape.as_bytes().first(), code.and_then(char::from_u32)) {
            (Some(b'n' | b'r' | b't' | b'b' | b'f'), _) => (' ', 1),
            (Some(b'u'), Some(c)) if !matches!(c, '"' | '\\') => (c, 5),
            (Some(quote @ (b'"' | b'\\')), _) => {
                text.push('\\');
                (char::from(*quote), 1)
            }
            _ => ('\\', 0),
        };
        text.push(written);
        rest = &escape[length..];
    }
    text.push_str(rest);
    text
}

fn html_title(html: &str) -> Option<&str> {
    // Change the case of ASCII only, so that the byte positions stay the same.
    let lower = html.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    Some(html[start..end].trim())
}

/// Returns one line that is safe in logs and terminals. It has no control characters, and no
/// characters that change the direction of text.
fn one_line(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut line = String::with_capacity(visible.len());
    for word in visible.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
}

fn shortened(mut line: String) -> String {
    if line.len() > MAX_BYTES {
        while line.len() > MAX_BYTES {
            line.pop();
        }
        line.push('…');
    }
    line
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Replaces everything that begins like a JWT, with its following lines. A server that echoes a
/// request must not put a token into an error.
fn without_tokens(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("eyJ") {
        clean.push_str(&rest[..start]);
        clean.push_str("[token]");
        rest = &rest[start + token_run(&rest[start..])..];
        while let Some(gap) = rest.find(is_of_a_token)
            && gap <= MOST_OF_A_GAP
            && token_run(&rest[gap..]) >= LEAST_OF_A_LINE
        {
            rest = &rest[gap + token_run(&rest[gap..])..];
        }
    }
    clean.push_str(rest);
    clean
}

/// Words are rarely this long, and the lines of a token are rarely shorter.
const LEAST_OF_A_LINE: usize = 16;

/// The length of what replaces a line break: a space, "; ", or `","` between JSON texts.
const MOST_OF_A_GAP: usize = 3;

fn is_of_a_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=')
}

fn token_run(text: &str) -> usize {
    text.find(|c| !is_of_a_token(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(body: &str) -> Option<String> {
        read(body.as_bytes(), None).said
    }

    #[test]
    fn every_shape_of_error_body_keeps_its_words() {
        assert_eq!(words(r#"{"error":"rejected"}"#).unwrap(), "rejected");
        assert_eq!(
            words(r#"{"validationError":"missing identifier\n"}"#).unwrap(),
            "missing identifier"
        );
        assert_eq!(words(r#"{"validationError":"a\nb\n"}"#).unwrap(), "a; b");
        assert_eq!(words(r#"{"error":"\nrejected\n\n"}"#).unwrap(), "rejected");
        assert_eq!(
            words(r#"{"error":"a","validationError":"b"}"#).unwrap(),
            "a; b"
        );
        assert_eq!(
            words(r#"{"error":"a","validationError":"\n","message":""}"#).unwrap(),
            "a"
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
        for long in [
            "é".repeat(5000),
            "a".repeat(511) + &"é".repeat(9),
            "eyJ,".repeat(5000),
            "a ".repeat(5000),
        ] {
            let long = words(&long).unwrap();
            assert!(long.len() <= MAX_BYTES + '…'.len_utf8(), "{}", long.len());
        }
    }

    #[test]
    fn a_body_that_is_coded_has_no_words() {
        let words = read(b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabV", None);
        assert_eq!((words.said, words.coding), (None, Some(Coding::Gzip)));
    }

    #[test]
    fn words_of_another_type_are_shown_as_json() {
        for (body, shown) in [
            (r#"{"error":[1,"a\nb"]}"#, r#"[1,"a b"]"#),
            (r#"{"error":{"a":"\u00e9\"\\"}}"#, r#"{"a":"é\"\\"}"#),
            (r#"{"error":["\ud83d\ude00\/"]}"#, r#"["\ud83d\ude00\/"]"#),
            (r#"{"error":7}"#, "7"),
            (r#""plain""#, "plain"),
        ] {
            assert_eq!(words(body).unwrap(), shown, "{body}");
        }
        let deep = format!(r#"{{"error":{}7{}}}"#, "[".repeat(9000), "]".repeat(9000));
        assert!(words(&deep).unwrap().starts_with("[[["));
    }

    #[test]
    fn a_token_in_the_servers_words_is_removed() {
        let said = words(r#"{"error":"bad eyJhbGciOi.eyJk-b_2.sig, sorry"}"#).unwrap();
        assert_eq!(said, "bad [token], sorry");
        assert!(!words("<title>eyJhbGciOi</title>").unwrap().contains("eyJ"));
    }

    #[test]
    fn a_token_is_removed_however_it_is_split() {
        let payload = "eyJpZGVudGlmaWVyIjoiYSJ9";
        for split in [
            "\u{200b}", "\u{202e}", "\u{ad}", "\n", "\n\n", "\r\n  ", " ",
        ] {
            let token = format!("eyJhbGciOiJIUzI1NiJ9.{split}zZXNzaW9uIjoiYWJjZCJ9.{payload}");
            let said = words(&format!("bad {token}, sorry")).unwrap();
            assert_eq!(said, "bad [token], sorry", "{split:?}");
            let said = words(&token.replacen("eyJ", &format!("e{split}yJ"), 1)).unwrap();
            assert!(
                split.trim().is_empty() || said == "[token]",
                "{split:?}: {said}"
            );
            let json = serde_json::json!({"error": format!("bad {token}, sorry")});
            assert_eq!(words(&json.to_string()).unwrap(), "bad [token], sorry");
            let nested = serde_json::json!({"error": {"said": token}});
            assert_eq!(words(&nested.to_string()).unwrap(), r#"{"said":"[token]"}"#);
        }
    }
}
