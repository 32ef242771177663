//! The refusals of the service, with their exact texts.

use serde::{Deserialize, Serialize};

use crate::response::{HTML, Response, TEXT};

/// Why a request was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// 401: the token is missing or bad, or the path is unknown.
    Protected,
    /// 401: the session was used too often.
    InvalidSession,
    /// 403: the session does not exist or is used.
    NotActive,
    /// 403: too many searches or leases.
    SearchLimit,
    /// 403: too many previews or decryptions.
    DecryptLimit,
    /// 404, text: the service is starting.
    Starting,
    /// 502, HTML: a proxy in front of the service cannot connect to it.
    BadGateway,
    /// 503, HTML: the same.
    Unavailable,
    /// 504, HTML: the time limit of a proxy in front of the service has passed.
    GatewayTimeout,
}

impl Refusal {
    pub fn response(self) -> Response {
        match self {
            Refusal::Protected => Response::error(
                401,
                "Protected resource, use Authorization header to get access",
            ),
            Refusal::InvalidSession => Response::error(401, "Invalid session"),
            Refusal::NotActive => Response::validation_error(403, "Session is not active"),
            Refusal::SearchLimit => Response::validation_error(403, "Search limit exceeded"),
            Refusal::DecryptLimit => Response::validation_error(403, "Decrypt limit exceeded"),
            Refusal::Starting => Response::new(404, TEXT, "Not Found"),
            Refusal::BadGateway => page(502, "502 Bad Gateway"),
            Refusal::Unavailable => page(503, "503 Service Temporarily Unavailable"),
            Refusal::GatewayTimeout => page(504, "504 Gateway Time-out"),
        }
    }
}

/// Returns the page of a proxy.
fn page(status: u16, title: &str) -> Response {
    let html = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
         <center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    Response::bare(status, HTML, html)
}
