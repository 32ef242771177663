//! The layers between plain text and a socket: none, TLS, or TLS in TLS. No I/O
//! but through the socket that it is handed.

use std::{
    io::{self, BufRead, Read, Write},
    sync::Arc,
};

use rustls::{ClientConfig, ClientConnection, pki_types::ServerName};

use crate::{http::exchange::Close, secret::Secret};

/// Why a connection is of no more use.
#[derive(Debug)]
pub enum Broken {
    Io(io::Error),
    Tls(rustls::Error),
    /// In the layer of TLS below: the one that ends at a proxy.
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

    /// Whether the socket has nothing to read, or takes no more for now.
    pub fn would_block(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// One end of a connection.
pub enum Wire {
    /// Straight to the socket.
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
    /// What it is spoken over. `None`: the socket.
    below: Option<Box<Wire>>,
    /// Plain text that rustls has no room for: it keeps 16 KiB.
    decrypted: Secret,
    end: Option<Close>,
}

impl Default for Wire {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}

impl Wire {
    /// Adds a layer of TLS to `name`. Its handshake begins with the next write.
    ///
    /// `early`: plain text that came from below and was not read.
    pub fn secured(
        self,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        early: &[u8],
    ) -> Result<Self, Broken> {
        let mut tls = Box::new(ClientConnection::new(config, name).map_err(Broken::Tls)?);
        tls.set_buffer_limit(None);
        let mut layer = Tls {
            tls,
            below: match self {
                Self::Plain(_) => None,
                below => Some(Box::new(below)),
            },
            decrypted: Secret::default(),
            end: None,
        };
        layer.decrypt(early)?;
        Ok(Self::Tls(layer))
    }

    pub fn is_handshaking(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(layer) => layer.tls.is_handshaking(),
        }
    }

    /// Whether the other side has said goodbye, or has ended the connection.
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Plain(layer) => layer.end.is_some(),
            Self::Tls(layer) => layer.end.is_some(),
        }
    }

    /// Takes plain text to send. [`write_to`](Self::write_to) sends it.
    pub fn send(&mut self, plain: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(layer) => {
                layer.outbox.append(plain);
                Ok(())
            }
            Self::Tls(layer) => layer.tls.writer().write_all(plain),
        }
    }

    /// Whether there is something to write.
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

    /// Writes until there is nothing left to write.
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

    /// Whether plain text has come that nobody has taken.
    pub fn holds_text(&mut self) -> bool {
        match self {
            Self::Plain(layer) => !layer.inbox.is_empty(),
            Self::Tls(layer) => {
                let text = layer.tls.reader().into_first_chunk();
                !layer.decrypted.is_empty() || text.is_ok_and(|text| !text.is_empty())
            }
        }
    }

    /// Reads once, and decrypts what came.
    pub fn read_from<S: Read + Write>(&mut self, socket: &mut S) -> Result<(), Broken> {
        match self {
            Self::Plain(layer) => layer.read_from(socket),
            Self::Tls(layer) => match layer.read_from(socket) {
                Err(broken @ (Broken::Tls(_) | Broken::TlsBelow(_))) => {
                    layer.end = Some(Close::Broken);
                    // Says why, if that can be said at once.
                    let _ = self.write_to(socket);
                    Err(broken)
                }
                outcome => outcome,
            },
        }
    }

    /// Hands out the plain text that has come. Returns how the connection has
    /// ended, if it has.
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
        // Straight into what is wiped: nothing wipes a stack.
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
            self.tls.read_tls(&mut encrypted)?;
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

/// Writes what TLS has encrypted into the layer below.
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
