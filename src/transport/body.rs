//! A response body of bounded size, in memory that is wiped.

use std::{error::Error as StdError, future::poll_fn, pin::Pin, time::Duration};

use hyper::body::{Body, Bytes};
use tokio::time::{Instant, timeout_at};

use crate::secret::Secret;

/// A hundred times the largest session the server sends.
pub(super) const MAX_BYTES: usize = 64 * 1024;

pub(super) enum Wanted {
    /// More than [`MAX_BYTES`] is an error.
    Whole,
    /// As much as comes in time, and without error: of an error page only the
    /// words matter, and what the status says must not be lost with them.
    Beginning(Duration),
}

pub(super) enum Failure {
    TooLarge,
    Broken(Box<dyn StdError + Send + Sync>),
}

/// What was read, and whether that was all.
pub(super) struct Read {
    pub(super) bytes: Secret,
    pub(super) end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// There is more than anyone needs.
    Unread,
    /// It broke off, or did not come in time.
    Missing,
}

pub(super) async fn read<B>(mut incoming: B, wanted: Wanted) -> Result<Read, Failure>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>> + Unpin,
{
    let announced = incoming.size_hint().lower();
    let (cut, until) = match wanted {
        Wanted::Whole => (false, None),
        Wanted::Beginning(time) => (true, Some(Instant::now() + time)),
    };
    if announced > MAX_BYTES as u64 && !cut {
        return Err(Failure::TooLarge);
    }
    let capacity = usize::try_from(announced).unwrap_or(0).min(MAX_BYTES);
    let mut bytes = Secret::with_capacity(capacity);
    let end = loop {
        let next = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context));
        let frame = match until {
            None => next.await,
            Some(until) => match timeout_at(until, next).await {
                Ok(frame) => frame,
                Err(_) => break End::Missing,
            },
        };
        match frame {
            Some(Ok(frame)) => {
                // The other kind are trailers, which mean nothing here.
                let Ok(chunk) = frame.into_data() else {
                    continue;
                };
                let room = MAX_BYTES - bytes.len();
                if chunk.len() > room && !cut {
                    return Err(Failure::TooLarge);
                }
                bytes.append(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    break End::Unread;
                }
            }
            None => break End::Whole,
            // What came of an error page is better than nothing.
            Some(Err(_)) if cut => break End::Missing,
            Some(Err(error)) => return Err(Failure::Broken(error.into())),
        }
    };
    Ok(Read { bytes, end })
}
