//! Thousands of providers in virtual time behind one server, through an outage.

use std::{cell::Cell, collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zelf_core::{
    api::{lifetime::Clocks, request::SessionRequest},
    create::{
        aim::Errand,
        budget::Budget,
        call::{Call, Failed, Now, Policy, Step},
        keeper::{self, Keeper, Verdict, Work},
        rules::{Renewal, Rules},
        single_flight::Outcome,
    },
    error::{Error, Status},
    http::answer::Answer,
    moment::Moment,
};

use crate::worlds::{events::Events, random::Random};

/// The providers of a fleet, and what happens to them.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub providers: usize,
    pub lifetime: Duration,
    /// How often an app asks its provider, on average. None: a thread renews, and the app need not
    /// ask.
    pub asks_every: Option<Duration>,
    /// No provider reaches the server between these two times.
    pub outage: (Moment, Moment),
    pub ends: Moment,
}

/// Requests per second: the average before the outage, and the worst five seconds during the outage
/// and after it.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub steady: f64,
    pub in_outage: f64,
    pub after: f64,
}

/// The number of requests sent in each second.
pub struct Series(BTreeMap<u64, u64>);

impl Fleet {
    /// Ten thousand providers whose apps ask once a minute, and an outage of two minutes in their
    /// third lifetime. The apps start at random times during the first lifetime.
    pub const LARGE: Self = Self {
        providers: 10_000,
        lifetime: Duration::from_secs(600),
        asks_every: Some(Duration::from_secs(60)),
        outage: (Duration::from_secs(1200), Duration::from_secs(1320)),
        ends: Duration::from_secs(1800),
    };

    /// The same with threads, which is like apps that ask all the time.
    pub const WITH_THREADS: Self = Self {
        asks_every: None,
        ..Self::LARGE
    };

    pub fn run(self, seed: u64) -> Series {
        Sea::new(self, seed).run()
    }
}

impl Series {
    /// Returns each second with the number of its requests.
    pub fn seconds(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let last = self.0.keys().next_back().copied().unwrap_or(0);
        (0..=last).map(|second| (second, self.0.get(&second).copied().unwrap_or(0)))
    }

    pub fn rates(&self, fleet: Fleet) -> Rates {
        const WINDOW: u64 = 5;
        let peak = |from: u64, until: u64| {
            let windows = (from..=until - WINDOW).map(|from| self.mean(from, from + WINDOW));
            windows.fold(0.0, f64::max)
        };
        let (from, until) = (fleet.outage.0.as_secs(), fleet.outage.1.as_secs());
        Rates {
            steady: self.mean(from - fleet.lifetime.as_secs(), from),
            in_outage: peak(from, until),
            after: peak(until, fleet.ends.as_secs()),
        }
    }

    /// Returns the average number of requests per second.
    fn mean(&self, from: u64, until: u64) -> f64 {
        let requests: u64 = self
            .0
            .range(from..until)
            .map(|(_, requests)| requests)
            .sum();
        requests as f64 / (until - from) as f64
    }
}

/// One provider of the fleet.
struct Provider {
    keeper: Keeper,
    budget: Budget,
    running: Option<(Work, Call)>,
    /// The session that the server has for it: its start and end, in seconds of the server's clock.
    session: Option<Stored>,
    identifier: String,
}

#[derive(Clone, Copy)]
struct Stored {
    id: u64,
    activated_at: u64,
    expires_at: u64,
}

#[derive(Clone, Copy)]
enum Event {
    Asks,
    Thread,
    Waited,
    /// A request gets an answer, or does not reach the server. It may ask for a kill.
    Answered {
        kills: bool,
        sent_at: Moment,
    },
    Fails,
}

struct Sea {
    fleet: Fleet,
    random: Random,
    now: Moment,
    providers: Vec<Provider>,
    events: Events<(usize, Event)>,
    last_id: u64,
    policy: Rc<Policy>,
    requests: BTreeMap<u64, u64>,
}

/// The server's clock at the beginning, in Unix seconds.
const START: u64 = 1_800_000_000;
const TIMEOUT: Duration = Duration::from_secs(15);

impl Sea {
    fn new(fleet: Fleet, seed: u64) -> Self {
        let rules = Rules {
            min_valid: Duration::from_secs(5),
            renewal: Renewal::AtExpiry,
            is_background: fleet.asks_every.is_none(),
        };
        let providers = (0..fleet.providers).map(|number| Provider {
            keeper: Keeper::new(rules, false),
            budget: Budget::default(),
            running: None,
            session: None,
            identifier: format!("{number:016x}"),
        });
        let mut sea = Self {
            fleet,
            random: Random::new(seed),
            now: Moment::ZERO,
            providers: providers.collect(),
            events: Events::default(),
            last_id: 0,
            policy: Rc::new(Policy {
                max_attempts: 3,
                url: "https://api.test/api/sessions"
                    .parse()
                    .expect("it is a URL"),
                authority: "api.test:443".to_owned(),
            }),
            requests: BTreeMap::new(),
        };
        for number in 0..fleet.providers {
            let begins = sea.random.within(fleet.lifetime);
            sea.after(begins, number, Event::Asks);
        }
        sea
    }

