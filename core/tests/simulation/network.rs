//! What happens to a request and its answer on the network.

use std::time::{Duration, SystemTime};

use crate::{server, worlds::random::Random};

/// What happens to one exchange, decided when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Arrives,
    /// The connection breaks before the server has the request.
    LostBefore,
    /// The server carries the request out, and then the connection breaks.
    LostAfter,
    /// The answer is cut off.
    CutShort,
    /// The answer never comes.
    Silent,
    /// The server answers with this status, and does not carry the request out.
    Refused(u16),
    /// A proxy in front times out while the server continues.
    GatewayTimeout,
    /// A cache in front answers with the session of another caller.
    Mixed,
}

/// Picks what happens to an exchange. `badness`: the percentage of exchanges that fail.
pub fn fate(random: &mut Random, badness: u64) -> Fate {
    if !random.percent(badness) {
        return Fate::Arrives;
    }
    match random.below(10) {
        0 | 1 => Fate::LostBefore,
        2 => Fate::LostAfter,
        3 => Fate::CutShort,
        4 => Fate::Silent,
        5 => Fate::GatewayTimeout,
        6 => Fate::Mixed,
        _ => Fate::Refused(random.pick(&[404, 429, 500, 502, 503, 403, 409])),
    }
}

/// Returns an answer as bytes. Its head and framing vary.
pub fn response(random: &mut Random, status: u16, body: &str, now: Duration) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} X\r\n");
    if random.percent(5) {
        head.insert_str(0, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    }
    // A proxy may leave Date out, or have a wrong clock.
    let wrong_by: i64 = match random.below(20) {
        0 => 0,
        1 => 30,
        2 => -45,
        3 => 4000,
        4 => -4000,
        _ => 0,
    };
    if !random.percent(10) {
        let date = server::clock(now).as_secs().saturating_add_signed(wrong_by);
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(date);
        head.push_str(&format!("Date: {}\r\n", httpdate::fmt_http_date(date)));
    }
    if status == 429 {
        head.push_str(&format!("Retry-After: {}\r\n", random.below(5)));
    }
    let bytes = match random.below(10) {
        0 => format!(
            "{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
            body.len()
        ),
        1 => format!("{head}Connection: close\r\n\r\n{body}"),
        _ => format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()),
    };
    bytes.into_bytes()
}

/// Cuts bytes into pieces, as TCP may do.
pub fn pieces(random: &mut Random, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let most = match random.below(4) {
            0 => 1 + random.below(40) as usize,
            _ => rest.len(),
        };
        let (piece, after) = rest.split_at(most.min(rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}
