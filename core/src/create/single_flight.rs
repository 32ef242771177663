//! Single flight: one request at a time for one identifier.
//!
//! The server answers the second of two parallel creates of one identifier with a token whose
//! session does not exist. So calls with equal options share one request and its outcome, and calls
//! with other options for the same identifier wait for their turn.
//!
//! Threads and tasks wait in the same queue, each with a [`Waker`].

use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, MutexGuard},
    task::{Poll, Waker},
};

use crate::{
    create::{aim::Errand, stopped::Stopped},
    error::Error,
    lock::Lock,
    moment::Moment,
    session::Session,
};

pub type Outcome = Result<Session, Error>;

/// The calls of one client in one process. A forked child creates its own.
///
/// The queues are sorted by identifier: comparing a few keys is faster than hashing one. Clones
/// share their queues.
#[derive(Clone, Default)]
pub struct SingleFlight(Arc<Lock<Vec<Line>>>);

/// The queue of the calls for one identifier or, without an identifier, for one tag name.
struct Line {
    /// The errand of the first call.
    first: Arc<Errand>,
    /// The calls behind the leader, including some that have left.
    waiting: VecDeque<Waiting>,
    /// How many of them have left. Removing each one at once would need a search of the whole
    /// queue.
    gone: usize,
}

impl Line {
    /// Counts a call that has left. Removes all of these when they are more than half.
    fn has_left(&mut self) {
        self.gone += 1;
        if self.gone * 2 > self.waiting.len() {
            self.waiting.retain(|waiting| !waiting.place.has_left());
            self.gone = 0;
        }
    }
}

/// Returns the index of an errand's queue, or the index at which to insert it.
fn find(lines: &[Line], errand: &Errand) -> Result<usize, usize> {
    lines.binary_search_by(|line| key(&line.first).cmp(&key(errand)))
}

/// Returns the key that all calls of one queue share: the identifier or, without one, the tag name.
///
/// With neither, the server looks for any session of the address, and two parallel creates make a
/// ghost there too. So these calls share a queue. Calls with different tag names never find each
/// other's sessions, so they need no common queue.
fn key(errand: &Errand) -> (Option<&str>, Option<&str>) {
    let request = &errand.request;
    match &request.identifier {
        Some(identifier) => (Some(identifier), None),
        None => (None, request.tag_name.as_deref()),
    }
}

/// An entry of the queue.
struct Waiting {
    place: Arc<Place>,
    /// The point at which an equal call was stopped by its limits. This call continues from there.
    stopped: Option<Arc<Stopped>>,
    /// The call did not get the outcome of an equal call, because a kill ahead of it was about to
    /// end that session. It gets the session of the kill.
    shares_kill: bool,
}

/// The state that a waiting call and its entry share.
struct Place {
    errand: Arc<Errand>,
    deadline: Moment,
    state: Lock<State>,
}

#[derive(Default)]
enum State {
    #[default]
    Waits,
    /// Waits, with a waker.
    Sleeps(Waker),
    Leads(Option<Arc<Stopped>>),
    Has(Outcome),
    Gone,
}

impl Place {
    fn has_left(&self) -> bool {
        matches!(*self.state.hold(), State::Gone)
    }

    /// Sets the state. Returns the waker to call.
    fn set(&self, state: State) -> Option<Waker> {
        match mem::replace(&mut *self.state.hold(), state) {
            State::Sleeps(waker) => Some(waker),
            _ => None,
        }
    }
}

/// The role of a call that has joined.
pub enum Joined {
    Leads(Leader),
    Follows(Follower),
}

/// The result of waiting.
pub enum Turn {
    /// The outcome of an equal call.
    Has(Outcome),
    Leads(Leader),
}

