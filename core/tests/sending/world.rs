//! A world: callers, a provider, a network and a server.

use std::{cell::Cell, time::Duration};

use zelf_core::{
    create::{
        call::{Failed, Now, Over},
        keeper::{self, Keeper, Verdict, Work},
        rules::{Renewal, Rules},
    },
    error::{Error, Status},
    moment::Moment,
    send::sending::{Sending, Step, Terms, unless_done},
    session::Session,
};

use crate::{
    caller::{Caller, Client},
    promises::{AT_MOST_ONCE, IN_TIME, ONE_RENEWAL, RETRY_AFTER, SAYS_SO, SUCCEEDS},
    server::{Said, Server, Trouble},
    worlds::{
        events::Events,
        promise::{Broken, require},
        random::Random,
        seeds,
    },
};

const START: Moment = Duration::from_secs(100_000);

/// The trouble ends after this time. Callers that start later succeed.
const TROUBLE: Duration = Duration::from_secs(60);
/// The time after that for which a budget, a pause or a refused session may still have an effect.
const RECOVERY: Duration = Duration::from_secs(75);

/// A deliberate defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// Every request may be repeated.
    RepeatsAll,
    /// A request that was sent whole counts as sent in part.
    NeverWhole,
    /// Each refused caller renews the session that is held now.
    RefusesAny,
    Hasty,
    Silent,
}

/// Counts of events.
#[derive(Debug, Default)]
pub struct Tally {
    pub responses: u64,
    pub errors: u64,
    pub again: u64,
    pub dead: u64,
    pub refused: u64,
    pub renewals: u64,
    pub asked: u64,
    pub lost: u64,
    /// Errors that leave open whether the server has carried a request out.
    pub open: u64,
}

impl seeds::Tally for Tally {
    fn add(&mut self, other: &Self) {
        self.responses += other.responses;
        self.errors += other.errors;
        self.again += other.again;
        self.dead += other.dead;
        self.refused += other.refused;
        self.renewals += other.renewals;
        self.asked += other.asked;
        self.lost += other.lost;
        self.open += other.open;
    }
}

#[derive(Clone, Debug)]
enum Event {
    Comes,
    /// The pause of a caller is over.
    Goes(usize),
    Arrives(usize, u64, bool),
    Answered(usize, u64, Said),
    Fails(usize, u64, Failure),
    Deadline(usize),
    Renewed(bool),
    Dies,
    Changes(Trouble),
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    status: Status,
    was_kept: bool,
    was_sent: bool,
    is_whole: bool,
}

pub struct World {
    sabotage: Sabotage,
    is_told: bool,
    now: Moment,
    events: Events<Event>,
    random: Random,
    server: Server,
    keeper: Keeper,
    renewal: Option<Work>,
    client: Client,
    callers: Vec<Caller>,
    loss: u64,
    tally: Tally,
}

thread_local! {
    /// The random word of the world that runs on this thread.
    static WORD: Cell<u32> = const { Cell::new(0) };
}

impl World {
    pub fn run(seed: u64, sabotage: Sabotage, is_told: bool) -> Result<Tally, Broken> {
        let mut random = Random::new(seed);
        let rules = Rules {
            min_valid: Duration::from_secs(5),
            renewal: Renewal::AtExpiry,
            is_background: false,
        };
        let loss = random.pick(&[0, 1, 10, 30]);
        let mut world = Self {
            sabotage,
            is_told,
            now: START,
            events: Events::default(),
            server: Server::default(),
            keeper: Keeper::new(rules, true),
            renewal: None,
            client: Client::default(),
            callers: Vec::new(),
            loss,
            tally: Tally::default(),
            random,
        };
        world.plan();
        while let Some((moment, event)) = world.events.next() {
            world.now = moment;
            world.tell(|| format!("{event:?}"));
            world.happens(event)?;
        }
        let Server { kills, deaths, .. } = world.server;
        require(kills <= deaths, ONE_RENEWAL, || {
            format!("{kills} renewals of {deaths} sessions")
        })?;
        world.tally.renewals = kills;
        Ok(world.tally)
    }

