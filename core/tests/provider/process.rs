//! A process with a provider: a keeper, and the callers and the thread that drive its work.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

use zelf_core::{
    api::{lifetime::Clocks, request::SessionRequest},
    create::{
        aim::Errand,
        budget::Budget,
        call::{Call, Failed, Now, Over, Step},
        keeper::{self, Keeper, Task, Verdict, Work},
        rules::{Renewal, Rules},
    },
    error::{Error, Status},
    moment::Moment,
    session::Session,
};

use crate::{
    network::{self, Fate},
    promises::{IN_TIME, RETRY_AFTER, SAME_WARM},
    server::{self, IDENTIFIER, kills},
    world::{Event, Sabotage, Transfer, World},
    worlds::promise::{Broken, require},
};

/// The longest time that a caller with a session waits for its confirmation.
const BRIEF: Duration = Duration::from_secs(2);

pub struct Process {
    pub machine: usize,
    pub rules: Rules,
    pub keeper: Keeper,
    pub running: Option<Running>,
    pub watch: Watch,
    /// It ends after one or two requests for a session.
    pub is_brief: bool,
    confirms: bool,
    timeout: Duration,
    budget: Budget,
    waiting: Vec<Waiter>,
    warm: Option<(Session, Moment)>,
    /// The number of the current alarm of its thread.
    alarm: u64,
}

/// Work in progress.
pub struct Running {
    pub number: u64,
    pub work: Work,
    pub began_at: Moment,
    deadline: Moment,
    /// None while it waits for the lock.
    call: Option<Call>,
    transfer: Option<usize>,
    /// The sessions in the answers.
    pub answers: Vec<usize>,
}

/// A caller that waits for the work.
struct Waiter {
    number: u64,
    deadline: Moment,
}

/// What the checks remember about a process.
#[derive(Default)]
pub struct Watch {
    /// When a session was first asked for, and when it came.
    pub came_at: BTreeMap<usize, (Moment, Moment)>,
    /// When a session was last asked for, and when that answer came.
    pub seen_at: BTreeMap<usize, (Moment, Moment)>,
    pub last_ghost_at: Moment,
    pub refused: BTreeSet<usize>,
    /// The times of first reports of refusals.
    pub refused_at: Vec<Moment>,
    /// The real session that was returned last, and whether it was in doubt.
    pub handed: Option<(Session, bool)>,
    /// The session of the previous work, whether it had too little time left, and when.
    pub before: Option<(usize, bool, Moment)>,
    pub not_before: Moment,
    /// When another process had held the lock for too long.
    pub locked_out_at: Option<Moment>,
    /// The number of failed confirmations in a row, and the time of the last.
    pub unconfirmed: (u32, Moment),
    pub has_recovered: bool,
}

impl Process {
    pub fn new(machine: usize, rules: Rules, confirms: bool, timeout: Duration) -> Self {
        Self {
            machine,
            rules,
            keeper: Keeper::new(rules, confirms),
            running: None,
            watch: Watch::default(),
            is_brief: false,
            confirms,
            timeout,
            budget: Budget::default(),
            waiting: Vec::new(),
            warm: None,
            alarm: 0,
        }
    }

    /// Replaces the session of a verdict by the newest one.
    fn newest_first(&self, verdict: Verdict, now: Moment) -> Verdict {
        let held = self.keeper.held().filter(|held| {
            let id = server::number_of(held.id());
            now + self.rules.min_valid < held.times().ends_at && !self.watch.refused.contains(&id)
        });
        match (verdict, held) {
            (Verdict::Hand(_), Some(held)) => Verdict::Hand(held.clone()),
            (Verdict::HandAndWork(_, work), Some(held)) => Verdict::HandAndWork(held.clone(), work),
            (verdict, _) => verdict,
        }
    }

    /// Records the session that callers get from now on without asking the keeper.
    pub fn publish(&mut self, now: Moment, sabotage: Sabotage) {
        self.warm = self.keeper.hand_out(now);
        if sabotage == Sabotage::StaleWarm
            && let Some((_, until)) = &mut self.warm
        {
            *until += Duration::from_secs(1);
        }
    }

    /// Returns whether it has no waiting callers and no work.
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Returns the work with this number.
    fn works_on(&mut self, number: u64) -> Option<&mut Running> {
        self.running
            .as_mut()
            .filter(|running| running.number == number)
    }
}

