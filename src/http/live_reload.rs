//! Puts the script of [`Dev`] into pages, and answers what it asks.

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use tokio::time::Duration;

use super::{Incoming, ResponseBody, page};
use crate::dev::{Dev, EVENTS_PATH, SCRIPT, SCRIPT_PATH};

/// The longest a browser is left without an answer.
const LONGEST: Duration = Duration::from_secs(10);

/// Whether the script asks, or a page for the script.
pub(super) fn is_asked(incoming: &Incoming) -> bool {
    incoming.method == Method::GET && [SCRIPT_PATH, EVENTS_PATH].contains(&incoming.path.as_str())
}

/// Answers that, well within `limit`.
pub(super) async fn answer(dev: &Dev, incoming: &Incoming, limit: Duration) -> Response<ResponseBody> {
    let (kind, text) = if incoming.path == SCRIPT_PATH {
        ("text/javascript; charset=utf-8", SCRIPT.to_owned())
    } else {
        let asked = |name: &str| {
            let mut pairs =
                incoming.query.as_deref().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
            pairs.find_map(|(known, value)| (known == name).then_some(value))
        };
        // The browser says by itself what this connection was told, and the script what those before it were.
        let told = incoming.headers.get("last-event-id").and_then(|id| id.to_str().ok()).or_else(|| asked("seen"));
        let seen = told.and_then(|id| id.parse().ok());
        let event = dev.event(asked("page").unwrap_or_default(), seen, LONGEST.min(limit / 2)).await;
        ("text/event-stream", event)
    };
    let mut response = Response::new(ResponseBody::from(Bytes::from(text)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page::secure(headers);
    response
}

/// Puts the script into the answer if it is a page that a browser shows; not into what a script fetches to
/// put it into a page. `page` is what [`Dev::page`] was when the request came.
pub(super) fn put_into(response: &mut Response<ResponseBody>, page: &str, asked: &Incoming, nonce: Option<&str>) {
    let headers = response.headers();
    let is_html = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    let is_whole = response.status() != StatusCode::PARTIAL_CONTENT && !headers.contains_key(CONTENT_ENCODING);
    let ResponseBody::Whole(text) = response.body() else { return };
    if text.is_empty() || !is_html || !is_whole || !is_to_be_shown(&asked.headers) {
        return;
    }
    // A parser puts what follows the end of a page into its body.
    let text = Bytes::from([&text[..], tag(page, &asked.method, nonce).as_bytes()].concat());
    let length = HeaderValue::from(text.len());
    *response.body_mut() = text.into();
    let headers = response.headers_mut();
    if headers.contains_key(CONTENT_LENGTH) {
        headers.insert(CONTENT_LENGTH, length);
    }
    // What a browser keeps must not outlive the script in it.
    headers.remove(ETAG);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// The script as an element of a page, which says whether a form was sent to get it.
fn tag(page: &str, method: &Method, nonce: Option<&str>) -> String {
    let sent = if method.is_safe() { "" } else { " data-sent" };
    let nonce = nonce.map_or_else(String::new, |nonce| format!(" nonce=\"{nonce}\""));
    format!("\n<script src=\"{SCRIPT_PATH}\" data-page=\"{page}\"{sent}{nonce}></script>\n")
}

/// Whether a browser is going to show the answer as a page (Fetch Metadata, section 2.1). It says so to
/// HTTPS and to this machine; elsewhere only such requests ask for HTML by name.
fn is_to_be_shown(asked: &HeaderMap) -> bool {
    let says = |name, word: &str| {
        asked.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(word))
    };
    match asked.get("sec-fetch-dest") {
        Some(destination) => ["document", "iframe", "frame"].iter().any(|shown| destination == shown),
        None => says(ACCEPT, "text/html"),
    }
}
