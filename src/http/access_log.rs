//! The access log: a line for each request.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Instant;

use http::Response;

use super::{Incoming, ResponseBody};

/// The target of the access log's lines, for subscribers.
pub const ACCESS_LOG: &str = "access";

/// Writes the line of a request that began at `start`:
/// `127.0.0.1 "GET /howdy HTTP/1.1" 200 156 0.31ms hello`
pub(super) fn write(
    incoming: &Incoming,
    start: Instant,
    address: Option<IpAddr>,
    route: Option<&str>,
    response: &Response<ResponseBody>,
) {
    let microseconds = start.elapsed().as_micros();
    // Into a string first: every piece of what tracing is given takes a long way.
    let mut line = String::with_capacity(128);
    // Writing to a String cannot fail.
    let _ = match address {
        Some(address) => write!(line, "{address}"),
        None => line.write_str("-"),
    };
    let _ = write!(
        line,
        " \"{} {} {:?}\" {} {} {}.{:02}ms {}",
        incoming.method,
        // The query stays out: it is where people put tokens.
        incoming.path.escape_debug(),
        incoming.version,
        response.status().as_u16(),
        response.body().len(),
        microseconds / 1000,
        microseconds % 1000 / 10,
        route.unwrap_or("-"),
    );
    tracing::info!(target: ACCESS_LOG, "{line}");
}
