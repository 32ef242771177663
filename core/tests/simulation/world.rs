//! A world: its time, its events, and what happens in them.

use std::{
    rc::Rc,
    sync::{Arc, Mutex},
    time::Duration,
};

use zelf_core::{
    connect::resting::Resting,
    create::{budget::Budget, call::Policy, single_flight::SingleFlight},
    moment::Moment,
};

use crate::{
    caller::Caller,
    network::{self, Fate},
    promises::{self, NOTHING_LEFT},
    server::{Asked, Found, Server, Stored, body},
    worlds::{
        events::Events,
        promise::{Broken, require},
        random::Random,
        seeds,
    },
};

/// A deliberate defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    SecondKill,
    OlderOutcome,
    LateRetry,
    ExpiredSession,
    NoSingleFlight,
    ForeignSession,
    NoBudget,
    OneByOne,
    SharedLimits,
}

/// Counts of events.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub sessions: u64,
    pub errors: u64,
    pub timeouts: u64,
    pub retries: u64,
    pub resent: u64,
    pub shared: u64,
    pub kills: u64,
    pub expired: u64,
    pub ghosts: u64,
    pub kept: u64,
}

impl seeds::Tally for Tally {
    fn add(&mut self, other: &Self) {
        self.sessions += other.sessions;
        self.errors += other.errors;
        self.timeouts += other.timeouts;
        self.retries += other.retries;
        self.resent += other.resent;
        self.shared += other.shared;
        self.kills += other.kills;
        self.expired += other.expired;
        self.ghosts += other.ghosts;
        self.kept += other.kept;
    }
}

/// The state that one process has for itself.
#[derive(Default)]
pub struct Process {
    pub single_flight: SingleFlight,
    pub budget: Budget,
}

/// What the checks remember about one process.
#[derive(Default)]
pub struct Watch {
    pub order: promises::Order,
    pub budget: promises::Budget,
    pub resting: Resting<usize>,
}

#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A caller begins its next call.
    Begins(usize),
    /// A waiting call is woken.
    Woken(usize),
    /// A pause between attempts is over. The numbers are the caller and its call.
    Waited(usize, u64),
    Deadline(usize, u64),
    /// A connection was made, or failed.
    Connected(usize, u64, bool),
    /// A request arrives at the server. From here on, the numbers are exchanges.
    Arrives(usize),
    /// The server has created a session.
    Created(usize),
    /// The next piece of the answer arrives.
    Piece(usize),
    /// The connection ends, cleanly or not.
    Ends(usize, bool),
    Reaps,
    /// The device sleeps for this many seconds.
    Sleeps(u64),
}

pub struct Connection {
    pub is_dead: bool,
    /// When the server started to wait for a request. It closes idle connections.
    pub idle_since: Moment,
    /// The server has announced that it closes it.
    pub is_closed: bool,
}

pub struct Transfer {
    pub caller: usize,
    pub call: u64,
    pub connection: usize,
    pub fate: Fate,
    pub asked: Asked,
    /// The remaining pieces of the answer. The next one is last.
    pub pieces: Vec<Vec<u8>>,
    pub then_ends: Option<bool>,
    /// The caller no longer waits for it.
    pub is_over: bool,
    pub was_answered: bool,
}

pub struct World<'w> {
    pub seed: u64,
    pub now: Moment,
    pub random: Random,
    pub sabotage: Sabotage,
    pub is_told: bool,
    pub processes: &'w [Process],
    pub watches: Vec<Watch>,
    pub callers: Vec<Caller>,
    pub connections: Vec<Connection>,
    pub transfers: Vec<Transfer>,
    pub server: Server,
    pub policy: Rc<Policy>,
    pub badness: u64,
    pub woken: Arc<Mutex<Vec<usize>>>,
    pub tally: Tally,
    pub last_call: u64,
    /// When the device last woke up.
    pub woke_up_at: Moment,
    events: Events<Event>,
}

/// There are no new calls after this time.
pub const END: Moment = Duration::from_secs(2 * 3600);

