//! The threads of an engine: how they begin, and what they do.

use std::{mem, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    creator::Shared,
    error::{Error, Status},
    exit::{self, ExitGate},
    panics,
    runtime::{Engine, EventLoop, engine::State, io_thread, this_thread},
    sys,
};

/// TLS handshakes included: blocking calls do with 128 KiB.
const IO_STACK: usize = 512 * 1024;
/// The host's code runs on it.
const CALLBACK_STACK: usize = 2 * 1024 * 1024;

impl Engine {
    pub(super) fn start_threads(
        self: &Arc<Self>,
        state: &mut State,
        shared: Arc<Shared>,
    ) -> Result<(), Error> {
        ExitGate::install();
        if !self.is_dispatched && !state.has_callback_thread {
            self.start_thread(state, "zelf-callbacks", CALLBACK_STACK, |engine| {
                let _ = panics::catch(|| engine.run_callbacks());
            })?;
            state.has_callback_thread = true;
        }
        let event_loop = EventLoop::new()?;
        let (sender, jobs) = mpsc::unbounded_channel();
        self.start_thread(state, "zelf-io", IO_STACK, |engine| {
            let end = panics::catch(|| io_thread::run(engine, shared, jobs, event_loop));
            // Nothing is left under way but after a bug; the next call starts a
            // new thread then.
            let mut state = engine.lock();
            if let Err(bug) = end {
                state.jobs = None;
                state.end_all(|| bug.clone());
            }
        })?;
        state.jobs = Some(sender);
        Ok(())
    }

    fn start_thread(
        self: &Arc<Self>,
        state: &mut State,
        name: &str,
        stack_size: usize,
        work: impl FnOnce(&Arc<Self>) + Send + 'static,
    ) -> Result<(), Error> {
        let engine = Arc::clone(self);
        let thread = sys::spawn_thread(name, stack_size, move || {
            exit::this_thread_is_ours();
            let here = this_thread();
            engine.lock().own.push(here);
            work(&engine);
            if engine.is_inherited() {
                // A callback has forked, and in the child this is all there is.
                mem::forget(engine);
                return;
            }
            let mut state = engine.lock();
            state.own.retain(|&own| own != here);
            state.running -= 1;
            drop(state);
            engine.changed.notify_all();
        })
        .map_err(|error| {
            Error::new(
                Status::System,
                format!("the system gave no thread: {error}; end some or raise the limit"),
            )
        })?;
        state.threads.push(thread);
        state.running += 1;
        Ok(())
    }

    /// The callback thread's work, until there can be none any more.
    fn run_callbacks(&self) {
        let mut state = self.lock();
        while !(self.is_closed() && state.unfinished == 0) {
            // A process that has begun to exit is no place for a callback: what is
            // due stays, for a host that shuts the client down meanwhile.
            let gate = match state.due.is_empty() {
                true => None,
                false => ExitGate::enter(),
            };
            state = match gate.and_then(|gate| Some((gate, state.next_due()?))) {
                Some((_gate, due)) => match self.run_one(state, due) {
                    Some(state) => state,
                    None => return,
                },
                None => self.wait(state, Duration::MAX),
            };
        }
    }
}
