//! The requests that a sandbox has received.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::request::Body;
use crate::sync::lock;

/// Longer bodies are not stored.
const KEPT_BODY: usize = 1024 * 1024;

/// A request, as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Empty if it was longer than 1 MiB.
    pub body: Vec<u8>,
    /// `None` if the service did not read it completely.
    pub body_length: Option<usize>,
    /// In hexadecimal. `None` in the same case.
    pub body_sha256: Option<String>,
    /// Counted from 1. Two requests with the same number came over the same connection.
    pub connection: usize,
    pub https: bool,
    /// The time since the start of the sandbox.
    pub arrived: Duration,
    /// Whether the service carried the request out, even if the answer was not delivered.
    pub carried_out: bool,
}

impl RecordedRequest {
    /// Sets the body. A long body is not stored, so its hash is computed now.
    pub fn set_body(&mut self, body: &Body) {
        let Body::Complete(body) = body else { return };
        self.body_length = Some(body.len());
        if body.len() > KEPT_BODY {
            self.body_sha256 = Some(sha256(body));
        } else {
            self.body.clone_from(body);
        }
    }

    /// Returns the first header with this name, in any case.
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

/// The most memory for all recorded requests, so that a load test with large bodies does not use
/// all memory.
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
    /// The number of received requests, which is the number of the last one in `requests`.
    arrived: u64,
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

    /// Records a request, and removes the oldest ones above the limits. Returns the request's
    /// number.
    pub fn add(&self, request: RecordedRequest) -> u64 {
        let mut memory = lock(&self.memory);
        memory.arrived += 1;
        memory.weight += request.weight();
        memory.requests.push_back(request);
        while memory.requests.len() > self.limit || memory.weight > WEIGHT_LIMIT {
            let Some(oldest) = memory.requests.pop_front() else {
                break;
            };
            memory.weight -= oldest.weight();
        }
        memory.arrived
    }

    /// Marks the request with this number as carried out.
    pub fn carried_out(&self, number: u64) {
        let mut memory = lock(&self.memory);
        let from_the_end = memory.arrived - number;
        let mut latest_first = memory.requests.iter_mut().rev();
        let nth = usize::try_from(from_the_end).ok();
        if let Some(request) = nth.and_then(|nth| latest_first.nth(nth)) {
            request.carried_out = true;
        }
    }

    pub fn all(&self) -> Vec<RecordedRequest> {
        let mut all: Vec<_> = lock(&self.memory).requests.iter().cloned().collect();
        for request in &mut all {
            let is_kept = request.body_length == Some(request.body.len());
            if request.body_sha256.is_none() && is_kept {
                request.body_sha256 = Some(sha256(&request.body));
            }
        }
        all
    }

    pub fn clear(&self) {
        let mut memory = lock(&self.memory);
        memory.requests.clear();
        memory.weight = 0;
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(recorder: &Recorder, connection: usize) -> RecordedRequest {
        RecordedRequest {
            method: "POST".into(),
            path: "/".into(),
            headers: Vec::new(),
            body: Vec::new(),
            body_length: None,
            body_sha256: None,
            connection,
            https: false,
            arrived: recorder.uptime(),
            carried_out: false,
        }
    }

    #[test]
    fn a_load_of_large_bodies_does_not_eat_the_machine() {
        let recorder = Recorder::new(1000);
        for connection in 0..200 {
            let mut request = request(&recorder, connection);
            request.set_body(&Body::Complete(vec![0; 1024 * 1024]));
            recorder.add(request);
        }
        let kept = recorder.all();
        assert!((60..64).contains(&kept.len()), "{} requests", kept.len());
        assert_eq!(kept.last().map(|request| request.connection), Some(199));
    }

    #[test]
    fn the_record_marks_a_request_as_carried_out_after_others_were_forgotten() {
        let recorder = Recorder::new(2);
        let numbers: Vec<u64> = (0..4)
            .map(|nth| recorder.add(request(&recorder, nth)))
            .collect();
        recorder.carried_out(numbers[0]);
        recorder.carried_out(numbers[2]);
        let done: Vec<bool> = recorder.all().iter().map(|r| r.carried_out).collect();
        assert_eq!(done, [true, false]);
        recorder.clear();
        recorder.carried_out(numbers[3]);
        recorder.carried_out(recorder.add(request(&recorder, 5)));
        assert!(recorder.all()[0].carried_out);
    }

    #[test]
    fn a_long_body_is_told_by_its_length_and_its_hash() {
        let recorder = Recorder::new(2);
        let mut long = request(&recorder, 1);
        long.set_body(&Body::Complete(vec![b'a'; 1_048_577]));
        recorder.add(long);
        let mut short = request(&recorder, 1);
        short.set_body(&Body::Complete(b"abc".to_vec()));
        recorder.add(short);
        let all = recorder.all();
        assert_eq!(
            (all[0].body.len(), all[0].body_length),
            (0, Some(1_048_577))
        );
        assert_eq!(
            all[1].body_sha256.as_deref(),
            Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }
}
