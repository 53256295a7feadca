//! A served site as the edge's [`Handler`]: which site answers, on whose clock, and the access log.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::{Response, StatusCode, Version};

use super::answer::{Account, Moment, answer};
use super::outage::Outage;
use super::{Handler, Incoming, Limits, ResponseBody, page};
use crate::diagnostic::print;
use crate::session::factory::{SessionError, Standing};
use crate::site::live::{Live, State};
use crate::site::response::Reply;

/// Answers requests with whatever site is live.
#[derive(Debug)]
pub struct Served {
    live: Arc<Live>,
    next_id: AtomicU64,
    outage: Outage,
}

impl Served {
    /// Serves what `live` holds, now and after every swap.
    pub fn new(live: Arc<Live>) -> Self {
        // Ids of two runs of the program should not be mistaken for each other.
        let first = getrandom::u32().unwrap_or_default();
        Self { live, next_id: AtomicU64::new(u64::from(first)), outage: Outage::default() }
    }

    /// Tries whether the sessions of the site can be reached; if not, the log says so.
    pub async fn try_sessions(&self) {
        if let State::Serving(serving) = &*self.live.now()
            && let Some(factory) = &serving.sessions
        {
            let patience = Duration::from_secs(serving.site.settings.session.store_timeout);
            self.outage.look(&**factory, patience).await;
        }
    }
}

impl Handler for Served {
    fn limits(&self) -> Limits {
        match &*self.live.now() {
            State::Serving(serving) => Limits::of(&serving.site.settings.server),
            State::Broken(_) => Limits::default(),
        }
    }

    fn is_proxy(&self, peer: IpAddr) -> bool {
        match &*self.live.now() {
            State::Serving(serving) => serving.site.edge.trusts(peer),
            State::Broken(_) => false,
        }
    }

    async fn answer(&self, incoming: Incoming) -> Response<ResponseBody> {
        let serving = match &*self.live.now() {
            State::Serving(serving) => Arc::clone(serving),
            State::Broken(problems) => return broken(&print::to_text(problems, false)),
        };
        let moment = Moment { now: now(), id: self.next_id.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff };
        let line = serving.site.settings.server.access_log.then(|| Line::begin(&incoming));
        let answer = answer(&serving, incoming, &moment).await;
        if let Some(factory) = &serving.sessions {
            self.outage.notice(&**factory, &answer.account);
        }
        log_failure(&answer.account, &moment);
        if let Some(line) = line {
            line.end(&answer.response, &answer.account);
        }
        answer.response
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The page of a site that has never been good: what is wrong with it, and it asks again by itself.
fn broken(problems: &str) -> Response<ResponseBody> {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"refresh\" content=\"2\">\n\
         <title>This site has problems</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:72rem;padding:0 1rem;color-scheme:light dark}}\
         pre{{overflow-x:auto;padding:1rem;border:1px solid;border-radius:.5rem}}</style>\n</head>\n<body>\n\
         <h1>This site has problems</h1>\n<p>Save a mended file, and the site appears here.</p>\n<pre>{}</pre>\n</body>\n</html>\n",
        handlebars::html_escape(problems)
    );
    let html = http::HeaderValue::from_static("text/html; charset=utf-8");
    let headers = vec![(http::header::CONTENT_TYPE, html)];
    let reply = Reply { status: StatusCode::SERVICE_UNAVAILABLE, headers, body: body.into() };
    let mut response = page::response(reply, page::Session::Used, None);
    response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("2"));
    response
}

/// What a failure means for the operator: server errors and sessions that do not fit with their cause, refused
/// cookies quietly.
fn log_failure(account: &Account, moment: &Moment) {
    if let Some(session) = &account.session
        && let Standing::Refused(refusal) = session.standing
    {
        tracing::debug!(reason = refusal.label(), "a session cookie was refused");
    }
    let Some(failure) = account.failure.as_ref().filter(|failure| !failure.private.is_empty()) else {
        return;
    };
    let route = account.route.as_deref().unwrap_or("-");
    let status = failure.status.as_u16();
    let id = format_args!("{:08x}", moment.id);
    if !failure.status.is_server_error() {
        if failure.is_notable {
            tracing::warn!(id, status, route, cause = failure.private, "request refused");
        } else {
            tracing::debug!(id, status, route, cause = failure.private, "request refused");
        }
        return;
    }
    let cause = &failure.private;
    match account.session_error {
        // The outage is told once, not for every request in it.
        Some(SessionError::Unavailable(_)) => tracing::debug!(id, status, route, cause, "request failed"),
        Some(SessionError::OutcomeUnknown(_)) => tracing::warn!(id, status, route, cause, "request failed"),
        _ => tracing::error!(id, status, route, cause, "request failed"),
    }
}

/// The target of the access log's lines, for subscribers.
pub const ACCESS_LOG: &str = "access";

/// One line of the access log, in the making.
struct Line {
    start: Instant,
    method: http::Method,
    path: String,
    version: Version,
}

impl Line {
    fn begin(incoming: &Incoming) -> Self {
        Self {
            start: Instant::now(),
            method: incoming.method.clone(),
            // The query stays out: it is where people put tokens.
            path: incoming.path.clone(),
            version: incoming.version,
        }
    }

    /// `127.0.0.1 "GET /howdy HTTP/1.1" 200 156 0.31ms hello`
    fn end(self, response: &Response<ResponseBody>, account: &Account) {
        let microseconds = self.start.elapsed().as_micros();
        // Into a string first: every piece of what tracing is given takes a long way.
        let mut line = String::with_capacity(128);
        // Writing to a String cannot fail.
        let _ = match account.address {
            Some(address) => write!(line, "{address}"),
            None => line.write_str("-"),
        };
        let _ = write!(
            line,
            " \"{} {} {:?}\" {} {} {}.{:02}ms {}",
            self.method,
            self.path.escape_debug(),
            self.version,
            response.status().as_u16(),
            response.body().len(),
            microseconds / 1000,
            microseconds % 1000 / 10,
            account.route.as_deref().unwrap_or("-"),
        );
        tracing::info!(target: ACCESS_LOG, "{line}");
    }
}