/// How the turn of a leader ends.
enum End<'a> {
    /// With an outcome that equal calls share.
    Outcome(&'a Outcome),
    /// The call has reached its limits.
    Stopped(&'a Arc<Stopped>),
    /// The call was dropped.
    GivenUp,
}

impl SingleFlight {
    /// Joins the queue of the errand's identifier. `deadline`: how long the call waits at most.
    pub fn join(&self, errand: &Arc<Errand>, deadline: Moment) -> Joined {
        let mut lines = self.0.hold();
        match find(&lines, errand) {
            Err(at) => {
                let line = Line {
                    first: Arc::clone(errand),
                    waiting: VecDeque::new(),
                    gone: 0,
                };
                lines.insert(at, line);
                Joined::Leads(Leader {
                    single_flight: self.clone(),
                    errand: Arc::clone(errand),
                    stopped: None,
                    has_finished: false,
                })
            }
            Ok(at) => {
                let place = Arc::new(Place {
                    errand: Arc::clone(errand),
                    deadline,
                    state: Lock::default(),
                });
                lines[at].waiting.push_back(Waiting {
                    place: Arc::clone(&place),
                    stopped: None,
                    shares_kill: false,
                });
                Joined::Follows(Follower {
                    single_flight: self.clone(),
                    place,
                })
            }
        }
    }

    /// Leads the errand's queue, if no other call does.
    pub fn lead_if_free(&self, errand: &Arc<Errand>) -> Option<Leader> {
        match self.join(errand, Moment::MAX) {
            Joined::Leads(leader) => Some(leader),
            // The follower leaves the queue when it is dropped.
            Joined::Follows(_) => None,
        }
    }

    /// Returns the number of leaders and of waiting calls.
    pub fn counts(&self) -> (usize, usize) {
        let lines = self.0.hold();
        let waiting = lines.iter().map(|line| line.waiting.len() - line.gone);
        let waiting = waiting.sum();
        (lines.len(), waiting)
    }

    /// Ends the turn of a leader. The calls that share its outcome get it, and the first of the
    /// others becomes the leader.
    fn pass_on(&self, errand: &Arc<Errand>, end: &End<'_>) {
        let mut lines = self.0.hold();
        let Ok(at) = find(&lines, errand) else {
            return;
        };
        let mut to_wake = Vec::new();
        let mut is_behind_kill = false;
        lines[at].gone = 0;
        let waiting = &mut lines[at].waiting;
        waiting.retain_mut(|waiting| {
            if waiting.place.has_left() {
                return false;
            }
            let outcome = waiting.learns(errand, end, is_behind_kill);
            let stays = outcome.is_none();
            if let Some(outcome) = outcome {
                to_wake.extend(waiting.place.set(State::Has(outcome)));
            }
            is_behind_kill |= stays && waiting.place.errand.kills();
            stays
        });
        match waiting.pop_front() {
            Some(next) => to_wake.extend(next.place.set(State::Leads(next.stopped))),
            None => drop(lines.remove(at)),
        }
        drop(lines);
        // Without the lock: a waker runs code of the event loop.
        to_wake.into_iter().for_each(Waker::wake);
    }

    fn lines(&self) -> MutexGuard<'_, Vec<Line>> {
        self.0.hold()
    }
}

impl Waiting {
    /// Updates a waiting call after the turn of `errand`. Returns the outcome for this call, or
    /// `None` if it keeps waiting.
    fn learns(&mut self, errand: &Errand, end: &End<'_>, is_behind_kill: bool) -> Option<Outcome> {
        let place = &self.place;
        let is_equal = *place.errand == *errand;
        match *end {
            // A kill ahead of this call will end that session.
            End::Outcome(Ok(_)) if is_equal && is_behind_kill && !errand.kills() => {
                self.shares_kill = true;
                None
            }
            End::Outcome(outcome) if is_equal => Some(outcome.clone()),
            End::Outcome(outcome @ Ok(_)) if self.shares_kill && !is_behind_kill => {
                let serves = errand.kills_for(&place.errand);
                serves.then(|| outcome.clone())
            }
            // The same limit would stop this call too.
            End::Stopped(stopped) if is_equal && place.deadline <= stopped.until => {
                Some(Err(stopped.error.clone()))
            }
            End::Stopped(stopped) if is_equal => {
                self.stopped = Some(Arc::clone(stopped));
                None
            }
            _ => None,
        }
    }
}

/// The call that makes the request. If it is dropped without an outcome, because its time has
/// passed or it was cancelled, the next call becomes the leader and makes its own request.
pub struct Leader {
    single_flight: SingleFlight,
    errand: Arc<Errand>,
    stopped: Option<Arc<Stopped>>,
    has_finished: bool,
}

impl Leader {
    pub fn errand(&self) -> &Arc<Errand> {
        &self.errand
    }

    /// Returns the point at which an equal call was stopped while this one waited.
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped.as_deref().cloned()
    }

    /// Shares the outcome with the equal calls that wait.
    pub fn finish(mut self, outcome: &Outcome) {
        self.has_finished = true;
        self.single_flight
            .pass_on(&self.errand, &End::Outcome(outcome));
    }

    /// Ends a call that has reached its limits. The next equal one continues from there.
    pub fn stop(mut self, stopped: &Stopped) {
        self.has_finished = true;
        let stopped = Arc::new(stopped.clone());
        self.single_flight
            .pass_on(&self.errand, &End::Stopped(&stopped));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if !self.has_finished {
            self.single_flight.pass_on(&self.errand, &End::GivenUp);
        }
    }
}

