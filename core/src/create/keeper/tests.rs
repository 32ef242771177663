use super::*;
use crate::session::{Claimed, Times};

/// A time that is far from the start of the clock.
const START: Moment = Duration::from_secs(100_000);
const MIN_VALID: u64 = 5;
const LIFE: i64 = 600;

const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.7";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn rules(renewal: Renewal) -> Rules {
    Rules {
        min_valid: secs(MIN_VALID),
        renewal,
        is_background: false,
    }
}

fn keeper(renewal: Renewal) -> Keeper {
    Keeper::new(rules(renewal), false)
}

fn with_thread(renewal: Renewal) -> Keeper {
    let rules = Rules {
        is_background: true,
        ..rules(renewal)
    };
    Keeper::new(rules, false)
}

/// Returns the middle of the random range: a wait with jitter keeps about its length.
fn at(time: Moment) -> Now {
    Now {
        time,
        random: u32::MAX / 2,
    }
}

fn least(time: Moment) -> Now {
    Now { time, random: 0 }
}

fn most(time: Moment) -> Now {
    Now {
        time,
        random: u32::MAX,
    }
}

/// Returns a session of ten minutes that has `left` seconds left at `now`.
fn session_at(id: &str, address: &str, left: u64, now: Moment) -> Session {
    let claimed = Claimed {
        id: Some(id),
        address: Some(address),
        ..Claimed::default()
    };
    let times = Times {
        activated_at: 1_000_000,
        expires_at: 1_000_000 + LIFE,
        ends_at: now + secs(left),
    };
    // The server signs a new token for each answer.
    let token = format!("{id}-{}", now.as_millis());
    Session::new(token.as_bytes(), claimed, times)
}

/// Returns a session that the server has just created.
fn fresh(id: &str, now: Moment) -> Session {
    session_at(id, HOME, 600, now)
}

fn fresh_away(id: &str, now: Moment) -> Session {
    session_at(id, AWAY, 600, now)
}

/// Returns a session that the server created some time ago.
fn known(id: &str, left: u64, now: Moment) -> Session {
    session_at(id, HOME, left, now)
}

fn error(status: Status) -> Error {
    Error::new(status, "for a test")
}

fn work(verdict: Verdict) -> Work {
    match verdict {
        Verdict::Work(work) | Verdict::HandAndWork(_, work) => work,
        other => panic!("no work: {other:?}"),
    }
}

fn fails(verdict: Verdict) -> Error {
    match verdict {
        Verdict::Fail(error) => error,
        other => panic!("no failure: {other:?}"),
    }
}

impl Keeper {
    /// Returns the id of the session that `ask` returns, if any.
    fn hands(&self, now: Moment) -> Option<String> {
        match self.ask(now) {
            Verdict::Hand(session) | Verdict::HandAndWork(session, _) => {
                session.id().map(str::to_owned)
            }
            Verdict::Work(_) | Verdict::Fail(_) => None,
        }
    }

    /// Takes the request that is due, and reports this outcome for it.
    fn works(&mut self, outcome: Result<Session, Error>, now: Now) -> Work {
        let work = work(self.ask(now.time));
        self.done(&work, outcome, now);
        work
    }

    /// Gives the keeper a session that is known to exist.
    fn having(mut self, id: &str, left: u64, now: Moment) -> Self {
        self.works(Ok(known(id, left, now)), at(now));
        assert!(self.is_confirmed());
        self
    }
}

fn is_confirmation(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::HandAndWork(_, work) if work.task == Task::Confirm)
}

fn is_handed(verdict: &Verdict, id: &str) -> bool {
    matches!(verdict, Verdict::Hand(session) if session.id() == Some(id))
}

/// Reports three ghosts from another address. Returns the time after them.
fn sees_three_ghosts(keeper: &mut Keeper, mut now: Moment) -> Moment {
    keeper.works(Ok(fresh_away("ghost 1", now)), at(now));
    for ghost in ["ghost 2", "ghost 3"] {
        now += CONFIRMED_AFTER;
        let work = work(keeper.ask(now));
        assert_eq!(work.task, Task::Confirm);
        keeper.done(&work, Ok(fresh_away(ghost, now)), at(now));
    }
    now
}

// Which session is returned, and until when.

#[test]
fn a_first_wish_is_work_and_all_wait_for_it() {
    let keeper = keeper(Renewal::AtExpiry);
    let work = match keeper.ask(START) {
        Verdict::Work(work) => work,
        other => panic!("{other:?}"),
    };
    assert_eq!(work.task, Task::Renew);
    assert_eq!(keeper.next_due(), Moment::ZERO);
}

#[test]
fn a_session_is_handed_out_while_min_valid_is_left_and_no_longer() {
    let keeper = keeper(Renewal::AtExpiry).having("a", 100, START);
    let last_use = START + secs(100 - MIN_VALID);
    assert!(is_handed(&keeper.ask(last_use - ms(1)), "a"));
    assert!(matches!(keeper.ask(last_use), Verdict::Work(_)));
    assert_eq!(keeper.next_due(), last_use);
}

#[test]
fn the_server_counts_whole_seconds_so_a_session_needs_one_more_to_be_worth_having() {
    let keeper = keeper(Renewal::AtExpiry);
    assert_eq!(work(keeper.ask(START)).aim.least, 5 + 1);
}

#[test]
fn a_session_is_worth_having_with_two_seconds_left_at_least() {
    let rules = Rules {
        min_valid: Duration::ZERO,
        ..rules(Renewal::AtExpiry)
    };
    let keeper = Keeper::new(rules, false);
    assert_eq!(work(keeper.ask(START)).aim.least, LEAST_SECONDS);
}

#[test]
fn a_warm_call_hands_the_session_out_until_the_next_work() {
    let mut keeper = keeper(Renewal::AtExpiry);
    assert!(keeper.hand_out(START).is_none());
    keeper.works(Ok(fresh("a", START)), at(START));
    let (_, until) = keeper.hand_out(START).unwrap();
    assert_eq!(until, START + CONFIRMED_AFTER);
    keeper.works(Ok(fresh("a", until)), at(until));
    let (_, until) = keeper.hand_out(until).unwrap();
    assert_eq!(until, START + CONFIRMED_AFTER + secs(600 - MIN_VALID));
    assert!(keeper.hand_out(until).is_none());
}

#[test]
fn with_a_thread_a_warm_call_looks_for_no_work() {
    let mut keeper = with_thread(Renewal::AtExpiry);
    keeper.works(Ok(known("a", 500, START)), at(START));
    let (_, until) = keeper.hand_out(START).unwrap();
    assert_eq!(until, START + secs(500 - MIN_VALID));
}

