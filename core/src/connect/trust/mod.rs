//! Whom we trust: the system's authorities or the caller's, and pins.

pub mod beginning;
pub mod ca_file;
pub mod pem;
pub mod pins;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod places;
pub mod policy;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod system_roots;
pub mod x509;
