//! Single flight: one request at a time for one identifier.
//!
//! The server answers the second of two parallel creates of one identifier with a
//! token whose session does not exist. So calls with equal options share one
//! request and its outcome, and calls that differ in other options take turns.
//!
//! Threads and tasks wait in the same queue: each leaves a [`Waker`].

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, MutexGuard},
    task::{Poll, Waker},
};

use crate::{create::aim::Errand, error::Error, lock::Lock, session::Session};

pub type Outcome = Result<Session, Error>;

/// The calls of one client in one process. A forked child makes its own.
///
/// The lines are sorted by identifier: to compare a few costs less than to hash one.
/// Its clones are the same one.
#[derive(Clone, Default)]
pub struct SingleFlight(Arc<Lock<Vec<Line>>>);

/// The calls for one identifier.
struct Line {
    /// The errand of the call that came first.
    first: Arc<Errand>,
    /// The calls that wait behind the leader.
    waiting: VecDeque<Arc<Place>>,
}

/// Returns where the line of an errand's identifier stands, or belongs.
fn find(lines: &[Line], errand: &Errand) -> Result<usize, usize> {
    let identifier = &errand.request.identifier;
    lines.binary_search_by(|line| line.first.request.identifier.cmp(identifier))
}

/// One waiting call.
struct Place {
    errand: Arc<Errand>,
    state: Lock<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Waits,
    /// With somebody to wake.
    Sleeps(Waker),
    Leads,
    Has(Outcome),
    Gone,
}

/// What a call does.
pub enum Joined {
    Leads(Leader),
    Follows(Follower),
}

/// What a call that has waited does now.
pub enum Turn {
    /// An equal call that was under way has this outcome.
    Has(Outcome),
    Leads(Leader),
}

impl SingleFlight {
    /// Joins the line of the errand's identifier.
    pub fn join(&self, errand: &Arc<Errand>) -> Joined {
        let mut lines = self.0.hold();
        match find(&lines, errand) {
            Err(at) => {
                let line = Line {
                    first: Arc::clone(errand),
                    waiting: VecDeque::new(),
                };
                lines.insert(at, line);
                Joined::Leads(Leader {
                    single_flight: self.clone(),
                    errand: Arc::clone(errand),
                    has_finished: false,
                })
            }
            Ok(at) => {
                let place = Arc::new(Place {
                    errand: Arc::clone(errand),
                    state: Lock::default(),
                });
                lines[at].waiting.push_back(Arc::clone(&place));
                Joined::Follows(Follower {
                    single_flight: self.clone(),
                    place,
                })
            }
        }
    }

    /// Leads the errand's line, if nobody does.
    pub fn lead_if_free(&self, errand: &Arc<Errand>) -> Option<Leader> {
        match self.join(errand) {
            Joined::Leads(leader) => Some(leader),
            // It leaves the line again.
            Joined::Follows(_) => None,
        }
    }

    /// Returns how many calls lead, and how many wait.
    pub fn counts(&self) -> (usize, usize) {
        let lines = self.0.hold();
        let waiting = lines.iter().map(|line| line.waiting.len()).sum();
        (lines.len(), waiting)
    }

    /// Ends the turn of `errand`'s line: gives `outcome` to the equal calls at
    /// the front, and the turn to the next.
    ///
    /// A call behind a different one does not get it, even if it is equal: the
    /// different one may be a kill, and comes first.
    fn pass_on(&self, errand: &Arc<Errand>, outcome: Option<&Outcome>) {
        let mut lines = self.0.hold();
        let Ok(at) = find(&lines, errand) else {
            return;
        };
        let mut to_wake = Vec::new();
        let mut has_leader = false;
        while let Some(place) = lines[at].waiting.pop_front() {
            let state = match outcome {
                Some(outcome) if place.errand == *errand => State::Has(outcome.clone()),
                _ => State::Leads,
            };
            has_leader = matches!(state, State::Leads);
            if let State::Sleeps(waker) = mem::replace(&mut *place.state.hold(), state) {
                to_wake.push(waker);
            }
            if has_leader {
                break;
            }
        }
        if !has_leader {
            lines.remove(at);
        }
        drop(lines);
        // Outside the lock: a waker runs code of the event loop.
        to_wake.into_iter().for_each(Waker::wake);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.hold()
    }
}

/// The call whose request is under way. Dropped without an outcome (its time ran
/// out, it was cancelled) it gives the turn to the next, which makes its own
/// request.
pub struct Leader {
    single_flight: SingleFlight,
    errand: Arc<Errand>,
    has_finished: bool,
}

impl Leader {
    pub fn errand(&self) -> &Arc<Errand> {
        &self.errand
    }

    /// Shares the outcome with the calls that waited for it.
    pub fn finish(mut self, outcome: &Outcome) {
        self.has_finished = true;
        self.single_flight.pass_on(&self.errand, Some(outcome));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.has_finished {
            self.single_flight.pass_on(&self.errand, None);
        }
    }
}

