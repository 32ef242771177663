//! A running sandbox.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::ca_file::CaFile;
use crate::control;
use crate::fault::Fault;
use crate::options::Options;
use crate::ready::Ready;
use crate::record::RecordedRequest;
use crate::server::Server;
use crate::state::State;
use crate::tls::Tls;

/// A sandbox on its own thread. Dropping it closes all sockets and ends the thread.
pub struct Sandbox {
    state: Arc<State>,
    ca_file: CaFile,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox. Returns when it accepts connections.
    pub fn start(options: Options) -> io::Result<Self> {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        // The runtime is created and dropped on that thread: a caller inside another runtime must
        // not drop it.
        let thread = std::thread::Builder::new()
            .name("zelf-sandbox".into())
            .spawn(move || run(options, &tell, stopped))?;
        let (state, ca_file) = told
            .recv()
            .map_err(|_| io::Error::other("the sandbox's thread has ended early"))??;
        Ok(Sandbox {
            state,
            ca_file,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns all addresses of the sandbox.
    pub fn ready(&self) -> &Ready {
        &self.state.ready
    }

    /// Returns `http://127.0.0.1:…`.
    pub fn http_url(&self) -> &str {
        &self.state.ready.http
    }

    /// Returns `https://localhost:…`.
    pub fn https_url(&self) -> &str {
        &self.state.ready.https
    }

    /// Returns `http://127.0.0.1:…`, only for control routes, without faults.
    pub fn control_url(&self) -> &str {
        &self.state.ready.control
    }

    /// Returns the path of the CA certificate (PEM), the only root of the HTTPS listener's
    /// certificate.
    pub fn ca_file(&self) -> &Path {
        self.ca_file.path()
    }

    /// Returns the base64 of the SHA-256 of the certificate's SubjectPublicKeyInfo.
    pub fn spki_sha256(&self) -> &str {
        &self.state.tls.spki_sha256
    }

    /// Returns the received requests, with the oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests.all()
    }

    pub fn clear_requests(&self) {
        self.state.requests.clear();
    }

    /// Returns how often a request such as `POST /api/sessions` was carried out. It counts those
    /// without a delivered answer too. A query is optional.
    pub fn times_carried_out(&self, request: &str) -> u64 {
        self.state.work.times(request)
    }

    /// Returns the number of accepted connections.
    pub fn connections(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    pub fn open_connections(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    /// Injects a fault.
    ///
    /// # Panics
    ///
    /// If the fault is invalid, for example a stall at the TLS stage of the plain listener: a test
    /// must not wait for a fault that cannot happen.
    pub fn inject(&self, fault: impl Into<Fault>) {
        let fault = fault.into();
        match fault.check() {
            Ok(()) => self.state.faults.inject(fault),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// Makes the sessions of an identifier (or all) older. Returns their number.
    pub fn age_sessions(&self, identifier: Option<&str>, seconds: i64) -> usize {
        self.state.sessions.age(identifier, seconds)
    }

    /// Sets the status of the sessions of an identifier (or all) to "used". A create still returns
    /// them, but routes that check the session refuse them. Returns their number.
    pub fn mark_sessions_used(&self, identifier: Option<&str>) -> usize {
        self.state.sessions.mark_used(identifier)
    }

    /// Sets the client address for all later requests, also on open connections. `None`: each
    /// request has its own address.
    pub fn set_client_address(&self, address: Option<IpAddr>) {
        self.state.set_client_address(address);
    }

    /// Sets the offset of the sandbox's clock from the machine's.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.state.clock.set_skew(seconds);
    }

    /// Runs the reaper. Returns the number of removed sessions.
    pub fn reap(&self) -> usize {
        self.state.sessions.reap(self.state.clock.now())
    }

    /// Carries out the request to a control route with this method and path.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        control::control(&self.state, method, path, body)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Started = io::Result<(Arc<State>, CaFile)>;

/// Runs the sandbox on its thread.
fn run(options: Options, tell: &mpsc::Sender<Started>, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = tell.send(Err(error));
            return;
        }
    };
    runtime.block_on(async {
        let (server, state, ca_file) = match prepare(options) {
            Ok(prepared) => prepared,
            Err(error) => {
                let _ = tell.send(Err(error));
                return;
            }
        };
        let _ = tell.send(Ok((Arc::clone(&state), ca_file)));
        tokio::select! {
            () = server.run(state) => {}
            // An error means that the sandbox was dropped.
            _ = stopped => {}
        }
    });
}

fn prepare(options: Options) -> io::Result<(Server, Arc<State>, CaFile)> {
    let tls = Tls::generate(options.tls12_only)?;
    let server = Server::bind(&options)?;
    let ca_file = CaFile::write(options.ca_file.as_deref(), &tls.ca_pem)?;
    let ready = Ready {
        ready: true,
        pid: std::process::id(),
        http: format!("http://{}", server.http_address),
        https: match server.https_address {
            SocketAddr::V4(address) => format!("https://localhost:{}", address.port()),
            // Not every system resolves localhost to ::1.
            SocketAddr::V6(address) => format!("https://{address}"),
        },
        control: format!("http://{}", server.control_address),
        ca_file: ca_file.path().display().to_string(),
        spki_sha256: tls.spki_sha256.clone(),
    };
    let state = State::new(options, tls, ready)?;
    Ok((server, Arc::new(state), ca_file))
}
