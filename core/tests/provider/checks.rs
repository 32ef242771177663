//! Checks whether the events of a world keep the promises.

use std::time::Duration;

use zelf_core::{
    create::{aim::Kill, call::CONFIRMED_AFTER, keeper::Task, rules::Renewal},
    error::{Error, Status},
    moment::Moment,
    session::Session,
};

use crate::{
    process::{Process, Running},
    promises::{
        DEAD_SOON_OVER, MIN_VALID, NO_ERROR, NO_KILL, NO_LONG_GHOST, NOT_AGAIN, OLDER_FIRST,
        ONE_KILL, OVER_AND_ALIVE, PACE, RECOVERS,
    },
    server::{End, Record, number_of},
    world::{Event, RECOVERY, World},
    worlds::promise::{Broken, require},
};

/// The server's clock counts whole seconds, so its sessions end on one.
const WHOLE_SECOND: Duration = Duration::from_secs(1);

/// Five seconds, less a fifth for the jitter.
const LEAST_PACE: Duration = Duration::from_secs(4);
/// Five seconds, a fifth for the jitter, and the time of a request.
const LONGEST_PACE: Duration = Duration::from_millis(6500);
/// Twice that, between two series of ghosts.
const GHOST_PACE: Duration = Duration::from_millis(12_500);
/// Three refusals, each within ten seconds of the one before, and the pause after them.
const REFUSALS_PACE: Duration = Duration::from_millis(26_500);
const REAPED_WITHIN: Duration = Duration::from_secs(60);

impl Process {
    fn is_good(&self, session: &Session, now: Moment) -> bool {
        now + self.rules.min_valid < session.times().ends_at
    }

    /// Returns the most time that a session may have left when this process kills it.
    fn most_left_at_kill(&self, record: &Record) -> Duration {
        let whole = Duration::from_secs(record.expires_at - record.activated_at);
        let ahead = match self.rules.renewal {
            Renewal::NeverKill => Duration::ZERO,
            Renewal::AtExpiry => Duration::from_secs(3),
            Renewal::Early => (whole / 10).min(Duration::from_secs(60)).mul_f64(1.2),
        };
        self.rules.min_valid.max(Duration::from_secs(2)) + ahead + WHOLE_SECOND
    }
}

impl World {
    /// Returns whether all processes wait for one lock.
    fn is_one_lock(&self) -> bool {
        self.machines.len() == 1 && self.machines[0].has_lock
    }

    /// Checks a session that a caller gets.
    pub fn handed(&mut self, number: usize, session: &Session) -> Result<(), Broken> {
        self.tally.handed += 1;
        let now = self.now;
        if self.is_told {
            println!("{now:>12.3?} {number} hands out {:?}", session.id());
        }
        let id = number_of(session.id());
        let process = &self.processes[number];
        let watch = &process.watch;
        let record = &self.server.records[id];
        let about = || format!("process {number}, session {id}: {record:?}");
        require(!watch.refused.contains(&id), NOT_AGAIN, about)?;
        if record.is_ghost() {
            self.check_ghost(number, id, record)?;
        }
        let is_over = !process.is_good(session, now);
        if is_over && process.rules.renewal == Renewal::NeverKill {
            self.tally.over_and_alive += 1;
            self.check_over_and_alive(number, session)?;
        } else {
            let left = record.left(now) + WHOLE_SECOND;
            require(left >= process.rules.min_valid, MIN_VALID, || {
                format!("{}: {left:?}", about())
            })?;
        }
        if self.is_one_lock() && record.end == End::Killed && !record.is_excused {
            let most = self.processes.iter().map(|p| p.most_left_at_kill(record));
            let most = most.max().unwrap_or_default();
            require(record.left(now) <= most, DEAD_SOON_OVER, about)?;
        }
        let is_ghost = record.is_ghost();
        let process = &mut self.processes[number];
        if !is_ghost {
            let is_newest = process.keeper.held().and_then(Session::id) == session.id();
            self.tally.older += u64::from(!is_newest);
            let is_in_doubt = !is_newest || !process.keeper.is_confirmed();
            process.watch.handed = Some((session.clone(), is_in_doubt));
        }
        if now >= self.trouble_ends + RECOVERY {
            process.watch.has_recovered = true;
            self.tally.recovered += 1;
        }
        if self.random.percent(60) {
            let later = self.random.ms(0, 400);
            self.after(later, Event::Uses(number, session.clone()));
        }
        Ok(())
    }

