//! A response body of bounded size, in memory that is wiped.

use std::{error::Error as StdError, future::poll_fn, pin::Pin};

use hyper::body::{Body, Bytes};

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
    Broken(Box<dyn StdError + Send + Sync>),
}

pub(super) async fn read<B>(mut incoming: B, overflow: Overflow) -> Result<Secret, Failure>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Unpin,
{
    let announced = incoming.size_hint().lower();
    let cut = matches!(overflow, Overflow::Cut);
    if announced > MAX_BYTES as u64 && !cut {
        return Err(Failure::TooLarge);
    }
    let capacity = usize::try_from(announced).unwrap_or(0).min(MAX_BYTES);
    let mut body = Secret::with_capacity(capacity);
    loop {
        match poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
            Some(Ok(frame)) => {
                // The other kind are trailers, which mean nothing here.
                let Ok(chunk) = frame.into_data() else {
                    continue;
                };
                let room = MAX_BYTES - body.len();
                if chunk.len() > room && !cut {
                    return Err(Failure::TooLarge);
                }
                body.append(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    return Ok(body);
                }
            }
            None => return Ok(body),
            // What came of an error page is better than nothing.
            Some(Err(_)) if cut => return Ok(body),
            Some(Err(error)) => return Err(Failure::Broken(error.into())),
        }
    }
}
