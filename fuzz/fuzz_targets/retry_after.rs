//! `Retry-After`, in all forms that servers use.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use zelf_core::{
    api::refusal,
    http::{
        answer::Answer,
        retry_after::{self, RetryAfter},
    },
};

const WALL: i64 = 1_795_452_670;

fn wait(asked: RetryAfter, date: Option<i64>) -> Option<Duration> {
    let answer = Answer {
        date,
        retry_after: Some(asked),
        ..Answer::of(429, b"")
    };
    refusal::wait(&answer, WALL)
}

fuzz_target!(|value: &[u8]| {
    let asked = retry_after::read(value);
    if let Ok(text) = std::str::from_utf8(value)
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
    {
        // Very long waits count as equal.
        const MOST: u64 = u64::MAX / 1_000_000;
        let seconds = text.parse().unwrap_or(u64::MAX);
        let Some(RetryAfter::Seconds(read)) = asked else {
            panic!("{text} is {asked:?}");
        };
        assert!(read == seconds || read >= MOST && seconds >= MOST, "{text}");
    }
    let Some(asked) = asked else {
        return;
    };
    for date in [None, Some(WALL), Some(i64::MIN), Some(i64::MAX)] {
        let wait = wait(asked, date).unwrap();
        match asked {
            RetryAfter::Seconds(seconds) => assert_eq!(wait, Duration::from_secs(seconds)),
            RetryAfter::Date(_) => assert!(wait >= Duration::from_secs(1)),
        }
    }
    if let RetryAfter::Seconds(seconds) = asked {
        let both = [value, b", 7"].concat();
        let longer = RetryAfter::Seconds(seconds.max(7));
        assert_eq!(retry_after::read(&both), Some(longer), "a list");
        assert_eq!(asked.or_longer(RetryAfter::Seconds(7)), longer);
    }
});