#[test]
fn a_child_without_the_thread_confirms_what_its_parent_has_not() {
    let mut keeper = with_thread(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    let (_, until) = keeper.hand_out(START).unwrap();
    assert_eq!(until, START + CONFIRMED_AFTER + secs(1));
}

#[test]
fn callers_that_waited_receive_the_latest_outcome() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Err(error(Status::Connect)), most(START));
    assert_eq!(keeper.outcome(START).unwrap_err().status, Status::Connect);
    let later = START + secs(2);
    keeper.works(Ok(known("a", 100, later)), at(later));
    assert_eq!(keeper.outcome(later).unwrap().id(), Some("a"));
}

// Renewal policies.

#[test]
fn at_expiry_a_plain_request_comes_first_and_a_kill_only_if_the_session_is_over() {
    let keeper = keeper(Renewal::AtExpiry).having("a", 100, START);
    let aim = work(keeper.ask(START + secs(99))).aim;
    assert_eq!(aim.kill, Kill::IfOver);
    assert_eq!(aim.least, 5 + 1);
    assert!(aim.is_strict);
    assert_eq!(aim.refused, None);
}

#[test]
fn never_kill_never_kills() {
    let mut keeper = keeper(Renewal::NeverKill).having("a", 100, START);
    let over = START + secs(99);
    assert_eq!(work(keeper.ask(over)).aim.kill, Kill::Never);
    assert!(keeper.refuse(&known("a", 100, START), at(START)));
    let aim = work(keeper.ask(START)).aim;
    assert_eq!((aim.kill, aim.refused.as_deref()), (Kill::Never, Some("a")));
}

