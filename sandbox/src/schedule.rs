//! Selects the faults that apply.

use std::sync::Mutex;

use crate::fault::{Fault, Listener};
use crate::fault_kind::{FaultKind, Stage};
use crate::random::Seeded;
use crate::request::Head;
use crate::sync::lock;

/// The point at which faults are selected: a new connection, or a request.
#[derive(Clone, Copy, Debug)]
pub enum Point<'a> {
    Accept,
    Tls,
    /// After the head of a request with a body.
    Upload(&'a Head),
    Request(&'a Head),
}

/// The injected faults, in their order.
#[derive(Debug, Default)]
pub struct Schedule {
    armed: Mutex<Vec<Armed>>,
}

#[derive(Debug)]
struct Armed {
    fault: Fault,
    seen: u32,
    struck: u32,
    random: Seeded,
}

impl Schedule {
    pub fn inject(&self, fault: Fault) {
        lock(&self.armed).push(Armed {
            seen: 0,
            struck: 0,
            random: Seeded(fault.when.seed),
            fault,
        });
    }

    pub fn clear(&self) -> usize {
        std::mem::take(&mut *lock(&self.armed)).len()
    }

    /// Returns the faults, and how often each has applied.
    pub fn all(&self) -> Vec<(Fault, u32)> {
        let armed = lock(&self.armed);
        armed.iter().map(|a| (a.fault.clone(), a.struck)).collect()
    }

    /// Returns the faults that apply at this point: any number of faults that keep the answer (such
    /// as a delay or a wrong date), then at most one that replaces it. Further ones wait for the
    /// next request. So faults that are injected one after another apply one after another.
    pub fn strike(&self, point: Point<'_>, listener: Listener) -> Vec<FaultKind> {
        let mut struck = Vec::new();
        for armed in lock(&self.armed).iter_mut() {
            if armed.concerns(point, listener) && armed.strikes() {
                struck.push(armed.fault.kind.clone());
                if armed.fault.kind.is_final() {
                    break;
                }
            }
        }
        struck
    }
}

impl Armed {
    fn concerns(&self, point: Point<'_>, listener: Listener) -> bool {
        let when = &self.fault.when;
        if when.listener.is_some_and(|only| only != listener) {
            return false;
        }
        match (point, self.fault.kind.stage()) {
            (Point::Accept, Stage::Accept) | (Point::Tls, Stage::Tls) => true,
            (Point::Upload(head), Stage::Upload)
            | (
                Point::Request(head),
                Stage::Request | Stage::Answer | Stage::HalfHead | Stage::Body,
            ) => {
                let path = when.path.as_deref();
                let query = when.query.as_deref();
                let method = when.method.as_deref();
                path.is_none_or(|start| head.path.starts_with(start))
                    && query.is_none_or(|part| head.query.contains(part))
                    && method.is_none_or(|only| head.method.eq_ignore_ascii_case(only))
            }
            _ => false,
        }
    }

    fn strikes(&mut self) -> bool {
        let when = &self.fault.when;
        if when.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        if self.seen <= when.skip {
            return false;
        }
        if let Some(share) = when.share
            && self.random.next_share() >= share
        {
            return false;
        }
        self.struck += 1;
        true
    }
}