impl World {
    /// Lets a caller ask for a session.
    pub fn asks(&mut self, number: usize) -> Result<(), Broken> {
        self.tally.asks += 1;
        let now = self.now;
        let process = &self.processes[number];
        let verdict = process.keeper.ask(now);
        if let Some((warm, until)) = &process.warm
            && now < *until
        {
            self.tally.warm += 1;
            let is_same = match &verdict {
                Verdict::Hand(session) => session.token() == warm.token(),
                Verdict::HandAndWork(session, _) => {
                    session.token() == warm.token() && process.rules.is_background
                }
                Verdict::Work(_) | Verdict::Fail(_) => false,
            };
            require(is_same, SAME_WARM, || {
                format!("process {number}: {warm:?} until {until:?}, and {verdict:?}")
            })?;
        }
        let is_idle = process.running.is_none();
        if self.sabotage == Sabotage::Impatient && is_idle {
            let work = process.keeper.work(now);
            self.wait(number);
            return self.begin(number, work, true);
        }
        let verdict = match self.sabotage {
            Sabotage::NewestFirst => process.newest_first(verdict, now),
            _ => verdict,
        };
        let has_failed = process.keeper.last_error(now).is_some();
        match verdict {
            Verdict::Hand(session) => self.handed(number, &session),
            Verdict::HandAndWork(session, work) => {
                let has_thread = process.rules.is_background;
                if is_idle && !has_thread {
                    // One caller makes the request, and waits for a round trip.
                    self.wait(number);
                    return self.begin(number, work, false);
                }
                if is_idle {
                    self.begin(number, work, false)?;
                }
                self.handed(number, &session)
            }
            Verdict::Work(_) if self.sabotage == Sabotage::GivesUp && has_failed => {
                self.failed(number, &Error::new(Status::Connect, "sabotage"))
            }
            Verdict::Work(work) => {
                self.wait(number);
                match is_idle {
                    true => self.begin(number, work, false),
                    false => Ok(()),
                }
            }
            Verdict::Fail(error) => self.failed(number, &error),
        }
    }

    fn wait(&mut self, number: usize) {
        self.last_number += 1;
        let deadline = self.now + self.processes[number].timeout;
        self.processes[number].waiting.push(Waiter {
            number: self.last_number,
            deadline,
        });
        self.at(deadline, Event::TimesOut(number, self.last_number));
    }

    pub fn times_out(&mut self, number: usize, waiter: u64) -> Result<(), Broken> {
        let process = &mut self.processes[number];
        let before = process.waiting.len();
        process.waiting.retain(|other| other.number != waiter);
        if process.waiting.len() == before {
            return Ok(());
        }
        let error = Error::new(Status::Timeout, "out of time");
        match process.keeper.outcome(self.now) {
            Ok(session) => self.handed(number, &session),
            Err(_) => self.failed(number, &error),
        }
    }

    /// Wakes the thread of a process to renew in advance.
    pub fn thread_wakes(&mut self, number: usize, alarm: u64) -> Result<(), Broken> {
        let process = &self.processes[number];
        if process.alarm != alarm || process.running.is_some() {
            return Ok(());
        }
        match process.keeper.due(self.now) {
            Some(work) => self.begin(number, work, false),
            None => {
                self.set_alarm(number);
                Ok(())
            }
        }
    }

    fn set_alarm(&mut self, number: usize) {
        let is_over = self.is_over();
        let process = &mut self.processes[number];
        process.alarm += 1;
        let (alarm, due) = (process.alarm, process.keeper.next_due());
        if process.rules.is_background && !is_over && due < Moment::MAX {
            self.at(due.max(self.now), Event::Thread(number, alarm));
        }
    }

    fn begin(&mut self, number: usize, work: Work, is_takeover: bool) -> Result<(), Broken> {
        let now = self.now;
        self.tally.works += 1;
        self.last_number += 1;
        let process = &mut self.processes[number];
        let watch = &process.watch;
        require(is_takeover || now >= watch.not_before, RETRY_AFTER, || {
            format!("process {number}: not before {:?}", watch.not_before)
        })?;
        let deadline = match is_takeover {
            false => now + process.timeout,
            true => process.waiting[0].deadline,
        };
        process.running = Some(Running {
            number: self.last_number,
            work,
            began_at: now,
            deadline,
            call: None,
            transfer: None,
            answers: Vec::new(),
        });
        self.at(deadline, Event::Deadline(number, self.last_number));
        if !self.has_work_beyond_stored(number) {
            self.processes[number].running = None;
            return self.ends(number, None);
        }
        let machine = &mut self.machines[self.processes[number].machine];
        if machine.has_lock && self.sabotage != Sabotage::NoLock {
            if machine.lock.held_by.is_some() {
                machine.lock.waiting.push_back(number);
                return Ok(());
            }
            machine.lock.held_by = Some(number);
        }
        self.call(number)
    }

