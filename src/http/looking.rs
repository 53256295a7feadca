//! Requests that only look: HEAD, and those by which a browser fetches ahead.

use http::{HeaderMap, HeaderName, Method};

use super::Incoming;

/// Why a request must leave the session as it is: it only looks.
pub(super) fn only_looking(incoming: &Incoming) -> Option<&'static str> {
    if incoming.method == Method::HEAD {
        return Some("HEAD");
    }
    let says = |(name, word): &(HeaderName, &str)| {
        let value = incoming.headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(word))
    };
    PREFETCH.iter().any(says).then_some("a prefetch")
}

/// What browsers, past ones included, say in which header when they fetch ahead.
const PREFETCH: [(HeaderName, &str); 4] = [
    (HeaderName::from_static("sec-purpose"), "prefetch"),
    (HeaderName::from_static("purpose"), "prefetch"),
    (HeaderName::from_static("x-moz"), "prefetch"),
    (HeaderName::from_static("x-purpose"), "preview"),
];

/// Whether a prefetch stands in for a visit (Fetch, `Sec-Fetch-Dest`): the browser may show this very
/// answer later without asking again, and so what was never stored. Refused, it asks when the visitor
/// comes. What a page merely fetches ahead, for `empty`, is asked for again anyway.
pub(super) fn is_to_be_shown(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-dest").is_some_and(|destination| destination != "empty")
}
