//! The one warp filter: a request in, a reply out.
//!
//! warp decides nothing here. Its rejections have statuses of their own and print their
//! insides to the client, so the filter is built to have none, and its type says so.

use std::any::Any;
use std::convert::Infallible;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, Response, StatusCode, Version};
use warp::path::FullPath;
use warp::{Filter, Reply};

use super::activity::Activity;
use super::handler::Trouble;
use super::{Connection, Handler, Incoming, Limits, RequestBody, ResponseBody};

/// What warp does not pass on, carried past it as a request extension.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire {
    pub connection: Connection,
    pub version: Version,
    /// The length of the body, if it was declared.
    pub body_length: Option<u64>,
    pub activity: Arc<Activity>,
}

/// The filter that has `handler` answer every request of a connection.
pub(super) fn filter<H: Handler>(
    handler: Arc<H>,
    limits: Limits,
) -> impl Filter<Extract = (warp::reply::Response,), Error = Infallible> + Clone {
    let query = warp::query::raw().map(Some).or_else(|_| ready(Ok::<_, Infallible>((None,))));
    let body = warp::body::stream().map(Some).or_else(|_| ready(Ok::<_, Infallible>((None,))));
    warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<Wire>())
        .and(body)
        .then(move |method, path: FullPath, query, headers, wire, body| {
            let handler = Arc::clone(&handler);
            async move {
                let wire: Wire = Option::unwrap_or_default(wire);
                let mut incoming = Incoming {
                    method,
                    path: path.as_str().to_owned(),
                    query,
                    headers,
                    version: wire.version,
                    connection: wire.connection,
                    body: RequestBody::from_wire(body, wire.body_length, Arc::clone(&wire.activity)),
                };
                let patience = match wire.body_length {
                    Some(0) => limits.handler,
                    _ => limits.handler.saturating_add(limits.body),
                };
                let is_head = incoming.method == Method::HEAD;
                let mut response = handle(&*handler, &mut incoming, &limits, patience).await;
                // With its body, if nobody has read it.
                drop(incoming);
                if is_head || is_bodiless(response.status()) {
                    drop_body(&mut response);
                }
                if wire.version < Version::HTTP_2 && wire.activity.left_body_unread() {
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(CONNECTION, close);
                }
                reply(response, wire.version)
            }
        })
}

/// A request from its beginning to its response, whatever becomes of it on the way.
pub(super) async fn handle<H: Handler>(
    handler: &H,
    incoming: &mut Incoming,
    limits: &Limits,
    patience: Duration,
) -> Response<ResponseBody> {
    let mut call = handler.begin(incoming);
    let answered = match objection(incoming, limits) {
        Some(status) => Err(Trouble::Refused(status)),
        None => answer(handler, incoming, &mut call, patience).await,
    };
    let response = answered.unwrap_or_else(|trouble| stand_in(handler, incoming, &mut call, trouble));
    handler.end(incoming, call, &response);
    response
}

/// Why a request never gets to the handler.
fn objection(incoming: &Incoming, limits: &Limits) -> Option<StatusCode> {
    let Incoming { method, path, .. } = incoming;
    let query = incoming.query.as_ref().map_or(0, |query| query.len() + 1);
    if path.len() + query > limits.max_request_line {
        Some(StatusCode::URI_TOO_LONG)
    } else if incoming.headers.len() > limits.max_headers {
        Some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
    } else if method == Method::CONNECT {
        // There is no tunnel to build here (RFC 9110 section 9.3.6).
        Some(StatusCode::NOT_IMPLEMENTED)
    } else if !(path.starts_with('/') || method == Method::OPTIONS && path == "*") {
        Some(StatusCode::BAD_REQUEST)
    } else {
        None
    }
}

/// The handler's answer, if it comes in time and without a panic.
async fn answer<H: Handler>(
    handler: &H,
    incoming: &mut Incoming,
    call: &mut H::Call,
    patience: Duration,
) -> Result<Response<ResponseBody>, Trouble> {
    // The handler holds nothing between requests that a panic could leave half-changed
    // without its own locks saying so.
    let answer = async { handler.answer(incoming, call).await };
    // One expression, or the future would hold the inner one twice.
    match tokio::time::timeout(patience, AssertUnwindSafe(answer).catch_unwind()).await {
        Ok(answered) => answered.map_err(|panic| Trouble::Panicked(said(&*panic))),
        Err(_) => Err(Trouble::TimedOut(patience)),
    }
}

/// What the handler has to say of a request without an answer; if it fails at that too, the name of the
/// status.
fn stand_in<H: Handler>(
    handler: &H,
    incoming: &Incoming,
    call: &mut H::Call,
    trouble: Trouble,
) -> Response<ResponseBody> {
    let status = trouble.status();
    let stand_in = AssertUnwindSafe(|| handler.stand_in(incoming, call, trouble));
    catch_unwind(stand_in).unwrap_or_else(|_| plain(status))
}

/// What a panic said.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("nothing").to_owned()
}

/// Statuses whose responses end with their headers (RFC 9110 sections 15.3.5 and 15.4.5).
fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// How much of a file is read at a time.
const CHUNK: usize = 64 << 10;
/// The same for each of the streams that an HTTP/2 client may leave waiting: one frame.
const FRAME: usize = 16 << 10;

/// The response as warp sends it.
fn reply(response: Response<ResponseBody>, version: Version) -> warp::reply::Response {
    let (head, body) = response.into_parts();
    match body {
        ResponseBody::Whole(bytes) => Response::from_parts(head, bytes).into_response(),
        ResponseBody::File(part) => {
            let chunk = if version < Version::HTTP_2 { CHUNK } else { FRAME };
            let mut response = warp::reply::stream(part.into_stream(chunk)).into_response();
            *response.status_mut() = head.status;
            *response.headers_mut() = head.headers;
            response
        }
    }
}

/// Takes the body out, and leaves its length where one may be given: what HEAD is answered (RFC
/// 9110 section 9.3.2). hyper does this for HTTP/1 alone.
pub fn drop_body(response: &mut Response<ResponseBody>) {
    let length = std::mem::take(response.body_mut()).len();
    if !is_bodiless(response.status()) {
        let headers = response.headers_mut();
        headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
}

/// The edge's own response: the name of the status, for when the handler cannot speak.
pub(super) fn plain(status: StatusCode) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::from(Bytes::from(format!("{status}\n"))));
    *response.status_mut() = status;
    for (name, value) in
        [(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff"), (CACHE_CONTROL, "no-store")]
    {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
