//! A stored session: reading returns what was written, and the session can be used.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use zelf_core::provider::stored::{self, Circumstances};

const NOW: Duration = Duration::from_secs(100_000);

fuzz_target!(|input: &[u8]| {
    let here = Circumstances {
        boot: "boot",
        binding: "binding",
        now: NOW,
        wall: 1_795_452_670,
    };
    // These lines save the fuzzer from finding them.
    let text = [b"zelf session 1\nboot\nbinding\n", input].concat();
    let Some(read) = stored::read(&text, &here).or_else(|| stored::read(input, &here)) else {
        return;
    };
    let session = &read.session;
    assert!(!session.token().is_empty());
    assert!(
        session
            .token()
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~'))
    );
    assert!(!format!("{read:?}").contains(session.token()) || session.token().len() < 24);
    assert!(read.doubted_since.is_none_or(|since| since <= NOW));
    // The calls of a provider.
    for now in [Duration::ZERO, NOW, Duration::MAX] {
        assert!(session.seconds_left_at(now) >= 0);
        let _ = session.is_fresh_at(now);
    }
    let _ = session.whole_seconds();

    let is_confirmed = read.doubted_since.is_none();
    let written = stored::write(session, is_confirmed, &here);
    let again = stored::read(&written, &here).expect("a stored session can be read");
    assert_eq!(again.session.token(), session.token());
    assert_eq!(again.session.times(), session.times());
    assert_eq!(again.session.id(), session.id());
    assert_eq!(again.doubted_since, (!is_confirmed).then_some(NOW));
    assert!(session.is_same_as(&again.session));
    // It is only valid for this boot and these options.
    let elsewhere = [
        Circumstances {
            boot: "other",
            ..here
        },
        Circumstances {
            binding: "other",
            ..here
        },
        Circumstances {
            now: NOW - Duration::from_secs(1),
            wall: here.wall - 1,
            ..here
        },
        Circumstances {
            wall: here.wall + 100,
            ..here
        },
    ];
    for there in elsewhere {
        assert!(stored::read(&written, &there).is_none());
    }
});
