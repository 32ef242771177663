//! A response body of bounded size, in memory that is wiped.

use reqwest::Response;
use zeroize::Zeroizing;

/// A hundred times the largest session the server sends.
pub(super) const MAX_BYTES: usize = 64 * 1024;

pub(super) enum Overflow {
    /// More than [`MAX_BYTES`] is an error.
    Refuse,
    /// Keep the beginning: of an error page only the words matter.
    Cut,
}

pub(super) enum Failure {
    TooLarge,
    Broken(reqwest::Error),
}

pub(super) async fn read(
    mut response: Response,
    overflow: Overflow,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let announced = response.content_length().unwrap_or(0);
    let cut = matches!(overflow, Overflow::Cut);
    if announced > MAX_BYTES as u64 && !cut {
        return Err(Failure::TooLarge);
    }
    let capacity = usize::try_from(announced).unwrap_or(0).min(MAX_BYTES);
    let mut body = Zeroizing::new(Vec::with_capacity(capacity));
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_BYTES - body.len();
                if chunk.len() > room && !cut {
                    return Err(Failure::TooLarge);
                }
                append(&mut body, &chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return Ok(body);
                }
            }
            Ok(None) => return Ok(body),
            // What came of an error page is better than nothing.
            Err(_) if cut => return Ok(body),
            Err(error) => return Err(Failure::Broken(error)),
        }
    }
}

/// Grows by hand: a `Vec` that moves leaves its old bytes, and with them the
/// token, in freed memory.
fn append(body: &mut Zeroizing<Vec<u8>>, bytes: &[u8]) {
    let needed = body.len() + bytes.len();
    if needed > body.capacity() {
        let capacity = needed.next_power_of_two().min(MAX_BYTES).max(needed);
        let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
        larger.extend_from_slice(body);
        *body = larger;
    }
    body.extend_from_slice(bytes);
}
