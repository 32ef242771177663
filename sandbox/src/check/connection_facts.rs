//! Facts about connections.

use std::net::SocketAddr;

use crate::check::seen::Seen;
use crate::check::step::Step;
use crate::check::verdict::{Doubt, Fact, Judged, deviates, unknown};

pub const CONNECTION: &[Fact] = &[
    Fact {
        name: "keep-alive",
        expected: "a request that follows at once uses the same connection",
        otherwise: "Each call opens a new connection, which takes two or three more round trips; check the proxy in front of the server",
        judge: keep_alive,
    },
    Fact {
        name: "announced",
        expected: "the answer says how long an idle connection is kept",
        otherwise: "No effect: the library checks a connection before it uses it",
        judge: announced,
    },
    Fact {
        name: "rest",
        expected: "an idle connection can be used again within the announced time",
        otherwise: "No effect: a later call opens a new connection",
        judge: rest,
    },
];

/// Returns the local address of the connection of a step.
fn local(seen: &Seen, step: Step) -> Result<SocketAddr, Doubt> {
    match seen.answer(step)?.local {
        Some(local) => Ok(local),
        None => unknown("the connection cannot be distinguished from others"),
    }
}

fn keep_alive(seen: &Seen) -> Judged {
    if local(seen, Step::Create)? == local(seen, Step::CreateAgain)? {
        return Ok(());
    }
    deviates("a new connection")
}

fn announced(seen: &Seen) -> Judged {
    match seen.answer(Step::Create)?.keep_alive() {
        Some(_) => Ok(()),
        None => deviates("no timeout in a Keep-Alive header"),
    }
}

fn rest(seen: &Seen) -> Judged {
    if keep_alive(seen).is_err() {
        return unknown("no connection was kept");
    }
    let before = local(seen, Step::KeyWithoutIdentifier)?;
    if before == local(seen, Step::CreateAfterRest)? {
        return Ok(());
    }
    deviates("a new connection")
}
