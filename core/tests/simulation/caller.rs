//! A caller, and the driver of its calls.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Mutex},
    task::{Poll, Wake, Waker},
    time::Duration,
};

use zelf_core::{
    api::{
        lifetime::Clocks,
        request::{SessionRequest, SessionType},
    },
    create::{
        aim::{Aim, Errand},
        budget::Budget,
        call::{Call, Failed, Now, Over, Step},
        single_flight::{Follower, Joined, Leader, Outcome, Turn},
    },
    error::{Error, Status},
    http::{
        exchange::{Close, Exchange, Rules},
        head::Method,
        retry_after::RetryAfter,
    },
    moment::Moment,
};

use crate::{
    network::{self, Fate},
    promises::{
        ATTEMPTS, IN_TIME, KILL_ALONE, NO_GHOST, NO_KILL_OF_LIVE, NO_LATE_RETRY, NO_VAIN_RETRY,
        NOT_EXPIRED, NOT_FOREIGN, NOT_TIRED, ONE_KILL, ONE_RESEND, RETRY_AFTER,
    },
    server::{self, Asked, Stored},
    world::{Connection, END, Event, Process, Sabotage, Transfer, World},
    worlds::promise::{Broken, require},
};

const RULES: Rules = Rules {
    method: Method::Usual,
    max_body: 64 * 1024,
    error_body_time: Some(Duration::from_secs(4)),
    is_whole: |body| body.starts_with(b"{") && body.ends_with(b"}}"),
};

pub struct Caller {
    process: usize,
    timeout: Duration,
    waker: Waker,
    state: Idle,
    exchange: Exchange,
}

/// The current call of a caller.
struct Idle {
    call: u64,
    request: Arc<SessionRequest>,
    began_at: Moment,
    deadline: Moment,
    follows: Option<Follower>,
    leads: Option<(Leader, Call)>,
    transfer: Option<usize>,
    /// The body to send when the connection is made.
    body: Vec<u8>,
    sent_at: Moment,
    was_kept: bool,
    /// How often this attempt was sent again.
    resent: u32,
    is_resent: bool,
    /// The attempts of the current request.
    attempts: u32,
    was_killing: bool,
    /// The status of the last answer, if it forbids a retry or asks for a wait.
    last_refusal: Option<u16>,
    asked_wait: Duration,
    kills: u32,
    is_over: bool,
}

struct Bell {
    caller: usize,
    woken: Arc<Mutex<Vec<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.woken
            .lock()
            .expect("no panic holds it")
            .push(self.caller);
    }
}

impl Caller {
    pub fn new(number: usize, world: &mut World<'_>) -> Self {
        let bell = Bell {
            caller: number,
            woken: Arc::clone(&world.woken),
        };
        Self {
            process: world.random.below(world.processes.len() as u64) as usize,
            timeout: world.random.pick(&[
                Duration::from_millis(700),
                Duration::from_secs(15),
                Duration::from_secs(60),
            ]),
            waker: Waker::from(Arc::new(bell)),
            state: Idle {
                call: 0,
                request: Arc::default(),
                began_at: Moment::ZERO,
                deadline: Moment::ZERO,
                follows: None,
                leads: None,
                transfer: None,
                body: Vec::new(),
                sent_at: Moment::ZERO,
                was_kept: false,
                resent: 0,
                is_resent: false,
                attempts: 0,
                was_killing: false,
                last_refusal: None,
                asked_wait: Duration::ZERO,
                kills: 0,
                is_over: true,
            },
            exchange: Exchange::new(RULES),
        }
    }
}

