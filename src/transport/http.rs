//! One connection's worth of HTTP: send a request, read the whole answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::{
    Body, Client, Method, Request, Response, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    redirect, retry,
};

use crate::{
    api::Answer,
    clock::Clock,
    config::Settings,
    error::{Error, Status},
    transport::{
        Resolver, Trust,
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
}

impl Http {
    pub(crate) fn new(
        settings: &Settings,
        trust: &Trust,
        resolver: Resolver,
    ) -> Result<Self, Error> {
        let client = Client::builder()
            .tls_backend_preconfigured(trust.config()?)
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
            .dns_resolver(resolver)
            .build()
            .map_err(|error| {
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
        })
    }

    /// `host:port` of the server, for messages.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// One attempt: the answer, whatever its status, or why there is none.
    pub(crate) async fn post(&self, body: Vec<u8>, clock: Clock) -> Result<Answer, Error> {
        let mut request = self
            .template
            .try_clone()
            .ok_or_else(|| Error::new(Status::Panic, "the request could not be copied"))?;
        *request.body_mut() = Some(Body::from(body));

        let sent_at = (clock.since_boot)();
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|error| self.describe(&error))?;

        let http_status = response.status().as_u16();
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
