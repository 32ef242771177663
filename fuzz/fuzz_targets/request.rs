//! A request with any values: it is refused, or has exactly these values.

#![no_main]

use libfuzzer_sys::fuzz_target;
use zelf_core::{
    send::{head::Common, request::Request},
    text::Text,
};
use zelf_fuzz::assert_fit;

fn text(bytes: &[u8]) -> Text {
    Text::new(Some(bytes))
}

fuzz_target!(|input: &[u8]| {
    // C strings cannot contain a NUL.
    let mut parts = input.splitn(6, |byte| *byte == 0);
    let mut part = || parts.next().unwrap_or_default();
    let (method, target, name, value, body_type, body) =
        (part(), part(), part(), part(), part(), part());
    let mut request = Request::new(text(method), text(target));
    if !name.is_empty() {
        request.set_header(text(name), text(value));
    }
    if !body.is_empty() {
        request.set_body(Some(body), body.len(), text(body_type));
    }
    let outline = match request.check() {
        Ok(outline) => outline,
        Err(error) => return assert_fit(&error),
    };
    let common = Common::new("/base", "a.test", "https://o.test", "x/1");
    let (sent, rest) = common.request(&outline, None, usize::MAX);
    assert!(rest.is_empty());
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut read = httparse::Request::new(&mut headers);
    let length = read.parse(&sent).expect("a request is HTTP").unwrap();
    assert_eq!(read.method.map(str::as_bytes), Some(method));
    let path = [b"/base", target].concat();
    assert_eq!(read.path.map(str::as_bytes), Some(&path[..]));
    assert_eq!(&sent[length..], body);
    let mut own = 0;
    for header in read.headers.iter() {
        if !name.is_empty() && header.name.as_bytes() == name {
            assert_eq!(header.value, value);
            own += 1;
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            assert_eq!(header.value, body.len().to_string().as_bytes());
        }
    }
    assert!(own == 1 || name.is_empty(), "{own} headers");
    assert!(read.headers.len() <= 8);
});
