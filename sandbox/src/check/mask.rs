//! Masks credentials and the client's address, which must not be shown or recorded.

use reqwest::Url;
use serde_json::{Value, json};

use crate::check::exchange::{Answer, Request};
use crate::check::session;

const TOKEN: &str = "<token>";
const MASKED: &str = "<masked>";
/// Shorter tokens or addresses are not searched for in other text.
const SHORTEST: usize = 3;
/// A shorter value with a secret name may be a common word.
const SHORTEST_NAMED: usize = 8;

/// The tokens and addresses of all exchanges so far, with the longest first: one may be part of
/// another.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    known: Vec<(String, &'static str)>,
}

impl Secrets {
    pub fn learn_request(&mut self, request: &Request) {
        for (name, value) in &request.headers {
            if let Some(token) = value.strip_prefix("Bearer ")
                && name.eq_ignore_ascii_case("authorization")
            {
                self.add(token, TOKEN, SHORTEST);
            }
        }
    }

    pub fn learn(&mut self, answer: &Answer) {
        for (name, value) in &answer.headers {
            self.learn_text(value);
            if let Some(mask) = mask_of(name) {
                self.add(value, mask, SHORTEST_NAMED);
                let cookie = value.split(';').next().unwrap_or_default();
                let cookie = cookie.split_once('=').map_or(cookie, |(_, value)| value);
                self.add(cookie, mask, SHORTEST_NAMED);
            }
        }
        self.learn_text(&String::from_utf8_lossy(&answer.body));
        if let Some(body) = answer.json() {
            if let Some(token) = body["data"]["token"].as_str() {
                self.add(token, TOKEN, SHORTEST);
            }
            self.learn_value(&body, None);
        }
    }

    fn learn_value(&mut self, value: &Value, under: Option<&'static str>) {
        match value {
            Value::String(text) => {
                self.learn_text(text);
                if let Some(mask) = under {
                    self.add(text, mask, SHORTEST_NAMED);
                }
            }
            Value::Array(values) => {
                for value in values {
                    self.learn_value(value, under);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    if name.eq_ignore_ascii_case("ip") {
                        self.add_addresses(value);
                    }
                    self.learn_value(value, under.or(mask_of(name)));
                }
            }
            _ => {}
        }
    }

    /// Adds the addresses in the claims of the tokens in a text.
    fn learn_text(&mut self, text: &str) {
        let mut rest = text;
        while let Some((_, token, after)) = next_jwt(rest) {
            if let Some(claims) = session::claims(token) {
                self.add_addresses(&claims["ip"]);
            }
            rest = after;
        }
    }

    fn add_addresses(&mut self, ip: &Value) {
        for address in ip.as_str().unwrap_or_default().split([',', ' ']) {
            self.add(address, MASKED, SHORTEST);
            if let Some(mapped) = address.strip_prefix("::ffff:") {
                self.add(mapped, MASKED, SHORTEST);
            }
        }
    }

    fn add(&mut self, secret: &str, mask: &'static str, shortest: usize) {
        if secret.len() < shortest || self.known.iter().any(|(known, _)| known == secret) {
            return;
        }
        self.known.push((secret.to_owned(), mask));
        self.known
            .sort_by_key(|(known, _)| std::cmp::Reverse(known.len()));
    }

    /// Masks known secrets, everything like a JWT, and the credentials and queries of URLs.
    pub fn text(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (secret, mask) in &self.known {
            masked = masked.replace(secret, mask);
        }
        without_url_secrets(&without_jwts(&masked))
    }

    pub fn header(&self, name: &str, value: &str) -> String {
        match (name.to_ascii_lowercase().as_str(), mask_of(name)) {
            ("authorization", _) => format!("Bearer {TOKEN}"),
            (_, Some(mask)) => mask.to_owned(),
            ("location" | "content-location", None) => self.target(value),
            _ => self.text(value),
        }
    }

