//! Where a sandbox can be reached.

use serde::Serialize;

/// The line that the binary prints when it accepts connections, in the order
/// in which it prints it.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub ready: bool,
    pub pid: u32,
    pub http: String,
    pub https: String,
    /// Only control routes, out of reach of every fault.
    pub control: String,
    pub ca_file: String,
    pub spki_sha256: String,
}
