//! A connection straight to the server, driven by the task that uses it.

use std::{sync::Arc, time::Duration};

use hyper::{
    Request, Response, Uri, body,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use reqwest::Body;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{task::yield_now, time::timeout};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::{
    config::Settings,
    transport::{
        MAX_HEADERS, Resolver,
        failure::Failure,
        listening::{Heard, Listening},
        relay::Driven,
        stream::{Incoming, QuietStream, Socket, Stream},
    },
};

/// Responses without an end to their headers stop here.
const MAX_HEAD_BYTES: usize = 64 * 1024;

type Driver = http1::Connection<TokioIo<Box<dyn Stream>>, Body>;

pub(super) struct Direct {
    /// Where to connect to.
    server: Uri,
    connector: HttpConnector<Resolver>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// For the connection with all that belongs to it: name look-up, TCP, TLS.
    connect_timeout: Duration,
    /// Left by the last exchange, if it may be used again.
    kept: Option<Connection>,
    /// In the last exchange something of an answer came.
    has_heard: bool,
}

impl Direct {
    pub(super) fn new(settings: &Settings, tls: Arc<ClientConfig>, resolver: Resolver) -> Self {
        let endpoint = &settings.endpoint;
        let mut connector = HttpConnector::new_with_resolver(resolver);
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(settings.connect_timeout));
        let tls = endpoint
            .is_https()
            .then(|| (TlsConnector::from(tls), endpoint.server_name.clone()));
        Self {
            server: endpoint.uri.clone(),
            connector,
            tls,
            connect_timeout: settings.connect_timeout,
            kept: None,
            has_heard: false,
        }
    }

    /// Whether the next exchange uses a connection of an earlier one, as far as
    /// can be told.
    ///
    /// A connection at rest is not polled, and what the server has sent without
    /// being asked, or its end, must not be met by the next request.
    pub(super) async fn has_kept(&mut self) -> bool {
        if let Some(mut connection) = self.kept.take()
            && connection.is_still_open().await
        {
            self.kept = Some(connection);
        }
        self.kept.is_some()
    }

    pub(super) fn forget_kept(&mut self) {
        self.kept = None;
    }

    pub(super) fn has_heard(&self) -> bool {
        self.has_heard
    }

    /// Sends a request and hands the response, whose body is yet to be read, to
    /// `read`, with whether its connection was a kept one.
    pub(super) async fn exchange<T>(
        &mut self,
        request: Request<Body>,
        read: impl AsyncFnOnce(Response<body::Incoming>, bool) -> T,
    ) -> Result<T, Failure> {
        let kept = self.kept.take();
        let is_kept = kept.is_some();
        self.has_heard = false;
        let mut connection = match kept {
            Some(connection) => connection,
            None => timeout(self.connect_timeout, self.connect())
                .await
                .map_err(|_| Failure::ConnectTimeout)??,
        };
        // Whoever drops this future ends the connection: half a response must
        // not be taken for the next one.
        let Connection {
            sender,
            driver,
            heard,
            ..
        } = &mut connection;
        heard.forget();
        let outcome = driver
            .drive(async {
                let response = sender
                    .send_request(request)
                    .await
                    .map_err(Failure::exchange)?;
                Ok(read(response, is_kept).await)
            })
            .await;
        self.has_heard = heard.anything();
        if outcome.is_ok() && connection.is_open().await {
            self.kept = Some(connection);
        }
        outcome
    }

    async fn connect(&mut self) -> Result<Connection, Failure> {
        let tcp = self
            .connector
            .call(self.server.clone())
            .await
            .map_err(Failure::connect)?;
        let socket = Socket::new(tcp.into_inner());
        let tcp = QuietStream(socket.clone());
        let heard = Heard::default();
        let stream: Box<dyn Stream> = match &self.tls {
            Some((tls, name)) => {
                let secure = tls.connect(name.clone(), tcp).await;
                Box::new(Listening::new(secure.map_err(Failure::connect)?, &heard))
            }
            None => Box::new(Listening::new(tcp, &heard)),
        };
        let (sender, driver) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(Failure::connect)?;
        Ok(Connection {
            sender,
            driver: Driven::new(driver),
            socket,
            heard,
        })
    }
}

struct Connection {
    sender: SendRequest<Body>,
    driver: Driven<Driver>,
    socket: Socket,
    heard: Heard,
}

impl Connection {
    /// Whether it takes another request: looks, and does not wait.
    async fn is_open(&mut self) -> bool {
        self.driver.look().await && self.sender.is_ready()
    }

    /// The same after a rest.
    async fn is_still_open(&mut self) -> bool {
        match self.socket.incoming() {
            Incoming::Nothing => true,
            Incoming::End => false,
            Incoming::Bytes => {
                // The event loop has to see them first.
                yield_now().await;
                self.is_open().await
            }
        }
    }
}