    fn plan(&mut self) {
        for _ in 0..1 + self.random.below(40) {
            let at = self.random.within(TROUBLE + RECOVERY + TROUBLE);
            // Callers come in groups.
            for _ in 0..1 + self.random.below(5) {
                self.after(at, Event::Comes);
            }
        }
        for _ in 0..self.random.below(4) {
            let at = self.random.within(TROUBLE);
            self.after(at, Event::Dies);
        }
        for _ in 0..self.random.below(4) {
            let (from, lasts) = (self.random.within(TROUBLE), self.random.within(TROUBLE / 3));
            let kinds = [Trouble::Starting, Trouble::Overloaded, Trouble::Gateway];
            let trouble = self.random.pick(&kinds);
            self.after(from, Event::Changes(trouble));
            self.after((from + lasts).min(TROUBLE), Event::Changes(Trouble::None));
        }
    }

    fn tell(&self, words: impl FnOnce() -> String) {
        if self.is_told {
            println!("{:>12.3?} {}", self.now - START, words());
        }
    }

    fn after(&mut self, wait: Duration, event: Event) {
        let moment = self.now + wait;
        self.events.plan(moment, event);
    }

    fn is_troubled(&self) -> bool {
        self.now < START + TROUBLE
    }

    /// Returns whether something goes wrong on the network.
    fn is_lost(&mut self) -> bool {
        self.is_troubled() && self.random.percent(self.loss)
    }

