//! What arrived, for tests to look at.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::lock;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Counted from 1 in the order of acceptance: two requests with the same
    /// number came over one connection.
    pub connection: usize,
    pub https: bool,
    /// Since the sandbox started.
    pub arrived: Duration,
}

impl RecordedRequest {
    /// The first header of that name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    fn weight(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
        size_of::<Self>() + self.method.len() + self.path.len() + headers + self.body.len()
    }
}

/// What all remembered requests may weigh: a load test with large bodies must
/// not eat the machine.
const WEIGHT_LIMIT: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    limit: usize,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    requests: VecDeque<RecordedRequest>,
    weight: usize,
}

impl Recorder {
    pub fn new(limit: usize) -> Self {
        Recorder {
            started: Instant::now(),
            limit,
            memory: Mutex::default(),
        }
    }

    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Remembers a request and forgets the oldest ones that are too many.
    pub fn add(&self, request: RecordedRequest) {
        let mut memory = lock(&self.memory);
        memory.weight += request.weight();
        memory.requests.push_back(request);
        while memory.requests.len() > self.limit || memory.weight > WEIGHT_LIMIT {
            let Some(oldest) = memory.requests.pop_front() else {
                return;
            };
            memory.weight -= oldest.weight();
        }
    }

    pub fn all(&self) -> Vec<RecordedRequest> {
        lock(&self.memory).requests.iter().cloned().collect()
    }

    pub fn clear(&self) {
        *lock(&self.memory) = Memory::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_of_large_bodies_does_not_eat_the_machine() {
        let recorder = Recorder::new(1000);
        for connection in 0..200 {
            recorder.add(RecordedRequest {
                method: "POST".into(),
                path: "/".into(),
                headers: Vec::new(),
                body: vec![0; 1024 * 1024],
                connection,
                https: false,
                arrived: recorder.uptime(),
            });
        }
        let kept = recorder.all();
        assert!((60..64).contains(&kept.len()), "{} requests", kept.len());
        assert_eq!(kept.last().map(|request| request.connection), Some(199));
    }
}
