//! Opens a connection for a blocking call.
//!
//! This uses a small event loop, and takes the connected socket out of it.

use std::cell::Cell;

use tokio::{
    runtime::Runtime,
    time::{Instant, timeout_at},
};

use crate::{
    blocking::connection::Connection,
    connect::{
        connector::{Network, Patience, connect},
        event_loop,
        failure::{Awaited, Failure, Peer},
        socket::prepare_for_blocking,
    },
    context::Context,
    error::Error,
    host::endings::refuse_if_ending,
    http::exchange::Exchange,
    moment::Moment,
};

/// Opens a connection before `deadline`, and within the configured connect timeout.
pub fn open(context: &Context, network: &Network, deadline: Moment) -> Result<Connection, Failure> {
    let event_loop = event_loop().map_err(Failure::NotHere)?;
    let destination = &context.destination;
    let left = deadline.saturating_sub(context.now());
    let limit = destination.connect_timeout.min(left);
    let waits_for = Cell::new(Awaited::SERVER);
    let connected = event_loop
        .block_on(async {
            let until = Instant::now() + limit;
            let patience = Patience {
                until,
                waits_for: &waits_for,
            };
            timeout_at(until, connect(destination, network, &patience)).await
        })
        .map_err(|_| match limit == left {
            true => Failure::OutOfTime(waits_for.get()),
            false => Failure::ConnectTimeout(waits_for.get()),
        })??;
    let lost = |why| Failure::Tcp(Peer::Server, why);
    let socket = connected.socket.into_std().map_err(lost)?;
    prepare_for_blocking(&socket).map_err(lost)?;
    Ok(Connection::new(
        socket,
        connected.wire,
        Exchange::new(context.rules),
        context.environment.now,
    ))
}

fn event_loop() -> Result<Runtime, Error> {
    refuse_if_ending()?;
    event_loop::new()
}
