//! A world: its time, its events, and what happens in them.

use std::{collections::VecDeque, rc::Rc, time::Duration};

use zelf_core::{
    create::{
        call::Policy,
        rules::{Renewal, Rules},
    },
    moment::Moment,
    session::Session,
};

use crate::{
    network::{self, Fate, Network, Reply},
    process::Process,
    promises::RECOVERS,
    server::{Found, Server},
    store::Store,
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
    /// The processes do not wait for the lock.
    NoLock,
    /// Every session counts as confirmed.
    NoConfirmation,
    /// The server's clock is read ten seconds late.
    LateClock,
    /// A caller starts work even if none is due.
    Impatient,
    /// A caller gets the error although a session is held.
    ErrorFirst,
    /// Callers get the newest session.
    NewestFirst,
    /// The keeper is not told that a route has refused a session.
    DeafToRefusals,
    /// A provider that has failed once makes no more requests.
    GivesUp,
    /// Retry-After of the server is ignored.
    Hasty,
    /// A failed request counts as an answer with the same session.
    Untold,
    /// The fast path returns a session for a second too long.
    StaleWarm,
    /// Stored sessions count as confirmed.
    StoredAreConfirmed,
    /// Stored sessions count as newly written.
    StoredAreNew,
}

/// Counts of events.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub asks: u64,
    pub handed: u64,
    pub warm: u64,
    pub errors: u64,
    pub works: u64,
    pub kills: u64,
    pub ghosts: u64,
    pub over_and_alive: u64,
    pub older: u64,
    pub refusals: u64,
    pub takeovers: u64,
    pub recovered: u64,
    /// Sessions adopted from a directory, and those with work still due.
    pub stored: u64,
    pub stored_in_doubt: u64,
    pub brief: u64,
}

impl seeds::Tally for Tally {
    fn add(&mut self, other: &Self) {
        self.asks += other.asks;
        self.handed += other.handed;
        self.warm += other.warm;
        self.errors += other.errors;
        self.works += other.works;
        self.kills += other.kills;
        self.ghosts += other.ghosts;
        self.over_and_alive += other.over_and_alive;
        self.older += other.older;
        self.refusals += other.refusals;
        self.takeovers += other.takeovers;
        self.recovered += other.recovered;
        self.stored += other.stored;
        self.stored_in_doubt += other.stored_in_doubt;
        self.brief += other.brief;
    }
}

#[derive(Clone, Debug)]
pub enum Event {
    /// A caller of a process asks for a session.
    Asks(usize),
    /// The time limit of the same caller is over, if it still waits.
    TimesOut(usize, u64),
    /// A route receives the token.
    Uses(usize, Session),
    /// The thread of a process wakes. The second number is that of the alarm.
    Thread(usize, u64),
    /// A pause of a call is over. The numbers are the process and its work.
    Waited(usize, u64),
    Deadline(usize, u64),
    /// A request arrives at the server. From here on, the numbers are transfers.
    Arrives(usize),
    /// The server has created a session.
    Created(usize),
    /// The answer arrives.
    Returns(usize),
    /// The connection breaks.
    Breaks(usize),
    Reaps,
    // Trouble.
    Sleeps(usize, Duration),
    Moves(usize, u64),
    ClockJumps(usize, i64),
    IsUsed,
    Dies(usize),
}

impl Event {
    /// Returns the process that has to be awake for the event.
    fn process(&self) -> Option<usize> {
        match self {
            Event::Asks(process)
            | Event::TimesOut(process, _)
            | Event::Uses(process, _)
            | Event::Thread(process, _)
            | Event::Waited(process, _)
            | Event::Deadline(process, _)
            | Event::Dies(process) => Some(*process),
            _ => None,
        }
    }
}

/// A device. Its processes share its address, its clock, its lock and a directory.
pub struct Machine {
    pub address: u64,
    pub moved_at: Moment,
    /// The error of its wall clock, in seconds.
    pub wall_skew: i64,
    pub asleep_until: Moment,
    pub has_lock: bool,
    pub lock: Lock,
    pub store: Option<Store>,
}

#[derive(Default)]
pub struct Lock {
    pub held_by: Option<usize>,
    pub waiting: VecDeque<usize>,
}

pub struct Transfer {
    pub process: usize,
    /// The number of the work that it belongs to.
    pub work: u64,
    pub fate: Fate,
    pub kills: bool,
    pub address: u64,
    pub sent_at: Moment,
    pub was_kept: bool,
    pub session: Option<usize>,
    pub reply: Option<Reply>,
}

