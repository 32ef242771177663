//! Descriptors 0, 1 and 2, which belong to the host even if it has closed them: what
//! it prints must not go into a connection.

use std::fs::File;

/// Occupies the free ones among descriptors 0, 1 and 2 until it is dropped.
#[cfg(unix)]
pub struct StandardStreams(#[allow(dead_code)] Vec<File>);

#[cfg(unix)]
impl StandardStreams {
    pub fn occupy() -> Self {
        let mut occupied = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            if !is_standard(&file) {
                break;
            }
            occupied.push(file);
        }
        Self(occupied)
    }
}

/// Whether a descriptor is 0, 1 or 2.
#[cfg(unix)]
pub fn is_standard(descriptor: &impl std::os::fd::AsRawFd) -> bool {
    descriptor.as_raw_fd() <= 2
}

#[cfg(not(unix))]
pub struct StandardStreams;

#[cfg(not(unix))]
impl StandardStreams {
    pub fn occupy() -> Self {
        Self
    }
}

#[cfg(not(unix))]
pub fn is_standard<T>(_: &T) -> bool {
    false
}
