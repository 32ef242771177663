//! One request at a time: send it, read the whole answer.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use hyper::{
    HeaderMap, Method, Response, Uri,
    body::{Body, Bytes},
    header::{self, HeaderName, HeaderValue},
};
use rustls::ClientConfig;

use crate::{
    api::Answer,
    clock::Clock,
    config::Settings,
    endpoint::Endpoint,
    error::{Error, Status},
    log::{self, Level, Log},
    transport::{
        Resolver,
        body::{self, End, Wanted},
        direct::Direct,
        failure::{self, Attempt, Failure, Source},
        proxied::Proxied,
        proxy::Route,
    },
};

/// How long the words of an error are waited for, at most a quarter of the call's
/// time: its status must not be lost with them.
const MAX_ERROR_BODY_TIME: Duration = Duration::from_secs(4);

/// Everything of a request but its body is the same for every call.
pub(crate) struct Http {
    way: Way,
    endpoint: Endpoint,
    path: Uri,
    headers: HeaderMap,
    authority: String,
    proxy: Option<Route>,
    connect_timeout: Duration,
    /// For the rest of an answer that is an error anyway.
    error_body_timeout: Duration,
    /// On the clock that runs through sleep.
    rests_since: Duration,
    log: Option<Arc<Log>>,
}

/// Most clients have no proxy, and every one of their calls would pay for what
/// only a proxy needs: through reqwest, one in three instructions.
enum Way {
    Direct(Box<Direct>),
    Proxied(Box<Proxied>),
}

/// Whether a request may go out again when a connection that was kept turns out
/// to be dead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resend {
    /// Without counting as an attempt, if no byte of an answer had come.
    Once,
    /// That is an attempt that failed.
    No,
    /// The server may have carried it out, and must not do so twice: it gets a
    /// connection of its own.
    Never,
}

/// Servers close a connection after 5 to 6 s without a request. One that has
/// rested longer may be gone without a word (a suspended device, a router that
/// forgot it), and what is sent on it would wait until the call's time is over.
pub(crate) const MAX_REST: Duration = Duration::from_millis(4500);

impl Http {
    pub(crate) fn new(
        settings: &Settings,
        tls: &Arc<ClientConfig>,
        resolver: Resolver,
    ) -> Result<Self, Error> {
        let way = match &settings.proxy {
            Some(route) => Way::Proxied(Box::new(Proxied::new(
                settings,
                route,
                ClientConfig::clone(tls),
                resolver,
            )?)),
            None => Way::Direct(Box::new(Direct::new(settings, Arc::clone(tls), resolver))),
        };
        let endpoint = settings.endpoint.clone();
        Ok(Self {
            way,
            path: endpoint
                .url
                .path()
                .parse()
                .map_err(|_| Error::new(Status::InvalidConfig, "the base URL cannot be used"))?,
            headers: headers(settings),
            authority: endpoint.authority(),
            proxy: settings.proxy.clone(),
            connect_timeout: settings.connect_timeout,
            error_body_timeout: MAX_ERROR_BODY_TIME.min(settings.timeout / 4),
            rests_since: Duration::ZERO,
            log: settings.log.clone(),
            endpoint,
        })
    }

    /// `host:port` of the server, for messages.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// One attempt: the answer, whatever its status, or why there is none.
    ///
    /// A server may close a kept connection at the very moment it is used
    /// again; that is no failure of the attempt, so it is made once more.
    pub(crate) async fn post(
        &mut self,
        body: Vec<u8>,
        resend: Resend,
        clock: Clock,
    ) -> Result<Answer, Error> {
        let body = Bytes::from(body);
        let rested = (clock.since_boot)().saturating_sub(self.rests_since);
        if resend == Resend::Never || rested > MAX_REST {
            self.forget_kept()?;
        }
        let may_be_dead = self.has_kept().await;
        let mut outcome = self.exchange(body.clone(), clock).await;
        if let Err(error) = &outcome
            && resend == Resend::Once
            && may_be_dead
            && error.status == Status::ConnectionLost
            && !self.has_heard(error)
        {
            log::say(self.log.as_deref(), Level::Info, || {
                "the kept connection was dead; sending again on a new one".to_owned()
            });
            outcome = self.exchange(body, clock).await;
        }
        self.rests_since = (clock.since_boot)();
        if !outcome.as_ref().is_ok_and(|answer| answer.may_be_followed) {
            self.forget_kept()?;
        }
        outcome
    }

    async fn has_kept(&mut self) -> bool {
        match &mut self.way {
            Way::Direct(direct) => direct.has_kept().await,
            Way::Proxied(proxied) => proxied.has_kept().await,
        }
    }

    /// The next request makes a new connection.
    pub(crate) fn forget_kept(&mut self) -> Result<(), Error> {
        match &mut self.way {
            Way::Direct(direct) => {
                direct.forget_kept();
                Ok(())
            }
            Way::Proxied(proxied) => proxied.forget_kept(),
        }
    }

    /// Whether a part of an answer had come before the failure: then the
    /// connection was alive.
    fn has_heard(&self, failure: &Error) -> bool {
        failure.http_status != 0
            || match &self.way {
                Way::Direct(direct) => direct.has_heard(),
                // reqwest does not tell.
                Way::Proxied(_) => false,
            }
    }

