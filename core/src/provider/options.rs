//! The options of a provider.

use std::{
    path::{self, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    create::{
        aim::Errand,
        rules::{Renewal, Rules},
    },
    error::{Error, Status},
    host::system,
    provider::listener::Listener,
    session_options::SessionOptions,
    text::{Rule, Text},
};

const DEFAULT_MIN_VALID_S: u32 = 5;

/// A limit far above the life of a session, which is minutes.
const MOST_MIN_VALID_S: u32 = 24 * 60 * 60;

/// The caller's values. [`ProviderOptions::check`] validates them.
#[derive(Clone, Default)]
pub struct ProviderOptions {
    pub min_valid_s: Option<u32>,
    /// `Err` with the caller's number if it is not a policy.
    pub renewal: Option<Result<Renewal, i32>>,
    pub is_background: bool,
    pub directory: Text,
    pub listener: Option<Arc<Listener>>,
}

/// Valid options.
pub struct Plan {
    pub errand: Errand,
    pub rules: Rules,
    pub directory: Option<PathBuf>,
    pub listener: Option<Arc<Listener>>,
}

impl ProviderOptions {
    pub const UNSET: ProviderOptions = ProviderOptions {
        min_valid_s: None,
        renewal: None,
        is_background: false,
        directory: Text::UNSET,
        listener: None,
    };

    /// Returns the plan, or an error for the first invalid option.
    pub fn check(&self, session: &SessionOptions) -> Result<Plan, Error> {
        let errand = session.check()?;
        if errand.request.identifier.is_none() {
            return Err(refused(
                "a provider needs an identifier; set one in the session options",
            ));
        }
        if errand.request.kills() {
            return Err(refused(
                "kill session cannot be set for a provider; set its renewal policy instead",
            ));
        }
        let min_valid_s = self.min_valid_s.unwrap_or(DEFAULT_MIN_VALID_S);
        if min_valid_s > MOST_MIN_VALID_S {
            return Err(refused(&format!(
                "a minimum validity of {min_valid_s} s is too long; set at most {MOST_MIN_VALID_S} s"
            )));
        }
        let renewal = self.renewal.transpose().map_err(|number| {
            refused(&format!(
                "{number} is not a renewal policy; use a ZELF_RENEWAL_ constant"
            ))
        })?;
        let directory = self.directory.check(&Rule {
            name: "directory",
            max_bytes: 4000,
            ascii_only: false,
            status: Status::InvalidArgument,
        })?;
        if directory.is_some() && !system::STORES_SESSIONS {
            return Err(refused(
                "sessions cannot be stored on this system, where the library cannot tell whether it was restarted; leave the directory unset",
            ));
        }
        Ok(Plan {
            errand,
            rules: Rules {
                min_valid: Duration::from_secs(min_valid_s.into()),
                renewal: renewal.unwrap_or_default(),
                is_background: self.is_background,
            },
            // The directory must stay the same when the process changes its working directory.
            directory: directory.map(|path| path::absolute(path).unwrap_or_else(|_| path.into())),
            listener: self.listener.clone(),
        })
    }
}

fn refused(message: &str) -> Error {
    Error::new(Status::InvalidArgument, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named() -> SessionOptions {
        SessionOptions {
            identifier: Text::new(Some(b"who")),
            ..SessionOptions::default()
        }
    }

    #[test]
    fn the_defaults_are_five_seconds_and_no_thread() {
        let plan = ProviderOptions::default().check(&named()).unwrap();
        assert_eq!(plan.rules.min_valid, Duration::from_secs(5));
        assert_eq!(plan.rules.renewal, Renewal::AtExpiry);
        assert!(!plan.rules.is_background && plan.directory.is_none());
    }

    #[test]
    fn bad_options_of_a_provider_are_refused_by_name() {
        let refusal = |provider: ProviderOptions, session: &SessionOptions| {
            let error = provider.check(session).err().unwrap();
            assert_eq!(error.status, Status::InvalidArgument);
            error.message
        };
        let unset = ProviderOptions::default;
        assert!(refusal(unset(), &SessionOptions::default()).contains("identifier"));
        let killing = SessionOptions {
            kill_session: Some(true),
            ..named()
        };
        assert!(refusal(unset(), &killing).contains("kill session"));
        let long = ProviderOptions {
            min_valid_s: Some(u32::MAX),
            ..unset()
        };
        assert!(refusal(long, &named()).contains("4294967295 s"));
        let odd = ProviderOptions {
            renewal: Some(Err(7)),
            ..unset()
        };
        assert!(refusal(odd, &named()).contains("7 is not a renewal policy"));
        let nowhere = ProviderOptions {
            directory: Text::new(Some(b"")),
            ..unset()
        };
        assert!(refusal(nowhere, &named()).contains("directory"));
    }
}
