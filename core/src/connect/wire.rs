//! The layers between plain text and a socket: none, TLS, or TLS in TLS. I/O only happens on the
//! socket that the caller passes.

use std::{
    io::{self, BufRead, Read, Write},
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::{http::exchange::Close, secret::Secret};

/// Why a connection cannot be used any more.
#[derive(Debug)]
pub enum Broken {
    Io(io::Error),
    Tls(rustls::Error),
    /// In the lower layer of TLS, which ends at a proxy.
    TlsBelow(rustls::Error),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Broken {
    fn of_below(self) -> Self {
        match self {
            Self::Tls(error) => Self::TlsBelow(error),
            other => other,
        }
    }

    /// Returns whether the socket is not ready to be read or written.
    pub fn would_block(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// A connection's layers.
pub enum Wire {
    /// No layer: plain text goes to the socket.
    Plain(Plain),
    Tls(Tls),
}

#[derive(Default)]
pub struct Plain {
    outbox: Secret,
    inbox: Secret,
    end: Option<Close>,
}

pub struct Tls {
    tls: Box<ClientConnection>,
    /// The layer below, or `None` for the socket.
    below: Option<Box<Wire>>,
    /// Decrypted text that does not fit into the 16 KiB buffer of rustls.
    decrypted: Secret,
    end: Option<Close>,
}

impl Default for Wire {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}

impl Wire {
    /// Adds a layer of TLS for the host `name`. Its handshake begins with the next write.
    pub fn secured(
        self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Broken> {
        let mut tls = Box::new(ClientConnection::new(config, name).map_err(Broken::Tls)?);
        tls.set_buffer_limit(None);
        Ok(Self::Tls(Tls {
            tls,
            below: match self {
                Self::Plain(_) => None,
                below => Some(Box::new(below)),
            },
            decrypted: Secret::default(),
            end: None,
        }))
    }

    pub fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(layer) => layer.tls.is_handshaking(),
        }
    }

    /// Returns whether the peer has sent its last message, or has closed the connection.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Plain(layer) => layer.end.is_some(),
            Self::Tls(layer) => layer.end.is_some(),
        }
    }

    /// Accepts plain text for [`write_to`](Self::write_to).
    pub fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(layer) => {
                layer.outbox.append(plain);
                Ok(())
            }
            Self::Tls(layer) => layer.tls.writer().write_all(plain),
        }
    }

    /// Returns whether there are bytes to write.
    pub fn wants_write(&self) -> bool {
        match self {
            Self::Plain(layer) => !layer.outbox.is_empty(),
            Self::Tls(layer) => {
                layer.tls.wants_write()
                    || layer
                        .below
                        .as_ref()
                        .is_some_and(|below| below.wants_write())
            }
        }
    }

    /// Writes until nothing is left.
    pub fn write_to<S: Write>(&mut self, socket: &mut S) -> io::Result<()> {
        match self {
            Self::Plain(layer) => {
                while !layer.outbox.is_empty() {
                    let written = socket.write(&layer.outbox)?;
                    layer.outbox.remove_front(written);
                }
                Ok(())
            }
            Self::Tls(layer) => match &mut layer.below {
                None => {
                    while layer.tls.wants_write() {
                        layer.tls.write_tls(socket)?;
                    }
                    Ok(())
                }
                Some(below) => {
                    while layer.tls.wants_write() {
                        layer.tls.write_tls(&mut Into(below))?;
                    }
                    below.write_to(socket)
                }
            },
        }
    }

    /// Returns whether there is decrypted text that was not taken.
    pub fn holds_text(&mut self) -> bool {
        match self {
            Self::Plain(layer) => !layer.inbox.is_empty(),
            Self::Tls(layer) => {
                let text = layer.tls.reader().into_first_chunk();
                !layer.decrypted.is_empty() || text.is_ok_and(|text| !text.is_empty())
            }
        }
    }

    /// Reads once, and decrypts the bytes.
    pub fn read_from<S: Read + Write>(&mut self, socket: &mut S) -> Result<(), Broken> {
        match self {
            Self::Plain(layer) => layer.read_from(socket),
            Self::Tls(layer) => match layer.read_from(socket) {
                Err(broken @ (Broken::Tls(_) | Broken::TlsBelow(_))) => {
                    layer.end = Some(Close::Broken);
                    // Send an alert with the reason, if it can be sent at once.
                    let _ = self.write_to(socket);
                    Err(broken)
                }
                outcome => outcome,
            },
        }
    }

    /// Decrypts bytes that were read from the socket elsewhere. After an error, there may be an alert
    /// for [`write_to`](Self::write_to).
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        match self {
            Self::Plain(layer) => {
                layer.inbox.append(bytes);
                Ok(())
            }
            Self::Tls(layer) => {
                let outcome = match &mut layer.below {
                    None => layer.decrypt(bytes),
                    Some(below) => below
                        .receive(bytes)
                        .map_err(Broken::of_below)
                        .and_then(|()| layer.take_from_below()),
                };
                if outcome.is_err() {
                    layer.end = Some(Close::Broken);
                }
                outcome
            }
        }
    }

    /// Passes the decrypted text to `taker`. Returns how the connection has ended, if it has.
    pub fn take<E>(
        &mut self,
        mut taker: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Option<Close>, E> {
        match self {
            Self::Plain(layer) => {
                if !layer.inbox.is_empty() {
                    let outcome = taker(&layer.inbox);
                    layer.inbox.truncate(0);
                    outcome?;
                }
                Ok(layer.end)
            }
            Self::Tls(layer) => layer.take(&mut taker),
        }
    }
}