    /// Masks the whole value of each member with a secret name, and the secrets in other values.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => match serde_json::from_str(&text) {
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => {
                    json!(self.value(inner).to_string())
                }
                _ => json!(self.text(&text)),
            },
            Value::Array(values) => values.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let value = match mask_of(&name) {
                        Some(mask) if !value.is_null() => json!(mask),
                        _ => self.value(value),
                    };
                    (self.text(&name), value)
                })
                .collect(),
            other => other,
        }
    }

    /// Masks a body that is not JSON. Broken JSON with a secret name is masked completely, because
    /// the end of the value is unknown.
    pub fn plain(&self, body: &str) -> String {
        let pieces: Vec<&str> = body.split('"').collect();
        let has_secret = pieces.windows(2).any(|pair| {
            pair[1].trim_start().starts_with(':')
                && (mask_of(pair[0]).is_some() || without_jwts(pair[0]) != pair[0])
        });
        if has_secret {
            return MASKED.to_owned();
        }
        self.text(body)
    }

    /// Returns the target of a redirect without user, password, query and fragment.
    pub fn target(&self, location: &str) -> String {
        let location = location.trim();
        let base = Url::parse("http://relative.invalid/").expect("a URL");
        let is_absolute = Url::parse(location).is_ok();
        let Ok(mut url) = base.join(location) else {
            return MASKED.to_owned();
        };
        url.set_query(None);
        url.set_fragment(None);
        if url.cannot_be_a_base() {
            return format!("{}:{MASKED}", url.scheme());
        }
        if url.set_username("").is_err() || url.set_password(None).is_err() {
            return self.text(url.path());
        }
        let shown = match url.host_str() {
            Some("relative.invalid") => url.path(),
            Some(_) if !is_absolute => url.as_str().trim_start_matches("http:"),
            _ => url.as_str(),
        };
        self.text(shown)
    }
}

/// Returns the mask for the value of a header or member with the name of a secret or address.
fn mask_of(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if lower.contains("token") {
        return Some(TOKEN);
    }
    let is_secret = ["auth", "jwt", "key", "cookie", "secret"]
        .iter()
        .any(|word| lower.contains(word));
    let is_address = lower == "ip"
        || ["Ip", "IP", "-ip", "_ip"]
            .iter()
            .any(|end| name.ends_with(end))
        || ["forwarded", "remote-addr", "remote_addr", "remoteaddr"]
            .iter()
            .any(|word| lower.contains(word));
    (is_secret || is_address).then_some(MASKED)
}

/// Returns the next text that looks like a JWT, with the text before and after it. It consists of
/// base64url and dots.
fn next_jwt(text: &str) -> Option<(&str, &str, &str)> {
    let start = text.find("eyJ")?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
    let run = &text[start..];
    let end = run.find(|c| !is_part(c)).unwrap_or(run.len());
    Some((&text[..start], &run[..end], &run[end..]))
}

fn without_jwts(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, _, after)) = next_jwt(rest) {
        masked.push_str(before);
        masked.push_str(TOKEN);
        rest = after;
    }
    masked + rest
}

