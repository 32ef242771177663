//! HTTP over TLS to one endpoint, bounded in time and size.

mod body;
mod dns;
mod failure;
mod http;
mod tls;

pub(crate) use dns::Resolver;
pub(crate) use http::Http;
pub(crate) use tls::Trust;
