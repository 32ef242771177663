//! Bodies of a given length that a test can generate too, to compare them byte by byte.

use std::sync::LazyLock;

use serde_json::json;

/// A prime, so that repeated or misplaced pieces of any buffer size differ from the expected ones.
const PERIOD: usize = 251;

/// Many periods in one block, to be copied instead of computed.
const BLOCK: usize = PERIOD * 256;

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| block(|at| (at % PERIOD) as u8));
static LETTERS: LazyLock<Vec<u8>> = LazyLock::new(|| block(|at| b'a' + (at % PERIOD % 26) as u8));

fn block(at: impl Fn(usize) -> u8) -> Vec<u8> {
    (0..BLOCK).map(at).collect()
}

/// Returns `length` bytes. Byte i is i mod 251.
pub fn bytes(length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    append(&mut bytes, &BYTES, length);
    bytes
}

/// Returns `{"data":{"request":"GET /api/…","content":"abc…"}}`, with this length. The request is
/// included, so that a test can see which request the answer belongs to. Letter i of the content
/// has the number i mod 251 mod 26 in the alphabet.
pub fn data(method: &str, target: &str, length: usize) -> Vec<u8> {
    let request = json!(format!("{method} {target}"));
    let start = format!("{{\"data\":{{\"request\":{request},\"content\":\"");
    enclosed(start, length, "\"}}")
}

/// Returns `{"jsonrpc":"2.0","id":1,"result":"abc…"}`, with this length.
pub fn rpc_result(id: &serde_json::Value, length: usize) -> Vec<u8> {
    let start = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":\"");
    enclosed(start, length, "\"}")
}

/// Returns letters between a start and an end. If the length has no room for both, there are no
/// letters.
fn enclosed(start: String, length: usize, end: &str) -> Vec<u8> {
    let mut bytes = start.into_bytes();
    let letters = length.saturating_sub(bytes.len() + end.len());
    bytes.reserve_exact(letters + end.len());
    append(&mut bytes, &LETTERS, letters);
    bytes.extend_from_slice(end.as_bytes());
    bytes
}

fn append(to: &mut Vec<u8>, block: &[u8], length: usize) {
    let mut left = length;
    while left > 0 {
        let piece = left.min(BLOCK);
        to.extend_from_slice(&block[..piece]);
        left -= piece;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_told_by_its_place() {
        let bytes = bytes(200_000);
        assert_eq!(bytes.len(), 200_000);
        assert!(
            bytes
                .iter()
                .enumerate()
                .all(|(at, &byte)| { usize::from(byte) == at % 251 })
        );
    }

    #[test]
    fn a_json_body_has_its_length_and_tells_its_request() {
        let body = data("GET", "/a?b=\"", 100_000);
        assert_eq!(body.len(), 100_000);
        let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(value["data"]["request"], "GET /a?b=\"");
        let content = value["data"]["content"].as_str().unwrap().bytes();
        assert!(
            content
                .enumerate()
                .all(|(at, letter)| { usize::from(letter - b'a') == at % 251 % 26 })
        );
    }

    #[test]
    fn a_length_without_room_gives_no_letters() {
        assert_eq!(
            data("GET", "/", 0),
            br#"{"data":{"request":"GET /","content":""}}"#
        );
    }
}