/// Removes user, password, query and fragment from the URLs in a text.
fn without_url_secrets(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("//") {
        masked.push_str(before);
        masked.push_str("//");
        let is_end = |c: char| c.is_whitespace() || "\"'`>".contains(c);
        let (url, behind) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        let url = url.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = url.split_at(url.find('/').unwrap_or(url.len()));
        masked.push_str(authority.rsplit('@').next().unwrap_or_default());
        masked.push_str(path);
        rest = behind;
    }
    masked + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJpcCI6IjIwMy4wLjExMy45In0.c2ln-_";

    fn masked(body: &str) -> String {
        let answer = Answer {
            body: body.into(),
            ..Answer::default()
        };
        let mut secrets = Secrets::default();
        secrets.learn(&answer);
        match answer.json() {
            Some(value) => secrets.value(value).to_string(),
            None => secrets.plain(body),
        }
    }

    #[test]
    fn a_token_is_masked_wherever_it_stands() {
        for (body, expected) in [
            (
                r#"{"data":{"token":"JWT"}}"#,
                r#"{"data":{"token":"<token>"}}"#,
            ),
            (r#"{"token":{"value":"opaque"}}"#, r#"{"token":"<token>"}"#),
            (r#"{"tokens":["opaque",1]}"#, r#"{"tokens":"<token>"}"#),
            (r#"{"jwt":"opaque"}"#, r#"{"jwt":"<masked>"}"#),
            (r#"{"refreshToken":null}"#, r#"{"refreshToken":null}"#),
            (r#"{"JWT":1}"#, r#"{"<token>":1}"#),
            (r#"["JWT"]"#, r#"["<token>"]"#),
            (
                r#"{"a":"{\"jwt\":\"b\"}"}"#,
                r#"{"a":"{\"jwt\":\"<masked>\"}"}"#,
            ),
            (
                r#"{"data":{"token":"odd"},"a":"x odd"}"#,
                r#"{"a":"x <token>","data":{"token":"<token>"}}"#,
            ),
            (
                r#"{"ip":"::1","t":"JWT","a":"203.0.113.9 ::1"}"#,
                r#"{"a":"<masked> <masked>","ip":"<masked>","t":"<token>"}"#,
            ),
            ("{\"a\":\"JWT", "{\"a\":\"<token>"),
            ("{\"token\":\"opaq", MASKED),
            ("x JWT, 203.0.113.9", "x <token>, <masked>"),
            ("to <https://u:p@x.test/a?k=1>", "to <https://x.test/a>"),
        ] {
            assert_eq!(masked(&body.replace("JWT", JWT)), expected, "{body}");
        }
    }

    #[test]
    fn a_secret_is_masked_in_later_answers_too() {
        let mut secrets = Secrets::default();
        secrets.learn(&Answer {
            headers: vec![("Set-Cookie".into(), "sid=0123456789; Path=/".into())],
            body: br#"{"data":{"token":"opaque"},"clientKey":"abcdefgh"}"#.into(),
            ..Answer::default()
        });
        let shown = secrets.text("opaque, 0123456789 and abcdefgh");
        assert_eq!(shown, "<token>, <masked> and <masked>");
    }

    #[test]
    fn a_header_with_a_secret_name_is_masked() {
        let secrets = Secrets::default();
        for (name, value, expected) in [
            ("Authorization", "Bearer x", "Bearer <token>"),
            ("X-Auth-Token", "x", TOKEN),
            ("Set-Cookie", "sid=1", MASKED),
            ("X-Api-Key", "x", MASKED),
            ("X-Forwarded-For", "x", MASKED),
            ("X-Real-IP", "x", MASKED),
            (
                "Refresh",
                "0;url=http://u:p@x.test/?q",
                "0;url=http://x.test/",
            ),
            ("Keep-Alive", "timeout=5", "timeout=5"),
            ("X", JWT, TOKEN),
        ] {
            assert_eq!(secrets.header(name, value), expected, "{name}");
        }
    }

    #[test]
    fn the_target_of_a_redirect_has_no_credentials_and_no_query() {
        for (location, expected) in [
            ("https://u:PW@x.test:1/a?k=1#f", "https://x.test:1/a"),
            ("https:\\\\u:PW@x.test/a", "https://x.test/a"),
            ("https://u:P@W@x.test/", "https://x.test/"),
            ("//u:PW@x.test/a?k", "//x.test/a"),
            ("/a?k=1", "/a"),
            ("mailto:u:PW@x.test?k", "mailto:<masked>"),
            ("https://u:PW@x.test:99999/", MASKED),
        ] {
            assert_eq!(Secrets::default().target(location), expected, "{location}");
        }
    }
}
