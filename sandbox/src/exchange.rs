//! One request and its answer, with its faults.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::api::{self, Answer};
use crate::clock::http_date;
use crate::connection::{Connection, Door, garbage};
use crate::control;
use crate::delivery::Delivery;
use crate::fault::{Listener, exact_bytes};
use crate::fault_kind::{DripStage, FaultKind, Stage};
use crate::probe;
use crate::record::RecordedRequest;
use crate::request::{Body, Framing, Head, Inbound};
use crate::response::{JSON, Response};
use crate::schedule::Point;
use crate::sender::{Delivered, Outgoing, write};
use crate::sync::wait;
use crate::transport::Transport;
use crate::tunnel::tunnel;

/// What happens to the connection next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Keep,
    /// The client has closed it, or has been idle for too long.
    Done,
    /// After an answer. Bytes from the client may still be in transit.
    Close,
    HangUp,
    Reset,
    Stall,
}

/// The faults of one request, sorted by their effect.
#[derive(Default)]
struct Plan {
    wait_before: Duration,
    wait_after: Duration,
    wait_within_head: Duration,
    wait_within: Duration,
    date_skew: i64,
    date_missing: bool,
    headers: Vec<(String, String)>,
    body_patches: Vec<Value>,
    claims_patch: Option<Value>,
    last: Option<FaultKind>,
    names: String,
}

impl Plan {
    fn new(struck: Vec<FaultKind>) -> Self {
        let mut plan = Plan::default();
        for fault in struck {
            plan.names.push_str(&format!(" fault={fault}"));
            match fault {
                FaultKind::Delay { ms, stage } => {
                    let wait = match stage {
                        Stage::Body => &mut plan.wait_within,
                        Stage::HalfHead => &mut plan.wait_within_head,
                        Stage::Answer => &mut plan.wait_after,
                        _ => &mut plan.wait_before,
                    };
                    *wait += Duration::from_millis(ms);
                }
                FaultKind::ClockSkew { seconds } => plan.date_skew += seconds,
                FaultKind::MissingDate {} => plan.date_missing = true,
                FaultKind::Header { name, value } => plan.headers.push((name, value)),
                FaultKind::Patch { body } => plan.body_patches.push(body),
                FaultKind::Claims { claims } => match &mut plan.claims_patch {
                    Some(patch) => json_patch::merge(patch, &claims),
                    none => *none = Some(claims),
                },
                last => plan.last = Some(last),
            }
        }
        plan
    }

    /// Returns how the connection ends at this stage, if it does.
    fn end_at(&self, here: Stage) -> Option<Next> {
        match self.last {
            Some(FaultKind::Stall { stage }) if stage == here => Some(Next::Stall),
            Some(FaultKind::Reset { stage }) if stage == here => Some(Next::Reset),
            Some(FaultKind::Close { stage }) if stage == here => Some(Next::HangUp),
            _ => None,
        }
    }
}

impl<S: Transport> Connection<S> {
    pub async fn exchange(&mut self, inbound: &mut Inbound, head: Head) -> Next {
        // After a broken pipe or an incomplete request, nothing more can be sent.
        let next = self.try_exchange(inbound, head).await;
        next.unwrap_or(Next::HangUp)
    }

