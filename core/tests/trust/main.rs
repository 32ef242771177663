//! Which servers a client trusts, and its errors for the others, in handshakes.

mod certificates;
mod chains;
mod handshake;
mod own_certificate;
mod peers;
