//! The service's CORS layer.

use crate::request::Head;
use crate::response::Response;

/// Answers the CORS preflight request of a browser. Returns `None` for other requests.
pub fn preflight(head: &Head) -> Option<Response> {
    if head.method != "OPTIONS" {
        return None;
    }
    head.header("access-control-request-method")?;
    let mut headers = vec![
        ("Vary", "Origin"),
        ("Access-Control-Allow-Origin", "*"),
        (
            "Access-Control-Allow-Methods",
            "GET,HEAD,PUT,POST,DELETE,PATCH",
        ),
    ];
    if let Some(wanted) = head.header("access-control-request-headers") {
        headers.push(("Access-Control-Allow-Headers", wanted));
    }
    Some(Response::empty(204, &headers))
}