#[test]
fn early_kills_a_tenth_of_its_life_before_the_end_and_hands_the_session_out_meanwhile() {
    let keeper = keeper(Renewal::Early).having("a", 590, START);
    let renews_at = keeper.next_due();
    assert!(matches!(keeper.ask(renews_at - ms(1)), Verdict::Hand(_)));
    match keeper.ask(renews_at) {
        Verdict::HandAndWork(session, work) => {
            assert_eq!(session.id(), Some("a"));
            assert_eq!((work.task, work.aim.kill), (Task::Renew, Kill::First));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn early_does_not_kill_first_what_is_over_by_its_own_clock() {
    // Another process may have renewed it.
    let keeper = keeper(Renewal::Early).having("a", 100, START);
    let aim = work(keeper.ask(START + secs(99))).aim;
    assert_eq!(aim.kill, Kill::IfOver);
}

#[test]
fn early_asks_plainly_after_a_failure_because_the_kill_may_have_been_carried_out() {
    let mut keeper = keeper(Renewal::Early).having("a", 590, START);
    let now = keeper.next_due();
    keeper.works(Err(error(Status::Timeout)), most(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("a"));
    let next = keeper.next_due();
    assert!(next > now);
    assert_eq!(work(keeper.ask(next)).aim.kill, Kill::IfOver);
    // The same session is returned, so the kill was not carried out.
    keeper.works(Ok(known("a", 50, next)), at(next));
    assert!(matches!(keeper.ask(next), Verdict::Hand(_)), "not at once");
    let later = next + BETWEEN_EQUAL_ANSWERS;
    assert_eq!(work(keeper.ask(later)).aim.kill, Kill::First);
}

#[test]
fn a_server_that_ignores_kills_is_not_flooded_with_them() {
    let mut keeper = keeper(Renewal::Early).having("a", 50, START);
    let mut now = START;
    let mut kills = 0;
    while now < START + secs(30) {
        if let Some(work) = keeper.due(now) {
            kills += u32::from(work.aim.kill == Kill::First);
            let left = (START + secs(50) - now).as_secs();
            keeper.done(&work, Ok(known("a", left, now)), at(now));
        }
        now += ms(100);
    }
    assert!(kills <= 6, "{kills} kills in 30 s");
}

#[test]
fn a_token_without_an_id_that_comes_back_refused_is_a_failure() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let opaque = |now| {
        let times = Times {
            ends_at: now + secs(600),
            ..Times::default()
        };
        Session::new(b"opaque", Claimed::default(), times)
    };
    keeper.works(Ok(opaque(START)), at(START));
    assert!(keeper.refuse(&opaque(START), at(START)));
    keeper.works(Ok(opaque(START)), at(START));
    assert_eq!(fails(keeper.ask(START)).status, Status::SessionNotActive);
    assert!(keeper.next_due() >= START + secs(4));
}

#[test]
fn a_slow_answer_with_the_same_session_takes_nothing_from_its_end() {
    let mut keeper = keeper(Renewal::Early).having("a", 590, START);
    let early = START + secs(540);
    let kill = keeper.works(Err(error(Status::Connect)), least(early));
    assert_eq!(kill.aim.kill, Kill::First);
    let plain = keeper.works(Ok(known("a", 20, early)), least(early));
    assert_eq!(plain.aim.kill, Kill::IfOver);
    assert!(is_handed(&keeper.ask(early + secs(1)), "a"));
    keeper.works(Err(error(Status::Connect)), most(early + secs(30)));
    let last_use = START + secs(590 - MIN_VALID);
    assert_eq!(keeper.hands(last_use - ms(1)).as_deref(), Some("a"));
    assert_eq!(keeper.hands(last_use), None);
}

#[test]
fn early_is_a_tenth_of_the_life_at_most_a_minute_and_up_to_a_fifth_more() {
    let rules = rules(Renewal::Early);
    let ahead = |life: u64, random| {
        let ends_at = START + secs(life);
        ends_at - rules.renews_at(ends_at, secs(life), random).unwrap()
    };
    assert_eq!(ahead(600, 0), secs(60));
    assert_eq!(ahead(600, u32::MAX), secs(72));
    assert_eq!(ahead(100, 0), secs(10));
    assert_eq!(ahead(100, u32::MAX), secs(12));
    assert_eq!(ahead(86_400, 0), secs(60));
    // At the last use, not later.
    assert_eq!(ahead(20, 0), secs(MIN_VALID));
}

#[test]
fn early_jitter_spreads_evenly() {
    let rules = rules(Renewal::Early);
    let ends_at = START + secs(600);
    let mut last = ends_at;
    for step in 0..=10_u32 {
        let random = step.saturating_mul(u32::MAX / 10);
        let at = rules.renews_at(ends_at, secs(600), random).unwrap();
        assert!(at < last, "{step}");
        last = at;
    }
}

#[test]
fn only_a_thread_or_an_owner_renews_ahead_of_time() {
    let ends_at = START + secs(600);
    let renews_at = |rules: Rules| rules.renews_at(ends_at, secs(600), 0);
    let thread = |renewal| Rules {
        is_background: true,
        ..rules(renewal)
    };
    assert_eq!(renews_at(rules(Renewal::AtExpiry)), None);
    assert_eq!(renews_at(rules(Renewal::NeverKill)), None);
    assert_eq!(renews_at(thread(Renewal::NeverKill)), None);
    let ahead = ends_at - secs(MIN_VALID) - secs(3);
    assert_eq!(renews_at(thread(Renewal::AtExpiry)), Some(ahead));
}

#[test]
fn a_thread_renews_three_seconds_ahead_and_wants_a_session_that_is_good_for_longer() {
    let mut keeper = with_thread(Renewal::AtExpiry).having("a", 100, START);
    let ahead = START + secs(100 - MIN_VALID - 3);
    assert_eq!(keeper.next_due(), ahead);
    assert_eq!(keeper.due(ahead - ms(1)), None);
    let work = keeper.due(ahead).unwrap();
    assert_eq!((work.aim.least, work.aim.kill), (5 + 1 + 3, Kill::IfOver));
    assert_eq!(keeper.hands(ahead).as_deref(), Some("a"));
    keeper.set_background(false);
    assert_eq!(keeper.work(ahead).aim.least, 5 + 1);
}

#[test]
fn a_life_that_the_server_does_not_tell_is_ten_minutes() {
    let mut keeper = keeper(Renewal::Early);
    let times = Times {
        ends_at: START + secs(600),
        ..Times::default()
    };
    let session = Session::new(b"x", Claimed::default(), times);
    keeper.works(Ok(session), least(START));
    assert_eq!(keeper.next_due(), START + secs(540));
}

// The pauses of the policy that never kills.

#[test]
fn never_kill_hands_out_a_session_that_is_over_and_asks_again_after_five_seconds() {
    for (now, pause) in [(least as fn(_) -> _, 4), (at, 5), (most, 6)] {
        let mut keeper = keeper(Renewal::NeverKill).having("a", 100, START);
        let over = START + secs(101);
        keeper.works(Ok(known("a", 0, over)), now(over));
        assert!(is_handed(&keeper.ask(over), "a"));
        let next = keeper.next_due();
        let off = (next - over).abs_diff(secs(pause));
        assert!(off < ms(1), "{pause}: {:?}", next - over);
        assert!(is_handed(&keeper.ask(next - ms(1)), "a"));
        let (_, until) = keeper.hand_out(over).unwrap();
        assert_eq!(until, next);
        // Only the server's answer tells whether the session is still alive.
        assert!(matches!(keeper.ask(next), Verdict::Work(_)));
    }
}

#[test]
fn never_kill_hands_out_nothing_that_is_over_after_a_failure() {
    let mut keeper = keeper(Renewal::NeverKill).having("a", 100, START);
    let over = START + secs(101);
    keeper.works(Ok(known("a", 0, over)), at(over));
    let next = keeper.next_due();
    keeper.works(Err(error(Status::Connect)), most(next));
    assert_eq!(fails(keeper.ask(next)).status, Status::Connect);
}

#[test]
fn never_kill_adopts_the_new_session_once_the_old_one_is_reaped() {
    let mut keeper = keeper(Renewal::NeverKill).having("a", 100, START);
    let over = START + secs(101);
    keeper.works(Ok(known("a", 0, over)), at(over));
    let next = keeper.next_due();
    keeper.works(Ok(fresh("b", next)), at(next));
    assert_eq!(keeper.hands(next).as_deref(), Some("b"));
}

#[test]
fn only_never_kill_hands_out_a_session_with_too_little_left() {
    for renewal in [Renewal::AtExpiry, Renewal::Early] {
        let mut keeper = keeper(renewal);
        // The device slept between the answer and now.
        keeper.works(Ok(known("a", MIN_VALID, START)), at(START));
        assert!(keeper.outcome(START).is_err());
        assert!(matches!(keeper.ask(START), Verdict::Work(_)), "{renewal:?}");
        // The same, while the second session is compared with the first.
        keeper.works(Ok(fresh("b", START)), at(START));
        let later = START + secs(1);
        keeper.works(Ok(known("c", 1, later)), at(later));
        assert!(matches!(keeper.ask(later), Verdict::Work(_)), "{renewal:?}");
    }
}

// Unconfirmed sessions.

#[test]
fn a_fresh_session_is_handed_out_and_confirmed_after_250_ms() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    assert!(!keeper.is_confirmed());
    assert!(is_handed(&keeper.ask(START + ms(249)), "a"));
    let later = START + ms(250);
    assert_eq!(keeper.next_due(), later);
    let verdict = keeper.ask(later);
    assert!(is_confirmation(&verdict));
    assert_eq!(keeper.hands(later).as_deref(), Some("a"));
    let work = work(verdict);
    assert_eq!(work.aim.kill, Kill::Never);
    keeper.done(&work, Ok(fresh("a", later)), at(later));
    assert!(keeper.is_confirmed());
    assert!(is_handed(&keeper.ask(later), "a"));
}

#[test]
fn a_confirmation_that_takes_long_does_not_shorten_the_session() {
    for (first, second) in [(600, 590), (590, 600)] {
        let mut keeper = keeper(Renewal::AtExpiry);
        keeper.works(Ok(session_at("a", HOME, first, START)), at(START));
        let session = session_at("a", HOME, second, START);
        let work = keeper.confirmation();
        keeper.done(&work, Ok(session), at(START + ms(250)));
        assert_eq!(keeper.next_due(), START + secs(600 - MIN_VALID));
    }
}

#[test]
fn a_session_that_the_server_has_had_for_a_while_is_no_ghost() {
    let keeper = keeper(Renewal::AtExpiry).having("a", 500, START);
    assert!(is_handed(&keeper.ask(START + secs(1)), "a"));
}

#[test]
fn a_session_that_comes_confirmed_is_not_confirmed_again() {
    let mut keeper = Keeper::new(rules(Renewal::AtExpiry), true);
    let work = keeper.works(Ok(fresh("a", START)), at(START));
    assert!(work.aim.confirms);
    assert!(keeper.is_confirmed());
    assert!(is_handed(&keeper.ask(START + secs(1)), "a"));
}

#[test]
fn a_session_without_an_id_cannot_be_confirmed() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let times = fresh("x", START).times();
    let session = Session::new(b"x", Claimed::default(), times);
    keeper.works(Ok(session), at(START));
    assert!(keeper.is_confirmed());
}

#[test]
fn another_fresh_session_replaces_a_ghost_and_is_confirmed_in_turn() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("ghost", START)), at(START));
    let later = START + ms(250);
    keeper.works(Ok(fresh("a", later)), at(later));
    assert!(is_handed(&keeper.ask(later), "a"));
    assert!(!keeper.is_confirmed());
    let later = later + ms(250);
    keeper.works(Ok(fresh("a", later)), at(later));
    assert!(keeper.is_confirmed());
}

