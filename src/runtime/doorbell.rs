//! A descriptor that is readable while something is due: for hosts whose own
//! loop waits for descriptors.

use crate::error::{Error, Status};

#[cfg(unix)]
pub(super) struct Doorbell {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
    /// There is one byte to read, and never more.
    rings: bool,
}

#[cfg(unix)]
impl Doorbell {
    pub(super) fn new() -> Result<Self, Error> {
        let none = |error| {
            Error::new(
                Status::System,
                format!("the system gave no descriptor: {error}; close some or raise the limit"),
            )
        };
        let (reader, writer) = std::os::unix::net::UnixStream::pair().map_err(none)?;
        // A host that reads from it, against the header, must not stop us.
        reader.set_nonblocking(true).map_err(none)?;
        Ok(Self {
            reader,
            writer,
            rings: false,
        })
    }

    pub(super) fn ring(&mut self) {
        use std::io::Write;
        if !self.rings {
            self.rings = self.writer.write_all(&[0]).is_ok();
        }
    }

    pub(super) fn silence(&mut self) {
        use std::io::Read;
        if self.rings {
            let _ = self.reader.read(&mut [0]);
            self.rings = false;
        }
    }

    pub(super) fn descriptor(&self) -> i32 {
        use std::os::fd::AsRawFd;
        self.reader.as_raw_fd()
    }
}

#[cfg(not(unix))]
pub(super) enum Doorbell {}

#[cfg(not(unix))]
impl Doorbell {
    pub(super) fn new() -> Result<Self, Error> {
        Err(Error::new(
            Status::InvalidConfig,
            "callbacks cannot be dispatched by the host on this system",
        ))
    }

    pub(super) fn ring(&mut self) {}

    pub(super) fn silence(&mut self) {}

    pub(super) fn descriptor(&self) -> i32 {
        -1
    }
}