    fn happens(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Comes => self.comes(),
            Event::Goes(number) => self.goes_on(number),
            Event::Arrives(number, exchange, was_kept) => {
                self.arrives(number, exchange, was_kept);
                Ok(())
            }
            Event::Answered(number, exchange, said) => self.answered(number, exchange, said),
            Event::Fails(number, exchange, failure) => self.fails(number, exchange, failure),
            Event::Deadline(number) => self.out_of_time(number),
            Event::Renewed(is_lost) => self.renewed(is_lost),
            Event::Dies => {
                self.server.ends_session();
                Ok(())
            }
            Event::Changes(trouble) => {
                self.server.trouble = trouble;
                Ok(())
            }
        }
    }

    fn decision(&mut self) -> keeper::Now {
        keeper::Now {
            time: self.now,
            random: self.random.word(),
        }
    }

    fn comes(&mut self) -> Result<(), Broken> {
        let is_repeatable = self.random.percent(50);
        let deadline = self.now + self.random.ms(2_000, 30_000);
        let terms = Terms {
            deadline,
            max_attempts: 1 + self.random.below(4) as u32,
            is_repeatable: is_repeatable || self.sabotage == Sabotage::RepeatsAll,
            renews: true,
        };
        WORD.set(self.random.word());
        let now = Now {
            time: self.now,
            random: || WORD.get(),
            budget: &self.client.budget,
        };
        let number = self.callers.len();
        self.callers.push(Caller {
            sending: Sending::new(terms, &now),
            deadline,
            is_repeatable,
            session: None,
            waits: false,
            exchange: 0,
            is_sent: false,
            last: None,
            not_before: Moment::ZERO,
            is_over: false,
            began_at: self.now,
        });
        self.events.plan(deadline, Event::Deadline(number));
        self.goes_on(number)
    }

    /// Carries a call on until it has to wait.
    fn goes_on(&mut self, number: usize) -> Result<(), Broken> {
        if self.callers[number].is_over {
            return Ok(());
        }
        match self.callers[number].sending.step() {
            Step::Session {
                is_refused,
                may_kill,
            } => {
                if is_refused {
                    self.refuse(number, may_kill);
                }
                self.wants_session(number)
            }
            Step::Exchange { over } => self.sends(number, over),
            Step::Wait { until, .. } => {
                self.events.plan(until, Event::Goes(number));
                Ok(())
            }
            Step::Finish(outcome) => self.ends(number, outcome),
        }
    }

    fn refuse(&mut self, number: usize, may_kill: bool) {
        self.tally.refused += 1;
        let now = self.decision();
        let refused = match self.sabotage {
            Sabotage::RefusesAny => self.keeper.held().cloned(),
            _ => self.callers[number].session.clone(),
        };
        if let Some(refused) = refused {
            match may_kill {
                true => self.keeper.refuse(&refused, now),
                false => self.keeper.refuse_again(&refused, now),
            };
        }
    }

    fn wants_session(&mut self, number: usize) -> Result<(), Broken> {
        match self.keeper.ask(self.now) {
            Verdict::Hand(session) | Verdict::HandAndWork(session, _) => {
                self.has_session(number, Ok(session))
            }
            Verdict::Fail(error) => self.has_session(number, Err(error)),
            Verdict::Work(work) => {
                self.callers[number].waits = true;
                if self.renewal.is_none() {
                    self.renewal = Some(work);
                    let (wait, is_lost) = (self.random.ms(20, 300), self.is_lost());
                    self.after(wait, Event::Renewed(is_lost));
                }
                Ok(())
            }
        }
    }

    fn has_session(
        &mut self,
        number: usize,
        outcome: Result<Session, Error>,
    ) -> Result<(), Broken> {
        let caller = &mut self.callers[number];
        caller.waits = false;
        match outcome {
            Ok(session) => {
                caller.session = Some(session);
                caller.sending.has_session();
                self.goes_on(number)
            }
            Err(error) => self.ends(number, Err(error)),
        }
    }

    fn renewed(&mut self, is_lost: bool) -> Result<(), Broken> {
        let Some(work) = self.renewal.take() else {
            return Ok(());
        };
        let outcome = match is_lost {
            true => Err(Error::new(Status::Connect, "no connection")),
            false => Ok(self.server.creates(&work.aim, self.now)),
        };
        let now = self.decision();
        self.keeper.done(&work, outcome, now);
        for number in 0..self.callers.len() {
            if self.callers[number].waits {
                let outcome = self.keeper.outcome(self.now);
                self.has_session(number, outcome)?;
            }
        }
        Ok(())
    }

    fn sends(&mut self, number: usize, over: Over) -> Result<(), Broken> {
        let caller = &mut self.callers[number];
        let not_before = caller.not_before;
        caller.exchange += 1;
        caller.is_sent = false;
        let exchange = caller.exchange;
        self.tally.again += u64::from(exchange > 1);
        require(self.now >= not_before, RETRY_AFTER, || {
            format!("call {number}: not before {:?}", not_before - START)
        })?;
        let was_kept = matches!(over, Over::Any | Over::JustUsed) && self.random.percent(60);
        let wait = self.random.ms(1, 100);
        let failure = |status, was_sent, is_whole| Failure {
            status,
            was_kept,
            was_sent,
            is_whole,
        };
        let event = if !was_kept && self.is_lost() {
            Event::Fails(number, exchange, failure(Status::Connect, false, false))
        } else if was_kept && over == Over::Any && self.random.percent(5) {
            // The server has closed the connection meanwhile, and reads nothing.
            self.tally.dead += 1;
            self.callers[number].is_sent = true;
            Event::Fails(
                number,
                exchange,
                failure(Status::ConnectionLost, true, true),
            )
        } else if self.is_lost() {
            Event::Fails(
                number,
                exchange,
                failure(Status::ConnectionLost, true, false),
            )
        } else {
            self.callers[number].is_sent = true;
            Event::Arrives(number, exchange, was_kept)
        };
        self.after(wait, event);
        Ok(())
    }

    /// Lets the server carry a request out, even if its caller no longer waits.
    fn arrives(&mut self, number: usize, exchange: u64, was_kept: bool) {
        let session = self.callers[number].session.as_ref();
        let session = session.and_then(|session| session.id()?.rsplit(' ').next()?.parse().ok());
        let session: u64 = session.unwrap_or(u64::MAX);
        let said = self.server.takes(number, session, &mut self.random);
        let wait = self.random.ms(1, 200);
        if self.is_lost() {
            self.tally.lost += 1;
            let failure = Failure {
                status: Status::ConnectionLost,
                was_kept,
                was_sent: true,
                is_whole: true,
            };
            self.after(wait, Event::Fails(number, exchange, failure));
        } else if !self.is_lost() {
            self.after(wait, Event::Answered(number, exchange, said));
        }
        // Otherwise nothing comes until the time limit of the call.
    }

    fn answered(&mut self, number: usize, exchange: u64, said: Said) -> Result<(), Broken> {
        WORD.set(self.random.word());
        let caller = &mut self.callers[number];
        if caller.is_over || caller.exchange != exchange {
            return Ok(());
        }
        caller.is_sent = false;
        caller.last = Some(said.status);
        if let Some(seconds) = said.retry_after {
            self.tally.asked += 1;
            caller.not_before = self.now + Duration::from_secs(seconds);
        }
        let mut answer = said.answer();
        if self.sabotage == Sabotage::Hasty {
            answer.retry_after = None;
        }
        let now = Now {
            time: self.now,
            random: || WORD.get(),
            budget: &self.client.budget,
        };
        caller.sending.answered(&answer, 0, &now);
        self.goes_on(number)
    }

    fn fails(&mut self, number: usize, exchange: u64, failure: Failure) -> Result<(), Broken> {
        WORD.set(self.random.word());
        let caller = &mut self.callers[number];
        if caller.is_over || caller.exchange != exchange {
            return Ok(());
        }
        caller.is_sent = false;
        let failed = Failed {
            error: Error::new(failure.status, "the connection failed"),
            was_kept: failure.was_kept,
            was_sent: failure.was_sent,
            has_heard: false,
        };
        let is_whole = failure.is_whole && self.sabotage != Sabotage::NeverWhole;
        let now = Now {
            time: self.now,
            random: || WORD.get(),
            budget: &self.client.budget,
        };
        caller.sending.failed(failed, is_whole, &now);
        self.goes_on(number)
    }

    fn out_of_time(&mut self, number: usize) -> Result<(), Broken> {
        let caller = &mut self.callers[number];
        if caller.is_over {
            return Ok(());
        }
        let terms = Terms {
            deadline: caller.deadline,
            max_attempts: 1,
            is_repeatable: caller.is_repeatable,
            renews: true,
        };
        let error = Error::new(Status::Timeout, "out of time");
        let error = unless_done(error, caller.is_sent, terms);
        caller.waits = false;
        self.ends(number, Err(error))
    }

    fn ends(&mut self, number: usize, outcome: Result<(), Error>) -> Result<(), Broken> {
        let caller = &mut self.callers[number];
        caller.is_over = true;
        let times = self.server.done.get(&number).copied().unwrap_or_default();
        let (deadline, is_repeatable) = (caller.deadline, caller.is_repeatable);
        let (last, began_at) = (caller.last, caller.began_at);
        self.tell(|| format!("{number} ends: {outcome:?}, {last:?}, done {times}"));
        require(self.now <= deadline, IN_TIME, || format!("call {number}"))?;
        require(is_repeatable || times <= 1, AT_MOST_ONCE, || {
            format!("call {number}: {times} times")
        })?;
        match &outcome {
            Ok(()) => self.tally.responses += 1,
            Err(error) => {
                self.tally.errors += 1;
                let mut says_so = error.message.contains("may have carried");
                says_so &= self.sabotage != Sabotage::Silent;
                self.tally.open += u64::from(says_so);
                // Such a call does not know that it must not be repeated.
                let cannot_say = is_repeatable || self.sabotage == Sabotage::RepeatsAll;
                require(cannot_say || times == 0 || says_so, SAYS_SO, || {
                    format!("call {number}: {error:?}")
                })?;
            }
        }
        let is_well = began_at >= START + TROUBLE + RECOVERY;
        let is_fine = outcome.is_ok() && last == Some(200) && times > 0;
        require(!is_well || is_fine, SUCCEEDS, || {
            format!("call {number}: {outcome:?}, {last:?}")
        })
    }
}
