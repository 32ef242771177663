//! The recorded exchanges.

use std::path::Path;

use super::{Answer, Wire};

/// A recording: the command, if it was recorded, and the final answer.
pub struct Recording {
    pub name: String,
    arguments: Vec<String>,
    /// Whether a status 100 came before the answer.
    pub continued: bool,
    pub answer: Answer,
}

impl Recording {
    pub fn read(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/exchanges");
        let text = std::fs::read_to_string(folder.join(name)).expect(name);
        let (command, answer) = match text.strip_prefix("$ ") {
            Some(rest) => rest.split_once('\n').expect("an answer"),
            None => ("", text.as_str()),
        };
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        let last = answer.strip_prefix(interim).unwrap_or(answer);
        let mut wire = Wire::new(std::io::Cursor::new(last.as_bytes().to_vec()));
        Recording {
            name: name.to_owned(),
            arguments: shell_words(command),
            continued: answer.starts_with(interim),
            answer: wire.receive(),
        }
    }

    fn value_of(&self, option: &str) -> Option<&str> {
        let at = self
            .arguments
            .iter()
            .position(|argument| argument == option)?;
        self.arguments.get(at + 1).map(String::as_str)
    }

    fn url(&self) -> &str {
        let mut all = self.arguments.iter();
        all.find(|argument| argument.starts_with("http://"))
            .expect("a URL")
    }

    /// Returns the recorded bearer token.
    pub fn token(&self) -> Option<&str> {
        let mut all = self.arguments.iter();
        all.find_map(|argument| argument.strip_prefix("Authorization: Bearer "))
    }

    /// Returns the request as curl sent it, with another token in place of the recorded one.
    pub fn request(&self, token: Option<&str>) -> Vec<u8> {
        let path = self.url().splitn(4, '/').nth(3).expect("a path");
        let method = self.value_of("-X").unwrap_or("GET");
        let mut head = format!(
            "{method} /{path} HTTP/1.1\r\nHost: 127.0.0.1:3905\r\nUser-Agent: curl/8\r\nAccept: */*\r\n"
        );
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            if argument != "-H" {
                continue;
            }
            let header = arguments.next().expect("a header");
            match (header.strip_suffix(';'), token) {
                (Some(name), _) => head.push_str(&format!("{name}:\r\n")),
                (None, Some(token)) if header.starts_with("Authorization: ") => {
                    head.push_str(&format!("Authorization: Bearer {token}\r\n"));
                }
                (None, _) => head.push_str(&format!("{header}\r\n")),
            }
        }
        let data = self.value_of("-d").or(self.value_of("--data-binary"));
        let body = match data {
            // The file was not recorded, but the name of the recording gives its size.
            Some("@body_json1mb1") => format!("{{\"a\":\"{}\"}}", "x".repeat(1024 * 1024 - 7)),
            Some(data) => data.to_owned(),
            None => String::new(),
        };
        if data.is_some() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        if self.continued {
            head.push_str("Expect: 100-continue\r\n");
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

/// Splits a command into words. Special characters are escaped with backslashes.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = command.chars();
    while let Some(character) = characters.next() {
        let word = words.last_mut().expect("there is one");
        match character {
            '\\' => word.extend(characters.next()),
            ' ' => words.push(String::new()),
            other => word.push(other),
        }
    }
    words
}
