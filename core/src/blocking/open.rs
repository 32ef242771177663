//! Makes a connection for a blocking call.
//!
//! A small event loop runs for as long as that takes, and the socket is taken out
//! of it.

use std::cell::Cell;

use tokio::{
    runtime::{Builder, Handle, Runtime},
    time::{Instant, timeout_at},
};

use crate::{
    blocking::connection::Connection,
    connect::{
        connector::{Network, Patience, connect},
        failure::{Awaited, Failure, Peer},
    },
    context::Context,
    error::{Error, Status},
    http::exchange::Exchange,
    moment::Moment,
};

/// Makes a connection until the moment of `deadline`, and within the configured
/// time.
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
    socket.set_nonblocking(false).map_err(lost)?;
    Ok(Connection::new(
        socket,
        connected.wire,
        Exchange::new(context.rules),
        context.environment.now,
    ))
}

fn event_loop() -> Result<Runtime, Error> {
    // A thread whose thread-local variables are gone cannot drive it.
    if Handle::try_current().is_err_and(|error| error.is_thread_local_destroyed()) {
        return Err(Error::new(
            Status::InvalidArgument,
            "a session cannot be created by a thread, or a process, that is already ending",
        ));
    }
    Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(no_event_loop)
}

/// Returns the error for an event loop that the system does not give.
fn no_event_loop(why: std::io::Error) -> Error {
    Error::new(
        Status::System,
        format!("the system gave no event loop: {why}; close files or raise the limit"),
    )
}