/// A call that waits. Dropped, it leaves the line.
pub struct Follower {
    single_flight: SingleFlight,
    place: Arc<Place>,
}

impl Follower {
    /// Returns the call's turn, or has `waker` woken when it comes. Once it is
    /// ready it must not be asked again.
    pub fn poll(&self, waker: &Waker) -> Poll<Turn> {
        let mut state = self.place.state.hold();
        match mem::replace(&mut *state, State::Gone) {
            State::Waits => {
                *state = State::Sleeps(waker.clone());
                Poll::Pending
            }
            State::Sleeps(old) => {
                *state = State::Sleeps(match old.will_wake(waker) {
                    true => old,
                    false => waker.clone(),
                });
                Poll::Pending
            }
            State::Has(outcome) => Poll::Ready(Turn::Has(outcome)),
            State::Leads => Poll::Ready(Turn::Leads(Leader {
                single_flight: self.single_flight.clone(),
                errand: Arc::clone(&self.place.errand),
                has_finished: false,
            })),
            State::Gone => Poll::Pending,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut lines = self.single_flight.lines();
        let state = mem::replace(&mut *self.place.state.hold(), State::Gone);
        match state {
            State::Waits | State::Sleeps(_) => {
                if let Ok(at) = find(&lines, &self.place.errand) {
                    let waiting = &mut lines[at].waiting;
                    waiting.retain(|place| !Arc::ptr_eq(place, &self.place));
                }
            }
            State::Leads => {
                drop(lines);
                self.single_flight.pass_on(&self.place.errand, None);
            }
            State::Has(_) | State::Gone => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::request::SessionRequest, create::aim::Aim, error::Status};

    fn request(identifier: &str, kill: bool) -> Arc<Errand> {
        Arc::new(Errand {
            request: SessionRequest {
                identifier: Some(identifier.to_owned()),
                kill_session: kill.then_some(true),
                ..SessionRequest::default()
            },
            aim: Aim::default(),
        })
    }

    fn leads(joined: Joined) -> Leader {
        match joined {
            Joined::Leads(leader) => leader,
            Joined::Follows(_) => panic!("it follows"),
        }
    }

    fn follows(joined: Joined) -> Follower {
        match joined {
            Joined::Follows(follower) => follower,
            Joined::Leads(_) => panic!("it leads"),
        }
    }

    fn turn(follower: &Follower) -> Option<Turn> {
        match follower.poll(Waker::noop()) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn outcome(message: &str) -> Outcome {
        Err(Error::new(Status::Server, message))
    }

    fn has(follower: &Follower, message: &str) -> bool {
        matches!(turn(follower), Some(Turn::Has(Err(error))) if error.message == message)
    }

    #[test]
    fn equal_calls_share_the_outcome() {
        let flights = SingleFlight::default();
        let leader = leads(flights.join(&request("a", false)));
        let followers = [(); 3].map(|()| follows(flights.join(&request("a", false))));
        assert!(followers.iter().all(|follower| turn(follower).is_none()));
        leader.finish(&outcome("shared"));
        assert!(followers.iter().all(|follower| has(follower, "shared")));
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn other_identifiers_do_not_wait() {
        let flights = SingleFlight::default();
        let _one = leads(flights.join(&request("a", false)));
        let _other = leads(flights.join(&request("b", false)));
        let _none = leads(flights.join(&Arc::default()));
    }

    #[test]
    fn a_call_behind_a_different_one_makes_its_own_request() {
        let flights = SingleFlight::default();
        let first = leads(flights.join(&request("a", false)));
        let killer = follows(flights.join(&request("a", true)));
        let last = follows(flights.join(&request("a", false)));
        first.finish(&outcome("before the kill"));
        assert!(turn(&last).is_none());
        let Some(Turn::Leads(killer)) = turn(&killer) else {
            panic!("the kill has its turn");
        };
        killer.finish(&outcome("the kill"));
        assert!(matches!(turn(&last), Some(Turn::Leads(_))));
        drop(last);
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn a_leader_without_an_outcome_is_followed_by_the_next() {
        let flights = SingleFlight::default();
        let first = leads(flights.join(&request("a", false)));
        let gone = follows(flights.join(&request("a", false)));
        let next = follows(flights.join(&request("a", false)));
        let last = follows(flights.join(&request("a", false)));
        drop(gone);
        drop(first);
        let Some(Turn::Leads(next)) = turn(&next) else {
            panic!("the next has its turn");
        };
        next.finish(&outcome("second"));
        assert!(has(&last, "second"));
    }

    #[test]
    fn a_turn_that_nobody_takes_is_passed_on() {
        let flights = SingleFlight::default();
        let first = leads(flights.join(&request("a", false)));
        let gone = follows(flights.join(&request("a", false)));
        let next = follows(flights.join(&request("a", false)));
        drop(first);
        drop(gone);
        assert!(matches!(turn(&next), Some(Turn::Leads(_))));
    }
}
