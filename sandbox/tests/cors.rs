//! The preflight request of a browser.

mod common;

use common::{http, sandbox};

#[test]
fn a_preflight_gets_permission_for_what_it_asks() {
    let answer = http(&sandbox()).exchange(
        "OPTIONS /api/sessions HTTP/1.1\r\nHost: x\r\nOrigin: https://x.test\r\n\
         Access-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type\r\n\r\n",
    );
    assert_eq!((answer.status, answer.text()), (204, ""));
    for (name, value) in [
        ("Access-Control-Allow-Origin", "*"),
        (
            "Access-Control-Allow-Methods",
            "GET,HEAD,PUT,POST,DELETE,PATCH",
        ),
        ("Access-Control-Allow-Headers", "content-type"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

#[test]
fn options_that_ask_for_no_method_ask_for_a_token_first() {
    let request = "OPTIONS /api/sessions HTTP/1.1\r\nHost: x\r\n\r\n";
    assert_eq!(http(&sandbox()).exchange(request).status, 401);
}
