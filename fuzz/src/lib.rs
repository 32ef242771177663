//! Code for several targets: checks of messages, and the splitting of inputs.

use zelf_core::error::Error;

/// The longest message of a server, in bytes.
pub const MOST_OF_WORDS: usize = 512 + '…'.len_utf8();

/// Asserts that a text is safe in a log: it is one line, without characters that control a
/// terminal.
pub fn assert_fit_for_a_log(text: &str) {
    let is_odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!text.contains(is_odd), "{text:?}");
}

/// Asserts that a text contains nothing that begins like a token.
pub fn assert_no_token(text: &str) {
    assert!(!text.contains("eyJ"), "a token in {text:?}");
}

/// Asserts what all errors have in common.
pub fn assert_fit(error: &Error) {
    assert!(!error.message.is_empty());
    assert_fit_for_a_log(&error.message);
    if let Some(words) = &error.server_message {
        assert!(!words.is_empty() && words.len() <= MOST_OF_WORDS);
        assert_fit_for_a_log(words);
        assert_no_token(words);
        assert!(error.message.contains(words), "{error} lacks {words}");
    }
}

/// Splits the last bytes off an input. They choose how the rest is used. So a recording with a few
/// bytes behind it is a valid input.
pub fn split_choices<const N: usize>(input: &[u8]) -> Option<(&[u8], [u8; N])> {
    let (rest, choices) = input.split_last_chunk()?;
    Some((rest, *choices))
}

/// Returns the first lines of an input as texts, and the rest in the last text. Returns `None` if
/// the input is not UTF-8.
pub fn lines<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let mut rest = std::str::from_utf8(input).ok()?;
    let mut parts = [""; N];
    for (at, part) in parts.iter_mut().enumerate() {
        *part = match rest.split_once('\n') {
            Some((line, after)) if at + 1 < N => {
                rest = after;
                line
            }
            _ => std::mem::take(&mut rest),
        };
    }
    Some(parts)
}
