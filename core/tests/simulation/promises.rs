//! What must hold in every world.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use zelf_core::{api::request::SessionRequest, moment::Moment};

use crate::worlds::promise::{Broken, require};

pub const NOT_EXPIRED: &str = "no session is handed out after its end";
pub const NOT_FOREIGN: &str = "no session of another identifier is handed out";
pub const NO_GHOST: &str = "the calls of one process make no ghost";
pub const ONE_KILL: &str = "a call has one kill carried out at most";
pub const NO_KILL_OF_LIVE: &str = "no live session is killed unasked";
pub const ONE_RESEND: &str = "a call meets one dead kept connection for free";
pub const KILL_ALONE: &str = "a kill goes over its own new connection";
pub const ATTEMPTS: &str = "a request has its attempts and no more";
pub const NO_VAIN_RETRY: &str = "what will not pass is not tried again";
pub const RETRY_AFTER: &str = "a wait is as long as the server asks for";
pub const NOT_TIRED: &str = "no connection is used that has rested too long, or was closed";
pub const NO_LATE_RETRY: &str = "no retry is planned beyond the deadline";
pub const IN_TIME: &str = "every call ends by its deadline";
pub const NO_OLDER_OUTCOME: &str = "nobody is given an outcome from before a different call";
pub const SHARED_EQUALS: &str = "only equal calls share an outcome";
pub const BUDGET: &str = "retries keep to their budget";
pub const NOTHING_LEFT: &str = "nothing is left of calls that have ended";

/// The order in which calls of one process have joined, by identifier.
#[derive(Default)]
pub struct Order(BTreeMap<Option<String>, Vec<Joined>>);

struct Joined {
    call: u64,
    request: Arc<SessionRequest>,
    has_ended: bool,
}

impl Order {
    pub fn joins(&mut self, call: u64, request: &Arc<SessionRequest>) {
        let line = self.0.entry(request.identifier.clone()).or_default();
        line.push(Joined {
            call,
            request: Arc::clone(request),
            has_ended: false,
        });
    }

    pub fn ends(&mut self, call: u64, request: &SessionRequest) {
        if let Some(line) = self.0.get_mut(&request.identifier) {
            for joined in line.iter_mut().filter(|joined| joined.call == call) {
                joined.has_ended = true;
            }
            // What has ended before all that go on matters no more.
            let gone = line.iter().take_while(|joined| joined.has_ended).count();
            line.drain(..gone.saturating_sub(1));
        }
    }

    /// A call is given the outcome of another one.
    pub fn shares(
        &self,
        leader: u64,
        leaders: &SessionRequest,
        call: u64,
        request: &SessionRequest,
    ) -> Result<(), Broken> {
        require(leaders == request, SHARED_EQUALS, || {
            format!("call {call} is given the outcome of call {leader}")
        })?;
        let between = self
            .0
            .get(&request.identifier)
            .into_iter()
            .flatten()
            .skip_while(|joined| joined.call != leader)
            .take_while(|joined| joined.call != call);
        for other in between {
            require(
                *other.request == *request || other.has_ended,
                NO_OLDER_OUTCOME,
                || format!("call {call}, of call {leader}, behind call {}", other.call),
            )?;
        }
        Ok(())
    }
}

/// When one process has made requests, and which were retries.
#[derive(Default)]
pub struct Budget {
    firsts: Vec<Moment>,
    retries: Vec<Moment>,
}

impl Budget {
    pub fn first(&mut self, now: Moment) {
        self.firsts.push(now);
    }

    pub fn retry(&mut self, now: Moment) -> Result<(), Broken> {
        const MINUTE: Duration = Duration::from_secs(60);
        /// Calls are counted in slices of this.
        const SLICE: Duration = Duration::from_secs(5);
        self.retries.push(now);
        let recent = |times: &[Moment], window| {
            let since = now.saturating_sub(window);
            times.iter().rev().take_while(|&&at| at >= since).count()
        };
        // A retry is decided on before it is made, by at most the longest wait.
        const LONGEST_WAIT: Duration = Duration::from_secs(20);
        let retries = recent(&self.retries, MINUTE);
        let calls = recent(&self.firsts, MINUTE + SLICE + LONGEST_WAIT);
        require(retries <= 2 + calls / 10 + 2, BUDGET, || {
            format!("{retries} retries in a minute of {calls} calls")
        })
    }
}
