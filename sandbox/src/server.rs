//! The listeners on loopback.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::connection::{Door, serve};
use crate::fault::Listener;
use crate::options::Options;
use crate::state::State;

/// The bound listeners. From now on, connections wait in their queues.
pub struct Server {
    http: TcpListener,
    https: TcpListener,
    control: TcpListener,
    pub http_address: SocketAddr,
    pub https_address: SocketAddr,
    pub control_address: SocketAddr,
}

impl Server {
    /// Binds the listeners. Must be called inside the runtime that will run them.
    pub fn bind(options: &Options) -> io::Result<Self> {
        let ip = if options.ipv6 {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        } else {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        };
        let (http, http_address) = bind(ip, options.http_port)?;
        let (https, https_address) = bind(ip, options.https_port)?;
        let (control, control_address) = bind(ip, options.control_port)?;
        Ok(Server {
            http,
            https,
            control,
            http_address,
            https_address,
            control_address,
        })
    }

    /// Accepts connections until it is dropped.
    pub async fn run(self, state: Arc<State>) {
        tokio::join!(
            accept(&self.http, &state, Door::Api(Listener::Http)),
            accept(&self.https, &state, Door::Api(Listener::Https)),
            accept(&self.control, &state, Door::Control),
        );
    }
}

fn bind(ip: IpAddr, port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let address = SocketAddr::new(ip, port);
    let listener = std::net::TcpListener::bind(address).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
    })?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

async fn accept(listener: &TcpListener, state: &Arc<State>, door: Door) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(serve(Arc::clone(state), stream, door));
            }
            // No descriptor is left, so try again later.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
