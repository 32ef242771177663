//! How an exchange reads a response, however it is split.

use std::time::Duration;

use zelf_core::http::{
    exchange::{Close, Exchange, Rules},
    head::Method,
    no_answer::NoAnswer,
    retry_after::RetryAfter,
};

const MAX_BODY: usize = 1000;

const RULES: Rules = Rules {
    method: Method::Usual,
    max_body: MAX_BODY,
    error_body_time: Some(Duration::from_secs(4)),
    is_whole: |body| body.starts_with(b"{") && body.ends_with(b"}"),
};

/// The result of a response.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Answer {
        status: u16,
        body: Vec<u8>,
        /// The connection may be reused.
        is_kept: bool,
        is_cut_short: bool,
    },
    Failed(NoAnswer),
    Waits,
}

/// Feeds a response in pieces, then the end of the connection.
fn feed(rules: Rules, response: &[u8], piece: usize, end: Option<Close>) -> Outcome {
    let mut exchange = Exchange::new(rules);
    exchange.begin();
    for bytes in response.chunks(piece) {
        match exchange.received(bytes, Duration::ZERO) {
            Ok(_) => {}
            Err(failure) => return Outcome::Failed(failure),
        }
    }
    if !exchange.is_done() {
        match end.map(|end| exchange.closed(end)) {
            None => return Outcome::Waits,
            Some(Err(failure)) => return Outcome::Failed(failure),
            Some(Ok(())) => {}
        }
    }
    let answer = exchange.answer();
    Outcome::Answer {
        status: answer.status,
        body: answer.body.to_vec(),
        is_kept: exchange.may_be_followed(),
        is_cut_short: answer.is_cut_short,
    }
}

/// Returns the outcome, and checks that it is the same at every split.
fn outcome_by(rules: Rules, response: &str, end: Option<Close>) -> Outcome {
    let whole = feed(rules, response.as_bytes(), usize::MAX, end);
    for piece in [1, 2, 3, 7, 16, 61] {
        let split = feed(rules, response.as_bytes(), piece, end);
        assert_eq!(split, whole, "pieces of {piece} bytes of {response:?}");
    }
    whole
}

fn outcome(response: &str) -> Outcome {
    outcome_by(RULES, response, Some(Close::Clean))
}

fn answer(status: u16, body: &str, is_kept: bool) -> Outcome {
    Outcome::Answer {
        status,
        body: body.into(),
        is_kept,
        is_cut_short: false,
    }
}

#[test]
fn a_body_ends_where_its_length_says() {
    for (response, body, is_kept) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", "ab", true),
        ("HTTP/1.1 200 OK\nContent-Length: 2\n\nab", "ab", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
            "ab",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nab",
            "ab",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab",
            "ab",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nab",
            "ab",
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
            "ab",
            false,
        ),
        // Left-over bytes would be read as the answer to another request.
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
            "ab",
            false,
        ),
    ] {
        assert_eq!(
            outcome(response),
            answer(200, body, is_kept),
            "{response:?}"
        );
    }
}

