//! Trust: the system's certificates or the caller's, and pins.

pub mod beginning;
pub mod ca_file;
pub mod certificate_fault;
pub mod fields;
pub mod given_roots;
pub mod not_pem;
pub mod own_certificate;
pub mod pem;
pub mod pins;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod places;
#[cfg(not(all(unix, not(target_vendor = "apple"), not(target_os = "android"))))]
pub mod platform_roots;
pub mod policy;
pub mod refusal;
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
pub mod system_roots;
pub mod verifier;
pub mod x509;
