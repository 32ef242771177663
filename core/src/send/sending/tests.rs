use super::*;
use crate::create::budget::Budget;

const DEADLINE: Moment = Duration::from_secs(30);

const READ: Terms = Terms {
    deadline: DEADLINE,
    max_attempts: 3,
    is_repeatable: true,
    renews: true,
};
const WRITE: Terms = Terms {
    is_repeatable: false,
    ..READ
};

/// A sending with its clock and budget.
struct World {
    sending: Sending,
    budget: Budget,
    time: Moment,
}

impl World {
    fn new(terms: Terms) -> Self {
        let budget = Budget::default();
        let now = Now {
            time: Moment::ZERO,
            random: || u32::MAX,
            budget: &budget,
        };
        Self {
            sending: Sending::new(terms, &now),
            budget,
            time: Moment::ZERO,
        }
    }

    /// Returns a world whose first request is ready to be sent.
    fn begun(terms: Terms) -> Self {
        let mut world = Self::new(terms);
        if terms.renews {
            world.gets_session(false);
        }
        world
    }

    fn gets_session(&mut self, after_refusal: bool) {
        match self.sending.step() {
            Step::Session { is_refused, .. } => assert_eq!(is_refused, after_refusal),
            other => panic!("{other:?}"),
        }
        self.sending.has_session();
    }

    fn sends(&mut self) -> Over {
        match self.sending.step() {
            Step::Exchange { over } => over,
            other => panic!("{other:?}"),
        }
    }

    /// Returns the length of the wait.
    fn waits(&mut self) -> Duration {
        match self.sending.step() {
            Step::Wait { until, .. } => {
                let waited = until - self.time;
                self.time = until;
                waited
            }
            other => panic!("{other:?}"),
        }
    }

    fn is_answered(&mut self, status: u16, body: &str) {
        self.is_answered_with(Answer::of(status, body.as_bytes()));
    }

    fn is_answered_with(&mut self, answer: Answer<'_>) {
        self.sends();
        let now = Now {
            time: self.time,
            random: || u32::MAX,
            budget: &self.budget,
        };
        self.sending.answered(&answer, 0, &now);
    }

    fn fails(&mut self, failed: Failed, is_whole: bool) {
        self.sends();
        let now = Now {
            time: self.time,
            random: || u32::MAX,
            budget: &self.budget,
        };
        self.sending.failed(failed, is_whole, &now);
    }

