//! State of all calls of a client: the settings, and the state that the calls of one process share.

use std::{sync::Arc, time::Duration};

use crate::{
    api::json,
    config::Settings,
    connect::{
        connector::{Destination, Network},
        failure::{Attempt, Awaited, Failure},
        places::Places,
    },
    create::{
        budget::Budget,
        call::{Note, Now, Policy},
        single_flight::SingleFlight,
    },
    environment::Environment,
    error::Error,
    http::{
        exchange::{Exchange, Rules},
        head::Method,
        no_answer::NoAnswer,
        request::RequestHead,
    },
    log::{self, Level, Log},
    moment::Moment,
    send::{head::Common, request::Outline},
};

/// The longest body of a session call, a hundred times the largest session of the server.
const MAX_BODY: usize = 64 * 1024;

/// How long to wait for the message of an error, or a quarter of the call's time limit if that is
/// less. The status must be reported even without the message.
const MAX_ERROR_BODY_TIME: Duration = Duration::from_secs(4);

/// The settings of a client, in the form that calls need.
pub struct Context {
    pub environment: Environment,
    pub destination: Destination,
    pub policy: Policy,
    /// For session calls.
    pub request_head: RequestHead,
    pub rules: Rules,
    /// For requests to other routes.
    pub common: Common,
    pub log: Option<Arc<Log>>,
    pub origin: String,
    timeout: Duration,
}

/// State that the calls of one process share. A forked child creates its own.
#[derive(Default)]
pub struct Shared {
    pub single_flight: SingleFlight,
    pub budget: Budget,
    pub network: Network,
    /// For requests. Session calls have separate places. Otherwise many requests could prevent the
    /// renewal of sessions.
    pub places: Places,
    pub session_places: Places,
}

impl Context {
    pub fn new(settings: Settings, environment: Environment) -> Self {
        let Settings {
            destination,
            origin,
            timeout,
            max_attempts,
            log,
        } = settings;
        let endpoint = &destination.endpoint;
        let host = endpoint.host_header();
        let headers = [
            ("host", &*host),
            ("origin", &*origin),
            ("user-agent", &*destination.user_agent),
            ("accept", "*/*"),
            ("content-type", "application/json"),
        ];
        Self {
            environment,
            request_head: RequestHead::new("POST", endpoint.url.path(), &headers),
            policy: Policy {
                max_attempts,
                url: endpoint.url.clone(),
                authority: destination.authority.clone(),
            },
            rules: Rules {
                method: Method::Usual,
                max_body: MAX_BODY,
                error_body_time: Some(MAX_ERROR_BODY_TIME.min(timeout / 4)),
                is_whole: json::is_whole_object,
            },
            common: Common::new(
                endpoint.base_path(),
                &host,
                &origin,
                &destination.user_agent,
            ),
            destination,
            log,
            origin,
            timeout,
        }
    }

    /// Returns the rules for the answer to this request. The answer has to be complete, because the
    /// caller gets it.
    pub fn rules_for(&self, outline: &Outline) -> Rules {
        Rules {
            method: outline.framing(),
            max_body: outline.max_response,
            error_body_time: None,
            is_whole: |_| false,
        }
    }

    pub fn now(&self) -> Moment {
        (self.environment.now)()
    }

    /// Returns the deadline of a call that starts now.
    pub fn deadline(&self) -> Moment {
        self.now().saturating_add(self.timeout)
    }

    /// Returns the time, the random numbers and the budget for the decisions of a call.
    pub fn decision<'a>(&self, shared: &'a Shared) -> Now<'a> {
        Now {
            time: self.now(),
            random: self.environment.random,
            budget: &shared.budget,
        }
    }

    /// Logs the note of a call.
    pub fn log_note(&self, note: Option<Note>) {
        if let Some((level, words)) = note {
            log::say(self.log.as_deref(), level, || words);
        }
    }

    /// Logs a failed call.
    pub fn log_failure(&self, error: &Error) {
        log::say(self.log.as_deref(), Level::Error, || error.message.clone());
    }

    /// Logs an answer.
    pub fn log_answer(&self, status: u16, took: Duration, was_kept: bool) {
        log::say(self.log.as_deref(), Level::Debug, || {
            format!(
                "{} answered HTTP {status} after {took:.1?} over a {} connection",
                self.destination.authority,
                if was_kept { "kept" } else { "new" },
            )
        });
    }

    /// Returns the error for a failed exchange or connection.
    pub fn describe(&self, failure: Failure, exchange: Option<&Exchange>) -> Error {
        self.describe_within(self.timeout, failure, exchange)
    }

    /// Returns the error for a failed request.
    pub fn describe_request(
        &self,
        outline: &Outline,
        failure: Failure,
        exchange: Option<&Exchange>,
    ) -> Error {
        if let Failure::Answer(NoAnswer::BodyTooLarge) = failure {
            let status = exchange.map_or(0, Exchange::status);
            return outline.too_long().with_http_status(status);
        }
        self.describe_within(outline.timeout, failure, exchange)
    }

    /// Does the same as [`describe`](Self::describe), with another time limit.
    fn describe_within(
        &self,
        limit: Duration,
        failure: Failure,
        exchange: Option<&Exchange>,
    ) -> Error {
        let attempt = Attempt {
            timeout: limit,
            ..self.destination.attempt()
        };
        let error = attempt.describe(failure);
        match exchange {
            Some(exchange) => error.with_http_status(exchange.status()),
            None => error,
        }
    }

    /// Returns the error for a call whose time limit has passed.
    pub fn out_of_time(&self, awaited: Awaited) -> Error {
        self.destination.attempt().out_of_time(awaited)
    }
}
