//! The stored session, so that a short process starts with a token.

use std::time::Duration;

use crate::{
    api::session_answer,
    moment::Moment,
    secret::Secret,
    session::{Session, Times},
};

const FORMAT: &str = "zelf session 1";

/// The wall clock and the monotonic clock may differ by this much between writing and reading. If
/// they differ by more, one of them was set, or the file comes from another system, and the file is
/// ignored.
const TOLERANCE: i64 = 60;

/// The values that a stored session must match, and the clocks.
pub struct Circumstances<'a> {
    /// The id of this boot.
    pub boot: &'a str,
    /// The hash of the base URL, the origin and all options.
    pub binding: &'a str,
    pub now: Moment,
    /// The wall clock in Unix seconds.
    pub wall: i64,
}

#[derive(Debug)]
pub struct Stored {
    pub session: Session,
    /// When the session was received, if it is unconfirmed.
    pub doubted_since: Option<Moment>,
}

pub fn write(session: &Session, is_confirmed: bool, here: &Circumstances<'_>) -> Secret {
    let Times {
        activated_at,
        expires_at,
        ends_at,
    } = session.times();
    let head = format!(
        "{FORMAT}\n{}\n{}\n{} {}\n{activated_at} {expires_at} {} {}\n",
        here.boot,
        here.binding,
        here.wall,
        here.now.as_millis(),
        ends_at.as_millis(),
        u8::from(is_confirmed),
    );
    let token = session.token();
    let mut text = Secret::with_capacity(head.len() + token.len() + 1);
    text.append(head.as_bytes());
    text.append(token.as_bytes());
    text.append(b"\n");
    text
}

/// Reads the output of [`write`]. Returns `None` for anything else.
pub fn read(text: &[u8], here: &Circumstances<'_>) -> Option<Stored> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.strip_suffix('\n')?.split('\n');
    if lines.next()? != FORMAT || lines.next()? != here.boot || lines.next()? != here.binding {
        return None;
    }
    let [wall, now] = numbers(lines.next()?)?;
    let [activated_at, expires_at, ends_at, is_confirmed] = numbers(lines.next()?)?;
    let token = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    let milliseconds = |number: i64| u64::try_from(number).ok().map(Duration::from_millis);
    let (written_at, ends_at) = (milliseconds(now)?, milliseconds(ends_at)?);
    let passed = i64::try_from(here.now.checked_sub(written_at)?.as_secs()).ok()?;
    let passed_by_wall = here.wall.checked_sub(wall)?;
    if passed.abs_diff(passed_by_wall) > TOLERANCE.unsigned_abs() {
        return None;
    }
    let times = Times {
        activated_at,
        expires_at,
        ends_at,
    };
    Some(Stored {
        session: session_answer::of_token(token.as_bytes(), times)?,
        doubted_since: (is_confirmed != 1).then_some(written_at),
    })
}

fn numbers<const N: usize>(line: &str) -> Option<[i64; N]> {
    let mut parts = line.split(' ');
    let mut found = [0; N];
    for number in &mut found {
        *number = parts.next()?.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use crate::session::Claimed;

    use super::*;

    const HERE: Circumstances<'static> = Circumstances {
        boot: "boot",
        binding: "binding",
        now: Duration::from_secs(1000),
        wall: 1_800_000_000,
    };

    fn session() -> Session {
        let times = Times {
            activated_at: 1_800_000_000,
            expires_at: 1_800_000_600,
            ends_at: Duration::from_millis(1_600_250),
        };
        // {"session":"ab"}
        Session::new(b"e.eyJzZXNzaW9uIjoiYWIifQ.s", Claimed::default(), times)
    }

    #[test]
    fn a_stored_session_is_read_with_its_claims() {
        let text = write(&session(), true, &HERE);
        let later = Circumstances {
            now: HERE.now + Duration::from_secs(9),
            wall: HERE.wall + 10,
            ..HERE
        };
        let stored = read(&text, &later).unwrap();
        assert_eq!(stored.session.token(), session().token());
        assert_eq!(stored.session.times(), session().times());
        assert_eq!(stored.session.id(), Some("ab"));
        assert_eq!(stored.doubted_since, None);
        let text = write(&session(), false, &HERE);
        let stored = read(&text, &later).unwrap();
        assert_eq!(stored.doubted_since, Some(HERE.now));
    }

    #[test]
    fn another_start_other_options_and_clocks_that_disagree_make_it_worthless() {
        let text = write(&session(), true, &HERE);
        for other in [
            Circumstances {
                boot: "other",
                ..HERE
            },
            Circumstances {
                binding: "other",
                ..HERE
            },
            Circumstances {
                now: Duration::from_secs(999),
                ..HERE
            },
            Circumstances {
                wall: HERE.wall + 100,
                ..HERE
            },
            Circumstances {
                wall: HERE.wall - 100,
                ..HERE
            },
            Circumstances {
                wall: i64::MIN,
                ..HERE
            },
        ] {
            assert!(read(&text, &other).is_none());
        }
    }

    #[test]
    fn no_change_of_the_text_is_a_crash_or_another_session() {
        let text = write(&session(), true, &HERE);
        for at in 0..text.len() {
            assert!(read(&text[..at], &HERE).is_none(), "{at}");
            for byte in [b'\n', b' ', b'-', 0, 0xff] {
                let mut changed = text.to_vec();
                changed[at] = byte;
                let _ = read(&changed, &HERE);
            }
        }
        assert!(read(&[&text[..], b"x\n"].concat(), &HERE).is_none());
    }
}
