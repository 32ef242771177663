//! The stored session of a device, which its processes share.

use zelf_core::{
    create::keeper::{self, Task, Work},
    moment::Moment,
    provider::stored::{self, Circumstances, Stored},
    secret::Secret,
    session::Session,
};

use crate::{
    server::{self, number_of},
    world::{Machine, Sabotage, World},
};

/// A directory, with or without the file.
#[derive(Default)]
pub struct Store(Option<File>);

struct File {
    text: Secret,
    /// When the session was asked for, and when it came.
    came: (Moment, Moment),
}

impl Machine {
    /// Returns the circumstances that a file is bound to. Only the clocks change in a world.
    fn here(&self, now: Moment) -> Circumstances<'static> {
        Circumstances {
            boot: "boot",
            binding: "options",
            now,
            wall: self.wall(now),
        }
    }

    /// Returns the device's wall clock.
    pub fn wall(&self, now: Moment) -> i64 {
        server::clock(now).as_secs().cast_signed() + self.wall_skew
    }

    fn stored(&self, now: Moment) -> Option<(Stored, (Moment, Moment))> {
        let file = self.store.as_ref()?.0.as_ref()?;
        Some((stored::read(&file.text, &self.here(now))?, file.came))
    }
}

impl World {
    /// Adopts the stored session, if it is good, before a process asks the server. Returns the
    /// remaining work.
    pub fn beyond_stored(&mut self, number: usize, work: Work) -> Option<Work> {
        if work.task != Task::Renew {
            return Some(work);
        }
        self.spoils(number);
        let now = keeper::Now {
            time: self.now,
            random: self.random.word(),
        };
        let process = &mut self.processes[number];
        let Some((stored, came)) = self.machines[process.machine].stored(self.now) else {
            return Some(work);
        };
        let Stored {
            session,
            doubted_since,
        } = stored;
        let doubted_since = match self.sabotage {
            Sabotage::StoredAreConfirmed => None,
            Sabotage::StoredAreNew => doubted_since.map(|_| self.now),
            _ => doubted_since,
        };
        if !process.keeper.take_stored(&session, doubted_since, now) {
            return Some(work);
        }
        if self.is_told {
            println!("{:>12.3?} {number} takes {:?}", self.now, session.id());
        }
        self.tally.stored += 1;
        let watch = &mut process.watch;
        let id = number_of(session.id());
        watch.came_at.entry(id).or_insert(came);
        // This counts as if the process had asked then.
        let seen_at = watch.seen_at.entry(id).or_insert(came);
        *seen_at = came.max(*seen_at);
        if self.server.records[id].is_ghost() {
            watch.last_ghost_at = watch.last_ghost_at.max(came.1);
        }
        // The server has answered another process.
        watch.not_before = self.now;
        process.publish(self.now, self.sabotage);
        let left = process.keeper.due(self.now);
        self.tally.stored_in_doubt += u64::from(left.is_some());
        left
    }

    /// Stores the session that a process holds, for the others.
    pub fn stores(&mut self, number: usize) {
        let now = self.now;
        let process = &self.processes[number];
        let machine = &mut self.machines[process.machine];
        let here = machine.here(now);
        let Some(store) = &mut machine.store else {
            return;
        };
        let held = process.keeper.held();
        if held.is_some_and(|session| !process.keeper.may_store(session)) {
            return;
        }
        // If no session is held, the stored one is a ghost.
        store.0 = held.map(|session| File {
            text: stored::write(session, process.keeper.is_confirmed(), &here),
            came: process.watch.came_at[&number_of(session.id())],
        });
    }

    /// Removes the stored session after a route refused it.
    pub fn forgets(&mut self, number: usize, session: &Session) {
        let machine = &mut self.machines[self.processes[number].machine];
        let stored = machine.stored(self.now);
        if stored.is_some_and(|(stored, _)| stored.session.is_same_as(session)) {
            machine.store = Some(Store(None));
        }
    }

    /// Sometimes loses the file, or keeps only a part of it.
    fn spoils(&mut self, number: usize) {
        let machine = &mut self.machines[self.processes[number].machine];
        let Some(Store(Some(file))) = &mut machine.store else {
            return;
        };
        match self.random.below(50) {
            0 => machine.store = Some(Store(None)),
            1 => {
                let length = self.random.below(file.text.len() as u64) as usize;
                file.text = Secret::from(file.text[..length].to_vec());
            }
            _ => {}
        }
    }
}