    /// Reads the stored session. Returns whether a request to the server is still due.
    fn has_work_beyond_stored(&mut self, number: usize) -> bool {
        let Some(running) = &self.processes[number].running else {
            return false;
        };
        let work = running.work.clone();
        let left = self.beyond_stored(number, work);
        let running = &mut self.processes[number].running;
        let (Some(left), Some(running)) = (left, running) else {
            return false;
        };
        running.work = left;
        if running.work.task == Task::Confirm {
            running.deadline = running.deadline.min(self.now + BRIEF);
            let (deadline, work) = (running.deadline, running.number);
            self.at(deadline, Event::Deadline(number, work));
        }
        true
    }

    /// Releases the lock, or leaves its queue.
    fn let_go(&mut self, number: usize) -> Result<(), Broken> {
        let lock = &mut self.machines[self.processes[number].machine].lock;
        lock.waiting.retain(|other| *other != number);
        if lock.held_by != Some(number) {
            return Ok(());
        }
        let next = lock.waiting.pop_front();
        lock.held_by = next;
        match next {
            // Another process has held the lock meanwhile.
            Some(next) if self.has_work_beyond_stored(next) => self.call(next),
            Some(next) => {
                self.processes[next].running = None;
                self.ends(next, None)
            }
            None => Ok(()),
        }
    }

    fn call(&mut self, number: usize) -> Result<(), Broken> {
        let Some(running) = &self.processes[number].running else {
            return Ok(());
        };
        let errand = Arc::new(Errand {
            request: SessionRequest {
                identifier: Some(IDENTIFIER.to_owned()),
                ..SessionRequest::default()
            },
            aim: running.work.aim.clone(),
        });
        let deadline = running.deadline;
        let call = self.decide(number, |now| Call::new(errand, deadline, None, now));
        if let Some(running) = &mut self.processes[number].running {
            running.call = Some(call);
        }
        self.step(number)
    }