#[test]
fn odd_heads_are_taken_as_curl_takes_them() {
    for (head, is_kept) in [
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", true),
        ("HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\n", true),
        ("HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\n", true),
        (
            "HTTP/1.1 200 All is well\r\nContent-Length : 2\r\n\r\n",
            true,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length:2\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\nContent-Length: \t 2 \r\n\r\n", true),
        (
            "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\nContent-Length: 2\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n 2\r\n\r\n", false),
        (
            "HTTP/1.1 200 OK\r\nX: a\u{1}b\r\nContent-Length: 2\r\n\r\n",
            false,
        ),
        ("HTTP/1.1 200 \u{1}O\rK\r\nContent-Length: 2\r\n\r\n", false),
        ("HTTP/1.1\r200 OK\r\nContent-Length: 2\r\n\r\n", false),
        (
            "HTTP/1.1 200 OK\r\nX: a\rb\nX\r: \0\u{7f}\r\r\nContent-Length: 2\r\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 2\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\n: empty\r\nContent-Length: 2\r\n\r\n",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nX: \u{e9}\r\nContent-Length: 2\r\n\r\n",
            true,
        ),
    ] {
        let response = format!("{head}ab");
        assert_eq!(
            outcome(&response),
            answer(200, "ab", is_kept),
            "{response:?}"
        );
    }
}

#[test]
fn a_head_that_is_refused_is_refused_by_its_name() {
    for (head, words) in [
        ("HTTP/1.1 OK\r\n\r\n", "its status line is malformed"),
        ("HTTP/1.1 2x0 OK\r\n\r\n", "its status line is malformed"),
        ("HTTP/1.7 200 OK\r\n\r\n", "its status line is malformed"),
        (
            "HTTP/1.1 \u{1}00 OK\r\n\r\n",
            "its status line is malformed",
        ),
        // The rest never came.
        ("HTTP/1.1 2x0 OK\r\nDate", "its status line is malformed"),
    ] {
        assert_eq!(
            outcome(head),
            Outcome::Failed(NoAnswer::NotHttp(words)),
            "{head:?}"
        );
    }
}

#[test]
fn a_body_that_is_too_long_is_that_also_where_it_goes_wrong_behind() {
    let long = "a".repeat(MAX_BODY + 1);
    let size = long.len();
    let response = |status: u16| {
        format!(
            "HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n{size:x}\r\n{long}\r\nno size"
        )
    };
    assert_eq!(
        outcome(&response(200)),
        Outcome::Failed(NoAnswer::BodyTooLarge)
    );
    assert_eq!(
        outcome(&response(500)),
        answer(500, &long[..MAX_BODY], false)
    );
}

#[test]
fn lengths_that_contradict_or_make_no_sense_are_refused() {
    for length in [
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
        "Content-Length: -2",
        "Content-Length: +2",
        "Content-Length: 2x",
        "Content-Length: ",
        "Content-Length: 0x2",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: xchunked",
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n{length}\r\n\r\n2\r\nab\r\n0\r\n\r\n");
        assert!(
            matches!(outcome(&response), Outcome::Failed(NoAnswer::NotHttp(_))),
            "{length}"
        );
    }
    for length in ["18446744073709551616", "18446744073709551615", "1001"] {
        let response = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nab");
        let Outcome::Failed(failure) = outcome(&response) else {
            panic!("{length}");
        };
        assert!(matches!(
            failure,
            NoAnswer::HeadTooLarge | NoAnswer::BodyTooLarge
        ));
    }
}

#[test]
fn chunks_are_joined() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in [
        "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
        "2\nab\n3\ncde\n0\n\n",
        "02  \r\nab\r\n3;name=\"value\"\r\ncde\r\n0\r\n\r\n",
        "5\r\nabcde\r\n0\r\nTrailer: x\r\nAnother: y\r\n\r\n",
        "000000000000000000005\r\nabcde\r\n0000\r\n\r\n",
    ] {
        let response = format!("{head}{body}");
        assert_eq!(outcome(&response), answer(200, "abcde", true), "{body:?}");
    }
    let with_rest = format!("{head}2\r\nab\r\n0\r\n\r\nHTTP/1.1 200 OK");
    assert_eq!(outcome(&with_rest), answer(200, "ab", false));
    let identity = head.replace("chunked", "identity, chunked");
    let response = format!("{identity}2\r\nab\r\n0\r\n\r\n");
    assert_eq!(outcome(&response), answer(200, "ab", true));
}

#[test]
fn chunks_without_a_size_are_refused() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = format!("2;{}\r\nab\r\n", "x".repeat(5000));
    for body in [
        "zz\r\n", "+2\r\nab", "\r\n", " 2\r\n", "2\r\nabX", "-1\r\n", &long,
    ] {
        let response = format!("{head}{body}");
        assert!(
            matches!(outcome(&response), Outcome::Failed(NoAnswer::NotHttp(_))),
            "{body:?}"
        );
    }
    let huge = format!("{head}fffffffffffffffff\r\n");
    assert_eq!(outcome(&huge), Outcome::Failed(NoAnswer::BodyTooLarge));
}

#[test]
fn a_response_whose_end_is_doubtful_is_the_last_on_its_connection() {
    for (response, body) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            "ab",
        ),
        (
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            "ab",
        ),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\r\n\r\nab", "ab"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nab",
            "ab",
        ),
    ] {
        let Outcome::Answer {
            body: got, is_kept, ..
        } = outcome(response)
        else {
            panic!("{response:?}");
        };
        assert_eq!((got, is_kept), (body.into(), false), "{response:?}");
    }
}

#[test]
fn statuses_without_a_body_have_none() {
    for status in ["204 No Content", "304 Not Modified"] {
        let response = format!("HTTP/1.1 {status}\r\n\r\n");
        let waits = outcome_by(RULES, &response, None);
        assert!(
            matches!(waits, Outcome::Answer { ref body, is_kept: true, .. } if body.is_empty())
        );
    }
    let head = Rules {
        method: Method::Head,
        ..RULES
    };
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    assert_eq!(outcome_by(head, response, None), answer(200, "", true));
}