#[test]
fn another_session_that_is_not_fresh_replaces_a_ghost_and_is_real() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("ghost", START)), at(START));
    let later = START + ms(250);
    keeper.works(Ok(known("a", 300, later)), at(later));
    assert!(keeper.is_confirmed());
    assert!(is_handed(&keeper.ask(later), "a"));
}

#[test]
fn a_confirmation_that_fails_leaves_the_session_in_doubt_and_in_use() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    let later = START + ms(250);
    keeper.works(Err(error(Status::Connect)), most(later));
    assert!(is_handed(&keeper.ask(later), "a"));
    assert!(keeper.last_error(later).is_none());
    assert!(is_confirmation(&keeper.ask(keeper.next_due())));
}

#[test]
fn three_sessions_in_a_row_are_ghosts() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let now = sees_three_ghosts(&mut keeper, START);
    let error = fails(keeper.ask(now));
    assert_eq!(error.status, Status::GhostSession);
    // No old session is known, so waiting does not help.
    assert!(!error.is_retryable());
    let pause = keeper.next_due() - now;
    assert!((secs(8)..=secs(12)).contains(&pause), "{pause:?}");
    assert!(matches!(keeper.ask(now + pause), Verdict::Work(_)));
}

#[test]
fn two_ghosts_and_a_session_are_no_failure() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("1", START)), at(START));
    let now = START + ms(250);
    keeper.works(Ok(fresh("2", now)), at(now));
    let now = now + ms(250);
    keeper.works(Ok(fresh("2", now)), at(now));
    assert!(keeper.is_confirmed());
    assert!(keeper.last_error(now).is_none());
}

// A new address.

#[test]
fn ghosts_from_another_address_pass_when_the_old_session_has_been_reaped() {
    let mut keeper = keeper(Renewal::AtExpiry).having("old", 100, START);
    let over = START + secs(97);
    let now = sees_three_ghosts(&mut keeper, over);
    let error = fails(keeper.ask(now));
    assert!(error.is_retryable());
    // The old session ends after 100 s, and the reaper runs once a minute.
    assert_eq!(error.retry_after, Some(START + secs(160) - now));
}

#[test]
fn ghosts_from_the_same_address_or_after_the_reaper_say_no_time() {
    let mut keeper = keeper(Renewal::AtExpiry).having("old", 100, START);
    let mut now = START + secs(97);
    keeper.works(Ok(fresh("1", now)), at(now));
    for ghost in ["2", "3"] {
        now += CONFIRMED_AFTER;
        keeper.works(Ok(fresh(ghost, now)), at(now));
    }
    let until_the_next_attempt = keeper.next_due() - now;
    for error in [fails(keeper.ask(now)), keeper.last_error(now).unwrap()] {
        assert_eq!(error.retry_after, Some(until_the_next_attempt));
        assert!(!error.is_retryable());
    }

    let mut keeper = self::keeper(Renewal::AtExpiry).having("old", 100, START);
    let now = sees_three_ghosts(&mut keeper, START + secs(161));
    assert!(!fails(keeper.ask(now)).is_retryable());
}

#[test]
fn after_three_ghosts_a_renewal_confirms_before_its_session_is_handed_out() {
    let mut keeper = keeper(Renewal::AtExpiry).having("old", 100, START);
    assert!(!keeper.work(START).aim.confirms);
    sees_three_ghosts(&mut keeper, START + secs(97));
    for _ in 0..3 {
        let now = keeper.next_due();
        let work = keeper.works(Err(aim::ghost()), at(now));
        assert!(work.aim.confirms);
        let error = fails(keeper.ask(now));
        assert_eq!(error.retry_after, Some(START + secs(160) - now));
        let pause = keeper.next_due() - now;
        assert!(pause >= secs(8) && pause <= secs(12));
    }
    let now = keeper.next_due();
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert!(is_handed(&keeper.ask(now), "new"));
    assert!(keeper.is_confirmed());
    assert!(!keeper.work(now).aim.confirms);
}

#[test]
fn a_call_that_confirms_and_finds_ghosts_says_when_they_pass() {
    let rules = rules(Renewal::AtExpiry);
    let mut keeper = Keeper::new(rules, true).having("old", 100, START);
    let now = START + secs(97);
    keeper.works(Err(aim::ghost()), at(now));
    assert_eq!(fails(keeper.ask(now)).retry_after, Some(secs(63)));
    // If no session has ever existed, the server confuses the identifier.
    let mut keeper = Keeper::new(rules, true);
    keeper.works(Err(aim::ghost()), at(now));
    assert!(!fails(keeper.ask(now)).is_retryable());
}

#[test]
fn an_older_session_is_preferred_while_a_new_one_from_another_address_is_in_doubt() {
    let mut keeper = keeper(Renewal::Early).having("old", 590, START);
    let mut now = keeper.next_due();
    keeper.works(Ok(fresh_away("1", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
    for ghost in ["2", "3"] {
        now += CONFIRMED_AFTER;
        assert_eq!(keeper.hands(now).as_deref(), Some("old"));
        keeper.works(Ok(fresh_away(ghost, now)), at(now));
    }
    assert!(is_handed(&keeper.ask(now), "old"));
    let error = keeper.last_error(now).unwrap();
    assert_eq!(error.status, Status::GhostSession);
}

#[test]
fn a_session_that_could_not_be_confirmed_before_a_change_of_address_is_kept() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("old", START)), at(START));
    // From the new address, no answer proves that it exists.
    let mut now = START + ms(250);
    for ghost in ["1", "2"] {
        keeper.works(Ok(fresh_away(ghost, now)), at(now));
        assert_eq!(keeper.hands(now).as_deref(), Some("old"));
        now += CONFIRMED_AFTER;
    }
    let error = keeper.last_error(now).unwrap();
    assert_eq!(error.status, Status::GhostSession);
}