pub struct World {
    pub now: Moment,
    pub random: Random,
    pub sabotage: Sabotage,
    pub is_told: bool,
    pub machines: Vec<Machine>,
    pub processes: Vec<Process>,
    pub transfers: Vec<Transfer>,
    pub server: Server,
    pub network: Network,
    pub policy: Rc<Policy>,
    pub tally: Tally,
    /// After this time nothing goes wrong.
    pub trouble_ends: Moment,
    pub last_number: u64,
    lifetime: u64,
    is_lifetime_varied: bool,
    ends: Moment,
    events: Events<Event>,
}

/// The largest difference in seconds at which two clocks can seem equal, with the time of a slow
/// answer.
const LOOKS_ALIKE: u64 = 80;

/// All callers have a session this long after the end of the trouble.
pub const RECOVERY: Duration = Duration::from_secs(120);

impl World {
    pub fn run(seed: u64, sabotage: Sabotage, is_told: bool) -> Result<Tally, Broken> {
        let mut random = Random::new(seed);
        let has_rival = random.percent(30);
        let is_rival_elsewhere = has_rival && random.percent(50);
        let longest = match is_rival_elsewhere {
            // A rival elsewhere keeps the others asking for a whole lifetime.
            true => 1800.0,
            false => 86_400.0,
        };
        let lifetime = random.magnitude(20.0, longest) as u64;
        let trouble_ends = Duration::from_secs(1000 + 4 * lifetime + 200);
        let calm = Duration::from_secs(lifetime + lifetime / 2 + 100);
        let has_lock = random.percent(60);
        let mut world = Self {
            now: Duration::from_secs(1000),
            sabotage,
            is_told,
            machines: Vec::new(),
            processes: Vec::new(),
            transfers: Vec::new(),
            server: Server::default(),
            network: Network {
                badness: random.pick(&[0, 5, 20, 60]),
                has_wrong_clocks: true,
                outages: Vec::new(),
            },
            policy: Rc::new(Policy {
                max_attempts: 1 + random.below(4) as u32,
                url: "https://api.test/api/sessions"
                    .parse()
                    .expect("it is a URL"),
                authority: "api.test:443".to_owned(),
            }),
            tally: Tally::default(),
            trouble_ends,
            last_number: 0,
            lifetime,
            is_lifetime_varied: random.percent(20),
            ends: trouble_ends + RECOVERY + calm,
            events: Events::default(),
            random,
        };
        world.populate(has_lock, has_rival, is_rival_elsewhere);
        world.plan_trouble(is_rival_elsewhere);
        if is_told {
            let kinds: Vec<_> = world
                .processes
                .iter()
                .map(|p| (p.machine, p.rules, p.is_brief))
                .collect();
            println!(
                "lifetime {lifetime}, lock {has_lock}, stores {:?}, badness {}, {kinds:?}, trouble until {trouble_ends:?}",
                world
                    .machines
                    .iter()
                    .map(|machine| machine.store.is_some())
                    .collect::<Vec<_>>(),
                world.network.badness
            );
        }
        world.turn()?;
        Ok(world.tally)
    }

    fn populate(&mut self, has_lock: bool, has_rival: bool, is_rival_elsewhere: bool) {
        let machine = |address, has_lock, wall_skew| Machine {
            address,
            moved_at: Moment::ZERO,
            wall_skew,
            asleep_until: Moment::ZERO,
            has_lock,
            lock: Lock::default(),
            store: None,
        };
        let skew = any_skew(&mut self.random);
        self.machines.push(machine(1, has_lock, skew));
        let siblings = 1 + self.random.below(3) as usize;
        if has_rival {
            let skew = any_skew(&mut self.random);
            let address = if is_rival_elsewhere { 2 } else { 1 };
            self.machines.push(machine(address, false, skew));
        }
        for machine in &mut self.machines {
            machine.store = self.random.percent(40).then(Store::default);
        }
        let is_alone = siblings == 1 && !has_rival;
        for number in 0..siblings + usize::from(has_rival) {
            let renewal = match is_alone {
                // For an identifier that only one process uses.
                true => self
                    .random
                    .pick(&[Renewal::AtExpiry, Renewal::NeverKill, Renewal::Early]),
                false => {
                    self.random
                        .pick(&[Renewal::AtExpiry, Renewal::AtExpiry, Renewal::NeverKill])
                }
            };
            let machine = usize::from(number >= siblings);
            let is_brief = match &self.machines[machine].store {
                Some(_) => self.random.percent(50),
                None => self.random.percent(10),
            };
            let rules = Rules {
                min_valid: Duration::from_secs(self.random.pick(&[0, 2, 5, 5, 10])),
                renewal,
                is_background: self.random.percent(40) && !is_brief,
            };
            let confirms = self.random.percent(10);
            let timeout = self.random.pick(&[3, 15, 15, 60]);
            let mut process = Process::new(machine, rules, confirms, Duration::from_secs(timeout));
            process.is_brief = is_brief;
            self.processes.push(process);
            let begins = self.random.ms(0, 3000);
            self.after(begins, Event::Asks(number));
            self.at(self.trouble_ends + RECOVERY, Event::Asks(number));
        }
        self.after(Duration::from_secs(60), Event::Reaps);
    }

