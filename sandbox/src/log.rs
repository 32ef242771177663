//! The log: one line for each event on stderr.

use std::io::Write as _;

/// Writes a line. The sandbox continues if stderr is closed.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// Returns a text for one line of the log. It has no control characters, which could forge lines,
/// and no tokens, and is cut to the length of a line.
pub fn printable(text: &str) -> String {
    const LONGEST: usize = 400;
    let words = text.split(' ').map(|word| match word.find("eyJ") {
        Some(start) => format!("{}<token>", &word[..start]),
        None => word.to_owned(),
    });
    let mut line = String::new();
    for character in words.collect::<Vec<_>>().join(" ").chars() {
        if line.len() >= LONGEST {
            line.push('…');
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_token_is_never_printed() {
        let text = "GET /a?t=eyJhbGciOiJIUzI1NiJ9.e30.x 401 identifier=eyJ0 x";
        assert_eq!(printable(text), "GET /a?t=<token> 401 identifier=<token> x");
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(printable("identifier=a\nPOST /"), "identifier=a\\nPOST /");
        assert!(printable(&"L".repeat(2000)).len() < 420);
    }
}
