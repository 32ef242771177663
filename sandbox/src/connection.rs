//! One connection, from its first byte to its last.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::exchange::Next;
use crate::fault::{Listener, exact_bytes};
use crate::fault_kind::FaultKind;
use crate::handshake::handshake;
use crate::request::{Inbound, NoRequest};
use crate::response::bare_refusal;
use crate::schedule::Point;
use crate::sender::write;
use crate::state::State;
use crate::sync::wait;
use crate::transport::Transport;

/// How long a new connection may send nothing.
const FIRST_REQUEST: Duration = Duration::from_secs(60);

/// The listener of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Api(Listener),
    /// For control requests, which are not counted, not recorded and have no faults.
    Control,
}

/// A connection and its properties.
pub struct Connection<S> {
    pub state: Arc<State>,
    pub stream: S,
    pub door: Door,
    pub number: usize,
    pub peer: String,
}

/// Serves a new connection.
pub async fn serve(state: Arc<State>, stream: TcpStream, door: Door) {
    // Send each part at once: waiting for a full segment would only delay it.
    let _ = stream.set_nodelay(true);
    let peer = stream
        .peer_addr()
        .map_or_else(|_| String::new(), |address| address.ip().to_string());
    let Door::Api(listener) = door else {
        let number = 0;
        let connection = Connection {
            state,
            stream,
            door,
            number,
            peer,
        };
        return connection.requests().await;
    };
    let number = state.accepted.fetch_add(1, Ordering::SeqCst) + 1;
    let _open = Open::new(&state);
    for fault in state.faults.strike(Point::Accept, listener) {
        state.log(|| format!("connection {number} fault={fault}"));
        match fault {
            FaultKind::Delay { ms, .. } => wait(Duration::from_millis(ms)).await,
            fault => return strike(stream, &fault).await,
        }
    }
    match listener {
        Listener::Http => {
            let connection = Connection {
                state,
                stream,
                door,
                number,
                peer,
            };
            connection.requests().await;
        }
        Listener::Https => {
            if let Some(stream) = handshake(&state, stream, number).await {
                let connection = Connection {
                    state,
                    stream,
                    door,
                    number,
                    peer,
                };
                connection.requests().await;
            }
        }
    }
}

/// Ends a connection before its first request.
pub async fn strike(mut stream: TcpStream, fault: &FaultKind) {
    match fault {
        FaultKind::Reset { .. } => stream.reset(),
        FaultKind::Stall { .. } => stream.stall().await,
        FaultKind::Garbage { text, base64, .. } => {
            let _ = write(&mut stream, &garbage(text.as_deref(), base64.as_deref())).await;
            stream.hang_up().await;
        }
        _ => stream.hang_up().await,
    }
}

/// Returns the bytes of a garbage fault. The default is neither HTTP nor TLS.
pub fn garbage(text: Option<&str>, base64: Option<&str>) -> Vec<u8> {
    const DEFAULT: &[u8] = b"\x00\xFF\xFEgarbage, not a protocol\r\n\r\n\x80\x00";
    exact_bytes(text, base64).unwrap_or_else(|_| DEFAULT.to_vec())
}

/// Counts a connection as open until it is dropped.
struct Open(Arc<State>);

impl Open {
    fn new(state: &Arc<State>) -> Self {
        state.open.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(state))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<S: Transport> Connection<S> {
    /// Serves one request after another.
    async fn requests(mut self) {
        let mut inbound = Inbound::default();
        let mut patience = FIRST_REQUEST;
        loop {
            let next = match inbound.head(&mut self.stream, patience).await {
                Ok(head) => self.exchange(&mut inbound, head).await,
                Err(NoRequest::Closed) => Next::Done,
                Err(NoRequest::Malformed) => self.refuse(400).await,
                Err(NoRequest::TooLarge) => self.refuse(431).await,
            };
            patience = self.state.options.idle_close;
            match next {
                Next::Keep => {}
                Next::Done => {
                    let _ = self.stream.shutdown().await;
                    return;
                }
                Next::Close => return self.stream.close().await,
                Next::HangUp => return self.stream.hang_up().await,
                Next::Reset => return self.stream.reset(),
                Next::Stall => return self.stream.stall().await,
            }
        }
    }

    /// Answers bytes that are not a request, like the service's platform does.
    async fn refuse(&mut self, status: u16) -> Next {
        let number = self.number;
        self.state
            .log(|| format!("connection {number} {status} no request"));
        match write(&mut self.stream, &bare_refusal(status)).await {
            Ok(()) => Next::Close,
            Err(_) => Next::HangUp,
        }
    }
}
