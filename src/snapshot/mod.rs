//! Snapshot tests of declared sites.
//!
//! A site's `tests/*.http` files hold requests as VS Code's REST Client and JetBrains' HTTP Client write
//! them, so the same file can be fired by hand from the editor. [`run`] sends them to a [`Target`] with a
//! cookie jar as a browser keeps one, a frozen clock and a frozen random source, and compares what comes
//! back with the `.snap` file beside: status, headers, the decoded session before and after, and body.
//!
//! ```text
//! @host = http://localhost:6543
//!
//! ### The first visit starts at one
//! GET {{host}}/
//!
//! ### Half an hour later the session has gone
//! # @at +30m
//! GET {{host}}/
//!
//! ### Bob logs in with the token his last page showed him
//! # @visitor bob
//! POST {{host}}/login
//! Content-Type: application/x-www-form-urlencoded
//!
//! user=bob&csrf_token={{$csrf-token}}
//! ```
//!
//! | Directive | Does | Holds |
//! |---|---|---|
//! | `# @at +30m`, `# @at 2030-01-01T00:00:00Z` | moves the clock (`s m h d`), which starts at 2030-01-01T00:00:00Z | from here on |
//! | `# @visitor bob` | changes the jar | from here on |
//! | `# @tamper`, `# @tamper -1` | flips a bit in the middle (or at a position) of the session cookie sent | this request |
//! | `# @parallel 50` | sends it so many times at once | this request |
//! | `# @no-cookie-jar` | neither sends cookies nor keeps them, as in both editors | this request |
//! | `# @name x` | names it, where `###` does not | this request |
//!
//! Every file starts with empty jars, the same clock and the same seed. No redirect is followed. A `Cookie`
//! header in the file is sent in place of the jar's. What changes by nature is named, not printed:
//! `[session]` for the session cookie's value, and what the target calls volatile, such as `[csrf-token]`
//! and the `[version]` of a static file.
//! `{{$csrf-token}}` in a request sends back the last one its visitor was shown; fired by hand, put the
//! token there instead. A cookie that a browser would drop is not kept, and the snapshot says so.
//!
//! A snapshot holds on every session factory that keeps its promises. Where the session lives in the
//! cookie, each change of it is a `Set-Cookie`; where it lives on a server, only a new name is. So one
//! that goes on with the same session is left out, unless it has a lifetime to prolong, which all
//! factories do alike. What it would have told stands beside it: the session before and after.
//!
//! Absent on purpose: scripts, bodies read from files, and references into earlier responses. The two
//! editors do not agree on them, and `{{$name}}` covers what a test needs of them.

use std::future::Future;
use std::pin::Pin;

mod clock;
mod compare;
mod directive;
mod http_file;
mod jar;
mod line;
mod placeholder;
mod player;
mod redact;
mod report;
mod request;
mod run;
mod set_cookie;
mod snap;
#[cfg(test)]
mod tests;
mod text;
mod visitor;

pub use clock::format as utc;
pub use directive::{DIRECTIVES, Settings, Tamper};
pub use http_file::{HttpFile, parse};
pub use jar::{Jar, Place};
pub use line::Line;
pub use report::{Case, Failure, FileReport, Report};
pub use request::{METHODS, Request, Url};
pub use run::{Options, discover, run};
pub use set_cookie::{Dropped, MAX_NAME_AND_VALUE, SetCookie};

/// The site under test: one request in, what happened out. Implemented elsewhere, in process, with the
/// real handling of requests.
pub trait Target: Send + Sync {
    /// Answers one request at a given moment. The request is in origin form (or `*`), with `Host`, with
    /// `Content-Length` when it has a body, and with the cookies to be sent.
    fn send<'a>(
        &'a self,
        request: http::Request<bytes::Bytes>,
        moment: Moment,
    ) -> Pin<Box<dyn Future<Output = Exchange> + Send + 'a>>;

    /// The name of the session cookie: its value is never printed, its attributes are.
    fn cookie_name(&self) -> &str;

    /// A new file begins. Since each file draws from the same seed, a target that stores sessions must
    /// forget them here, or the first visitor of one file would meet the records of another.
    fn reset<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }
}

/// The frozen clock and random source of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// Differs for every request of a file, those of one `@parallel` included; the same in every run.
    pub seed: u64,
}

/// What happened to one request.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What the visitor gets.
    pub response: http::Response<bytes::Bytes>,
    /// The decoded session the request came with. `None` here and in `after`: the route did not touch it.
    pub before: Option<serde_json::Value>,
    /// The decoded session it left behind. `None` here alone: the session has ended.
    pub after: Option<serde_json::Value>,
    /// It left the very session it came with: none began, got another name or ended.
    pub same_session: bool,
    /// The session was stored as it was, to keep it from timing out.
    pub refreshed: bool,
    /// Why the site refused it or failed, in words for whoever runs it.
    pub because: Option<String>,
    /// Texts that change by nature and their names, `("9f86d0…", "csrf-token")`: printed as `[csrf-token]`
    /// wherever they stand, and sent back where a later request of the visitor says `{{$csrf-token}}`.
    pub volatile: Vec<(String, &'static str)>,
}
