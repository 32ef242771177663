//! HTTP over TLS to one endpoint, bounded in time and size.

mod body;
mod direct;
mod dns;
mod failure;
mod http;
mod listening;
mod pin;
mod proxied;
pub(crate) mod proxy;
mod relay;
mod stream;
pub(crate) mod tls;

pub(crate) use dns::Resolver;
pub(crate) use http::{Http, MAX_REST, Resend};
pub(crate) use pin::Pin;
pub(crate) use tls::Trust;

const MAX_HEADERS: usize = 64;