#[test]
fn a_tunnel_begins_behind_the_head() {
    let connect = Rules {
        method: Method::Connect,
        ..RULES
    };
    let response = b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n\x16\x03";
    let mut exchange = Exchange::new(connect);
    assert_eq!(exchange.received(response, Duration::ZERO), Ok(true));
    assert_eq!(exchange.left_over(), b"\x16\x03");
    let refusal = "HTTP/1.1 407 Who are you\r\nContent-Length: 2\r\n\r\nno";
    assert_eq!(outcome_by(connect, refusal, None), answer(407, "no", true));
}

#[test]
fn interim_answers_are_skipped_within_bounds() {
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    let response = format!("HTTP/1.1 100 Continue\r\n\r\n{interim}{last}");
    assert_eq!(outcome(&response), answer(200, "ab", true));
    let flood = format!("{}{last}", interim.repeat(9));
    assert_eq!(outcome(&flood), Outcome::Failed(NoAnswer::HeadTooLarge));
    let switch = format!("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n{last}");
    assert!(matches!(
        outcome(&switch),
        Outcome::Failed(NoAnswer::NotHttp(_))
    ));
}

#[test]
fn an_answer_that_is_not_http_fails_at_its_first_wrong_byte() {
    for (bytes, fails_at) in [
        ("<html>", 1),
        ("HTTP/2 200 OK\r\n", 6),
        ("HTTP/1x", 7),
        ("SSH-2.0-OpenSSH\r\n", 1),
        ("\u{15}\u{3}\u{1}", 1),
        ("HTTQ", 4),
    ] {
        let bytes = bytes.as_bytes();
        let before = feed(RULES, &bytes[..fails_at - 1], usize::MAX, None);
        assert_eq!(before, Outcome::Waits);
        for piece in [1, 2, 99] {
            let then = feed(RULES, &bytes[..fails_at], piece, None);
            assert!(matches!(then, Outcome::Failed(NoAnswer::NotHttp(_))));
        }
    }
}

#[test]
fn heads_are_bounded() {
    let many = |count| {
        let headers = "X: y\r\n".repeat(count);
        format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 2\r\n\r\nab")
    };
    assert_eq!(outcome(&many(255)), answer(200, "ab", true));
    assert_eq!(outcome(&many(256)), Outcome::Failed(NoAnswer::HeadTooLarge));
    for end in ["", "\r\n\r\n"] {
        let long = format!("HTTP/1.1 200 OK\r\nX: {}{end}", "y".repeat(70_000));
        assert_eq!(outcome(&long), Outcome::Failed(NoAnswer::HeadTooLarge));
    }
    let breaks = "\r\n".repeat(40_000);
    assert_eq!(outcome(&breaks), Outcome::Failed(NoAnswer::HeadTooLarge));
    let few = "\r\n\n\rHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
    assert_eq!(outcome(few), answer(200, "ab", true));
}

#[test]
fn bodies_are_bounded_and_errors_are_cut() {
    let body = "x".repeat(MAX_BODY + 1);
    let length = body.len();
    for framed in [
        format!("Content-Length: {length}\r\n\r\n{body}"),
        format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
        format!("\r\n{body}"),
    ] {
        let success = format!("HTTP/1.1 200 OK\r\n{framed}");
        assert_eq!(outcome(&success), Outcome::Failed(NoAnswer::BodyTooLarge));
        let error = format!("HTTP/1.1 500 Oh no\r\n{framed}");
        let Outcome::Answer { body, is_kept, .. } = outcome(&error) else {
            panic!("{framed:.20}");
        };
        assert_eq!((body.len(), is_kept), (MAX_BODY, false), "{framed:.20}");
    }
}

#[test]
fn an_answer_that_does_not_end_is_none_but_an_error_keeps_its_status() {
    for framing in [
        "Content-Length: 9\r\n\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nab",
        "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
    ] {
        let success = format!("HTTP/1.1 200 OK\r\n{framing}");
        let error = format!("HTTP/1.1 403 No\r\n{framing}");
        for end in [Close::Clean, Close::Abrupt, Close::Broken] {
            let ended = outcome_by(RULES, &success, Some(end));
            assert_eq!(ended, Outcome::Failed(NoAnswer::Ended));
            let cut = Outcome::Answer {
                status: 403,
                body: b"ab".to_vec(),
                is_kept: false,
                is_cut_short: true,
            };
            assert_eq!(outcome_by(RULES, &error, Some(end)), cut, "{framing}");
        }
        assert_eq!(outcome_by(RULES, &success, None), Outcome::Waits);
    }
    for beginning in ["", "H", "HTTP/1.1 200 OK\r\nContent-Le"] {
        let ended = outcome(beginning);
        assert_eq!(ended, Outcome::Failed(NoAnswer::Ended));
    }
}

