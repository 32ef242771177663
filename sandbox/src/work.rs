//! Counts how often each request was carried out, so that a test can check "at most once".

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::request::Head;
use crate::sync::lock;

/// The most targets that are counted separately: a load test may use a new one for each request.
const TARGETS_LIMIT: usize = 20_000;

/// Counts the requests that the service answered with a 2xx, even if a fault prevented the delivery
/// of the answer. Requests that it refused, or that a fault answered, were not carried out.
#[derive(Debug, Default)]
pub struct Work {
    done: Mutex<Done>,
}

#[derive(Debug, Default)]
struct Done {
    /// By method and path.
    routes: BTreeMap<String, u64>,
    /// By method, path and query.
    targets: BTreeMap<String, u64>,
}

impl Work {
    pub fn add(&self, head: &Head) {
        let mut done = lock(&self.done);
        count(&mut done.routes, format!("{} {}", head.method, head.path));
        count(
            &mut done.targets,
            format!("{} {}", head.method, head.target),
        );
    }

    /// Returns how often a request such as `POST /api/sessions` was carried out. A query is
    /// optional.
    pub fn times(&self, request: &str) -> u64 {
        let done = lock(&self.done);
        let times = done.routes.get(request).or(done.targets.get(request));
        times.copied().unwrap_or_default()
    }

    pub fn to_value(&self) -> Value {
        let done = lock(&self.done);
        json!({ "routes": done.routes, "targets": done.targets })
    }

    pub fn clear(&self) {
        *lock(&self.done) = Done::default();
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: String) {
    let is_full = counts.len() >= TARGETS_LIMIT;
    match counts.get_mut(&name) {
        Some(times) => *times += 1,
        None if is_full => {}
        None => {
            counts.insert(name, 1);
        }
    }
}