    /// Lets a call decide something.
    fn decide<T>(&mut self, number: usize, decision: impl FnOnce(&Now<'_>) -> T) -> T {
        thread_local! {
            static JITTER: Cell<u32> = const { Cell::new(0) };
        }
        JITTER.set(self.random.word());
        decision(&Now {
            time: self.now,
            random: || JITTER.get(),
            budget: &self.processes[number].budget,
        })
    }

    fn step(&mut self, number: usize) -> Result<(), Broken> {
        let Some(running) = &mut self.processes[number].running else {
            return Ok(());
        };
        let Some(call) = &mut running.call else {
            return Ok(());
        };
        let work = running.number;
        match call.step() {
            Step::Exchange { body, over } => {
                self.send(number, &body, over);
                Ok(())
            }
            Step::Wait { until, .. } => {
                self.at(until, Event::Waited(number, work));
                Ok(())
            }
            Step::Finish(outcome) => self.done(number, outcome),
            Step::Stop(stopped) => self.done(number, Err(stopped.error)),
        }
    }

    pub fn goes_on(&mut self, number: usize, work: u64) -> Result<(), Broken> {
        match self.processes[number].works_on(work) {
            Some(_) => self.step(number),
            None => Ok(()),
        }
    }

    fn send(&mut self, number: usize, body: &[u8], over: Over) {
        let fate = self.network.fate(&mut self.random, self.now);
        let was_kept = over == Over::Any && self.random.percent(30);
        let transfer = self.transfers.len();
        let Some(running) = &mut self.processes[number].running else {
            return;
        };
        running.transfer = Some(transfer);
        let work = running.number;
        let machine = &self.machines[self.processes[number].machine];
        self.transfers.push(Transfer {
            process: number,
            work,
            fate,
            kills: kills(body),
            address: machine.address,
            sent_at: self.now,
            was_kept,
            session: None,
            reply: None,
        });
        let latency = self.network.latency(&mut self.random);
        match fate {
            Fate::LostBefore | Fate::NoConnection => self.after(latency, Event::Breaks(transfer)),
            _ => self.after(latency, Event::Arrives(transfer)),
        }
    }

    /// Delivers an answer, unless the device sleeps.
    pub fn answered(&mut self, number: usize) -> Result<(), Broken> {
        let Transfer {
            process,
            work,
            sent_at,
            session,
            ..
        } = self.transfers[number];
        let machine = &self.machines[self.processes[process].machine];
        if machine.asleep_until > self.now {
            // The connection is dead when the device wakes.
            let until = machine.asleep_until;
            self.at(until, Event::Breaks(number));
            return Ok(());
        }
        let clocks = Clocks {
            sent_at,
            now: self.now,
            wall: machine.wall(self.now),
        };
        let Some(running) = self.processes[process].works_on(work) else {
            return Ok(());
        };
        if running.transfer.take() != Some(number) {
            return Ok(());
        }
        running.answers.extend(session);
        let Some(mut call) = running.call.take() else {
            return Ok(());
        };
        if let Some(session) = session {
            let is_ghost = self.server.records[session].is_ghost();
            let watch = &mut self.processes[process].watch;
            let came = (sent_at, self.now);
            watch.seen_at.insert(session, came);
            watch.came_at.entry(session).or_insert(came);
            if is_ghost {
                watch.last_ghost_at = self.now;
            }
        }
        let policy = Rc::clone(&self.policy);
        if let Some(reply) = self.transfers[number].reply.take() {
            self.decide(process, |now| {
                call.answered(&reply.answer(), clocks, &policy, now);
            });
        }
        if let Some(running) = &mut self.processes[process].running {
            running.call = Some(call);
        }
        self.step(process)
    }

    pub fn broken(&mut self, number: usize) -> Result<(), Broken> {
        let Transfer {
            process,
            work,
            fate,
            was_kept,
            ..
        } = self.transfers[number];
        let machine = &self.machines[self.processes[process].machine];
        if machine.asleep_until > self.now {
            let until = machine.asleep_until;
            self.at(until, Event::Breaks(number));
            return Ok(());
        }
        let Some(running) = self.processes[process].works_on(work) else {
            return Ok(());
        };
        if running.transfer.take() != Some(number) {
            return Ok(());
        }
        let Some(mut call) = running.call.take() else {
            return Ok(());
        };
        let was_sent = fate != Fate::NoConnection;
        let failed = Failed {
            error: match was_sent {
                true => network::lost(),
                false => network::no_connection(),
            },
            was_kept: was_kept && was_sent,
            was_sent,
            has_heard: false,
        };
        let policy = Rc::clone(&self.policy);
        self.decide(process, |now| call.failed(failed, &policy, now));
        if let Some(running) = &mut self.processes[process].running {
            running.call = Some(call);
        }
        self.step(process)
    }

    /// Ends the turn of a caller whose time limit is over. Another caller takes over.
    pub fn gives_up(&mut self, number: usize, work: u64) -> Result<(), Broken> {
        let now = keeper::Now {
            time: self.now,
            random: self.random.word(),
        };
        let process = &mut self.processes[number];
        let Some(running) = process.works_on(work) else {
            return Ok(());
        };
        if running.deadline > now.time {
            return Ok(());
        }
        let is_locked_out = running.call.is_none();
        if is_locked_out {
            process.keeper.locked_out(now);
            process.watch.locked_out_at = Some(now.time);
            process.publish(now.time, self.sabotage);
        }
        let next = process.waiting.first();
        let is_last = next.is_none_or(|waiter| waiter.deadline <= now.time);
        if is_last || process.keeper.outcome(now.time).is_ok() {
            if is_locked_out {
                process.running = None;
                return self.ends(number, None);
            }
            return self.done(number, Err(Error::new(Status::Timeout, "out of time")));
        }
        self.tally.takeovers += 1;
        if let Some(running) = process.running.take().filter(|_| !is_locked_out) {
            let error = Error::new(Status::Timeout, "out of time");
            process.keeper.done(&running.work, Err(error), now);
        }
        self.let_go(number)?;
        let work = self.processes[number].keeper.work(now.time);
        self.begin(number, work, true)
    }

    fn done(&mut self, number: usize, outcome: Result<Session, Error>) -> Result<(), Broken> {
        let now = keeper::Now {
            time: self.now,
            random: self.random.word(),
        };
        let process = &mut self.processes[number];
        let Some(running) = process.running.take() else {
            return Ok(());
        };
        if self.is_told {
            println!(
                "{:>12.3?} {number}: {:?}: {outcome:?}",
                self.now, running.work
            );
        }
        let asked_wait = match &outcome {
            Err(error) => error.retry_after.unwrap_or_default(),
            Ok(_) => Duration::ZERO,
        };
        let held = process.keeper.held().cloned();
        let is_plain_renewal =
            running.work.task == Task::Renew && process.rules.renewal == Renewal::NeverKill;
        let outcome = match (self.sabotage, outcome, held) {
            (Sabotage::NoConfirmation, _, Some(held)) if running.work.task == Task::Confirm => {
                Ok(held)
            }
            (Sabotage::Hasty, Err(error), _) => Err(Error {
                retry_after: None,
                ..error
            }),
            (Sabotage::Untold, Err(_), Some(held)) if is_plain_renewal => Ok(held),
            (_, outcome, _) => outcome,
        };
        process.watch.not_before = self.now + asked_wait;
        let failures = match (running.work.task, &outcome) {
            (Task::Confirm, Err(_)) => process.watch.unconfirmed.0 + 1,
            _ => 0,
        };
        process.watch.unconfirmed = (failures, self.now);
        process.keeper.done(&running.work, outcome.clone(), now);
        process.publish(self.now, self.sabotage);
        if outcome.is_ok() {
            self.stores(number);
        }
        self.check_pace(number, &running, &outcome)?;
        self.ends(number, Some(&outcome))
    }

    /// Ends the work of a process, with this outcome if the server was asked. Answers all waiting
    /// callers.
    fn ends(
        &mut self,
        number: usize,
        outcome: Option<&Result<Session, Error>>,
    ) -> Result<(), Broken> {
        self.let_go(number)?;
        let now = self.now;
        let waiting = std::mem::take(&mut self.processes[number].waiting);
        for waiter in waiting {
            let process = &self.processes[number];
            let is_late = now > waiter.deadline;
            let may_be_late = self.machines[process.machine].asleep_until >= waiter.deadline;
            require(!is_late || may_be_late, IN_TIME, || {
                format!("process {number}: {:?}", waiter.deadline)
            })?;
            let outcome = match (self.sabotage, outcome) {
                (Sabotage::ErrorFirst, Some(outcome)) => outcome.clone(),
                _ => process.keeper.outcome(now),
            };
            match outcome {
                Ok(session) => self.handed(number, &session)?,
                // Nothing has failed, but the received session is already useless.
                Err(_) if process.keeper.last_error(now).is_none() => self.asks(number)?,
                Err(error) => self.failed(number, &error)?,
            }
        }
        if self.processes[number].running.is_none() {
            self.set_alarm(number);
        }
        Ok(())
    }

    /// Uses a token at a route.
    pub fn uses(&mut self, number: usize, session: &Session) -> Result<(), Broken> {
        let id = server::number_of(session.id());
        let record = &self.server.records[id];
        // A process that has restarted since then does not get the report.
        let is_its_own = self.processes[number].watch.came_at.contains_key(&id);
        if record.lives() && !record.is_used || !is_its_own {
            return Ok(());
        }
        if self.sabotage == Sabotage::DeafToRefusals {
            self.processes[number].watch.refused.insert(id);
            return Ok(());
        }
        let now = keeper::Now {
            time: self.now,
            random: self.random.word(),
        };
        let process = &mut self.processes[number];
        let is_news = process.keeper.refuse(session, now);
        process.watch.refused.insert(id);
        process.warm = process.keeper.hand_out(self.now);
        if !is_news {
            return Ok(());
        }
        process.watch.refused_at.push(self.now);
        // A refusal ends a pause that was only a precaution.
        process.watch.before = None;
        self.forgets(number, session);
        self.tally.refusals += 1;
        if self.processes[number].running.is_none() {
            self.set_alarm(number);
        }
        self.asks(number)
    }

    /// Kills the process. It starts again at its next request for a session.
    pub fn dies(&mut self, number: usize) -> Result<(), Broken> {
        let process = &mut self.processes[number];
        let Process {
            machine,
            rules,
            confirms,
            timeout,
            alarm,
            is_brief,
            ..
        } = *process;
        let has_recovered = process.watch.has_recovered;
        *process = Process::new(machine, rules, confirms, timeout);
        process.is_brief = is_brief;
        // Its alarms are no longer valid.
        process.alarm = alarm + 1;
        process.watch.has_recovered = has_recovered;
        self.let_go(number)
    }
}