    fn plan_trouble(&mut self, is_rival_elsewhere: bool) {
        let from = self.now;
        let span = self.trouble_ends - from;
        let lifetime = Duration::from_secs(self.lifetime);
        for machine in 0..self.machines.len() {
            for _ in 0..self.random.pick(&[0, 0, 1, 2]) {
                let at = from + self.random.within(span);
                let of = self
                    .random
                    .pick(&[Duration::from_secs(20), lifetime, 3 * lifetime]);
                let sleeps = self.random.within(of).min(self.trouble_ends - at);
                self.at(at, Event::Sleeps(machine, sleeps));
            }
            let moves = self.random.pick(&[0, 0, 0, 1, 3]);
            // Without a token, a device in another network gets only ghosts, for a whole lifetime.
            let may_move = self.lifetime < 3600 || !is_rival_elsewhere;
            for _ in 0..if may_move { moves } else { 0 } {
                let at = from + self.random.within(span);
                let address = self.random.pick(&[1, 2, 3]);
                self.at(at, Event::Moves(machine, address));
            }
            for _ in 0..self.random.below(3) {
                let at = from + self.random.within(span);
                let skew = any_skew(&mut self.random);
                self.at(at, Event::ClockJumps(machine, skew));
            }
        }
        for _ in 0..self.random.pick(&[0, 0, 1, 2]) {
            let at = from + self.random.within(span);
            let longest = self.random.pick(&[10, 120, 1000]);
            let longest = Duration::from_secs(longest).min(self.trouble_ends - at);
            let outage = network::any_outage(&mut self.random, at, longest);
            self.network.outages.push(outage);
        }
        for _ in 0..self.random.pick(&[0, 0, 0, 1, 2]) {
            let at = from + self.random.within(span);
            self.at(at, Event::IsUsed);
        }
        if self.lifetime < 3600 {
            for process in 0..self.processes.len() {
                if self.random.percent(20) {
                    let at = from + self.random.within(span);
                    self.at(at, Event::Dies(process));
                }
            }
        }
    }

    fn turn(&mut self) -> Result<(), Broken> {
        while let Some((at, event)) = self.events.next() {
            self.now = self.now.max(at);
            let machine = event
                .process()
                .map(|process| &self.machines[self.processes[process].machine]);
            if let Some(machine) = machine.filter(|machine| machine.asleep_until > self.now) {
                let until = machine.asleep_until;
                self.at(until, event);
                continue;
            }
            if self.is_told && !matches!(event, Event::Reaps) {
                println!("{:>12.3?} {event:?}", self.now);
            }
            self.happens(event)?;
        }
        for (number, process) in self.processes.iter().enumerate() {
            require(process.watch.has_recovered, RECOVERS, || {
                format!("process {number} has had none")
            })?;
        }
        Ok(())
    }

    /// Plans when a process asks next.
    pub fn plan_ask(&mut self, process: usize) {
        let lifetime = Duration::from_secs(self.lifetime);
        let longest = match self.random.below(20) {
            0..=2 => Duration::ZERO,
            3..=7 => Duration::from_millis(600),
            8..=12 => Duration::from_secs(8),
            13..=16 => lifetime.mul_f64(0.15),
            _ => lifetime,
        };
        let pause = self.random.within(longest);
        if self.now + pause < self.ends {
            self.after(pause, Event::Asks(process));
        }
    }

    pub fn is_over(&self) -> bool {
        self.now >= self.ends
    }

    pub fn after(&mut self, time: Duration, event: Event) {
        self.at(self.now + time, event);
    }

    pub fn at(&mut self, moment: Moment, event: Event) {
        self.events.plan(moment, event);
    }