    async fn exchange(&mut self, body: Bytes, clock: Clock) -> Result<Answer, Error> {
        let Self {
            way,
            endpoint,
            path,
            headers,
            authority,
            proxy,
            connect_timeout,
            error_body_timeout,
            log,
            ..
        } = self;
        let attempt = Attempt {
            authority,
            proxy: proxy.as_ref(),
            connect_timeout: *connect_timeout,
        };
        let reading = Reading {
            attempt: &attempt,
            endpoint,
            error_body_timeout: *error_body_timeout,
            log: log.as_deref(),
            began: log.as_ref().map(|_| Instant::now()),
            sent_at: (clock.since_boot)(),
            clock,
        };
        match way {
            Way::Direct(direct) => {
                let mut request = hyper::Request::new(body.into());
                *request.method_mut() = Method::POST;
                *request.uri_mut() = path.clone();
                *request.headers_mut() = headers.clone();
                direct
                    .exchange(request, async |response, kept| {
                        reading.read(response, kept).await
                    })
                    .await
            }
            Way::Proxied(proxied) => {
                let mut request = reqwest::Request::new(Method::POST, endpoint.url.clone());
                *request.headers_mut() = headers.clone();
                *request.body_mut() = Some(body.into());
                let exchange = proxied.exchange(request, async |response, kept| {
                    reading.read(response, kept).await
                });
                // Not on the stack of a host's thread, which may be small.
                Box::pin(exchange).await
            }
        }
        .unwrap_or_else(|failure| Err(failure::describe(&failure, &attempt)))
    }
}

/// What it takes to make an answer of a response.
struct Reading<'a> {
    attempt: &'a Attempt<'a>,
    endpoint: &'a Endpoint,
    error_body_timeout: Duration,
    log: Option<&'a Log>,
    began: Option<Instant>,
    sent_at: Duration,
    clock: Clock,
}

impl Reading<'_> {
    async fn read<B>(&self, response: Response<B>, kept: bool) -> Result<Answer, Error>
    where
        B: Body<Data = Bytes, Error: Into<Source>> + Unpin,
    {
        let (head, incoming) = response.into_parts();
        let http_status = head.status.as_u16();
        if let Some(began) = self.began {
            log::say(self.log, Level::Debug, || {
                format!(
                    "{} answered HTTP {http_status} after {:.1?} over a {} connection",
                    self.attempt.authority,
                    began.elapsed(),
                    if kept { "kept" } else { "new" },
                )
            });
        }
        let date = http_date(&head.headers);
        let lengths = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH]
            .iter()
            .filter(|name| head.headers.contains_key(*name))
            .count();
        let wanted = if head.status.is_success() {
            Wanted::Whole
        } else {
            Wanted::Beginning(self.error_body_timeout)
        };
        let body = body::read(incoming, wanted)
            .await
            .map_err(|failure| self.unreadable(failure).with_http_status(http_status))?;
        Ok(Answer {
            http_status,
            date,
            retry_after: retry_after(&head.headers, date.unwrap_or_else(self.clock.wall)),
            location: head
                .status
                .is_redirection()
                .then(|| redirect_target(&head.headers, self.endpoint))
                .flatten(),
            body: body.bytes,
            // Without a length the end of the connection is the end of the body.
            is_cut_short: body.end == End::Missing && lengths > 0,
            may_be_followed: body.end == End::Whole && lengths < 2,
            sent_at: self.sent_at,
        })
    }

    fn unreadable(&self, failure: body::Failure) -> Error {
        match failure {
            body::Failure::TooLarge => Error::new(
                Status::ResponseTooLarge,
                format!(
                    "{} sent more than {} KiB, which no session needs; check the base URL",
                    self.attempt.authority,
                    body::MAX_BYTES / 1024
                ),
            ),
            body::Failure::Broken(error) => {
                failure::describe(&Failure::Exchange(error), self.attempt)
            }
        }
    }
}

fn headers(settings: &Settings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert_checked(&mut headers, header::HOST, &settings.endpoint.host_header());
    insert_checked(&mut headers, header::ORIGIN, &settings.origin);
    insert_checked(&mut headers, header::USER_AGENT, &settings.user_agent);
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers
}

/// The settings were checked to be ASCII without control characters, which is
/// all a header asks for; a value that fails nevertheless is left out.
fn insert_checked(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn http_date(headers: &HeaderMap) -> Option<i64> {
    parse_http_date(headers.get(header::DATE)?.to_str().ok()?)
}

fn parse_http_date(text: &str) -> Option<i64> {
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// Seconds, or an HTTP date (RFC 9110, section 10.2.3); garbage is ignored.
fn retry_after(headers: &HeaderMap, now: i64) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let seconds = parse_http_date(text)?.saturating_sub(now);
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Where a redirect points, without what may be secret in it.
fn redirect_target(headers: &HeaderMap, endpoint: &Endpoint) -> Option<String> {
    let location = headers.get(header::LOCATION)?.to_str().ok()?;
    let target = endpoint.url.join(location).ok()?;
    Some(target.origin().ascii_serialization())
}