#[test]
fn so_is_one_that_came_after_a_ghost() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("ghost", START)), at(START));
    let now = START + ms(250);
    keeper.works(Ok(fresh("a", now)), at(now));
    let now = now + ms(250);
    keeper.works(Ok(fresh_away("2", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("a"));
    assert_eq!(keeper.last_error(now).unwrap().status, Status::GhostSession);
}

#[test]
fn of_two_older_sessions_the_one_that_is_still_good_is_kept() {
    let mut keeper = keeper(Renewal::AtExpiry).having("over", 100, START);
    let now = START + secs(97);
    // A session from the second address, then a ghost from the third.
    keeper.works(Ok(fresh_away("good", now)), at(now));
    let now = now + ms(250);
    keeper.works(Ok(session_at("ghost", "203.0.113.9", 600, now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("good"));
}

#[test]
fn a_new_session_from_another_address_is_preferred_once_it_is_confirmed() {
    let mut keeper = keeper(Renewal::Early).having("old", 590, START);
    let now = keeper.next_due();
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
    let now = now + ms(250);
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert!(is_handed(&keeper.ask(now), "new"));
}

#[test]
fn an_older_session_of_the_same_address_is_dead_and_not_preferred() {
    // The kill has ended it.
    let mut keeper = keeper(Renewal::Early).having("old", 590, START);
    let now = keeper.next_due();
    keeper.works(Ok(fresh("new", now)), at(now));
    assert!(is_handed(&keeper.ask(now), "new"));
}

#[test]
fn an_older_session_with_too_little_left_is_not_preferred() {
    let mut keeper = keeper(Renewal::AtExpiry).having("old", 100, START);
    let over = START + secs(97);
    keeper.works(Ok(fresh_away("1", over)), at(over));
    assert_eq!(keeper.hands(over).as_deref(), Some("1"));
}

#[test]
fn after_three_ghosts_an_older_session_with_too_little_left_is_not_handed_out() {
    for renewal in [Renewal::AtExpiry, Renewal::Early] {
        let mut keeper = keeper(renewal).having("old", 100, START);
        let now = sees_three_ghosts(&mut keeper, START + secs(97));
        let error = fails(keeper.ask(now));
        assert_eq!(error.status, Status::GhostSession, "{renewal:?}");
    }
}

#[test]
fn never_kill_hands_out_the_old_session_until_it_has_been_reaped() {
    let mut keeper = keeper(Renewal::NeverKill).having("old", 100, START);
    let mut now = START + secs(97);
    keeper.works(Ok(fresh_away("ghost 1", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
    now += CONFIRMED_AFTER;
    keeper.works(Ok(fresh_away("ghost 2", now)), at(now));
    now += CONFIRMED_AFTER;
    keeper.works(Ok(fresh_away("ghost 3", now)), at(now));
    while now < START + secs(145) {
        assert!(is_handed(&keeper.ask(now), "old"));
        now = keeper.next_due();
        keeper.works(Err(aim::ghost()), at(now));
    }
    // The reaper has certainly run.
    now = now.max(START + secs(161));
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("new"));
}

#[test]
fn never_kill_does_not_hand_out_what_ended_before_a_long_sleep() {
    let mut keeper = keeper(Renewal::NeverKill).having("old", 100, START);
    let now = START + secs(8 * 3600);
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("new"));
    let mut keeper = self::keeper(Renewal::NeverKill).having("old", 100, START);
    let now = sees_three_ghosts(&mut keeper, now);
    assert_eq!(fails(keeper.ask(now)).status, Status::GhostSession);
}

#[test]
fn a_ghost_that_a_route_refuses_does_not_cost_the_older_session() {
    let mut keeper = keeper(Renewal::Early).having("old", 590, START);
    let now = keeper.next_due();
    let ghost = fresh_away("1", now);
    keeper.works(Ok(ghost.clone()), at(now));
    assert!(keeper.refuse(&ghost, at(now)));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
    keeper.works(Ok(fresh_away("2", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
}

// Failures.

#[test]
fn a_session_is_handed_out_to_its_last_second_whatever_fails() {
    let mut keeper = with_thread(Renewal::AtExpiry).having("a", 100, START);
    let mut now = keeper.next_due();
    let last_use = START + secs(100 - MIN_VALID);
    while now < last_use {
        assert_eq!(keeper.hands(now).as_deref(), Some("a"));
        if keeper.due(now).is_some() {
            keeper.works(Err(error(Status::Server)), least(now));
        }
        now += ms(100);
    }
    assert_eq!(keeper.hands(now), None);
}

#[test]
fn failures_back_off_from_one_second_to_thirty_with_full_jitter() {
    let pauses = |random| {
        let mut keeper = keeper(Renewal::AtExpiry);
        let mut now = START;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            keeper.works(Err(error(Status::Connect)), Now { time: now, random });
            pauses.push((keeper.next_due() - now).as_millis());
            now = keeper.next_due();
        }
        pauses
    };
    let longest = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
    assert_eq!(pauses(u32::MAX), longest);
    assert_eq!(pauses(0), [0; 8]);
    let half = pauses(u32::MAX / 2);
    let is_half = |(half, whole): (&u128, u128)| half.abs_diff(whole / 2) <= 1;
    assert!(half.iter().zip(longest).all(is_half), "{half:?}");
}

#[test]
fn in_a_pause_callers_are_told_what_went_wrong_and_when_to_come_back() {
    let mut keeper = keeper(Renewal::AtExpiry);
    for _ in 0..3 {
        let now = keeper.next_due().max(START);
        keeper.works(Err(error(Status::Connect)), most(now));
    }
    let now = START + secs(1 + 2 + 1);
    let error = fails(keeper.ask(now));
    assert_eq!(error.status, Status::Connect);
    assert_eq!(error.retry_after, Some(secs(3)));
    let last = keeper.last_error(now).unwrap();
    assert_eq!(last.retry_after, Some(secs(3)));
    assert!(matches!(keeper.ask(now + secs(3)), Verdict::Work(_)));
}

#[test]
fn a_success_ends_the_trouble_and_the_next_failure_pauses_for_a_second_at_most() {
    let mut keeper = keeper(Renewal::AtExpiry);
    for _ in 0..5 {
        let now = keeper.next_due().max(START);
        keeper.works(Err(error(Status::Connect)), most(now));
    }
    let now = keeper.next_due();
    keeper.works(Ok(known("a", 100, now)), at(now));
    assert!(keeper.last_error(now).is_none());
    let over = now + secs(100);
    keeper.works(Err(error(Status::Connect)), most(over));
    assert_eq!(keeper.next_due() - over, secs(1));
}

#[test]
fn a_permanent_error_is_remembered_for_a_second() {
    for status in [
        Status::RejectedOrigin,
        Status::Validation,
        Status::BadRequest,
    ] {
        let mut keeper = keeper(Renewal::AtExpiry);
        for _ in 0..10 {
            let now = keeper.next_due().max(START);
            keeper.works(Err(error(status)), most(now));
            assert_eq!(fails(keeper.ask(now + ms(999))).status, status);
            assert!(matches!(keeper.ask(now + secs(1)), Verdict::Work(_)));
        }
    }
}

#[test]
fn the_keeper_waits_as_the_server_asks() {
    for status in [Status::RateLimited, Status::Server, Status::Validation] {
        let mut keeper = keeper(Renewal::AtExpiry);
        let asked = Error {
            retry_after: Some(secs(77)),
            ..error(status)
        };
        keeper.works(Err(asked), most(START));
        assert_eq!(keeper.next_due(), START + secs(77), "{status:?}");
        assert!(matches!(keeper.ask(START + secs(76)), Verdict::Fail(_)));
    }
    let mut keeper = keeper(Renewal::AtExpiry);
    let absurd = Error {
        retry_after: Some(Duration::MAX),
        ..error(Status::Server)
    };
    keeper.works(Err(absurd), most(START));
    assert_eq!(keeper.next_due(), START + secs(600), "ten minutes at most");
}

#[test]
fn a_server_that_keeps_returning_the_same_is_asked_again_after_five_seconds() {
    for status in [
        Status::SessionExpired,
        Status::SessionNotActive,
        Status::OtherOptions,
        Status::ForeignSession,
    ] {
        for (now, pause) in [(least(START), 4), (most(START), 6)] {
            let mut keeper = keeper(Renewal::AtExpiry);
            keeper.works(Err(error(status)), now);
            let off = (keeper.next_due() - START).abs_diff(secs(pause));
            assert!(off < ms(1), "{status:?} {pause}");
        }
    }
}

#[test]
fn a_caller_whose_turn_it_is_may_try_in_a_pause() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Err(error(Status::Timeout)), most(START));
    assert_eq!(keeper.due(START), None);
    let work = keeper.work(START);
    assert_eq!(work.task, Task::Renew);
    keeper.done(&work, Ok(known("a", 100, START)), at(START));
    assert_eq!(keeper.hands(START).as_deref(), Some("a"));
}

// Refused by a route.

#[test]
fn a_refused_session_is_asked_for_again_and_may_be_killed() {
    let mut keeper = keeper(Renewal::AtExpiry).having("a", 300, START);
    let handed = keeper.held().unwrap().clone();
    assert!(keeper.refuse(&handed, at(START)));
    assert!(keeper.hand_out(START).is_none());
    assert_eq!(keeper.next_due(), START);
    let aim = work(keeper.ask(START)).aim;
    assert_eq!(aim.refused.as_deref(), Some("a"));
    assert_eq!(aim.kill, Kill::IfOver);
    keeper.works(Ok(fresh("b", START)), at(START));
    assert_eq!(keeper.hands(START).as_deref(), Some("b"));
}

#[test]
fn of_a_hundred_refusals_of_one_session_one_is_news() {
    let mut keeper = keeper(Renewal::AtExpiry).having("a", 300, START);
    let handed = keeper.held().unwrap().clone();
    let news = (0..100).filter(|_| keeper.refuse(&handed, at(START)));
    assert_eq!(news.count(), 1);
    keeper.works(Ok(fresh("b", START)), at(START));
    assert!(!keeper.refuse(&handed, at(START)));
    assert_eq!(keeper.hands(START).as_deref(), Some("b"));
}

#[test]
fn a_session_that_was_never_held_cannot_be_refused() {
    let mut keeper = keeper(Renewal::AtExpiry);
    assert!(!keeper.refuse(&fresh("x", START), at(START)));
    let mut keeper = self::keeper(Renewal::AtExpiry).having("a", 300, START);
    assert!(!keeper.refuse(&fresh("x", START), at(START)));
    assert_eq!(keeper.hands(START).as_deref(), Some("a"));
}

#[test]
fn an_earlier_token_of_the_same_session_refuses_the_session() {
    let mut keeper = keeper(Renewal::AtExpiry).having("a", 300, START);
    let earlier = known("a", 400, START - secs(100));
    assert!(keeper.refuse(&earlier, at(START)));
    assert_eq!(keeper.hands(START), None);
}

#[test]
fn a_refused_session_stays_refused_until_another_one_is_there() {
    let mut keeper = keeper(Renewal::AtExpiry).having("a", 300, START);
    let handed = keeper.held().unwrap().clone();
    keeper.refuse(&handed, at(START));
    keeper.works(Err(error(Status::Connect)), most(START));
    assert!(matches!(keeper.ask(START), Verdict::Fail(_)));
    let later = keeper.next_due();
    let aim = work(keeper.ask(later)).aim;
    assert_eq!(aim.refused.as_deref(), Some("a"));
}

#[test]
fn a_confirmation_does_not_take_a_refusal_back() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let session = fresh("a", START);
    keeper.works(Ok(session.clone()), at(START));
    let now = START + ms(250);
    let confirmation = work(keeper.ask(now));
    // The confirmation is in progress.
    assert!(keeper.refuse(&session, at(now)));
    keeper.done(&confirmation, Ok(fresh("a", now)), at(now));
    let aim = work(keeper.ask(now)).aim;
    assert_eq!(aim.refused.as_deref(), Some("a"));
}

#[test]
fn a_renewal_that_was_under_way_does_not_take_a_refusal_back() {
    for renewal in [Renewal::AtExpiry, Renewal::NeverKill] {
        let mut keeper = keeper(renewal);
        let renewal = work(keeper.ask(START));
        let stored = known("a", 300, START);
        assert!(keeper.take_stored(&stored, None, at(START)));
        assert!(keeper.refuse(&stored, at(START)));
        let later = START + ms(100);
        keeper.done(&renewal, Ok(known("a", 300, later)), at(later));
        let aim = work(keeper.ask(later)).aim;
        assert_eq!(aim.refused.as_deref(), Some("a"));
    }
}

#[test]
fn a_refusal_does_not_shorten_what_the_server_asks_to_wait() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let session = fresh("a", START);
    keeper.works(Ok(session.clone()), at(START));
    let now = START + ms(250);
    let asked = Error {
        retry_after: Some(secs(30)),
        ..error(Status::RateLimited)
    };
    keeper.works(Err(asked), at(now));
    keeper.refuse(&session, at(now));
    assert_eq!(fails(keeper.ask(now)).status, Status::RateLimited);
    assert_eq!(keeper.next_due(), now + secs(30));
}

#[test]
fn a_refusal_ends_a_pause_that_was_only_careful() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let session = fresh("a", START);
    keeper.works(Ok(session.clone()), at(START));
    let now = START + ms(250);
    keeper.works(Err(error(Status::Connect)), most(now));
    keeper.refuse(&session, at(now));
    assert!(matches!(keeper.ask(now), Verdict::Work(_)));
}

#[test]
fn three_refusals_in_a_row_are_ghosts() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let mut now = START;
    for id in ["a", "b", "c"] {
        assert!(matches!(keeper.ask(now), Verdict::Work(_)));
        let session = fresh(id, now);
        keeper.works(Ok(session.clone()), at(now));
        now += ms(200);
        assert!(keeper.refuse(&session, at(now)));
    }
    assert_eq!(fails(keeper.ask(now)).status, Status::GhostSession);
    let pause = keeper.next_due() - now;
    assert!((secs(4)..=secs(6)).contains(&pause), "{pause:?}");
    assert!(matches!(keeper.ask(now + pause), Verdict::Work(_)));
}