impl<'w> World<'w> {
    pub fn begin_call(&mut self, number: usize) -> Result<(), Broken> {
        self.last_call += 1;
        let request = Arc::new(self.request());
        let caller = &mut self.callers[number];
        let deadline = self.now + caller.timeout;
        let processes = self.processes;
        let process: &'w Process = &processes[caller.process];
        caller.state = Idle {
            call: self.last_call,
            request: Arc::clone(&request),
            began_at: self.now,
            deadline,
            follows: None,
            leads: None,
            transfer: None,
            body: Vec::new(),
            sent_at: Moment::ZERO,
            was_kept: false,
            resent: 0,
            is_resent: false,
            attempts: 0,
            was_killing: false,
            last_refusal: None,
            asked_wait: Duration::ZERO,
            kills: 0,
            is_over: false,
        };
        let call = self.last_call;
        self.watches[caller.process].order.joins(call, &request);
        self.at(deadline, Event::Deadline(number, call));
        let single_flight = match self.sabotage {
            Sabotage::NoSingleFlight => Box::leak(Box::default()),
            _ => &process.single_flight,
        };
        let errand = Arc::new(Errand {
            request: (*request).clone(),
            aim: Aim::default(),
        });
        match single_flight.join(&errand, deadline) {
            Joined::Leads(leader) => self.lead(number, leader),
            Joined::Follows(follower) => {
                self.callers[number].state.follows = Some(follower);
                self.poll_turn(number)
            }
        }
    }

    fn request(&mut self) -> SessionRequest {
        let identifier = match self.random.below(20) {
            0..=10 => Some("one"),
            11..=18 => Some("other"),
            _ => None,
        };
        SessionRequest {
            kill_session: (identifier.is_some() && self.random.percent(8)).then_some(true),
            session_type: self.random.percent(15).then_some(SessionType::General),
            tag_name: self.random.percent(4).then(|| "alice.zelf".to_owned()),
            identifier: identifier.map(str::to_owned),
            ..SessionRequest::default()
        }
    }

    pub fn poll_turn(&mut self, number: usize) -> Result<(), Broken> {
        let caller = &self.callers[number];
        let Some(follower) = &caller.state.follows else {
            return Ok(());
        };
        match follower.poll(&caller.waker) {
            Poll::Pending => Ok(()),
            Poll::Ready(turn) => {
                self.callers[number].state.follows = None;
                match turn {
                    Turn::Leads(leader) => self.lead(number, leader),
                    Turn::Has(outcome) => self.shares(number, outcome),
                }
            }
        }
    }

    fn shares(&mut self, number: usize, outcome: Outcome) -> Result<(), Broken> {
        self.tally.shared += 1;
        let state = &self.callers[number].state;
        let watch = &self.watches[self.callers[number].process];
        let order = &watch.order;
        order.shares(state.call, &state.request, state.deadline)?;
        self.finish(number, outcome)
    }

    fn lead(&mut self, number: usize, leader: Leader) -> Result<(), Broken> {
        let state = &self.callers[number].state;
        let deadline = match self.sabotage {
            Sabotage::LateRetry => state.deadline + Duration::from_secs(10),
            _ => state.deadline,
        };
        let mut errand = (**leader.errand()).clone();
        if self.sabotage == Sabotage::ForeignSession {
            errand.request.identifier = None;
            errand.request.kill_session = None;
        }
        let errand = Arc::new(errand);
        let process = self.callers[number].process;
        let order = &self.watches[process].order;
        order.leads(state.call, &state.request)?;
        let stopped = leader.stopped();
        let call = self.decide(number, |now| Call::new(errand, deadline, stopped, now));
        self.watches[process].budget.first(self.now);
        self.callers[number].state.leads = Some((leader, call));
        self.step(number)
    }

