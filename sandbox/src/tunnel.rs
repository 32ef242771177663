//! CONNECT: the sandbox as a proxy in front of a server.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;

use crate::exchange::Next;
use crate::response::bare_refusal;
use crate::sender::write;

/// Copies bytes between a client and the server that it names, until both have ended.
pub async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut S,
    target: &str,
    note: &mut String,
) -> io::Result<Next> {
    let Ok(mut server) = TcpStream::connect(target).await else {
        note.push_str(" no tunnel");
        write(client, &bare_refusal(502)).await?;
        return Ok(Next::Close);
    };
    note.push_str(" tunnel");
    let _ = server.set_nodelay(true);
    write(client, b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(client, &mut server).await?;
    Ok(Next::HangUp)
}
