//! The id of this boot. Times since boot have no meaning after another boot.

use crate::host::{descriptors::StandardStreams, system};

/// Returns a text that is different after each boot, if the system has one.
pub fn id() -> Option<String> {
    let _occupied = StandardStreams::occupy().ok()?;
    system::boot_id()
}