#[test]
fn a_session_that_comes_after_three_refusals_is_confirmed_as_soon_as_any_other() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let mut now = START;
    for id in ["a", "b"] {
        let session = fresh(id, now);
        keeper.works(Ok(session.clone()), at(now));
        now += ms(100);
        assert!(keeper.refuse(&session, at(now)));
    }
    let session = fresh("c", now);
    keeper.works(Ok(session.clone()), at(now));
    now += ms(250);
    let confirmation = work(keeper.ask(now));
    // The confirmation is in progress.
    assert!(keeper.refuse(&session, at(now)));
    now += ms(100);
    keeper.done(&confirmation, Ok(fresh("d", now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("d"));
    assert!(is_confirmation(&keeper.ask(now + ms(250))));
}

#[test]
fn refusals_that_are_far_apart_have_nothing_to_do_with_each_other() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let mut now = START;
    for id in ["a", "b", "c", "d", "e"] {
        let session = fresh(id, now);
        keeper.works(Ok(session.clone()), at(now));
        assert!(keeper.refuse(&session, at(now)));
        assert!(matches!(keeper.ask(now), Verdict::Work(_)));
        now += secs(11);
    }
}

/// The wrong clock of a proxy makes the session look expired.
#[test]
fn a_session_that_has_just_begun_is_not_taken_for_one_that_is_over_and_alive() {
    let mut keeper = keeper(Renewal::NeverKill);
    let ghost = known("ghost", 3, START).with_age(Some(0));
    keeper.works(Ok(ghost), at(START));
    let error = fails(keeper.ask(START));
    assert_eq!(error.status, Status::SessionExpired);
    assert_eq!(error.retry_after, Some(keeper.next_due() - START));
    let now = keeper.next_due();
    keeper.works(Ok(known("old", 3, now)), at(now));
    assert_eq!(keeper.hands(now).as_deref(), Some("old"));
}

