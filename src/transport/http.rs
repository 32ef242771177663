//! One connection's worth of HTTP: send a request, read the whole answer.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::{
    Body, Client, Method, Request, Response, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};
use rustls::ClientConfig;

use crate::{
    api::Answer,
    clock::Clock,
    config::Settings,
    error::{Error, Status},
    log::{self, Level, Log},
    transport::{
        Resolver,
        body::{self, Overflow},
        failure::{self, Attempt},
    },
};

/// The server closes a connection after 5 to 6 s without a request.
const IDLE_TIMEOUT: Duration = Duration::from_millis(4500);
const MAX_HEADERS: usize = 64;

pub(crate) struct Http {
    client: Client,
    /// Everything of the request but its body, built once: the URL and the
    /// headers are the same for every call.
    template: Request,
    authority: String,
    connect_timeout: Duration,
    log: Option<Arc<Log>>,
    /// The last answer left a connection that may be used again.
    warm: Cell<bool>,
    /// Our end of the last connection, by which one is told from the next.
    last_seen: Cell<Option<SocketAddr>>,
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
        tls: ClientConfig,
        resolver: Resolver,
    ) -> Result<Self, Error> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(1)
            .tcp_keepalive(None)
            .http1_max_headers(MAX_HEADERS)
            .dns_resolver(resolver);
        if let Some(proxy) = &settings.proxy {
            builder = builder.proxy(proxy.clone());
        }
        let client = builder.build().map_err(|error| {
            Error::new(
                Status::System,
                format!("no HTTP client could be made: {error}"),
            )
        })?;
        Ok(Self {
            client,
            template: template(settings),
            authority: settings.endpoint.authority(),
            connect_timeout: settings.connect_timeout,
            log: settings.log.clone(),
            warm: Cell::new(false),
            last_seen: Cell::new(None),
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
        &self,
        body: Vec<u8>,
        resend: Resend,
        clock: Clock,
    ) -> Result<Answer, Error> {
        let body = Bytes::from(body);
        let was_warm = self.warm.replace(false);
        let mut outcome = self.exchange(body.clone(), clock).await;
        if let Err(error) = &outcome
            && was_warm
            && resend == Resend::Fine
            && error.status == Status::ConnectionLost
            && error.http_status == 0
        {
            log::say(self.log.as_deref(), Level::Info, || {
                "the kept connection was dead; sending again on a new one".to_owned()
            });
            outcome = self.exchange(body, clock).await;
        }
        self.warm.set(outcome.is_ok());
        outcome
    }

    async fn exchange(&self, body: Bytes, clock: Clock) -> Result<Answer, Error> {
        let mut request = self
            .template
            .try_clone()
            .ok_or_else(|| Error::new(Status::Panic, "the request could not be copied"))?;
        *request.body_mut() = Some(Body::from(body));

        let sent_at = (clock.since_boot)();
        let began = self.log.as_ref().map(|_| Instant::now());
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.describe(&error))?;

        let http_status = response.status().as_u16();
        if let Some(began) = began {
            self.report(&response, began);
        }
        let date = http_date(response.headers());
        let retry_after = retry_after(response.headers(), date.unwrap_or_else(clock.wall));
        let location = redirect_target(&response);
        let overflow = if response.status().is_success() {
            Overflow::Refuse
        } else {
            Overflow::Cut
        };
        let body = body::read(response, overflow).await.map_err(|failure| {
            match failure {
                body::Failure::TooLarge => Error::new(
                    Status::ResponseTooLarge,
                    format!(
                        "{} sent more than {} KiB, which no session needs; check the base URL",
                        self.authority,
                        body::MAX_BYTES / 1024
                    ),
                ),
                body::Failure::Broken(error) => self.describe(&error),
            }
            .with_http_status(http_status)
        })?;
        Ok(Answer {
            http_status,
            date,
            retry_after,
            location,
            body,
            sent_at,
        })
    }

    /// Says what was answered, how long it took, and over which connection.
    fn report(&self, response: &Response, began: Instant) {
        let connection = response.extensions().get::<HttpInfo>();
        let ours = connection.map(HttpInfo::local_addr);
        let kept = ours.is_some() && self.last_seen.replace(ours) == ours;
        log::say(self.log.as_deref(), Level::Debug, || {
            format!(
                "{} answered HTTP {} after {:.1?} over a {} connection",
                self.authority,
                response.status().as_u16(),
                began.elapsed(),
                if kept { "kept" } else { "new" },
            )
        });
    }

    fn describe(&self, error: &reqwest::Error) -> Error {
        let attempt = Attempt {
            authority: &self.authority,
            connect_timeout: self.connect_timeout,
        };
        failure::describe(error, &attempt)
    }
}

fn template(settings: &Settings) -> Request {
    let mut request = Request::new(Method::POST, settings.endpoint.url.clone());
    let headers = request.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    insert_checked(headers, header::ORIGIN, &settings.origin);
    insert_checked(headers, header::USER_AGENT, &settings.user_agent);
    request
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
fn redirect_target(response: &Response) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    let target: Url = response.url().join(location).ok()?;
    Some(target.origin().ascii_serialization())
}
