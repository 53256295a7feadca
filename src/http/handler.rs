//! The seam between the edge and what answers.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{HeaderMap, Method, Response, StatusCode, Version};

use super::{Limits, RequestBody, ResponseBody};

/// What answers requests: the site behind the edge.
///
/// Each request goes through [`begin`](Handler::begin), [`answer`](Handler::answer) and
/// [`end`](Handler::end). Where the edge refuses it, or its answer fails to come,
/// [`stand_in`](Handler::stand_in) answers instead.
pub trait Handler: Send + Sync + 'static {
    /// What the handler knows of a request, from its beginning to its end.
    type Call: Send;

    /// The limits for a connection that is being accepted.
    fn limits(&self) -> Limits;

    /// Whether this is a proxy, whose connections are those of many visitors.
    fn is_proxy(&self, _peer: IpAddr) -> bool {
        false
    }

    /// A request has come.
    fn begin(&self, incoming: &Incoming) -> Self::Call;

    /// Answers one request.
    ///
    /// The future is dropped when the client goes away or [`Limits::handler`] has passed, so
    /// work that must not stop half-way belongs in a task of its own. A panic costs this
    /// request a 500 and nothing else. For `HEAD`, answer as for `GET`: the edge keeps the
    /// headers and the length, and leaves the body out.
    fn answer(
        &self,
        incoming: &mut Incoming,
        call: &mut Self::Call,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// Answers one request that has no answer of its own.
    fn stand_in(&self, incoming: &Incoming, call: &mut Self::Call, trouble: Trouble) -> Response<ResponseBody>;

    /// A request has its response.
    fn end(&self, incoming: &Incoming, call: Self::Call, response: &Response<ResponseBody>);
}

/// Why a request has no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The edge refuses it with this status.
    Refused(StatusCode),
    /// The handler panicked, and said this.
    Panicked(String),
    /// The handler took longer than this.
    TimedOut(Duration),
}

impl Trouble {
    /// The status that tells the client.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Refused(status) => *status,
            Self::Panicked(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::TimedOut(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// One request as it came off the wire; the body is still to be read.
///
/// The edge has refused what is no request to a site (`CONNECT`, a target that is no path)
/// and what is over the [`Limits`]; everything else, `Host` included, is for the handler to
/// judge.
#[derive(Debug)]
pub struct Incoming {
    /// The method, which may be an unknown one.
    pub method: Method,
    /// The raw path, still percent-encoded. It starts with `/`, except for `OPTIONS *`,
    /// where it is `*` (RFC 9112 section 3.2.4).
    pub path: String,
    /// The raw query without its `?`; `None` when the target has no `?`.
    pub query: Option<String>,
    /// The headers, repeated ones included.
    pub headers: HeaderMap,
    /// The protocol version.
    pub version: Version,
    /// Where the request came from.
    pub connection: Connection,
    /// The body.
    pub body: RequestBody,
}

/// What is known of a request besides the request itself.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The client's address, or its proxy's; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// The authority of an absolute-form target (RFC 9112 section 3.2.2, where it overrides
    /// `Host`) or HTTP/2's `:authority` (RFC 9113 section 8.3.1).
    pub authority: Option<String>,
}