#[test]
fn a_refused_session_that_is_over_and_alive_is_not_handed_out() {
    let mut keeper = keeper(Renewal::NeverKill).having("a", 100, START);
    let over = START + secs(101);
    keeper.works(Ok(known("a", 0, over)), at(over));
    let handed = keeper.held().unwrap().clone();
    assert!(keeper.refuse(&handed, at(over)));
    // The server has removed it, so a new session is available at once.
    assert!(matches!(keeper.ask(over), Verdict::Work(_)));
}

/// The device changes its address, gets ghosts, and changes back.
#[test]
fn a_refused_session_that_the_server_returns_after_others_is_not_handed_out_again() {
    for renewal in [Renewal::AtExpiry, Renewal::NeverKill] {
        for is_compared in [false, true] {
            let mut keeper = keeper(renewal).having("a", 500, START);
            let used = keeper.held().expect("it has one").clone();
            keeper.refuse(&used, at(START));
            let now = START + secs(20);
            keeper.works(Ok(fresh_away("ghost", now)), at(now));
            assert_eq!(keeper.hands(now).as_deref(), Some("ghost"));
            if !is_compared {
                keeper.refuse(&fresh_away("ghost", now), at(now));
            }
            let now = now + secs(1);
            keeper.works(Ok(known("a", 479, now)), at(now));
            let next = work(keeper.ask(now));
            assert_eq!(next.aim.refused.as_deref(), Some("a"), "{renewal:?}");
            assert!(!keeper.take_stored(&used, None, at(now)));
            assert_eq!(keeper.hands(now), None);
        }
    }
}

#[test]
fn a_refused_older_session_is_not_handed_out_again() {
    let mut keeper = keeper(Renewal::Early).having("old", 590, START);
    let old = keeper.held().unwrap().clone();
    let now = keeper.next_due();
    keeper.works(Ok(fresh_away("new", now)), at(now));
    assert!(keeper.refuse(&old, at(now)));
    assert!(!keeper.refuse(&old, at(now)));
    assert_eq!(keeper.hands(now).as_deref(), Some("new"));
}

#[test]
fn a_session_that_is_refused_after_a_refused_one_is_asked_for_and_not_killed() {
    let mut keeper = keeper(Renewal::AtExpiry).having("a", 500, START);
    let second = known("b", 500, START);
    keeper.refuse(&known("a", 500, START), at(START));
    keeper.works(Ok(second.clone()), at(START));
    assert!(keeper.refuse_again(&second, at(START)));
    let aim = work(keeper.ask(START)).aim;
    assert_eq!((aim.kill, aim.refused), (Kill::Never, None));
    // The server still has it, so it is tried once more.
    let later = START + secs(1);
    keeper.works(Ok(known("b", 499, later)), at(later));
    assert_eq!(keeper.hands(later).as_deref(), Some("b"));
    assert_eq!(keeper.work(later).aim.kill, Kill::IfOver);
    // The server may refuse a path that does not exist with the same words, repeatedly.
    assert!(!keeper.refuse_again(&second, at(later)));
    assert!(!keeper.refuse_again(&known("a", 500, START), at(later)));
    assert_eq!(keeper.work(later).aim.kill, Kill::IfOver);
    let later = later + secs(5);
    assert!(keeper.refuse_again(&second, at(later)));
}

#[test]
fn while_another_works_a_session_is_handed_out_for_a_moment_at_a_time() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(
        Ok(session_at("a", HOME, 30, START).with_age(Some(0))),
        at(START),
    );
    let now = START + secs(1);
    assert!(keeper.hand_out(now).is_none_or(|(_, until)| until <= now));
    let (_, until) = keeper.hand_out_meanwhile(now).unwrap();
    assert_eq!(until, now + ms(100));
    let now = START + ms(24_950);
    let (_, until) = keeper.hand_out_meanwhile(now).unwrap();
    assert_eq!(until, START + secs(25), "not beyond its last use");
    assert!(keeper.hand_out_meanwhile(until).is_none());
}

// Failures after a kill or near the end of a session.

