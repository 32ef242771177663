//! A descriptor that is readable while something is due. Hosts wait for it in their
//! loops.

use crate::{
    error::{Error, Status},
    host::descriptors::StandardStreams,
};

#[cfg(unix)]
pub struct Notifier {
    reader: std::os::unix::net::UnixStream,
    writer: std::os::unix::net::UnixStream,
    /// There is one byte to read. There is never more.
    is_signalled: bool,
}

#[cfg(unix)]
impl Notifier {
    pub fn new() -> Result<Self, Error> {
        let none = |error| {
            Error::new(
                Status::System,
                format!("the system gave no descriptor: {error}; close some or raise the limit"),
            )
        };
        let _occupied = StandardStreams::occupy();
        let (reader, writer) = std::os::unix::net::UnixStream::pair().map_err(none)?;
        // A host that reads from it, against the header, must not stop us.
        reader.set_nonblocking(true).map_err(none)?;
        Ok(Self {
            reader,
            writer,
            is_signalled: false,
        })
    }

    pub fn signal(&mut self) {
        use std::io::Write;
        if !self.is_signalled {
            self.is_signalled = self.writer.write_all(&[0]).is_ok();
        }
    }

    pub fn clear(&mut self) {
        use std::io::Read;
        if self.is_signalled {
            let _ = self.reader.read(&mut [0]);
            self.is_signalled = false;
        }
    }

    pub fn descriptor(&self) -> i32 {
        use std::os::fd::AsRawFd;
        self.reader.as_raw_fd()
    }
}

#[cfg(not(unix))]
pub enum Notifier {}

#[cfg(not(unix))]
impl Notifier {
    pub fn new() -> Result<Self, Error> {
        Err(Error::new(
            Status::InvalidConfig,
            "callbacks cannot be dispatched by the host on this system",
        ))
    }

    pub fn signal(&mut self) {}

    pub fn clear(&mut self) {}

    pub fn descriptor(&self) -> i32 {
        -1
    }
}
