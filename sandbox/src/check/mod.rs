//! A check of a deployment: whether the service still behaves as the library expects. It only uses
//! sessions that it has created.
//!
//! Each exchange is a [`step`]. Each expectation is a fact: a row of data with a function that
//! judges the answers. `zelf-sandbox check --help` describes the rest.

mod client;
mod connection_facts;
mod exchange;
mod fact;
mod made;
mod mask;
mod options;
mod recording;
mod refusal_facts;
mod report;
mod reuse_facts;
mod seen;
mod session;
mod session_facts;
mod step;
mod verdict;

use std::io;
use std::time::Duration;

use client::Client;
use exchange::{Answer, NoAnswer};
use made::Made;
use mask::Secrets;
use recording::Recordings;
use reqwest::Url;
use seen::Seen;

pub use options::Options;
pub use report::{Outcome, Report};
pub use step::Step;
pub use verdict::{Doubt, Finding};

/// How long the connection is idle if the server announces no time.
const USUAL_REST: Duration = Duration::from_secs(4);
/// The longest idle time: a server may announce an hour.
const LONGEST_REST: Duration = Duration::from_secs(20);

/// A check that is ready to run. Nothing was sent yet.
pub struct Check {
    base_url: Url,
    options: Options,
    client: Client,
    recordings: Option<Recordings>,
    made: Made,
}

impl Check {
    /// Checks the options. The error says which one cannot be used.
    pub fn new(base_url: &str, options: Options) -> Result<Self, String> {
        let base_url = options::base_url(base_url)?;
        let origin = match &options.origin {
            Some(origin) if origin.trim().is_empty() => {
                return Err("the origin is empty; set one, or leave the option out".into());
            }
            Some(origin) if !origin.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                return Err(
                    "the origin has characters that a header cannot have; use ASCII".into(),
                );
            }
            Some(origin) => origin.clone(),
            None => base_url.origin().ascii_serialization(),
        };
        Ok(Check {
            client: Client::new(&base_url, &options)?,
            made: Made::new(origin).map_err(|error| error.to_string())?,
            recordings: None,
            base_url,
            options,
        })
    }

    /// Returns the list of the requests that the check will send.
    pub fn plan(&self) -> String {
        let mut plan = format!("A check of {} sends these requests:\n", self.base_url);
        for (number, step) in (1..).zip(Step::ALL) {
            let line = format!(
                "  {number:2}  {:4} {:32} {}\n",
                step.method(),
                step.path(),
                step.purpose()
            );
            plan.push_str(&line);
        }
        plan.push_str(
            "It uses and kills only sessions that it has created. These expire after 10 minutes.\n\
             It never creates a session without an identifier: the service may then return\n\
             somebody else's session.\n",
        );
        plan
    }

    /// Makes the exchanges and judges them. Fails if an exchange could not be recorded.
    pub fn run(mut self) -> io::Result<Report> {
        if let Some(folder) = &self.options.record {
            self.recordings = Some(Recordings::new(folder).map_err(io::Error::other)?);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let seen = runtime.block_on(self.exchanges())?;
        Ok(Report {
            findings: fact::judge(&seen),
        })
    }

    async fn exchanges(&self) -> io::Result<Seen> {
        let mut seen = Seen::new(self.made.clone());
        let mut secrets = Secrets::default();
        // Why no further request is sent.
        let mut stopped: Option<String> = None;
        for (number, step) in (1..).zip(Step::ALL) {
            let request = match &stopped {
                Some(reason) => Err(reason.clone()),
                None => step.request(&self.made, &seen),
            };
            let outcome = match request {
                Err(reason) => Err(NoAnswer::NotSent(reason)),
                Ok(request) => {
                    if step == Step::CreateAfterRest {
                        tokio::time::sleep(self.rest(&seen)).await;
                    }
                    let mut outcome = self.client.send(&request).await;
                    secrets.learn_request(&request);
                    if let Ok(answer) = &mut outcome {
                        secrets.learn(answer);
                        answer.secrets = secrets.clone();
                    }
                    if let Some(recordings) = &self.recordings {
                        let url = self.client.url(&request.path);
                        recordings.write(number, step, &url, &request, &outcome, &self.made)?;
                    }
                    outcome
                }
            };
            if let Err(NoAnswer::Unreachable(reason)) = &outcome {
                stopped = Some(reason.clone());
            }
            seen.add(step, outcome);
            if step == Step::Create
                && let Some(reason) = fact::out_of_service(&seen)
            {
                stopped = Some(reason);
            }
        }
        Ok(seen)
    }

    /// Returns how long the connection is idle before it is used again.
    fn rest(&self, seen: &Seen) -> Duration {
        let before = seen.outcome(Step::KeyWithoutIdentifier);
        let announced = before
            .and_then(|outcome| outcome.as_ref().ok())
            .and_then(Answer::keep_alive);
        rest(self.options.rest, announced)
    }
}

/// Returns the chosen time, or one second less than the announced time.
fn rest(chosen: Option<Duration>, announced: Option<Duration>) -> Duration {
    let announced = announced.map(|announced| announced.saturating_sub(Duration::from_secs(1)));
    let rest = chosen.or(announced).unwrap_or(USUAL_REST);
    rest.min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_ends_one_second_before_the_announced_time_and_is_bounded() {
        let seconds = Duration::from_secs;
        assert_eq!(rest(None, Some(seconds(5))), seconds(4));
        assert_eq!(rest(None, Some(seconds(0))), seconds(0));
        assert_eq!(rest(None, Some(seconds(3600))), LONGEST_REST);
        assert_eq!(rest(None, None), USUAL_REST);
        assert_eq!(rest(Some(seconds(1)), Some(seconds(5))), seconds(1));
    }
}