#[test]
fn without_a_length_the_body_shows_its_end_or_the_connection_does() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let object = format!("{head}{{\"a\":1}}");
    assert_eq!(
        outcome_by(RULES, &object, None),
        answer(200, "{\"a\":1}", false)
    );
    let part = format!("{head}{{\"a\":");
    assert_eq!(outcome_by(RULES, &part, None), Outcome::Waits);
    let ended = |end| outcome_by(RULES, &part, Some(end));
    assert_eq!(ended(Close::Clean), answer(200, "{\"a\":", false));
    assert_eq!(ended(Close::Abrupt), Outcome::Failed(NoAnswer::Ended));
}

#[test]
fn an_error_whose_body_makes_no_sense_keeps_its_status() {
    let response = "HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n";
    let Outcome::Answer {
        status, is_kept, ..
    } = outcome(response)
    else {
        panic!("it has a status");
    };
    assert_eq!((status, is_kept), (503, false));
}

#[test]
fn the_rest_of_an_error_is_waited_for_from_its_head_on() {
    let mut exchange = Exchange::new(RULES);
    let now = Duration::from_secs(100);
    let head = b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(exchange.received(head, now), Ok(false));
    assert_eq!(exchange.error_body_until(), Some(Duration::from_secs(104)));
    exchange.begin();
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(exchange.received(head, now), Ok(false));
    assert_eq!(exchange.error_body_until(), None);
}

#[test]
fn the_headers_that_matter_are_read() {
    let response = b"HTTP/1.1 301 Moved\r\nDate: Thu, 26 Nov 2026 21:00:00 GMT\r\nRetry-After: 7\r\nLocation:  /x \r\nContent-Length: 0\r\n\r\n";
    let mut exchange = Exchange::new(RULES);
    assert_eq!(exchange.received(response, Duration::ZERO), Ok(true));
    let answer = exchange.answer();
    assert_eq!(answer.date, Some(1_795_726_800));
    assert_eq!(answer.retry_after, Some(RetryAfter::Seconds(7)));
    assert_eq!(answer.location, Some(b"/x".as_slice()));
}

#[test]
fn of_a_repeated_header_the_first_that_makes_sense_counts() {
    let response = b"HTTP/1.1 503 X\r\nDate: garbage\r\nDate: Thu, 26 Nov 2026 21:00:00 GMT\r\nDate: Thu, 26 Nov 2026 22:00:00 GMT\r\nRetry-After: 7\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n";
    let mut exchange = Exchange::new(RULES);
    assert_eq!(exchange.received(response, Duration::ZERO), Ok(true));
    let answer = exchange.answer();
    assert_eq!(answer.date, Some(1_795_726_800));
    assert_eq!(answer.retry_after, Some(RetryAfter::Seconds(7)));
}

#[test]
fn one_exchange_after_the_other_starts_afresh() {
    let mut exchange = Exchange::new(RULES);
    let first =
        b"HTTP/1.1 409 No\r\nDate: Thu, 26 Nov 2026 21:00:00 GMT\r\nContent-Length: 2\r\n\r\nno";
    assert_eq!(exchange.received(first, Duration::ZERO), Ok(true));
    exchange.begin();
    assert!(!exchange.has_heard() && exchange.status() == 0 && !exchange.is_done());
    let second = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes";
    assert_eq!(exchange.received(second, Duration::ZERO), Ok(true));
    let answer = exchange.answer();
    assert_eq!(
        (answer.status, answer.body, answer.date),
        (200, b"yes".as_slice(), None)
    );
}

#[test]
fn words_without_a_length_are_cut_short_when_the_connection_breaks() {
    let response = b"HTTP/1.1 403 X\r\n\r\n{\"error\":\"rej";
    for (how, is_cut_short) in [(Close::Clean, false), (Close::Broken, true)] {
        let mut exchange = Exchange::new(RULES);
        exchange.received(response, Duration::ZERO).unwrap();
        exchange.closed(how).unwrap();
        assert_eq!(exchange.answer().is_cut_short, is_cut_short, "{how:?}");
    }
}

#[test]
fn of_several_waits_the_longest_counts() {
    let response = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nRetry-After: 30\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    let mut exchange = Exchange::new(RULES);
    exchange.received(response, Duration::ZERO).unwrap();
    let asked = exchange.answer().retry_after;
    assert_eq!(asked, Some(RetryAfter::Seconds(30)));
}