    async fn try_exchange(&mut self, inbound: &mut Inbound, head: Head) -> io::Result<Next> {
        let started = Instant::now();
        if head.expects_continue() {
            write(&mut self.stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let mut framing = head.framing;
        if framing != Framing::Done
            && let Some(listener) = self.listener_of(&head)
            && let Some(end) = self.upload(&head, listener).await
        {
            return Ok(end);
        }
        let limit = self.body_limit(&head);
        let body = inbound.body(&mut self.stream, &mut framing, limit).await?;
        let next = match self.listener_of(&head) {
            Some(listener) => {
                let state = Arc::clone(&self.state);
                // A tunnel lasts as long as its connection, so it does not count.
                let _at_once = (head.method != "CONNECT").then(|| state.at_once.enter());
                let number = self.record(&head, &body, listener);
                let struck = self.state.faults.strike(Point::Request(&head), listener);
                let plan = Plan::new(struck);
                let mut note = String::new();
                let answered = self.answer(&head, body, &plan, number, &mut note).await;
                self.state.log(|| {
                    let gone = if answered.is_err() {
                        " (client gone)"
                    } else {
                        ""
                    };
                    let (method, path, names) = (&head.method, &head.target, &plan.names);
                    let took = started.elapsed().as_millis();
                    format!("{method} {path} {note}{names}{gone} {took}ms")
                });
                answered?
            }
            None => {
                let response = control::respond(&self.state, &head, &body);
                self.send_plainly(&head, &response).await?
            }
        };
        if next == Next::Keep && framing != Framing::Done {
            inbound.drain(&mut self.stream, &mut framing).await?;
        }
        Ok(next)
    }

    /// Returns the listener of a request to the service, or `None` for a control request.
    fn listener_of(&self, head: &Head) -> Option<Listener> {
        match self.door {
            Door::Api(Listener::Http) if control::is_at(&head.path) => None,
            Door::Api(listener) => Some(listener),
            Door::Control => None,
        }
    }

    /// Applies faults before the body is read. Returns how the connection ends, if it does.
    async fn upload(&self, head: &Head, listener: Listener) -> Option<Next> {
        for fault in self.state.faults.strike(Point::Upload(head), listener) {
            self.state
                .log(|| format!("{} {} fault={fault}", head.method, head.target));
            let end = match fault {
                FaultKind::Delay { ms, .. } => {
                    wait(Duration::from_millis(ms)).await;
                    continue;
                }
                FaultKind::Reset { .. } => Next::Reset,
                FaultKind::Stall { .. } => Next::Stall,
                _ => Next::HangUp,
            };
            self.record(head, &Body::TooLarge, listener);
            return Some(end);
        }
        None
    }

    /// Returns the limit for the body. A probe accepts longer bodies than the service.
    fn body_limit(&self, head: &Head) -> usize {
        match self.door {
            Door::Api(_) if probe::is_at(&head.path) => probe::BODY_LIMIT,
            Door::Api(_) => self.state.options.body_limit,
            Door::Control => control::BODY_LIMIT,
        }
    }

    /// Records a request. Returns its number in the record.
    fn record(&self, head: &Head, body: &Body, listener: Listener) -> u64 {
        let mut request = RecordedRequest {
            method: head.method.clone(),
            path: head.target.clone(),
            headers: head.headers.clone(),
            body: Vec::new(),
            body_length: None,
            body_sha256: None,
            connection: self.number,
            https: listener == Listener::Https,
            arrived: self.state.requests.uptime(),
            carried_out: false,
        };
        request.set_body(body);
        self.state.requests.add(request)
    }

    async fn send_plainly(&mut self, head: &Head, response: &Response) -> io::Result<Next> {
        let keep_alive = !head.wants_close();
        let outgoing = Outgoing {
            response,
            date: Some(http_date(self.state.clock.now())),
            keep_alive,
            without_body: head.method == "HEAD",
        };
        outgoing.whole(&mut self.stream).await?;
        Ok(if keep_alive { Next::Keep } else { Next::Close })
    }

    /// Answers the request with this number according to the plan. `note` is text for the log.
    async fn answer(
        &mut self,
        head: &Head,
        body: Body,
        plan: &Plan,
        number: u64,
        note: &mut String,
    ) -> io::Result<Next> {
        note.push('-');
        wait(plan.wait_before).await;
        if let Some(end) = plan.end_at(Stage::Request) {
            return Ok(end);
        }
        match &plan.last {
            Some(FaultKind::Garbage { text, base64, .. }) => {
                let bytes = garbage(text.as_deref(), base64.as_deref());
                write(&mut self.stream, &bytes).await?;
                return Ok(Next::HangUp);
            }
            Some(FaultKind::Raw { text, base64, keep }) => {
                let bytes = exact_bytes(text.as_deref(), base64.as_deref());
                write(&mut self.stream, &bytes.map_err(io::Error::other)?).await?;
                return Ok(if *keep { Next::Keep } else { Next::Close });
            }
            None if head.method == "CONNECT" => {
                return tunnel(&mut self.stream, &head.path, note).await;
            }
            _ => {}
        }
        let Answer {
            mut response,
            note: what,
            delivery,
        } = self.response(head, body, plan, number).await;
        for patch in &plan.body_patches {
            response.patch_body(patch);
        }
        for (name, value) in &plan.headers {
            response.set_header(name, value);
        }
        wait(plan.wait_after).await;
        if let Some(end) = plan.end_at(Stage::Answer) {
            return Ok(end);
        }
        note.clear();
        note.push_str(&response.status.to_string());
        if !what.is_empty() {
            note.push_str(&format!(" {what}"));
        }
        let asked_to_close = response
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let outgoing = Outgoing {
            response: &response,
            date: (!plan.date_missing)
                .then(|| http_date(self.state.clock.now().saturating_add(plan.date_skew))),
            keep_alive: !head.wants_close() && !asked_to_close,
            without_body: head.method == "HEAD" || matches!(response.status, 204 | 304),
        };
        self.send(&outgoing, plan, &delivery).await
    }

    /// Returns the answer of the service or of a fault.
    async fn response(&self, head: &Head, body: Body, plan: &Plan, number: u64) -> Answer {
        match &plan.last {
            Some(FaultKind::Answer(reply)) => reply.to_response().into(),
            Some(FaultKind::Refusal { refusal }) => refusal.response().into(),
            Some(FaultKind::Redirect { status, location }) => {
                let elsewhere = || format!("{}{}", self.state.ready.https, head.target);
                let location = location.clone().unwrap_or_else(elsewhere);
                let mut response = Response::bare(status.unwrap_or(301), crate::response::HTML, "");
                response.set_header("Location", &location);
                response.into()
            }
            Some(FaultKind::OversizedBody { .. }) => Response::new(200, JSON, "").into(),
            _ => {
                let claims = plan.claims_patch.as_ref();
                let answer = api::handle(&self.state, head, body, &self.peer, claims).await;
                if (200..300).contains(&answer.response.status) {
                    self.state.work.add(head);
                    self.state.requests.carried_out(number);
                }
                answer
            }
        }
    }

    async fn send(
        &mut self,
        outgoing: &Outgoing<'_>,
        plan: &Plan,
        delivery: &Delivery,
    ) -> io::Result<Next> {
        let stream = &mut self.stream;
        let mut keep_alive = outgoing.keep_alive;
        match &plan.last {
            Some(FaultKind::Truncate { bytes }) => {
                outgoing.part(stream, *bytes).await?;
                return Ok(Next::HangUp);
            }
            Some(FaultKind::Drip { ms, stage }) => {
                let pause = Duration::from_millis(*ms);
                let head_too = *stage == DripStage::Headers;
                outgoing.dripped(stream, pause, head_too).await?;
            }
            Some(FaultKind::Framing { framing }) => {
                keep_alive = outgoing.framed(stream, *framing).await?;
            }
            Some(FaultKind::Unasked { text, ms }) => {
                outgoing.whole(stream).await?;
                wait(Duration::from_millis(*ms)).await;
                write(stream, text.as_bytes()).await?;
            }
            Some(FaultKind::OversizedHeaders { bytes, line }) => {
                let line = line.unwrap_or(8000);
                outgoing.with_padded_head(stream, *bytes, line).await?;
            }
            Some(FaultKind::OversizedBody { bytes, chunked }) => {
                outgoing.oversized(stream, *bytes, *chunked).await?;
            }
            _ => {
                if let Some(end) = plan.end_at(Stage::HalfHead) {
                    outgoing.half_head(stream).await?;
                    return Ok(end);
                }
                if let Some(end) = plan.end_at(Stage::Body) {
                    outgoing.part(stream, None).await?;
                    return Ok(end);
                }
                if !delivery.is_usual() {
                    match outgoing.delivered(stream, delivery).await? {
                        Delivered::Whole => {}
                        Delivered::UntilClose => keep_alive = false,
                        Delivered::Short => return Ok(Next::HangUp),
                    }
                } else if !plan.wait_within_head.is_zero() {
                    outgoing.head_in_two(stream, plan.wait_within_head).await?;
                } else if plan.wait_within.is_zero() {
                    outgoing.whole(stream).await?;
                } else {
                    outgoing.in_two(stream, plan.wait_within).await?;
                }
            }
        }
        Ok(if keep_alive { Next::Keep } else { Next::Close })
    }
}
