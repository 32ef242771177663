//! What all calls of a client have in common: what never changes, and what the
//! calls of one process share.

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

/// A hundred times the largest session that the server sends.
const MAX_BODY: usize = 64 * 1024;

/// How long the words of an error are waited for, at most a quarter of the call's
/// time: its status must not be lost with them.
const MAX_ERROR_BODY_TIME: Duration = Duration::from_secs(4);

/// A client's settings in the form in which calls need them.
pub struct Context {
    pub environment: Environment,
    pub destination: Destination,
    pub policy: Policy,
    /// Of the session call.
    pub request_head: RequestHead,
    pub rules: Rules,
    /// Of requests to other routes.
    pub common: Common,
    pub log: Option<Arc<Log>>,
    pub origin: String,
    timeout: Duration,
}

/// What the calls of one process share. A forked child starts with its own.
#[derive(Default)]
pub struct Shared {
    pub single_flight: SingleFlight,
    pub budget: Budget,
    pub network: Network,
    /// Of requests. Session calls have others, or many requests would keep the sessions
    /// from being renewed.
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

    /// Returns what an exchange with this request accepts. Any answer has to come whole:
    /// it is the caller's.
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

    /// Returns when a call that begins now has to end.
    pub fn deadline(&self) -> Moment {
        self.now().saturating_add(self.timeout)
    }

    /// Returns what a call's decisions depend on.
    pub fn decision<'a>(&self, shared: &'a Shared) -> Now<'a> {
        Now {
            time: self.now(),
            random: self.environment.random,
            budget: &shared.budget,
        }
    }

    /// Tells the log what a call has decided.
    pub fn log_note(&self, note: Option<Note>) {
        if let Some((level, words)) = note {
            log::say(self.log.as_deref(), level, || words);
        }
    }

    /// Tells the log of a call that has failed.
    pub fn log_failure(&self, error: &Error) {
        log::say(self.log.as_deref(), Level::Error, || error.message.clone());
    }

    /// Tells the log of an answer.
    pub fn log_answer(&self, status: u16, took: Duration, was_kept: bool) {
        log::say(self.log.as_deref(), Level::Debug, || {
            format!(
                "{} answered HTTP {status} after {took:.1?} over a {} connection",
                self.destination.authority,
                if was_kept { "kept" } else { "new" },
            )
        });
    }

    /// Returns the error for a failure of an exchange, or of making a connection.
    pub fn describe(&self, failure: Failure, exchange: Option<&Exchange>) -> Error {
        self.describe_within(self.timeout, failure, exchange)
    }

    /// Returns the error for a failure of a request.
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

    /// As [`describe`](Self::describe), for a request with another time limit.
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

    /// Returns the error of a call whose time is over while it waits.
    pub fn out_of_time(&self, awaited: Awaited) -> Error {
        self.destination.attempt().out_of_time(awaited)
    }
}
