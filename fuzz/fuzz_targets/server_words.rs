//! The server's message, in a body of any format.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zelf_core::{api::server_words, http::coding::Coding};
use zelf_fuzz::{MOST_OF_WORDS, assert_fit_for_a_log, assert_no_token, split_choices};

const CODINGS: [Option<Coding>; 4] = [
    None,
    Some(Coding::Gzip),
    Some(Coding::Utf16),
    Some(Coding::Unknown),
];
const SIGNATURE: &str = "c2lnbmF0dXJlb2ZhdG9rZW4";
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzZWNyZXQiOiJzM2NyM3QifQ.c2lnbmF0dXJlb2ZhdG9rZW4";

fn check(body: &[u8], coding: Option<Coding>) -> Option<String> {
    let words = server_words::read(body, coding);
    if let Some(said) = &words.said {
        assert!(!said.is_empty() && said.len() <= MOST_OF_WORDS);
        assert_fit_for_a_log(said);
        assert_no_token(said);
        assert_eq!(words.coding, None);
        // Another pass does not change the text.
        let again = server_words::on_one_line(said);
        assert!(
            again.as_deref() == Some(said) || said.len() > MOST_OF_WORDS - 3,
            "{said:?} becomes {again:?}"
        );
    }
    words.said
}

fuzz_target!(|input: &[u8]| {
    let Some((body, [coding, at])) = split_choices(input) else {
        return;
    };
    let coding = CODINGS[usize::from(coding) % CODINGS.len()];
    check(body, coding);
    // A server that echoes a request may put its token anywhere.
    let at = usize::from(at) % (body.len() + 1);
    let with_token = check(
        &[&body[..at], TOKEN.as_bytes(), &body[at..]].concat(),
        coding,
    );
    // The fuzzer may find the signature in the program.
    let is_of_the_input = body
        .windows(8)
        .any(|piece| SIGNATURE.as_bytes().starts_with(piece));
    let is_said = with_token.is_some_and(|said| said.contains(SIGNATURE));
    assert!(!is_said || is_of_the_input);
});
