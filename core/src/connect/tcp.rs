//! TCP connections to the first address that answers (RFC 8305).

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    task::Poll,
    time::Duration,
};

use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, sleep},
};

use crate::host::{descriptors::StandardStreams, system};

/// How long to wait before the next address is tried in parallel. If there are many addresses and
/// little time, the delay is shorter, but not shorter than the second value.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
const LEAST_DELAY: Duration = Duration::from_millis(10);

type Attempt<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + 'a>>;

/// Connects to one of `addresses`. The caller drops this future at `until`.
///
/// If all addresses fail, the error is the first one that is not a missing route: many hosts only
/// have a route for one address family.
pub async fn connect(addresses: Vec<SocketAddr>, until: Instant) -> io::Result<TcpStream> {
    let attempts = alternating(addresses).into_iter().map(connect_to);
    match race(attempts, until, |error| u8::from(is_no_route(error))).await {
        Ok(socket) => {
            // The connection also works without this option, a little more slowly.
            let _ = socket.set_nodelay(true);
            Ok(socket)
        }
        Err(error) => Err(error.unwrap_or_else(|| io::Error::other("it has no address"))),
    }
}

/// Returns the first success of several attempts.
///
/// After a failure, the next attempt starts at once. After a delay without an answer, it starts in
/// parallel. All attempts start before `until`. If all fail, the first error with the lowest
/// `vagueness` is returned.
pub async fn race<'a, T, E, F>(
    attempts: impl ExactSizeIterator<Item = F>,
    until: Instant,
    vagueness: impl Fn(&E) -> u8,
) -> Result<T, Option<E>>
where
    F: Future<Output = Result<T, E>> + 'a,
{
    let mut left = attempts;
    let delay = delay(left.len(), until.saturating_duration_since(Instant::now()));
    let mut attempts: Vec<Attempt<'a, T, E>> = Vec::new();
    let mut clearest = None;
    loop {
        let has_started = match left.next() {
            Some(attempt) => {
                attempts.push(Box::pin(attempt));
                true
            }
            None => false,
        };
        let delay = sleep(delay);
        let mut delay = std::pin::pin!(delay);
        let outcome = poll_fn(|context| {
            let mut at = 0;
            while at < attempts.len() {
                match attempts[at].as_mut().poll(context) {
                    Poll::Ready(outcome) => {
                        drop(attempts.remove(at));
                        return Poll::Ready(Some(outcome));
                    }
                    Poll::Pending => at += 1,
                }
            }
            match has_started {
                true => delay.as_mut().poll(context).map(|()| None),
                false if attempts.is_empty() => Poll::Ready(None),
                false => Poll::Pending,
            }
        })
        .await;
        match outcome {
            Some(Ok(success)) => return Ok(success),
            Some(Err(error)) => {
                let is_clearer = |than: &E| vagueness(&error) < vagueness(than);
                if clearest.as_ref().is_none_or(is_clearer) {
                    clearest = Some(error);
                }
            }
            None if !has_started && attempts.is_empty() => return Err(clearest),
            None => {}
        }
    }
}

/// Returns the delay between `count` attempts in this time.
fn delay(count: usize, time: Duration) -> Duration {
    let parts = u32::try_from(count).unwrap_or(u32::MAX).saturating_add(1);
    ATTEMPT_DELAY.min(time / parts).max(LEAST_DELAY)
}

fn is_no_route(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        AddrNotAvailable | HostUnreachable | NetworkUnreachable
    ) || system::is_no_address_family(error)
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = {
        let _occupied = StandardStreams::occupy()?;
        match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        }
    };
    socket.connect(address).await
}

/// Returns the addresses with alternating families, starting with the family of the first one: all
/// addresses of one family may be unreachable.
pub fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut all = Vec::new();
    for address in first {
        all.push(address);
        all.extend(second.next());
    }
    all.extend(second);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let v4 = |last| SocketAddr::from(([192, 0, 2, last], 0));
        let v6 = |last| SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, last], 0));
        assert_eq!(
            alternating(vec![v6(1), v6(2), v6(3), v4(1), v4(2)]),
            [v6(1), v4(1), v6(2), v4(2), v6(3)]
        );
        assert_eq!(
            alternating(vec![v4(1), v6(1), v6(2)]),
            [v4(1), v6(1), v6(2)]
        );
    }

    #[test]
    fn the_clearest_that_is_not_vague_is_told() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let told = |errors: &'static [&str]| {
            let attempts = errors
                .iter()
                .map(|&error| async move { Err::<(), _>(error) });
            runtime.block_on(race(
                attempts,
                Instant::now() + ATTEMPT_DELAY * 9,
                |error| u8::from(error.starts_with("vague")),
            ))
        };
        assert_eq!(told(&["vague", "clear", "later"]), Err(Some("clear")));
        assert_eq!(told(&["clear", "vague"]), Err(Some("clear")));
        assert_eq!(told(&["vague", "vague too"]), Err(Some("vague")));
        assert_eq!(told(&[]), Err(None));
    }

    #[test]
    fn silent_addresses_leave_time_for_the_last() {
        let ms = Duration::from_millis;
        for (count, time, between) in [
            (1, 5000, 250),
            (5, 5000, 250),
            (5, 600, 100),
            (30, 3100, 100),
            (1000, 500, 10),
            (0, 0, 10),
        ] {
            assert_eq!(delay(count, ms(time)), ms(between), "{count} in {time} ms");
        }
    }

    #[test]
    fn every_address_is_tried_until_one_answers() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let open = listener.local_addr().unwrap();
            let closed = || {
                let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                gone.local_addr().unwrap()
            };
            let until = Instant::now() + Duration::from_secs(5);
            let addresses = vec![closed(), closed(), closed(), closed(), closed(), open];
            let socket = connect(addresses, until).await.unwrap();
            assert_eq!(socket.peer_addr().unwrap(), open);
            let error = connect(vec![closed(), closed()], until).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
            assert!(connect(Vec::new(), until).await.is_err());
        });
    }
}