    /// Lets a call decide something.
    fn decide<T>(&mut self, number: usize, decision: impl FnOnce(&Now<'_>) -> T) -> T {
        thread_local! {
            static JITTER: Cell<u32> = const { Cell::new(0) };
        }
        JITTER.set(self.random.next() as u32);
        let unlimited = Budget::default();
        let process = &self.processes[self.callers[number].process];
        decision(&Now {
            time: self.now,
            random: || JITTER.get(),
            budget: match self.sabotage {
                Sabotage::NoBudget => &unlimited,
                _ => &process.budget,
            },
        })
    }

    fn step(&mut self, number: usize) -> Result<(), Broken> {
        let state = &mut self.callers[number].state;
        let Some((_, call)) = &mut state.leads else {
            return Ok(());
        };
        match call.step() {
            Step::Exchange { body, over } => self.begin_exchange(number, body, over),
            Step::Wait { until, .. } => {
                let (deadline, call) = (state.deadline, state.call);
                require(until < deadline, NO_LATE_RETRY, || {
                    format!("call {call}: {until:?}, deadline {deadline:?}")
                })?;
                let (refusal, asked) = (state.last_refusal, state.asked_wait);
                require(refusal.is_none(), NO_VAIN_RETRY, || {
                    format!("call {call}: after HTTP {refusal:?}")
                })?;
                let wait = until.saturating_sub(self.now);
                require(wait >= asked, RETRY_AFTER, || {
                    format!("call {call}: {wait:?} of {asked:?}")
                })?;
                self.at(until, Event::Waited(number, call));
                Ok(())
            }
            Step::Finish(outcome) => {
                let Some((leader, _)) = state.leads.take() else {
                    return Ok(());
                };
                self.has_led(number, &leader, outcome.is_ok(), None);
                match self.sabotage {
                    Sabotage::OneByOne => drop(leader),
                    _ => leader.finish(&outcome),
                }
                if self.sabotage == Sabotage::OlderOutcome {
                    self.hand_out_early(number, &outcome)?;
                }
                self.finish(number, outcome)
            }
            Step::Stop(stopped) => {
                let Some((leader, _)) = state.leads.take() else {
                    return Ok(());
                };
                self.has_led(number, &leader, false, Some(stopped.until));
                let outcome = Err(stopped.error.clone());
                match self.sabotage {
                    Sabotage::SharedLimits => leader.finish(&outcome),
                    _ => leader.stop(&stopped),
                }
                self.finish(number, outcome)
            }
        }
    }

    fn has_led(&mut self, number: usize, leader: &Leader, is_session: bool, until: Option<Moment>) {
        let caller = &self.callers[number];
        let order = &mut self.watches[caller.process].order;
        let request = &leader.errand().request;
        order.has_led(caller.state.call, request, is_session, until);
    }

    /// Gives an outcome to every equal call that waits, at any place in the queue.
    fn hand_out_early(&mut self, number: usize, outcome: &Outcome) -> Result<(), Broken> {
        let request = Arc::clone(&self.callers[number].state.request);
        let process = self.callers[number].process;
        for other in 0..self.callers.len() {
            let caller = &mut self.callers[other];
            let is_equal = caller.process == process && caller.state.request == request;
            if is_equal && caller.state.follows.take().is_some() {
                self.shares(other, outcome.clone())?;
            }
        }
        Ok(())
    }

    pub fn goes_on(&mut self, number: usize, call: u64) -> Result<(), Broken> {
        match self.callers[number].state.call == call {
            true => self.step(number),
            false => Ok(()),
        }
    }

    fn begin_exchange(&mut self, number: usize, body: Vec<u8>, over: Over) -> Result<(), Broken> {
        let now = self.now;
        let process = self.callers[number].process;
        let state = &mut self.callers[number].state;
        state.body = body;
        let call = state.call;
        let kills = Asked::read(&state.body).kills;
        require(!kills || over == Over::Own, KILL_ALONE, || {
            format!("call {call}: {over:?}")
        })?;
        // A replacement begins with a kill, and may end with a plain request.
        if kills != state.was_killing {
            state.was_killing = kills;
            state.attempts = 0;
        }
        if !std::mem::take(&mut state.is_resent) {
            state.attempts += 1;
            state.resent = 0;
        }
        let (attempts, most) = (state.attempts, self.policy.max_attempts);
        require(attempts <= most, ATTEMPTS, || {
            format!("call {call}: {attempts} of {most}")
        })?;
        let mut kept = None;
        while over == Over::Any && kept.is_none() {
            let (found, _) = self.watches[process].resting.take(number, now);
            let Some(found) = found else {
                break;
            };
            // The client sees that the server has closed a connection, but not that one has died
            // silently.
            let connection = &self.connections[found];
            let is_closed = now.saturating_sub(connection.idle_since) > Duration::from_millis(5500);
            let rested = now.saturating_sub(connection.idle_since);
            let is_fresh = rested <= Duration::from_millis(4500) && !connection.is_closed;
            require(is_fresh, NOT_TIRED, || format!("call {call}: {rested:?}"))?;
            kept = (!is_closed).then_some(found);
        }
        let state = &mut self.callers[number].state;
        state.was_kept = kept.is_some();
        if let Some(kept) = kept {
            self.tally.kept += 1;
            return self.send(number, kept);
        }
        if self.random.percent(self.badness / 10) {
            // An address that does not answer meets the limit for connecting.
            let takes = self.random.pick(&[1, 5000]);
            self.after(
                Duration::from_millis(takes),
                Event::Connected(number, call, false),
            );
        } else {
            let takes = self.random.ms(2, 200);
            self.after(takes, Event::Connected(number, call, true));
        }
        Ok(())
    }

    pub fn connected(&mut self, number: usize, call: u64, is_there: bool) -> Result<(), Broken> {
        if self.callers[number].state.call != call || self.callers[number].state.is_over {
            return Ok(());
        }
        if !is_there {
            // A CONNECT that the proxy refuses does not reach the server either.
            let status = self.random.pick(&[
                Status::Connect,
                Status::Timeout,
                Status::Server,
                Status::RateLimited,
            ]);
            let error = Error::new(status, "no connection");
            return self.failed(number, error, false, false);
        }
        self.connections.push(Connection {
            is_dead: false,
            idle_since: self.now,
            is_closed: false,
        });
        self.send(number, self.connections.len() - 1)
    }

    fn send(&mut self, number: usize, connection: usize) -> Result<(), Broken> {
        let fate = match self.connections[connection].is_dead {
            true => Fate::LostBefore,
            false => network::fate(&mut self.random, self.badness),
        };
        let caller = &mut self.callers[number];
        caller.exchange.begin();
        let state = &mut caller.state;
        state.sent_at = self.now;
        let asked = Asked::read(&state.body);
        let transfer = self.transfers.len();
        state.transfer = Some(transfer);
        self.transfers.push(Transfer {
            caller: number,
            call: state.call,
            connection,
            fate,
            asked,
            pieces: Vec::new(),
            then_ends: None,
            is_over: false,
            was_answered: false,
        });
        let latency = self.random.ms(1, 150);
        match fate {
            Fate::LostBefore => self.after(latency, Event::Ends(transfer, false)),
            _ => self.after(latency, Event::Arrives(transfer)),
        }
        Ok(())
    }

    pub fn piece(&mut self, transfer: usize) -> Result<(), Broken> {
        let piece = self.transfers[transfer].pieces.pop();
        let number = self.transfers[transfer].caller;
        if self.transfers[transfer].is_over {
            return Ok(());
        }
        if let Some(piece) = piece {
            let heard = self.callers[number].exchange.received(&piece, self.now);
            match heard {
                Ok(true) => return self.answered(transfer),
                Ok(false) => {}
                Err(failure) => {
                    let error = Error::new(Status::BadResponse, format!("{failure:?}"));
                    return self.failed(number, error, true, true);
                }
            }
        }
        match self.transfers[transfer].pieces.is_empty() {
            false => {
                let latency = self.random.ms(0, 40);
                self.after(latency, Event::Piece(transfer));
            }
            true => {
                if let Some(is_clean) = self.transfers[transfer].then_ends {
                    let latency = self.random.ms(0, 40);
                    self.after(latency, Event::Ends(transfer, is_clean));
                }
            }
        }
        Ok(())
    }

    pub fn ends(&mut self, transfer: usize, is_clean: bool) -> Result<(), Broken> {
        if self.transfers[transfer].is_over {
            return Ok(());
        }
        let number = self.transfers[transfer].caller;
        let how = match is_clean {
            true => Close::Clean,
            false => Close::Broken,
        };
        let exchange = &mut self.callers[number].exchange;
        match exchange.closed(how) {
            Ok(()) => self.answered(transfer),
            Err(_) => {
                let has_heard = exchange.has_heard();
                let error = Error::new(Status::ConnectionLost, "it broke");
                self.failed(number, error, true, has_heard)
            }
        }
    }

    fn answered(&mut self, transfer: usize) -> Result<(), Broken> {
        let Transfer {
            caller: number,
            connection,
            ..
        } = self.transfers[transfer];
        self.transfers[transfer].was_answered = true;
        self.end_transfer(number);
        let clocks = Clocks {
            sent_at: self.callers[number].state.sent_at,
            now: self.now,
            // A device's clock may show any time.
            wall: (self.seed as i64 % 7 - 3) * 40_000_000 + 1_800_000_000,
        };
        let mut exchange =
            std::mem::replace(&mut self.callers[number].exchange, Exchange::new(RULES));
        let Some((leader, mut call)) = self.callers[number].state.leads.take() else {
            return Ok(());
        };
        let answer = exchange.answer();
        let state = &mut self.callers[number].state;
        state.last_refusal = Some(answer.status).filter(|status| matches!(status, 403 | 409));
        state.asked_wait = match answer.retry_after {
            Some(RetryAfter::Seconds(seconds)) => Duration::from_secs(seconds),
            _ => Duration::ZERO,
        };
        let policy = Rc::clone(&self.policy);
        self.decide(number, |now| {
            call.answered(&exchange.answer(), clocks, &policy, now);
        });
        if exchange.may_be_followed() {
            self.connections[connection].idle_since = self.now;
            let process = self.callers[number].process;
            self.watches[process]
                .resting
                .put(connection, number, self.now);
        }
        exchange.begin();
        self.callers[number].exchange = exchange;
        self.callers[number].state.leads = Some((leader, call));
        self.note(number)?;
        self.step(number)
    }

    fn failed(
        &mut self,
        number: usize,
        error: Error,
        mut was_sent: bool,
        has_heard: bool,
    ) -> Result<(), Broken> {
        was_sent &= self.sabotage != Sabotage::SecondKill;
        self.end_transfer(number);
        let state = &mut self.callers[number].state;
        state.last_refusal = None;
        state.asked_wait = Duration::ZERO;
        let failed = Failed {
            error,
            was_kept: self.callers[number].state.was_kept,
            was_sent,
            has_heard,
        };
        let Some((leader, mut call)) = self.callers[number].state.leads.take() else {
            return Ok(());
        };
        let policy = Rc::clone(&self.policy);
        self.decide(number, |now| call.failed(failed, &policy, now));
        self.callers[number].state.leads = Some((leader, call));
        self.note(number)?;
        self.step(number)
    }

    /// Counts what a call has decided.
    fn note(&mut self, number: usize) -> Result<(), Broken> {
        let Some((_, call)) = &mut self.callers[number].state.leads else {
            return Ok(());
        };
        let Some((_, words)) = call.take_note() else {
            return Ok(());
        };
        let process = self.callers[number].process;
        if words.contains("sending again") {
            self.tally.resent += 1;
            let state = &mut self.callers[number].state;
            state.resent += 1;
            state.is_resent = true;
            let (call, resent) = (state.call, state.resent);
            require(resent == 1, ONE_RESEND, || {
                format!("call {call}: {resent} times")
            })?;
        } else if words.contains("asking again in") {
            // A starting server has not processed the request.
            let state = &mut self.callers[number].state;
            state.attempts = state.attempts.saturating_sub(1);
        } else if words.contains("follows in") {
            self.tally.retries += 1;
            self.watches[process].budget.retry(self.now)?;
        } else if words.contains("expired session") {
            self.tally.expired += 1;
            self.watches[process].budget.first(self.now);
        }
        Ok(())
    }

    fn end_transfer(&mut self, number: usize) {
        if let Some(transfer) = self.callers[number].state.transfer.take() {
            self.transfers[transfer].is_over = true;
        }
    }

    pub fn runs_out_of_time(&mut self, number: usize, call: u64) -> Result<(), Broken> {
        let state = &mut self.callers[number].state;
        if state.call != call || state.is_over {
            return Ok(());
        }
        state.follows = None;
        state.leads = None;
        self.end_transfer(number);
        self.tally.timeouts += 1;
        self.finish(number, Err(Error::new(Status::Timeout, "out of time")))
    }

    fn finish(&mut self, number: usize, outcome: Outcome) -> Result<(), Broken> {
        let caller = &mut self.callers[number];
        let state = &mut caller.state;
        state.is_over = true;
        let (call, deadline) = (state.call, state.deadline);
        self.watches[caller.process]
            .order
            .ends(call, &state.request);
        let has_slept = self.woke_up_at >= state.began_at;
        require(self.now <= deadline || has_slept, IN_TIME, || {
            format!("call {call} at {:?}, deadline {deadline:?}", self.now)
        })?;
        if self.is_told {
            println!("{:>12.3?} call {call}: {outcome:?}", self.now);
        }
        match &outcome {
            Ok(session) => {
                self.tally.sessions += 1;
                let ends_at = Duration::from_secs(session.times().expires_at as u64);
                let now = server::clock(self.now);
                require(ends_at > now || has_slept, NOT_EXPIRED, || {
                    format!("call {call}: it ended at {ends_at:?}, and it is {now:?}")
                })?;
                let asked = &state.request.identifier;
                let is_own = asked.is_none()
                    || state.request.tag_name.is_some()
                    || session.identifier() == asked.as_deref();
                require(is_own, NOT_FOREIGN, || format!("call {call}: {session:?}"))?;
            }
            Err(_) => self.tally.errors += 1,
        }
        if self.now < END {
            let pause = match self.random.below(4) {
                0 => Duration::ZERO,
                1 => self.random.ms(0, 3000),
                2 => self.random.ms(0, 100_000),
                _ => self.random.ms(500_000, 700_000),
            };
            self.after(pause, Event::Begins(number));
        }
        Ok(())
    }

    /// Checks that a process makes one session of an identifier at a time. An exception is a
    /// request whose caller has given up.
    pub fn check_no_ghost(&mut self, number: usize, asked: &Asked) -> Result<(), Broken> {
        let process = self.callers[self.transfers[number].caller].process;
        for other in self.server.creating(asked) {
            let transfer = &self.transfers[other];
            let is_ours = self.callers[transfer.caller].process == process;
            let is_mixed = asked.is_mixed_up_with(&transfer.asked);
            let has_given_up = transfer.is_over || self.transfers[number].is_over;
            require(!is_ours || has_given_up || is_mixed, NO_GHOST, || {
                format!(
                    "call {} meets call {}",
                    self.transfers[number].call, transfer.call
                )
            })?;
        }
        Ok(())
    }

    /// Checks a kill that was carried out.
    pub fn check_kill(&mut self, number: usize, killed: &Stored) -> Result<(), Broken> {
        let transfer = &self.transfers[number];
        let (call, caller) = (transfer.call, transfer.caller);
        let state = &mut self.callers[caller].state;
        if state.call != call {
            return Ok(());
        }
        state.kills += 1;
        let kills = state.kills;
        require(kills == 1, ONE_KILL, || {
            format!("call {call}: {kills} kills")
        })?;
        // Two seconds are too few to use, and the clocks count whole seconds.
        const DOUBT: Duration = Duration::from_secs(2 + 1);
        let left = Duration::from_secs(killed.expires_at).saturating_sub(server::clock(self.now));
        // If the caller gave up, its session belongs to no caller. Two processes that replace the
        // same session kill each other's.
        let is_nobodys = !self.transfers[killed.made_for].was_answered;
        // With a tag name the server may find another session, if the reaper has run since the
        // answer.
        let is_named = state.request.tag_name.is_some();
        let has_right = state.request.kills() || left <= DOUBT || is_named;
        let may = has_right || is_nobodys || self.processes.len() > 1;
        require(may, NO_KILL_OF_LIVE, || {
            format!("call {call}: session {} had {left:?} left", killed.id)
        })
    }
}
