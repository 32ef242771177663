//! The addresses of a sandbox.

use serde::Serialize;

/// The line that the program prints when it accepts connections, in the order of the output.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub ready: bool,
    pub pid: u32,
    pub http: String,
    pub https: String,
    /// For control routes only, without faults.
    pub control: String,
    pub ca_file: String,
    pub spki_sha256: String,
}
