//! HTTP over TLS to one endpoint, bounded in time and size.

mod body;
mod dns;
mod failure;
mod http;
mod pin;
pub(crate) mod proxy;
pub(crate) mod tls;

pub(crate) use dns::Resolver;
pub(crate) use http::{Http, Resend};
pub(crate) use pin::Pin;
pub(crate) use tls::Trust;