impl World<'_> {
    pub fn run(seed: u64, sabotage: Sabotage, is_told: bool) -> Result<Tally, Broken> {
        let mut random = Random::new(seed);
        let processes: Vec<Process> = match random.below(3) {
            0 => vec![Process::default(), Process::default()],
            _ => vec![Process::default()],
        };
        let callers = 1 + random.below(5) as usize;
        let mut world = World {
            seed,
            now: Duration::from_secs(1000),
            sabotage,
            is_told,
            processes: &processes,
            watches: processes.iter().map(|_| Watch::default()).collect(),
            callers: Vec::new(),
            connections: Vec::new(),
            transfers: Vec::new(),
            server: Server::default(),
            policy: Rc::new(Policy {
                max_attempts: 1 + random.below(5) as u32,
                url: "https://api.test/api/sessions"
                    .parse()
                    .expect("it is a URL"),
                authority: "api.test:443".to_owned(),
            }),
            badness: random.pick(&[0, 5, 20, 60]),
            woken: Arc::default(),
            tally: Tally::default(),
            last_call: 0,
            woke_up_at: Duration::ZERO,
            events: Events::default(),
            random,
        };
        for number in 0..callers {
            let caller = Caller::new(number, &mut world);
            world.callers.push(caller);
            let begins = world.random.ms(0, 3000);
            world.after(begins, Event::Begins(number));
        }
        world.after(Duration::from_secs(60), Event::Reaps);
        if world.random.percent(20) {
            let at = world.random.ms(1, 3_000_000);
            let seconds = world.random.below(5000);
            world.after(at, Event::Sleeps(seconds));
        }
        world.turn()?;
        Ok(world.tally)
    }

    fn turn(&mut self) -> Result<(), Broken> {
        while let Some((at, event)) = self.events.next() {
            self.now = self.now.max(at);
            if self.is_told {
                println!("{:>12.3?} {event:?}", self.now);
            }
            self.happens(event)?;
            self.wake();
        }
        for process in self.processes {
            let left = process.single_flight.counts();
            require(left == (0, 0), NOTHING_LEFT, || format!("{left:?} calls"))?;
        }
        Ok(())
    }

    pub fn after(&mut self, time: Duration, event: Event) {
        self.at(self.now + time, event);
    }

    pub fn at(&mut self, moment: Moment, event: Event) {
        self.events.plan(moment, event);
    }

    fn wake(&mut self) {
        let woken: Vec<usize> = std::mem::take(&mut self.woken.lock().expect("no panic holds it"));
        for caller in woken {
            self.after(Duration::ZERO, Event::Woken(caller));
        }
    }

    fn happens(&mut self, event: Event) -> Result<(), Broken> {
        match event {
            Event::Begins(caller) => self.begin_call(caller),
            Event::Woken(caller) => self.poll_turn(caller),
            Event::Waited(caller, call) => self.goes_on(caller, call),
            Event::Deadline(caller, call) => self.runs_out_of_time(caller, call),
            Event::Connected(caller, call, is_there) => self.connected(caller, call, is_there),
            Event::Arrives(transfer) => self.arrives(transfer),
            Event::Created(transfer) => self.created(transfer),
            Event::Piece(transfer) => self.piece(transfer),
            Event::Ends(transfer, is_clean) => self.ends(transfer, is_clean),
            Event::Reaps => {
                self.server.reap(self.now);
                // Calls that began before the end have ended by then.
                if self.now < END + Duration::from_secs(600) {
                    self.after(Duration::from_secs(60), Event::Reaps);
                }
                Ok(())
            }
            Event::Sleeps(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.woke_up_at = self.now;
                // The server has not slept. Its reaper runs once a minute.
                let ago = self.random.ms(0, 60_000);
                self.server.reap(self.now.saturating_sub(ago));
                if seconds > 5 {
                    for connection in &mut self.connections {
                        connection.is_dead = true;
                    }
                }
                Ok(())
            }
        }
    }

    /// Delivers the request of a transfer to the server.
    fn arrives(&mut self, number: usize) -> Result<(), Broken> {
        let transfer = &self.transfers[number];
        let asked = transfer.asked.clone();
        if let Fate::Refused(status) = transfer.fate {
            let words = match status {
                404 => "Not Found",
                _ => r#"{"error":"no"}"#,
            };
            self.answer(number, status, words);
            return Ok(());
        }
        self.check_no_ghost(number, &asked)?;
        match self.server.arrives(number, &asked) {
            Found::Session(session) => self.returns(number, &session),
            Found::Creates { killed } => {
                if let Some(killed) = killed {
                    self.tally.kills += 1;
                    self.check_kill(number, &killed)?;
                }
                let takes = self.random.ms(5, 60);
                self.after(takes, Event::Created(number));
            }
        }
        Ok(())
    }

    fn created(&mut self, number: usize) -> Result<(), Broken> {
        let asked = self.transfers[number].asked.clone();
        let created = self.server.creates(number, &asked, self.now);
        self.tally.ghosts += u64::from(created.is_ghost);
        self.returns(number, &created.session);
        Ok(())
    }

    fn returns(&mut self, number: usize, session: &Stored) {
        match self.transfers[number].fate {
            Fate::Silent => {}
            Fate::LostAfter => self.after(Duration::from_millis(20), Event::Ends(number, false)),
            Fate::Mixed => {
                let session = self
                    .server
                    .any()
                    .cloned()
                    .unwrap_or_else(|| session.clone());
                self.answer(number, 200, &body(&session, self.signed_at()));
            }
            Fate::GatewayTimeout => self.answer(number, 504, "<title>Gateway Time-out</title>"),
            _ => self.answer(number, 200, &body(session, self.signed_at())),
        }
    }

    /// Returns the time with which the server signs and dates an answer.
    fn signed_at(&self) -> Moment {
        match self.sabotage {
            Sabotage::ExpiredSession => self.now.saturating_sub(Duration::from_secs(4)),
            _ => self.now,
        }
    }

    fn answer(&mut self, number: usize, status: u16, body: &str) {
        let date = self.signed_at();
        let mut bytes = network::response(&mut self.random, status, body, date);
        let closes = bytes.windows(17).any(|part| part == b"Connection: close");
        let connection = self.transfers[number].connection;
        self.connections[connection].is_closed |= closes;
        let mut then_ends = closes.then_some(true);
        if self.transfers[number].fate == Fate::CutShort {
            let length = self.random.below(bytes.len() as u64) as usize;
            bytes.truncate(length);
            then_ends = Some(false);
        }
        let mut pieces = network::pieces(&mut self.random, &bytes);
        pieces.reverse();
        self.transfers[number].pieces = pieces;
        self.transfers[number].then_ends = then_ends;
        let latency = self.random.ms(1, 150);
        self.after(latency, Event::Piece(number));
    }
}