#[test]
fn after_a_kill_whose_outcome_is_unknown_nothing_is_asked_for_half_a_second() {
    for status in [Status::Timeout, Status::ConnectionLost] {
        let mut keeper = keeper(Renewal::Early).having("a", 100, START);
        let now = keeper.next_due();
        let kill = keeper.works(Err(error(status)), least(now));
        assert_eq!(kill.aim.kill, Kill::First);
        assert_eq!(keeper.next_due(), now + ms(500));
        let next = work(keeper.ask(now + ms(500)));
        assert_eq!(next.aim.kill, Kill::IfOver);
    }
}

#[test]
fn a_failed_renewal_is_made_again_when_the_session_is_over() {
    let mut keeper = keeper(Renewal::Early).having("a", 100, START);
    for _ in 0..6 {
        let now = keeper.next_due();
        keeper.works(Err(error(Status::Connect)), at(now));
    }
    let now = START + secs(90);
    keeper.works(Err(error(Status::Connect)), most(now));
    assert_eq!(keeper.next_due(), START + secs(95));
}

// Confirmations that fail.

#[test]
fn a_confirmation_that_fails_is_no_failure_of_a_renewal() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(
        Ok(session_at("a", HOME, 30, START).with_age(Some(0))),
        at(START),
    );
    let mut now = START + CONFIRMED_AFTER;
    while now < START + secs(25) {
        assert!(is_confirmation(&keeper.ask(now)));
        keeper.works(Err(error(Status::Timeout)), most(now));
        assert!(keeper.last_error(now).is_none());
        assert_eq!(keeper.hands(now).as_deref(), Some("a"));
        now = keeper.next_due();
    }
    let over = START + secs(25);
    assert!(matches!(keeper.ask(over), Verdict::Work(_)));
}

#[test]
fn confirmations_that_fail_are_further_and_further_apart() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    let mut now = START + CONFIRMED_AFTER;
    for pause in [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
        keeper.works(Err(error(Status::Timeout)), least(now));
        let off = (keeper.next_due() - now).abs_diff(ms(pause * 8 / 10));
        assert!(off < ms(1), "{pause}");
        now = keeper.next_due();
    }
}

#[test]
fn a_pause_that_the_server_asks_for_holds_after_a_confirmation_too() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    let now = START + CONFIRMED_AFTER;
    let asked = Error {
        retry_after: Some(secs(77)),
        ..error(Status::RateLimited)
    };
    keeper.works(Err(asked), at(now));
    assert_eq!(keeper.next_due(), now + secs(77));
}

#[test]
fn locked_out_with_a_session_in_hand_it_waits_and_without_one_it_does_not() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.locked_out(at(START));
    assert!(matches!(keeper.ask(START), Verdict::Work(_)));
    keeper.works(Ok(fresh("a", START)), at(START));
    let now = START + CONFIRMED_AFTER;
    assert!(is_confirmation(&keeper.ask(now)));
    keeper.locked_out(least(now));
    assert!(is_handed(&keeper.ask(now + ms(3999)), "a"));
    assert!(is_confirmation(&keeper.ask(now + secs(4))));
}

// Stored sessions.

#[test]
fn a_stored_session_in_doubt_is_confirmed_so_long_after_it_came() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let came = START - ms(100);
    assert!(keeper.take_stored(&fresh("a", came), Some(came), at(START)));
    assert!(is_handed(&keeper.ask(START), "a"));
    assert!(is_confirmation(&keeper.ask(START + ms(150))));

    let mut keeper = self::keeper(Renewal::AtExpiry);
    let came = START - CONFIRMED_AFTER;
    assert!(keeper.take_stored(&fresh("a", came), Some(came), at(START)));
    assert!(keeper.due(START).is_some(), "before it is handed out");
}

#[test]
fn a_stored_ghost_is_none_of_three_in_a_row() {
    let mut keeper = keeper(Renewal::AtExpiry);
    let came = START - secs(30);
    assert!(keeper.take_stored(&fresh("stored", came), Some(came), at(START)));
    let mut now = START;
    for ghost in ["1", "2"] {
        keeper.works(Ok(fresh(ghost, now)), at(now));
        assert_eq!(keeper.hands(now).as_deref(), Some(ghost));
        now += CONFIRMED_AFTER;
    }
    keeper.works(Ok(fresh("3", now)), at(now));
    assert_eq!(fails(keeper.ask(now)).status, Status::GhostSession);
}

#[test]
fn a_stored_session_that_is_good_needs_no_request() {
    let mut keeper = keeper(Renewal::AtExpiry);
    assert!(keeper.take_stored(&fresh("a", START), None, at(START)));
    assert!(keeper.is_confirmed());
    assert!(is_handed(&keeper.ask(START + secs(1)), "a"));
}

#[test]
fn a_stored_session_ends_a_pause() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Err(error(Status::Connect)), most(START));
    assert!(keeper.take_stored(&known("a", 100, START), None, at(START)));
    assert!(is_handed(&keeper.ask(START), "a"));
    assert!(keeper.last_error(START).is_none());
}

#[test]
fn a_stored_session_that_is_over_or_refused_or_no_news_is_not_taken() {
    let mut keeper = keeper(Renewal::AtExpiry);
    assert!(!keeper.take_stored(&known("a", MIN_VALID, START), None, at(START)));
    let stored = known("a", 100, START);
    assert!(keeper.take_stored(&stored, None, at(START)));
    assert!(!keeper.take_stored(&stored, None, at(START)));
    keeper.refuse(&stored, at(START));
    assert!(!keeper.take_stored(&stored, None, at(START)));
    let other_token = known("a", 99, START + secs(1));
    assert!(!keeper.take_stored(&other_token, None, at(START)));
    assert!(keeper.take_stored(&known("b", 100, START), None, at(START)));
}

#[test]
fn a_stored_session_that_nobody_has_confirmed_is_in_doubt_whatever_its_age() {
    for left in [600, 300] {
        let mut keeper = keeper(Renewal::AtExpiry);
        assert!(keeper.take_stored(&known("a", left, START), Some(START), at(START)));
        assert!(!keeper.is_confirmed(), "{left}");
        assert!(is_confirmation(&keeper.ask(START + ms(250))), "{left}");
    }
}

#[test]
fn the_same_session_in_another_answer_is_its_confirmation() {
    let mut keeper = keeper(Renewal::AtExpiry);
    keeper.works(Ok(fresh("a", START)), at(START));
    let others = fresh("a", START + ms(100));
    assert!(keeper.take_stored(&others, Some(START), at(START + ms(200))));
    assert!(keeper.is_confirmed());
}