impl Plain {
    fn read_from<S: Read>(&mut self, socket: &mut S) -> Result<(), Broken> {
        // Read into the buffer that will be overwritten: nothing overwrites the stack.
        let taken = self.inbox.len();
        self.inbox.append(&[0; 4096]);
        let outcome = socket.read(&mut self.inbox[taken..]);
        self.inbox
            .truncate(taken + outcome.as_ref().map_or(0, |count| *count));
        if outcome? == 0 {
            self.end = Some(Close::Clean);
        }
        Ok(())
    }
}

impl Tls {
    fn read_from<S: Read + Write>(&mut self, socket: &mut S) -> Result<(), Broken> {
        let Some(below) = &mut self.below else {
            self.tls.read_tls(socket)?;
            self.tls.process_new_packets().map_err(Broken::Tls)?;
            return Ok(());
        };
        below.read_from(socket).map_err(Broken::of_below)?;
        self.take_from_below()
    }

    /// Decrypts the text of the layer below.
    fn take_from_below(&mut self) -> Result<(), Broken> {
        let Some(below) = &mut self.below else {
            return Ok(());
        };
        let mut encrypted = Secret::default();
        let end = below.take(|bytes| {
            encrypted.append(bytes);
            Ok::<(), Broken>(())
        })?;
        self.decrypt(&encrypted)?;
        if end.is_some() {
            self.tls.read_tls(&mut io::empty())?;
        }
        Ok(())
    }

    fn decrypt(&mut self, mut encrypted: &[u8]) -> Result<(), Broken> {
        while !encrypted.is_empty() {
            // After the peer's last message, TLS takes no further bytes.
            if self.tls.read_tls(&mut encrypted)? == 0 {
                break;
            }
            self.tls.process_new_packets().map_err(Broken::Tls)?;
            let mut reader = self.tls.reader();
            while let Ok(plain) = reader.fill_buf()
                && !plain.is_empty()
            {
                let count = plain.len();
                self.decrypted.append(plain);
                reader.consume(count);
            }
        }
        Ok(())
    }

    fn take<E>(
        &mut self,
        taker: &mut impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Option<Close>, E> {
        if !self.decrypted.is_empty() {
            let outcome = taker(&self.decrypted);
            self.decrypted.truncate(0);
            outcome?;
        }
        let mut reader = self.tls.reader();
        loop {
            match reader.fill_buf() {
                Ok([]) => self.end = Some(Close::Clean),
                Ok(plain) => {
                    let count = plain.len();
                    taker(plain)?;
                    reader.consume(count);
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => self.end = Some(Close::Abrupt),
            }
            return Ok(self.end);
        }
    }
}

/// Writes the output of a TLS layer into the layer below.
struct Into<'a>(&'a mut Wire);

impl Write for Into<'_> {
    fn write(&mut self, encrypted: &[u8]) -> io::Result<usize> {
        self.0.send(encrypted)?;
        Ok(encrypted.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