    fn run(mut self) -> Series {
        while let Some((at, (number, event))) = self.events.next() {
            self.now = at;
            if self.now >= self.fleet.ends {
                break;
            }
            match event {
                Event::Asks => self.asks(number),
                Event::Thread => self.thread_wakes(number),
                Event::Waited => self.step(number),
                Event::Answered { kills, sent_at } => self.answered(number, kills, sent_at),
                Event::Fails => self.fails(number),
            }
        }
        Series(self.requests)
    }

    fn after(&mut self, time: Duration, number: usize, event: Event) {
        self.at(self.now + time, number, event);
    }

    fn at(&mut self, moment: Moment, number: usize, event: Event) {
        self.events.plan(moment, (number, event));
    }

    fn asks(&mut self, number: usize) {
        if let Some(mean) = self.fleet.asks_every {
            let pause = self.random.within(2 * mean);
            self.after(pause, number, Event::Asks);
        }
        let provider = &mut self.providers[number];
        match provider.keeper.ask(self.now) {
            Verdict::HandAndWork(_, work) | Verdict::Work(work) => self.begin(number, work),
            Verdict::Hand(_) | Verdict::Fail(_) => {}
        }
    }

    fn thread_wakes(&mut self, number: usize) {
        match self.providers[number].keeper.due(self.now) {
            Some(work) => self.begin(number, work),
            None => self.set_alarm(number),
        }
    }

    fn set_alarm(&mut self, number: usize) {
        if self.fleet.asks_every.is_none() {
            let due = self.providers[number].keeper.next_due();
            self.at(due.max(self.now), number, Event::Thread);
        }
    }

    fn begin(&mut self, number: usize, work: Work) {
        if self.providers[number].running.is_some() {
            return;
        }
        let errand = Arc::new(Errand {
            request: SessionRequest {
                identifier: Some(self.providers[number].identifier.clone()),
                ..SessionRequest::default()
            },
            aim: work.aim.clone(),
        });
        let deadline = self.now + TIMEOUT;
        let call = self.decide(number, |now| Call::new(errand, deadline, None, now));
        self.providers[number].running = Some((work, call));
        self.step(number);
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
            budget: &self.providers[number].budget,
        })
    }

    fn step(&mut self, number: usize) {
        let Some((_, call)) = &mut self.providers[number].running else {
            return;
        };
        match call.step() {
            Step::Exchange { body, .. } => {
                *self.requests.entry(self.now.as_secs()).or_default() += 1;
                let (from, until) = self.fleet.outage;
                let takes = self.random.ms(20, 120);
                let event = match (from..until).contains(&self.now) {
                    true => Event::Fails,
                    false => Event::Answered {
                        kills: body.windows(13).any(|part| part == b"\"killSession\""),
                        sent_at: self.now,
                    },
                };
                self.after(takes, number, event);
            }
            Step::Wait { until, .. } => self.at(until, number, Event::Waited),
            Step::Finish(outcome) => self.done(number, outcome),
            Step::Stop(stopped) => self.done(number, Err(stopped.error)),
        }
    }

    fn done(&mut self, number: usize, outcome: Outcome) {
        let now = keeper::Now {
            time: self.now,
            random: self.random.word(),
        };
        let provider = &mut self.providers[number];
        if let Some((work, _)) = provider.running.take() {
            provider.keeper.done(&work, outcome, now);
        }
        self.set_alarm(number);
    }

    /// Answers a request of this provider from the server's stored session.
    fn answered(&mut self, number: usize, kills: bool, sent_at: Moment) {
        let clock = START + self.now.as_secs();
        // The reaper runs once a minute.
        let reaped_at = clock - clock % 60;
        let provider = &mut self.providers[number];
        let found = provider
            .session
            .filter(|session| session.expires_at > reaped_at && !kills);
        let session = found.unwrap_or_else(|| {
            self.last_id += 1;
            Stored {
                id: self.last_id,
                activated_at: clock,
                expires_at: clock + self.fleet.lifetime.as_secs(),
            }
        });
        provider.session = Some(session);
        let Stored {
            id,
            activated_at,
            expires_at,
        } = session;
        let identifier = &provider.identifier;
        let claims = format!(
            r#"{{"session":"{id:024x}","identifier":"{identifier}","ip":"192.0.2.1","iat":{clock}}}"#
        );
        let payload = URL_SAFE_NO_PAD.encode(claims);
        let body = format!(
            r#"{{"data":{{"token":"eyJ9.{payload}.sig","activatedAt":{activated_at},"expiresAt":{expires_at}}}}}"#
        );
        let answer = Answer {
            date: Some(clock.cast_signed()),
            ..Answer::of(200, body.as_bytes())
        };
        let clocks = Clocks {
            sent_at,
            now: self.now,
            wall: clock.cast_signed(),
        };
        self.tell(number, |call, policy, now| {
            call.answered(&answer, clocks, policy, now);
        });
    }

    fn fails(&mut self, number: usize) {
        self.tell(number, |call, policy, now| {
            let failed = Failed {
                error: Error::new(Status::Connect, "no connection"),
                was_kept: false,
                was_sent: false,
                has_heard: false,
            };
            call.failed(failed, policy, now);
        });
    }

    fn tell(&mut self, number: usize, what: impl FnOnce(&mut Call, &Policy, &Now<'_>)) {
        let Some((work, mut call)) = self.providers[number].running.take() else {
            return;
        };
        let policy = Rc::clone(&self.policy);
        self.decide(number, |now| what(&mut call, &policy, now));
        self.providers[number].running = Some((work, call));
        self.step(number);
    }
}