/// A waiting call. It leaves the queue when it is dropped.
pub struct Follower {
    single_flight: SingleFlight,
    place: Arc<Place>,
}

impl Follower {
    /// Returns the result of waiting, or wakes `waker` when there is one. Must not be called again
    /// after it was ready.
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
            State::Leads(stopped) => Poll::Ready(Turn::Leads(Leader {
                single_flight: self.single_flight.clone(),
                errand: Arc::clone(&self.place.errand),
                stopped,
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
                    lines[at].has_left();
                }
            }
            State::Leads(_) => {
                drop(lines);
                let end = End::GivenUp;
                self.single_flight.pass_on(&self.place.errand, &end);
            }
            State::Has(_) | State::Gone => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::request::SessionRequest,
        create::aim::Aim,
        error::Status,
        session::{Claimed, Times},
    };

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

    fn other_request(identifier: &str) -> Arc<Errand> {
        let mut errand = (*request(identifier, false)).clone();
        errand.request.domain = Some("other".to_owned());
        Arc::new(errand)
    }

    fn join(flights: &SingleFlight, errand: &Arc<Errand>) -> Joined {
        flights.join(errand, Moment::MAX)
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

    fn has_turn(follower: &Follower) -> Leader {
        match turn(follower) {
            Some(Turn::Leads(leader)) => leader,
            _ => panic!("it does not lead"),
        }
    }

    fn turn(follower: &Follower) -> Option<Turn> {
        match follower.poll(Waker::noop()) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    /// Returns a session. Its token distinguishes it from others.
    fn session(token: &str) -> Session {
        Session::new(token.as_bytes(), Claimed::default(), Times::default())
    }

    fn token(follower: &Follower) -> String {
        match turn(follower) {
            Some(Turn::Has(Ok(session))) => session.token().to_owned(),
            _ => panic!("it shares no session"),
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
        let leader = leads(join(&flights, &request("a", false)));
        let followers = [(); 3].map(|()| follows(join(&flights, &request("a", false))));
        assert!(followers.iter().all(|follower| turn(follower).is_none()));
        leader.finish(&outcome("shared"));
        assert!(followers.iter().all(|follower| has(follower, "shared")));
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn other_identifiers_do_not_wait() {
        let flights = SingleFlight::default();
        let _one = leads(join(&flights, &request("a", false)));
        let _other = leads(join(&flights, &request("b", false)));
        let _none = leads(join(&flights, &Arc::default()));
    }

    #[test]
    fn without_an_identifier_calls_of_different_tag_names_do_not_wait() {
        let flights = SingleFlight::default();
        let named = |name: Option<&str>, domain: Option<&str>| {
            Arc::new(Errand {
                request: SessionRequest {
                    tag_name: name.map(str::to_owned),
                    domain: domain.map(str::to_owned),
                    ..SessionRequest::default()
                },
                aim: Aim::default(),
            })
        };
        let _one = leads(join(&flights, &named(Some("a"), None)));
        let _other = leads(join(&flights, &named(Some("b"), None)));
        let _same_name = follows(join(&flights, &named(Some("a"), Some("avax"))));
        let _none = leads(join(&flights, &named(None, None)));
        let _none_either = follows(join(&flights, &named(None, Some("avax"))));
    }

    #[test]
    fn equal_calls_share_the_outcome_whatever_comes_between_them() {
        let flights = SingleFlight::default();
        let kill = leads(join(&flights, &request("a", true)));
        let plain = follows(join(&flights, &request("a", false)));
        let equal = follows(join(&flights, &request("a", true)));
        kill.finish(&Ok(session("new")));
        assert_eq!(token(&equal), "new");
        let plain = has_turn(&plain);
        plain.finish(&Ok(session("new")));
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn calls_that_alternate_make_one_request_of_each_kind() {
        let flights = SingleFlight::default();
        let requests = [request("a", false), other_request("a")];
        let leader = leads(join(&flights, &requests[0]));
        let followers: Vec<Follower> = (1..200)
            .map(|number| follows(join(&flights, &requests[number % 2])))
            .collect();
        leader.finish(&Ok(session("one")));
        let other = has_turn(&followers[0]);
        other.finish(&Ok(session("other")));
        for pair in followers[1..].chunks(2) {
            assert_eq!(token(&pair[0]), "one");
        }
        for pair in followers[2..].chunks(2) {
            assert_eq!(token(&pair[0]), "other");
        }
    }

    #[test]
    fn a_call_behind_a_kill_shares_what_the_kill_makes() {
        let flights = SingleFlight::default();
        let first = leads(join(&flights, &request("a", false)));
        let kill = follows(join(&flights, &request("a", true)));
        let last = follows(join(&flights, &request("a", false)));
        first.finish(&Ok(session("old")));
        assert!(turn(&last).is_none());
        let kill = has_turn(&kill);
        kill.finish(&Ok(session("new")));
        assert_eq!(token(&last), "new");
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn a_call_behind_two_kills_does_not_share_the_first() {
        let flights = SingleFlight::default();
        let mut other_kill = (*request("a", true)).clone();
        other_kill.request.domain = Some("other".to_owned());
        let first = leads(join(&flights, &request("a", false)));
        let kill = follows(join(&flights, &request("a", true)));
        let _other_kill = follows(join(&flights, &Arc::new(other_kill)));
        let last = follows(join(&flights, &request("a", false)));
        first.finish(&Ok(session("old")));
        let kill = has_turn(&kill);
        kill.finish(&Ok(session("new")));
        assert!(turn(&last).is_none());
    }

    #[test]
    fn a_call_behind_a_kill_that_fails_makes_a_request() {
        let flights = SingleFlight::default();
        let first = leads(join(&flights, &request("a", false)));
        let kill = follows(join(&flights, &request("a", true)));
        let last = follows(join(&flights, &request("a", false)));
        first.finish(&Ok(session("old")));
        let kill = has_turn(&kill);
        kill.finish(&outcome("it failed"));
        assert!(matches!(turn(&last), Some(Turn::Leads(_))));
    }

    #[test]
    fn a_call_goes_on_where_the_limits_of_another_ended() {
        let flights = SingleFlight::default();
        let at = |seconds| Moment::from_secs(seconds);
        let equal = request("a", false);
        let first = leads(flights.join(&equal, at(1)));
        let brief = follows(flights.join(&equal, at(2)));
        let other = follows(flights.join(&other_request("a"), at(60)));
        let patient = follows(flights.join(&equal, at(60)));
        let last = follows(flights.join(&equal, at(60)));
        let error = Error::new(Status::RateLimited, "in 3 seconds");
        let until = at(3);
        first.stop(&Stopped { error, until });
        assert!(has(&brief, "in 3 seconds"));
        let other = has_turn(&other);
        assert!(other.stopped().is_none());
        drop(other);
        let patient = has_turn(&patient);
        assert_eq!(patient.stopped().map(|stopped| stopped.until), Some(until));
        patient.finish(&outcome("shared"));
        assert!(has(&last, "shared"));
    }

    #[test]
    fn a_leader_without_an_outcome_is_followed_by_the_next() {
        let flights = SingleFlight::default();
        let first = leads(join(&flights, &request("a", false)));
        let gone = follows(join(&flights, &request("a", false)));
        let next = follows(join(&flights, &request("a", false)));
        let last = follows(join(&flights, &request("a", false)));
        drop(gone);
        drop(first);
        let next = has_turn(&next);
        next.finish(&outcome("second"));
        assert!(has(&last, "second"));
    }

    #[test]
    fn those_that_have_left_neither_count_nor_lead() {
        let flights = SingleFlight::default();
        let first = leads(join(&flights, &request("a", false)));
        let mut followers: Vec<Follower> = (0..9)
            .map(|_| follows(join(&flights, &request("a", true))))
            .collect();
        let last = followers.pop().unwrap();
        while let Some(follower) = followers.pop() {
            drop(follower);
            assert_eq!(flights.counts(), (1, followers.len() + 1));
        }
        first.finish(&outcome("shared"));
        assert!(matches!(turn(&last), Some(Turn::Leads(_))));
        drop(last);
        assert_eq!(flights.counts(), (0, 0));
    }

    #[test]
    fn a_turn_that_nobody_takes_is_passed_on() {
        let flights = SingleFlight::default();
        let first = leads(join(&flights, &request("a", false)));
        let gone = follows(join(&flights, &request("a", false)));
        let next = follows(join(&flights, &request("a", false)));
        drop(first);
        drop(gone);
        assert!(matches!(turn(&next), Some(Turn::Leads(_))));
    }
}