    fn happens(&mut self, event: Event) -> Result<(), Broken> {
        if self.now >= self.trouble_ends {
            self.network.badness = 0;
            self.network.has_wrong_clocks = false;
        }
        match event {
            Event::Asks(number) => {
                self.plan_ask(number);
                let process = &self.processes[number];
                if process.is_brief && process.is_idle() && self.random.percent(70) {
                    // The previous process has ended, so this is a new one.
                    self.tally.brief += 1;
                    self.dies(number)?;
                }
                self.asks(number)
            }
            Event::TimesOut(process, waiter) => self.times_out(process, waiter),
            Event::Uses(process, session) => self.uses(process, &session),
            Event::Thread(process, alarm) => self.thread_wakes(process, alarm),
            Event::Waited(process, work) => self.goes_on(process, work),
            Event::Deadline(process, work) => self.gives_up(process, work),
            Event::Arrives(transfer) => self.arrives(transfer),
            Event::Created(transfer) => {
                let address = self.transfers[transfer].address;
                let lifetime = match self.is_lifetime_varied {
                    true => self.random.magnitude(20.0, self.lifetime as f64) as u64,
                    false => self.lifetime,
                };
                let session = self.server.creates(address, lifetime, self.now);
                let record = &mut self.server.records[session];
                self.tally.ghosts += u64::from(record.is_ghost());
                let Transfer { process, work, .. } = self.transfers[transfer];
                let running = self.processes[process].running.as_ref();
                record.is_stray = running.is_none_or(|running| running.number != work);
                self.returns_session(transfer, session);
                Ok(())
            }
            Event::Returns(transfer) => self.answered(transfer),
            Event::Breaks(transfer) => self.broken(transfer),
            Event::Reaps => {
                self.server.reap(self.now);
                if !self.is_over() {
                    self.after(Duration::from_secs(60), Event::Reaps);
                }
                Ok(())
            }
            Event::Sleeps(machine, time) => {
                let machine = &mut self.machines[machine];
                machine.asleep_until = machine.asleep_until.max(self.now + time);
                Ok(())
            }
            Event::Moves(machine, address) => {
                self.machines[machine].address = address;
                self.machines[machine].moved_at = self.now;
                Ok(())
            }
            Event::ClockJumps(machine, skew) => {
                self.machines[machine].wall_skew = skew;
                Ok(())
            }
            Event::IsUsed => {
                if let Some(living) = self.server.living() {
                    self.server.records[living].is_used = true;
                }
                Ok(())
            }
            Event::Dies(process) => self.dies(process),
        }
    }

    /// Delivers a request to the server.
    fn arrives(&mut self, number: usize) -> Result<(), Broken> {
        let transfer = &self.transfers[number];
        if let Fate::Refused(status) = transfer.fate {
            let reply = self.network.refusal(&mut self.random, status, self.now);
            self.returns(number, reply);
            return Ok(());
        }
        match self
            .server
            .arrives(transfer.address, transfer.kills, self.now)
        {
            Found::Session(session) => self.returns_session(number, session),
            Found::Creates { killed } => {
                if let Some(killed) = killed {
                    self.tally.kills += 1;
                    self.check_kill(number, killed)?;
                }
                let takes = self.random.ms(5, 60);
                self.after(takes, Event::Created(number));
            }
        }
        Ok(())
    }

    fn returns_session(&mut self, number: usize, session: usize) {
        let transfer = &mut self.transfers[number];
        transfer.session = Some(session);
        match transfer.fate {
            Fate::Silent => {}
            Fate::LostAfter => self.after(Duration::from_millis(20), Event::Breaks(number)),
            Fate::GatewayTimeout => {
                self.transfers[number].session = None;
                let reply = self.network.refusal(&mut self.random, 504, self.now);
                self.returns(number, reply);
            }
            _ => {
                let signed_at = match self.sabotage {
                    Sabotage::LateClock => self.now - Duration::from_secs(10),
                    _ => self.now,
                };
                let body = self.server.body(session, signed_at);
                let reply = self.network.reply(&mut self.random, 200, body, signed_at);
                self.returns(number, reply);
            }
        }
    }

    fn returns(&mut self, number: usize, reply: Reply) {
        self.transfers[number].reply = Some(reply);
        let latency = self.network.latency(&mut self.random);
        self.after(latency, Event::Returns(number));
    }
}

/// Returns an error for a device's clock that differs from those of the proxies. Otherwise the
/// server's own clock would be alone against two wrong clocks that agree.
fn any_skew(random: &mut Random) -> i64 {
    let most = random.pick(&[1, 100, 5000, 90_000, 1_700_000_000]);
    let skew = random.below(2 * most + 1).cast_signed() - most.cast_signed();
    let is_like_proxys = network::WRONG_BY
        .iter()
        .any(|by| skew.abs_diff(*by) <= LOOKS_ALIKE);
    match is_like_proxys {
        true => skew + skew.signum() * 2 * LOOKS_ALIKE.cast_signed(),
        false => skew,
    }
}