    fn check_ghost(&self, number: usize, id: usize, ghost: &Record) -> Result<(), Broken> {
        let now = self.now;
        let process = &self.processes[number];
        let watch = &process.watch;
        let (sent_at, came_at) = watch.came_at.get(&id).copied().unwrap_or_default();
        let age = now.saturating_sub(came_at);
        let is_being_confirmed = process.running.is_some();
        let last_error = process.keeper.last_error(now);
        let is_in_pause = last_error.is_some_and(|error| error.retry_after > Some(Duration::ZERO));
        // From another address, no answer shows whether the session exists.
        let has_moved = self.machines[process.machine].moved_at >= sent_at;
        let is_locked_out = watch
            .locked_out_at
            .is_some_and(|at| now.saturating_sub(at) <= LONGEST_PACE);
        let (failures, failed_at) = watch.unconfirmed;
        // Failed confirmations are 1 s to 30 s apart, with a fifth of jitter.
        let pause = Duration::from_secs(1 << failures.saturating_sub(1).min(5)).mul_f64(1.2);
        let is_unconfirmed =
            failures > 0 && now.saturating_sub(failed_at) <= pause.min(Duration::from_secs(36));
        let may = age <= CONFIRMED_AFTER
            || is_unconfirmed
            || is_being_confirmed
            || is_in_pause
            || is_locked_out
            || has_moved;
        require(may, NO_LONG_GHOST, || {
            format!("process {number}, session {id}, after {age:?}")
        })?;
        let Some((older, _)) = &watch.handed else {
            return Ok(());
        };
        let older_id = number_of(older.id());
        let record = &self.server.records[older_id];
        let is_better = record.lives()
            && record.address != ghost.address
            && process.is_good(older, now)
            && !watch.refused.contains(&older_id);
        require(!is_better, OLDER_FIRST, || {
            format!("process {number}: ghost {id}, and session {older_id}: {record:?}")
        })
    }

    /// Checks an expired session. Only a process that never kills returns one.
    fn check_over_and_alive(&self, number: usize, session: &Session) -> Result<(), Broken> {
        let now = self.now;
        let id = number_of(session.id());
        let record = &self.server.records[id];
        let watch = &self.processes[number].watch;
        let (sent_at, seen_at) = watch.seen_at.get(&id).copied().unwrap_or_default();
        let is_just_told = now.saturating_sub(seen_at) <= LONGEST_PACE
            && (record.lives() || record.ended_at >= sent_at);
        // From another address, the server returns ghosts as long as the session lives.
        let ends_at = session.times().ends_at;
        let are_ghosts_told = watch.last_ghost_at > seen_at
            && now <= ends_at + REAPED_WITHIN + GHOST_PACE
            || now <= ends_at + REAPED_WITHIN
                && watch.seen_at.values().any(|(_, at)| *at > seen_at);
        require(is_just_told || are_ghosts_told, OVER_AND_ALIVE, || {
            format!("process {number}, session {id}, seen at {seen_at:?}: {record:?}")
        })
    }

