//! Whom a client trusts, in handshakes with a server, and what it says otherwise.

mod certificates;
mod chains;
mod handshake;
mod own_certificate;
mod peers;
