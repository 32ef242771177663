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
        body::{self, Overflow},
        direct::Direct,
        failure::{self, Attempt, Failure, Source},
        proxied::Proxied,
    },
};

/// Everything of a request but its body is the same for every call.
pub(crate) struct Http {
    way: Way,
    endpoint: Endpoint,
    path: Uri,
    headers: HeaderMap,
    authority: String,
    connect_timeout: Duration,
    log: Option<Arc<Log>>,
}

/// Most clients have no proxy, and every one of their calls would pay for what
/// only a proxy needs: through reqwest, one in three instructions.
enum Way {
    Direct(Box<Direct>),
    Proxied(Box<Proxied>),
}

/// Whether a request may go out again when the connection that was kept from
/// an earlier call turns out to be dead.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resend {
    Fine,
    /// The server may have carried it out, and must not do so twice.
    Never,
}

impl Http {
    pub(crate) fn new(
        settings: &Settings,
        tls: &Arc<ClientConfig>,
        resolver: Resolver,
    ) -> Result<Self, Error> {
        let way = match &settings.proxy {
            Some(proxy) => Way::Proxied(Box::new(Proxied::new(
                settings,
                proxy.clone(),
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
            connect_timeout: settings.connect_timeout,
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
        let may_be_dead = match resend {
            Resend::Fine => self.has_kept().await,
            Resend::Never => self.forget_kept(),
        };
        let mut outcome = self.exchange(body.clone(), clock).await;
        if let Err(error) = &outcome
            && may_be_dead
            && error.status == Status::ConnectionLost
            && error.http_status == 0
        {
            log::say(self.log.as_deref(), Level::Info, || {
                "the kept connection was dead; sending again on a new one".to_owned()
            });
            outcome = self.exchange(body, clock).await;
        }
        outcome
    }

    async fn has_kept(&mut self) -> bool {
        match &mut self.way {
            Way::Direct(direct) => direct.has_kept().await,
            Way::Proxied(proxied) => proxied.has_kept().await,
        }
    }

    /// A connection that may be dead is not for what must not be sent twice.
    fn forget_kept(&mut self) -> bool {
        match &mut self.way {
            Way::Direct(direct) => direct.forget_kept(),
            // What was not sent before a kept one died, reqwest sends again.
            Way::Proxied(_) => {}
        }
        false
    }

    async fn exchange(&mut self, body: Bytes, clock: Clock) -> Result<Answer, Error> {
        let Self {
            way,
            endpoint,
            path,
            headers,
            authority,
            connect_timeout,
            log,
        } = self;
        let attempt = Attempt {
            authority,
            connect_timeout: *connect_timeout,
        };
        let reading = Reading {
            attempt: &attempt,
            endpoint,
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
                proxied
                    .exchange(request, async |response, kept| {
                        reading.read(response, kept).await
                    })
                    .await
            }
        }
        .unwrap_or_else(|failure| Err(failure::describe(&failure, &attempt)))
    }
}

/// What it takes to make an answer of a response.
struct Reading<'a> {
    attempt: &'a Attempt<'a>,
    endpoint: &'a Endpoint,
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
        let overflow = if head.status.is_success() {
            Overflow::Refuse
        } else {
            Overflow::Cut
        };
        let body = body::read(incoming, overflow)
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
            body,
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
