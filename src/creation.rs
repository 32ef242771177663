//! The one call that everything starts with: what has to happen between a
//! request and a session worth handing out.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::{
    api::{self, Answer},
    creator::Surroundings,
    error::{Error, Status},
    log::{self, Level, Log},
    retry::{self, Budget},
    session::Session,
    session_options::SessionRequest,
    transport::{Http, Resend},
};

/// Who waits as long as this for the next attempt makes room for others.
const LONG_WAIT: Duration = Duration::from_secs(1);

/// A session with less left is not worth handing out: it would be over before
/// its first use arrives, and `Date` counts in whole seconds only.
const LEAST_SECONDS: i64 = 2;

pub(crate) struct Creation<'a, P> {
    pub(crate) http: &'a mut Http,
    /// Lets a longer time pass, for which nothing need be held. Afterwards there
    /// may be another [`Http`] in its place.
    pub(crate) pause: P,
    pub(crate) budget: &'a Budget,
    pub(crate) max_attempts: u32,
    pub(crate) deadline: Instant,
    pub(crate) log: Option<&'a Log>,
    pub(crate) surroundings: Surroundings,
}

impl<P: AsyncFnMut(Duration, &mut Http)> Creation<'_, P> {
    pub(crate) async fn run(&mut self, request: &SessionRequest) -> Result<Session, Error> {
        let resend = match request.kill_session {
            Some(true) => Resend::Never,
            _ => Resend::Once,
        };
        let session = self.send(request, resend).await?;
        if session.seconds_left() >= LEAST_SECONDS {
            return Ok(session);
        }
        if let Some(advice) = why_not_replaced(&session, request) {
            return Err(expired(advice));
        }
        log::say(self.log, Level::Info, || {
            "the server returned an expired session; replacing it".to_owned()
        });
        self.replace(request).await
    }

    /// The server goes on returning an expired session until its reaper has
    /// been round; only a kill brings a new one.
    async fn replace(&mut self, request: &SessionRequest) -> Result<Session, Error> {
        let kill = SessionRequest {
            kill_session: Some(true),
            ..request.clone()
        };
        let session = match self.send(&kill, Resend::Never).await {
            // The kill may have been carried out or not. A second one could end
            // the session that the first has made, and that another process of
            // this device may have been given by now.
            Err(error) if error.status.is_retryable() && !was_not_carried_out(&error) => {
                self.send(request, Resend::No).await?
            }
            other => other?,
        };
        if session.seconds_left() < LEAST_SECONDS {
            return Err(expired(STILL_EXPIRED));
        }
        Ok(session)
    }

    /// Attempts until one succeeds, or another is not worth it.
    async fn send(
        &mut self,
        request: &SessionRequest,
        mut resend: Resend,
    ) -> Result<Session, Error> {
        self.budget.count_call(self.now());
        let mut failures = 0;
        loop {
            let error = match self.attempt(request, resend).await {
                Ok(session) => return Ok(session),
                Err(error) => error,
            };
            failures += 1;
            let is_worth_another = match resend {
                Resend::Never => was_not_carried_out(&error),
                Resend::Once | Resend::No => error.status.is_retryable(),
            };
            if !is_worth_another || failures >= self.max_attempts {
                return Err(error);
            }
            if resend == Resend::Once {
                // What an earlier call kept has been seen to; this call's own
                // connections have no second chance.
                resend = Resend::No;
            }
            let wait = retry::wait(&error, failures, (self.surroundings.random)());
            let too_late = Instant::now()
                .checked_add(wait)
                .is_none_or(|then| then >= self.deadline);
            if too_late || !self.budget.spend(self.now()) {
                return Err(error);
            }
            log::say(self.log, Level::Warning, || {
                format!(
                    "{}; attempt {} follows in {wait:?}",
                    error.message,
                    failures + 1
                )
            });
            if wait < LONG_WAIT {
                sleep(wait).await;
            } else {
                self.http.forget_kept()?;
                (self.pause)(wait, self.http).await;
            }
        }
    }

    async fn attempt(
        &mut self,
        request: &SessionRequest,
        resend: Resend,
    ) -> Result<Session, Error> {
        let body = serde_json::to_vec(request).map_err(|error| {
            Error::new(
                Status::InvalidArgument,
                format!("the options cannot be sent: {error}"),
            )
        })?;
        let answer = self
            .http
            .post(body, resend, self.surroundings.clock)
            .await?;
        self.judge(&answer, request)
    }

    fn judge(&self, answer: &Answer, request: &SessionRequest) -> Result<Session, Error> {
        if !(200..300).contains(&answer.http_status) {
            return Err(api::error_from(answer, self.http.authority()));
        }
        let (session, payload) = api::session_from(answer, self.surroundings.clock)?;
        // A tag name that finds another identifier's session is what it is for.
        if let Some(asked) = &request.identifier
            && request.tag_name.is_none()
            && payload.is_some_and(|payload| payload.is_of(asked) == Some(false))
        {
            return Err(Error::new(
                Status::ForeignSession,
                "the server returned the session of another identifier, which is not handed out; try another identifier",
            )
            .with_http_status(answer.http_status));
        }
        Ok(session)
    }

    fn now(&self) -> Duration {
        (self.surroundings.clock.since_boot)()
    }
}

/// What to do about an expired session that must not be killed. The server kills
/// what it found: without an identifier anybody's session, and with a tag name
/// perhaps another identifier's.
fn why_not_replaced(session: &Session, request: &SessionRequest) -> Option<&'static str> {
    match (&request.identifier, &request.tag_name) {
        _ if request.kill_session == Some(true) => Some(STILL_EXPIRED),
        (None, _) => {
            Some("set an identifier, with which it can be replaced, or try again in a minute")
        }
        (asked, Some(_)) if session.claims().identifier != *asked => {
            Some("it may be another identifier's, so it was not replaced; try again in a minute")
        }
        _ => None,
    }
}

/// A proxy's 502 and a connection that broke leave open whether the server has
/// done what it was asked.
fn was_not_carried_out(error: &Error) -> bool {
    matches!(
        error.status,
        Status::Dns | Status::Connect | Status::StartingUp | Status::RateLimited
    )
}

const STILL_EXPIRED: &str = "even after asking for a new one; try again in a minute";

fn expired(advice: &str) -> Error {
    Error::new(
        Status::SessionExpired,
        format!("the server returned a session that has expired by its own clock; {advice}"),
    )
    .with_http_status(200)
}
