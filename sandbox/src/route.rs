//! The routes that require a token.

use crate::quota::Quota;

/// The check of the token's session by a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The token is signed. The session is not checked.
    Signature,
    /// The session exists and is not used, and this quota is not exhausted.
    Session(Quota),
}

/// The answer of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// JSON with this many bytes.
    Data(usize),
    /// The offer of a free name: 74 bytes for `abc.zelf`.
    Offer,
    /// The result of each call of a JSON-RPC request, with this many bytes each.
    Rpc(usize),
}

/// A route of the service.
#[derive(Debug)]
pub struct Route {
    method: &'static str,
    path: &'static str,
    pub guard: Guard,
    /// A required parameter.
    pub needs: Option<&'static str>,
    pub answers: Answers,
}

/// The values of `:chain`.
const CHAINS: [&str; 14] = [
    "aptos",
    "arbitrum",
    "avalanche",
    "base",
    "bitcoin",
    "bnb",
    "ethereum",
    "optimism",
    "polygon",
    "solana",
    "stellar",
    "sui",
    "ton",
    "tron",
];

const SEARCH: Guard = Guard::Session(Quota::Search);
const PREVIEW: Guard = Guard::Session(Quota::Preview);
const LEASE: Guard = Guard::Session(Quota::Lease);
const DECRYPT: Guard = Guard::Session(Quota::Decrypt);

/// The sizes were measured. For ranges this is one of the ends, or a value between.
const ROUTES: [Route; 20] = [
    route(
        "GET",
        "/api/:chain/address/**",
        Guard::Signature,
        Answers::Data(1_000),
    ),
    route(
        "GET",
        "/api/asset/**",
        Guard::Signature,
        Answers::Data(200_000),
    ),
    route(
        "POST",
        "/api/protected/rpc/:chain",
        Guard::Signature,
        Answers::Rpc(1_000),
    ),
    route(
        "GET",
        "/api/zelf-name-service/v2/search",
        SEARCH,
        Answers::Offer,
    )
    .needs("zelfName"),
    route(
        "GET",
        "/api/zelf-name-service/v2/preview",
        PREVIEW,
        Answers::Data(27_000),
    )
    .needs("zelfName"),
    route(
        "POST",
        "/api/zelf-name-service/v2/preview-zelfproof",
        PREVIEW,
        Answers::Data(27_000),
    ),
    route(
        "POST",
        "/api/zelf-name-service/v2/lease",
        LEASE,
        Answers::Data(100_000),
    ),
    route(
        "POST",
        "/api/zelf-name-service/v2/decrypt",
        DECRYPT,
        Answers::Data(100_000),
    ),
    route(
        "GET",
        "/api/tags/search",
        Guard::Signature,
        Answers::Data(100_000),
    )
    .needs("tagName"),
    route(
        "GET",
        "/api/tags/preview",
        Guard::Signature,
        Answers::Data(27_000),
    )
    .needs("tagName"),
    route(
        "POST",
        "/api/tags/preview-zelfproof",
        Guard::Signature,
        Answers::Data(27_000),
    ),
    route(
        "POST",
        "/api/tags/lease",
        Guard::Signature,
        Answers::Data(100_000),
    ),
    route(
        "POST",
        "/api/tags/decrypt",
        Guard::Signature,
        Answers::Data(100_000),
    ),
    route(
        "GET",
        "/api/zelf-ids/search",
        Guard::Signature,
        Answers::Data(27_000),
    )
    .needs("tagName"),
    route(
        "GET",
        "/api/zelf-ids/preview",
        Guard::Signature,
        Answers::Data(27_000),
    )
    .needs("tagName"),
    route(
        "POST",
        "/api/zelf-ids/preview-zelfproof",
        Guard::Signature,
        Answers::Data(27_000),
    ),
    route(
        "POST",
        "/api/zelf-ids/lease",
        Guard::Signature,
        Answers::Data(100_000),
    ),
    route(
        "POST",
        "/api/zelf-ids/decrypt",
        Guard::Signature,
        Answers::Data(100_000),
    ),
    route(
        "GET",
        "/api/zelf-keys/list",
        Guard::Signature,
        Answers::Data(2_000_000),
    ),
    route(
        "POST",
        "/api/zelf-keys/store/*",
        Guard::Signature,
        Answers::Data(60_000),
    ),
];

const fn route(method: &'static str, path: &'static str, guard: Guard, answers: Answers) -> Route {
    Route {
        method,
        path,
        guard,
        needs: None,
        answers,
    }
}

impl Route {
    const fn needs(mut self, parameter: &'static str) -> Self {
        self.needs = Some(parameter);
        self
    }

    /// Returns the route for a method and a lower-case path. HEAD is treated like GET.
    pub fn find(method: &str, path: &str) -> Option<&'static Route> {
        let method = if method == "HEAD" { "GET" } else { method };
        ROUTES
            .iter()
            .find(|route| route.method == method && matches(route.path, path))
    }
}

/// Matches a path. `*` is any single segment, and `**` at the end any number of segments.
fn matches(pattern: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let fits = match (wanted, segments.next()) {
            ("**", _) => return true,
            (":chain", Some(segment)) => CHAINS.contains(&segment),
            ("*", Some(segment)) => !segment.is_empty(),
            (word, Some(segment)) => word == segment,
            (_, None) => false,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_its_route_alone() {
        for (method, path, found) in [
            ("GET", "/api/solana/address", true),
            ("HEAD", "/api/solana/address/0xabc/transactions", true),
            ("POST", "/api/solana/address", false),
            ("GET", "/api/mars/address", false),
            ("GET", "/api/solana/addresses", false),
            ("GET", "/api/asset/eth", true),
            ("POST", "/api/protected/rpc/avalanche", true),
            ("POST", "/api/protected/rpc/avalanche/more", false),
            ("POST", "/api/zelf-keys/store/password", true),
            ("POST", "/api/zelf-keys/store", false),
            ("POST", "/api/zelf-keys/store/", false),
        ] {
            assert_eq!(
                Route::find(method, path).is_some(),
                found,
                "{method} {path}"
            );
        }
    }
}
