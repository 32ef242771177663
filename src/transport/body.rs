//! A response body of bounded size, in memory that is wiped.

use reqwest::Response;

use crate::secret::Secret;

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

pub(super) async fn read(mut response: Response, overflow: Overflow) -> Result<Secret, Failure> {
    let announced = response.content_length().unwrap_or(0);
    let cut = matches!(overflow, Overflow::Cut);
    if announced > MAX_BYTES as u64 && !cut {
        return Err(Failure::TooLarge);
    }
    let capacity = usize::try_from(announced).unwrap_or(0).min(MAX_BYTES);
    let mut body = Secret::with_capacity(capacity);
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = MAX_BYTES - body.len();
                if chunk.len() > room && !cut {
                    return Err(Failure::TooLarge);
                }
                body.append(&chunk[..chunk.len().min(room)]);
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
