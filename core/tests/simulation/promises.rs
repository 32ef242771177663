//! What must hold in every world.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use zelf_core::{api::request::SessionRequest, moment::Moment};

use crate::worlds::promise::{Broken, require};

pub const NOT_EXPIRED: &str = "no session is handed out after its end";
pub const NOT_FOREIGN: &str = "no session of another identifier is handed out";
pub const NO_GHOST: &str = "the calls of one process make no ghost";
pub const ONE_KILL: &str = "a call has one kill carried out at most";
pub const NO_KILL_OF_LIVE: &str = "no live session is killed unasked";
pub const ONE_RESEND: &str = "an attempt meets one dead kept connection for free";
pub const KILL_ALONE: &str = "a kill goes over its own new connection";
pub const ATTEMPTS: &str = "a request has its attempts and no more";
pub const NO_VAIN_RETRY: &str = "what will not pass is not tried again";
pub const RETRY_AFTER: &str = "a wait is as long as the server asks for";
pub const NOT_TIRED: &str = "no connection is used that has rested too long, or was closed";
pub const NO_LATE_RETRY: &str = "no retry is planned beyond the deadline";
pub const IN_TIME: &str = "every call ends by its deadline";
pub const NO_OLDER_OUTCOME: &str = "nobody is given a session that a kill ahead of the call ends";
pub const SHARED_EQUALS: &str = "only equal calls share an outcome";
pub const ONE_REQUEST: &str = "what waits for an outcome does not ask for it again";
pub const OWN_LIMITS: &str = "no call is ended by the limits of another";
pub const BUDGET: &str = "retries keep to their budget";
pub const NOTHING_LEFT: &str = "nothing is left of calls that have ended";

/// The order in which the calls of one process joined, by identifier, and how the leaders ended.
#[derive(Default)]
pub struct Order {
    lines: BTreeMap<Key, Vec<Joined>>,
    led: BTreeMap<Key, Vec<Led>>,
}

/// The identifier, or the tag name if there is no identifier.
type Key = (Option<String>, Option<String>);

fn key(request: &SessionRequest) -> Key {
    match &request.identifier {
        Some(identifier) => (Some(identifier.clone()), None),
        None => (None, request.tag_name.clone()),
    }
}

struct Joined {
    call: u64,
    request: Arc<SessionRequest>,
    has_ended: bool,
    /// How many calls had led before it joined.
    after: usize,
}

/// A leader that has ended.
struct Led {
    call: u64,
    request: SessionRequest,
    is_session: bool,
    /// The calls that waited behind a kill at that time.
    behind_kill: Vec<u64>,
    /// When the next attempt was allowed, if the limits of the call have ended it.
    until: Option<Moment>,
}

impl Order {
    pub fn joins(&mut self, call: u64, request: &Arc<SessionRequest>) {
        let after = self.led.get(&key(request)).map_or(0, Vec::len);
        let line = self.lines.entry(key(request)).or_default();
        line.push(Joined {
            call,
            request: Arc::clone(request),
            has_ended: false,
            after,
        });
    }

    pub fn ends(&mut self, call: u64, request: &SessionRequest) {
        if let Some(line) = self.lines.get_mut(&key(request)) {
            for joined in line.iter_mut().filter(|joined| joined.call == call) {
                joined.has_ended = true;
            }
            // Calls that ended before all running ones are no longer needed.
            let gone = line.iter().take_while(|joined| joined.has_ended).count();
            line.drain(..gone.saturating_sub(1));
        }
    }

    /// Records that a leader has an outcome, or has reached its limits.
    pub fn has_led(
        &mut self,
        call: u64,
        request: &SessionRequest,
        is_session: bool,
        until: Option<Moment>,
    ) {
        let mut led = Led {
            call,
            request: request.clone(),
            is_session,
            behind_kill: Vec::new(),
            until,
        };
        let line = self.lines.get(&key(request)).into_iter().flatten();
        for joined in line.filter(|joined| !joined.has_ended) {
            if self
                .kill_between(&led, joined.call, &joined.request)
                .is_some()
            {
                led.behind_kill.push(joined.call);
            }
        }
        self.led.entry(key(request)).or_default().push(led);
    }

    /// Checks a call that starts to lead: no outcome was there for it while it waited.
    pub fn leads(&self, call: u64, request: &SessionRequest) -> Result<(), Broken> {
        let joined = self.lines.get(&key(request)).into_iter().flatten();
        let after = joined.filter(|joined| joined.call == call);
        let after = after.map(|joined| joined.after).next().unwrap_or(0);
        let led = self.led.get(&key(request)).into_iter().flatten();
        for led in led.skip(after) {
            let was_for_it = led.request == *request && led.until.is_none();
            let is_behind_kill = led.is_session && led.behind_kill.contains(&call);
            require(!was_for_it || is_behind_kill, ONE_REQUEST, || {
                format!("call {call} leads after call {}", led.call)
            })?;
        }
        Ok(())
    }

    /// Checks a call that gets the outcome of another one, the last leader.
    pub fn shares(
        &self,
        call: u64,
        request: &SessionRequest,
        deadline: Moment,
    ) -> Result<(), Broken> {
        let Some(led) = self.led.get(&key(request)).and_then(|led| led.last()) else {
            return Ok(());
        };
        let is_equal = led.request == *request;
        let is_kill = led.request.kills() && led.request.sparing() == request.sparing();
        require(
            is_equal || (is_kill && led.is_session),
            SHARED_EQUALS,
            || format!("call {call} is given the outcome of call {}", led.call),
        )?;
        if let Some(until) = led.until {
            require(deadline <= until, OWN_LIMITS, || {
                format!("call {call} is ended by the limits of call {}", led.call)
            })?;
        }
        if is_equal && led.is_session {
            let kill = self.kill_between(led, call, request);
            require(kill.is_none(), NO_OLDER_OUTCOME, || {
                format!("call {call}, of call {}, behind {kill:?}", led.call)
            })?;
        }
        Ok(())
    }

    /// Returns a kill that is queued between an ended leader and a waiting call.
    fn kill_between(&self, led: &Led, call: u64, request: &SessionRequest) -> Option<u64> {
        if request.kills() {
            return None;
        }
        let line = self.lines.get(&key(request)).into_iter().flatten();
        line.skip_while(|joined| joined.call != led.call)
            .take_while(|joined| joined.call != call)
            .find(|joined| joined.request.kills() && !joined.has_ended)
            .map(|joined| joined.call)
    }
}

/// The times of the requests of one process, and which were retries.
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
        /// Calls are counted per slice of this length.
        const SLICE: Duration = Duration::from_secs(5);
        self.retries.push(now);
        let recent = |times: &[Moment], window| {
            let since = now.saturating_sub(window);
            times.iter().rev().take_while(|&&at| at >= since).count()
        };
        // A retry is decided before it is made, by at most the longest wait.
        const LONGEST_WAIT: Duration = Duration::from_secs(20);
        let retries = recent(&self.retries, MINUTE);
        let calls = recent(&self.firsts, MINUTE + SLICE + LONGEST_WAIT);
        require(retries <= 2 + calls / 10 + 2, BUDGET, || {
            format!("{retries} retries in a minute of {calls} calls")
        })
    }
}
