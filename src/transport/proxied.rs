//! The way through a proxy, where reqwest knows what there is to know.

use std::net::SocketAddr;

use hyper::Response;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::{Body, Client, redirect, retry};
use rustls::ClientConfig;
use tokio::task::yield_now;

use crate::{
    config::Settings,
    error::{Error, Status},
    transport::{MAX_HEADERS, Resolver, failure::Failure, proxy::Route},
};

pub(super) struct Proxied {
    client: Client,
    /// Makes another client, which has no connection.
    make: Box<dyn Fn() -> Result<Client, Error> + Send>,
    /// The last exchange left a connection that may be used again.
    warm: bool,
    /// Our end of the last connection, by which one is told from the next.
    last_seen: Option<SocketAddr>,
}

impl Proxied {
    pub(super) fn new(
        settings: &Settings,
        route: &Route,
        tls: ClientConfig,
        resolver: Resolver,
    ) -> Result<Self, Error> {
        let connect_timeout = settings.connect_timeout;
        let proxy = route.proxy.clone();
        let make = move || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .http1_only()
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(retry::never())
                .no_proxy()
                .proxy(proxy.clone())
                .connect_timeout(connect_timeout)
                .pool_idle_timeout(None)
                .pool_max_idle_per_host(1)
                .tcp_keepalive(None)
                .http1_max_headers(MAX_HEADERS)
                .dns_resolver(resolver.clone())
                .build()
                .map_err(|error| {
                    Error::new(
                        Status::System,
                        format!("no HTTP client could be made: {error}"),
                    )
                })
        };
        Ok(Self {
            client: make()?,
            make: Box::new(make),
            warm: false,
            last_seen: None,
        })
    }

    /// The pool cannot be emptied, so it goes with its client.
    pub(super) fn forget_kept(&mut self) -> Result<(), Error> {
        if self.warm {
            self.client = (self.make)()?;
            self.warm = false;
        }
        Ok(())
    }

    pub(super) async fn has_kept(&self) -> bool {
        if self.warm {
            // The event loop tells the connection's own task, which tells the
            // pool.
            yield_now().await;
            yield_now().await;
        }
        self.warm
    }

    pub(super) async fn exchange<T>(
        &mut self,
        request: reqwest::Request,
        read: impl AsyncFnOnce(Response<Body>, bool) -> T,
    ) -> Result<T, Failure> {
        self.warm = false;
        let response = self.client.execute(request).await.map_err(Failure::from)?;
        let response = Response::<Body>::from(response);
        let ours = response
            .extensions()
            .get::<HttpInfo>()
            .map(HttpInfo::local_addr);
        let kept = ours.is_some() && std::mem::replace(&mut self.last_seen, ours) == ours;
        let outcome = read(response, kept).await;
        self.warm = true;
        Ok(outcome)
    }
}