    /// Checks an error that a caller gets.
    pub fn failed(&mut self, number: usize, error: &Error) -> Result<(), Broken> {
        self.tally.errors += 1;
        let now = self.now;
        if self.is_told {
            println!("{now:>12.3?} {number} fails: {error:?}");
        }
        let process = &self.processes[number];
        let is_ghost = error.status == Status::GhostSession;
        if let Some((session, was_in_doubt)) = &process.watch.handed {
            let id = number_of(session.id());
            let record = &self.server.records[id];
            let is_valid = process.is_good(session, now)
                && record.lives()
                && !process.watch.refused.contains(&id);
            // Three different sessions in a row count as ghosts, whatever they are.
            require(!is_valid || *was_in_doubt && is_ghost, NO_ERROR, || {
                format!("process {number}: {error:?}, and session {id}: {record:?}")
            })?;
        }
        if now < self.trouble_ends + RECOVERY {
            return Ok(());
        }
        let watch = &process.watch;
        let address = self.machines[process.machine].address;
        // A series of three ghosts may have begun before the other session ended.
        let is_recent = |record: &&Record| {
            record.lives()
                || !record.is_ghost()
                    && (now.saturating_sub(record.ended_at) <= GHOST_PACE
                        || watch.last_ghost_at <= record.ended_at)
        };
        // With lifetimes this short, every renewal of a sibling is a refusal.
        let refusals = &watch.refused_at;
        let third_last = refusals.len().checked_sub(3).map(|at| refusals[at]);
        let is_refused_often = third_last.is_some_and(|at| now.saturating_sub(at) <= REFUSALS_PACE);
        let waits = self.machines[process.machine].has_lock;
        let mut recent = self.server.records.iter().filter(is_recent);
        let may = recent.any(|record| match error.status {
            // While a session from another address lives, no session can be created.
            Status::GhostSession => record.address != address,
            // The sibling processes take their time to find that out, one after the other.
            Status::Timeout => waits && record.address != address,
            // Only a kill would help.
            Status::SessionNotActive => {
                record.is_used && process.rules.renewal == Renewal::NeverKill
            }
            _ => false,
        });
        // Of three different new sessions, some may be those of siblings.
        let mut last_three = watch.came_at.keys().rev().take(3);
        let are_siblings = last_three.any(|&id| self.server.records[id].end == End::Killed);
        // A process that asks rarely may have begun the series during the trouble.
        let third_last = watch.came_at.values().rev().nth(2);
        let is_old_row = third_last.is_some_and(|(_, at)| *at < self.trouble_ends);
        let may = may || is_ghost && (is_refused_often || are_siblings || is_old_row);
        require(may, RECOVERS, || {
            let records = &self.server.records;
            let last = &records[records.len().saturating_sub(5)..];
            format!("process {number}: {error:?}, and {last:?}")
        })?;
        self.processes[number].watch.has_recovered = true;
        Ok(())
    }

    /// Checks the pause before a request of a process, when its outcome is known.
    pub fn check_pace(
        &mut self,
        number: usize,
        running: &Running,
        outcome: &Result<Session, Error>,
    ) -> Result<(), Broken> {
        let now = self.now;
        let process = &mut self.processes[number];
        let Some(&id) = running.answers.last() else {
            return Ok(());
        };
        if running.work.task != Task::Renew {
            return Ok(());
        }
        if let Some((before, was_over, at)) = process.watch.before
            && before == id
            && was_over
            && !process.watch.refused.contains(&id)
        {
            let pause = running.began_at.saturating_sub(at);
            let is_slow = pause + Duration::from_millis(1) >= LEAST_PACE;
            require(is_slow, PACE, || {
                format!("process {number}, session {id}: again after {pause:?}")
            })?;
        }
        process.watch.before = match outcome {
            Ok(session) => Some((id, !process.is_good(session, now), now)),
            Err(error) if error.status == Status::SessionExpired => Some((id, true, now)),
            // After a failure, the pause of the failure counts.
            Err(_) => None,
        };
        Ok(())
    }

    /// Checks a kill that was carried out.
    pub fn check_kill(&mut self, transfer: usize, killed: usize) -> Result<(), Broken> {
        let transfer = &self.transfers[transfer];
        let number = transfer.process;
        let process = &self.processes[number];
        let record = &self.server.records[killed];
        let is_allowed = process.rules.renewal != Renewal::NeverKill;
        require(is_allowed, NO_KILL, || format!("process {number}"))?;
        let running = process.running.as_ref();
        let running = running.filter(|running| running.number == transfer.work);
        let Some(running) = running else {
            // No caller waits for it any more, and no lock protects it.
            self.server.records[killed].is_excused = true;
            return Ok(());
        };
        let refused = running.work.aim.refused.as_deref();
        let is_refused = refused.is_some_and(|id| number_of(Some(id)) == killed);
        if is_refused || record.is_stray {
            self.server.records[killed].is_excused = true;
            return Ok(());
        }
        if !self.is_one_lock() {
            return Ok(());
        }
        let (left, most) = match running.work.aim.kill {
            // The decision uses the device's own clock, and slow answers and wrong dates make it
            // early.
            Kill::First => {
                let held = process.keeper.held().expect("it kills what it holds");
                let left = held.times().ends_at.saturating_sub(running.began_at);
                let most = process.most_left_at_kill(record);
                self.server.records[killed].is_excused = true;
                (left, most)
            }
            _ => {
                let least = running.work.aim.least.unsigned_abs();
                (record.left(self.now), Duration::from_secs(least))
            }
        };
        let record = &self.server.records[killed];
        require(left <= most, ONE_KILL, || {
            format!("process {number} kills session {killed} with {left:?} left: {record:?}")
        })
    }
}
