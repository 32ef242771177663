//! A descriptor that is readable while a callback is due. Hosts poll it in their event loops.

use std::io::{self, Write};

use crate::{
    error::Error,
    host::{
        descriptors::StandardStreams,
        refusals,
        system::{self, Stream},
    },
};

pub struct Notifier {
    reader: Stream,
    writer: Stream,
    /// There is a byte to read. There is never more than one.
    is_signalled: bool,
}

impl Notifier {
    pub fn new() -> Result<Self, Error> {
        Self::open()
            .map_err(|why| refusals::NOTIFIER.refused("the system returned no descriptor", &why))
    }

    fn open() -> io::Result<Self> {
        let _occupied = StandardStreams::occupy()?;
        let (reader, writer) = system::socket_pair()?;
        // The host must not read from it. If it does, this end must not block.
        reader.set_nonblocking(true)?;
        Ok(Self {
            reader,
            writer,
            is_signalled: false,
        })
    }

    pub fn signal(&mut self) {
        if !self.is_signalled {
            self.is_signalled = self.writer.write_all(&[0]).is_ok();
        }
    }

    pub fn clear(&mut self) {
        if self.is_signalled {
            system::take_byte(&mut self.reader);
            self.is_signalled = false;
        }
    }

    pub fn descriptor(&self) -> i32 {
        system::descriptor(&self.reader)
    }
}