    fn is_over(&mut self) -> Result<(), Error> {
        match self.sending.step() {
            Step::Finish(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

const INACTIVE: &str = r#"{"validationError":"Session is not active"}"#;
const PROTECTED: &str = "Protected resource, use Authorization header to get access";

fn lost() -> Failed {
    Failed {
        error: Error::new(Status::ConnectionLost, "lost"),
        was_kept: false,
        was_sent: true,
        has_heard: false,
    }
}

fn lost_when_kept() -> Failed {
    Failed {
        was_kept: true,
        ..lost()
    }
}

fn unreachable() -> Failed {
    Failed {
        error: Error::new(Status::Connect, "refused"),
        was_sent: false,
        ..lost()
    }
}

// Which answer is the response.

#[test]
fn every_other_answer_is_the_response() {
    for (status, body) in [
        (200, "{}"),
        (204, ""),
        (302, ""),
        (400, ""),
        (401, "Invalid session"),
        (403, r#"{"error":"search limit exceeded"}"#),
        (403, "Rejected"),
        (403, r#"{"validationError":"Tag is not active"}"#),
        (401, r#"{"error":"a protected resource"}"#),
        (404, r#"{"error":"Not Found"}"#),
        (404, "<title>Not Found</title>"),
        (403, ""),
        (404, r#"{"error":"no such tag"}"#),
        (409, ""),
        (500, ""),
    ] {
        let mut world = World::begun(READ);
        world.is_answered(status, body);
        assert!(world.is_over().is_ok(), "{status} {body}");
    }
}

#[test]
fn without_a_provider_a_refused_session_is_a_response_too() {
    for (status, body) in [(401, PROTECTED), (403, INACTIVE)] {
        let mut world = World::begun(Terms {
            renews: false,
            ..READ
        });
        world.is_answered(status, body);
        assert!(world.is_over().is_ok());
    }
}

// Refused sessions.

#[test]
fn every_request_goes_out_again_after_a_renewal() {
    for terms in [READ, WRITE] {
        let mut world = World::begun(terms);
        world.is_answered(403, INACTIVE);
        world.gets_session(true);
        world.is_answered(200, "{}");
        assert!(world.is_over().is_ok());
    }
}

#[test]
fn a_session_that_is_refused_three_times_is_a_ghost() {
    let mut world = World::begun(WRITE);
    for _ in 0..2 {
        world.is_answered(403, INACTIVE);
        world.gets_session(true);
    }
    world.is_answered(403, INACTIVE);
    let error = world.is_over().unwrap_err();
    assert_eq!(error.status, Status::GhostSession);
    assert_eq!(error.http_status, 403);
    assert_eq!(
        error.server_message.as_deref(),
        Some("Session is not active")
    );
}

#[test]
fn the_second_session_that_is_refused_is_not_killed() {
    let mut world = World::begun(WRITE);
    for may_kill in [true, false] {
        world.is_answered(403, INACTIVE);
        match world.sending.step() {
            Step::Session { may_kill: may, .. } => assert_eq!(may, may_kill),
            other => panic!("{other:?}"),
        }
        world.sending.has_session();
    }
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let mut world = World::begun(WRITE);
    world.is_answered(401, PROTECTED);
    match world.sending.step() {
        Step::Session {
            is_refused,
            may_kill,
        } => assert!(is_refused && !may_kill),
        other => panic!("{other:?}"),
    }
    world.sending.has_session();
    world.is_answered(401, PROTECTED);
    assert!(world.is_over().is_ok());
}

// Temporary errors.

#[test]
fn a_repeatable_request_is_repeated_after_a_temporary_error() {
    for status in [429, 502, 503, 504] {
        let mut world = World::begun(READ);
        world.is_answered(status, "");
        assert_eq!(world.waits(), Duration::from_millis(200));
        world.is_answered(status, "");
        assert_eq!(world.waits(), Duration::from_millis(400));
        world.is_answered(status, "");
        assert!(world.is_over().is_ok(), "the last answer is the response");

        let mut world = World::begun(WRITE);
        world.is_answered(status, "");
        assert!(world.is_over().is_ok());
    }
}

#[test]
fn the_servers_retry_after_is_the_least_wait() {
    use crate::http::retry_after::RetryAfter;
    let asked = |seconds| Answer {
        retry_after: Some(RetryAfter::Seconds(seconds)),
        ..Answer::of(429, b"")
    };
    let mut world = World::begun(READ);
    world.is_answered_with(asked(7));
    assert!(world.waits() >= Duration::from_secs(7));
    let mut world = World::begun(READ);
    world.is_answered_with(asked(31));
    assert!(world.is_over().is_ok(), "longer than the call may take");
}

#[test]
fn a_starting_server_is_waited_for_until_the_deadline() {
    let mut world = World::begun(READ);
    for count in 0.. {
        world.is_answered(404, "Not Found");
        match world.sending.step() {
            Step::Wait { until, .. } => {
                assert!(until - world.time <= Duration::from_secs(3));
                world.time = until;
            }
            Step::Finish(outcome) => {
                assert!(outcome.is_ok() && count >= 9, "{count}");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let mut world = World::begun(WRITE);
    world.is_answered(404, "Not Found");
    assert!(world.is_over().is_ok());
}

#[test]
fn repetitions_have_a_budget() {
    let mut world = World::begun(READ);
    while world.budget.spend(Moment::ZERO) {}
    world.is_answered(503, "");
    assert!(world.is_over().is_ok());
}

// Failures.

#[test]
fn every_request_that_was_not_sent_is_sent_again() {
    for terms in [READ, WRITE] {
        let mut world = World::begun(terms);
        world.fails(unreachable(), false);
        world.waits();
        world.fails(unreachable(), false);
        world.waits();
        world.fails(unreachable(), false);
        let error = world.is_over().unwrap_err();
        assert_eq!(error.status, Status::Connect);
        assert!(!error.message.contains("carried"));
    }
}

#[test]
fn a_request_that_must_not_be_repeated_is_sent_once_if_the_server_may_have_it() {
    for failed in [lost(), lost_when_kept()] {
        let mut world = World::begun(WRITE);
        world.fails(failed, true);
        let error = world.is_over().unwrap_err();
        assert!(error.message.ends_with("may have carried the request out"));
    }
}

#[test]
fn a_server_that_has_begun_to_answer_may_have_acted_upon_a_part() {
    let mut world = World::begun(WRITE);
    let failed = Failed {
        has_heard: true,
        ..lost()
    };
    world.fails(failed, false);
    let error = world.is_over().unwrap_err();
    assert!(error.message.ends_with("may have carried the request out"));
}

#[test]
fn the_error_of_what_may_have_been_carried_out_does_not_ask_to_try_again() {
    let mut world = World::begun(WRITE);
    let error = Error::new(Status::ConnectionLost, "it broke off; try again");
    world.fails(Failed { error, ..lost() }, true);
    let error = world.is_over().unwrap_err();
    assert_eq!(
        error.message,
        "it broke off; the server may have carried the request out"
    );
    assert!(!error.is_retryable());
}

#[test]
fn a_long_refusal_is_a_response() {
    let long = format!(
        r#"{{"validationError":"Session is not active","x":"{}"}}"#,
        "x".repeat(5000)
    );
    let mut world = World::begun(READ);
    world.is_answered(403, &long);
    assert!(world.is_over().is_ok());
}

#[test]
fn a_part_of_a_request_is_not_carried_out() {
    let mut world = World::begun(WRITE);
    world.fails(lost(), false);
    world.waits();
    world.is_answered(200, "{}");
    assert!(world.is_over().is_ok());
}

#[test]
fn a_dead_kept_connection_has_one_second_chance_at_once() {
    let mut world = World::begun(READ);
    assert_eq!(world.sends(), Over::Any);
    let mut world = World::begun(READ);
    world.fails(lost_when_kept(), true);
    assert_eq!(world.sends(), Over::Replacement);
    let mut world = World::begun(READ);
    world.fails(lost_when_kept(), true);
    world.fails(lost_when_kept(), true);
    world.waits();
}

#[test]
fn a_request_that_must_not_be_repeated_uses_a_connection_that_was_just_used() {
    assert_eq!(World::begun(WRITE).sends(), Over::JustUsed);
}

#[test]
fn an_error_that_will_not_pass_is_the_end() {
    let mut world = World::begun(READ);
    let error = Error::new(Status::ResponseTooLarge, "large");
    world.fails(Failed { error, ..lost() }, true);
    assert_eq!(
        world.is_over().unwrap_err().status,
        Status::ResponseTooLarge
    );
}

#[test]
fn each_attempt_has_that_second_chance() {
    let mut world = World::begun(READ);
    world.fails(lost_when_kept(), true);
    world.is_answered(503, "");
    world.waits();
    world.fails(lost_when_kept(), true);
    world.is_answered(200, "");
    assert!(world.is_over().is_ok());
}
