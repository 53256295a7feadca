//! The text of a snapshot: one section per request, stable, made to be read and diffed.
//!
//! ```text
//! ### Second visit
//! GET /
//! @at 2030-01-01T00:30:00Z
//!
//! 200 OK
//! content-type: text/html; charset=utf-8
//! vary: Cookie
//!
//! session before: {"counter":1}
//! session after: {"counter":2}
//!
//! body:
//!   <p>Count: 2</p>
//! ```
//!
//! Text that could be taken for the format itself is indented, so a section begins at `###` in the first
//! column and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderName, header};
use serde_json::Value;

use super::Exchange;
use super::clock;
use super::directive::{Settings, Tamper};
use super::redact::Redactor;
use super::request::Request;
use super::set_cookie::{self, SetCookie};
use super::text::{block, hex, json, status, visible};

const UNTOUCHED: &str = "session untouched\n";

/// Everything a section tells about one request.
#[derive(Debug)]
pub struct Record<'a> {
    /// As it is written.
    pub request: &'a Request,
    /// The target as it was sent.
    pub target: &'a str,
    /// The settings of the request before.
    pub previous: &'a Settings,
    /// One, or as many as `@parallel` says.
    pub exchanges: &'a [Exchange],
    /// The cookies a browser would not keep: name and reason.
    pub dropped: &'a BTreeSet<(String, String)>,
    /// The name of the session cookie.
    pub session_cookie: &'a str,
    /// Knows every volatile text the visitor has met, here or before.
    pub redactor: &'a Redactor,
}

impl Record<'_> {
    /// The section, ending with a newline.
    pub fn section(&self) -> String {
        let answer = match self.exchanges {
            [exchange] => self.single(exchange),
            many => self.parallel(many),
        };
        format!("{}\n{answer}", self.heading())
    }

    fn heading(&self) -> String {
        let Request { name, method, settings, .. } = self.request;
        let title = name.as_ref().map_or_else(|| "###".to_owned(), |name| format!("### {name}"));
        let target = self.redactor.apply(self.target);
        let mut lines = vec![title, format!("{method} {target}")];
        if settings.visitor != self.previous.visitor {
            lines.push(format!("@visitor {}", settings.visitor));
        }
        if settings.now != self.previous.now {
            lines.push(format!("@at {}", clock::format(settings.now)));
        }
        match settings.tamper {
            Some(Tamper::Middle) => lines.push("@tamper".to_owned()),
            Some(Tamper::Character(position)) => lines.push(format!("@tamper {position}")),
            None => {}
        }
        if settings.parallel > 1 {
            lines.push(format!("@parallel {}", settings.parallel));
        }
        if settings.no_cookie_jar {
            lines.push("@no-cookie-jar".to_owned());
        }
        lines.iter().map(|line| visible(line) + "\n").collect()
    }

    fn single(&self, exchange: &Exchange) -> String {
        let response = &exchange.response;
        let status = status(response.status());
        let headers = self.redactor.apply(&self.headers(exchange));
        let session = match (&exchange.before, &exchange.after) {
            (None, None) => UNTOUCHED.to_owned(),
            (before, after) => {
                let [before, after] = [before, after].map(|value| self.redactor.apply(&json(value.as_ref())));
                let refreshed = if exchange.refreshed { "session refreshed\n" } else { "" };
                block("session before", &before) + &block("session after", &after) + refreshed
            }
        };
        let body = if response.body().is_empty() {
            String::new()
        } else {
            format!("\n{}", block("body", &self.body(exchange)))
        };
        format!("{status}\n{headers}{}\n{session}{body}", self.dropped())
    }

    fn parallel(&self, exchanges: &[Exchange]) -> String {
        let statuses = counted(exchanges.iter().map(|exchange| exchange.response.status()));
        let statuses = statuses.into_iter().map(|(code, times)| format!("{times} × {}\n", status(code)));
        let bodies = exchanges.iter().filter(|exchange| !exchange.response.body().is_empty());
        let bodies = counted(bodies.map(|exchange| self.body(exchange)));
        let bodies = bodies.into_iter().map(|(body, times)| block(&format!("body × {times}"), &body));
        let bodies: String = bodies.collect();
        let gap = if bodies.is_empty() { "" } else { "\n" };
        let session = self.final_sessions(exchanges);
        format!("{}{}\n{session}{gap}{bodies}", statuses.collect::<String>(), self.dropped())
    }

    /// Requests of one session follow each other, in whatever order: each comes with what another left
    /// behind. What was left behind and picked up by none is the final session.
    fn final_sessions(&self, exchanges: &[Exchange]) -> String {
        let mut left: BTreeMap<String, isize> = BTreeMap::new();
        for exchange in exchanges {
            if exchange.before.is_some() || exchange.after.is_some() {
                let mut count = |session: &Option<Value>, by| {
                    *left.entry(self.redactor.apply(&json(session.as_ref()))).or_default() += by;
                };
                count(&exchange.after, 1);
                count(&exchange.before, -1);
            }
        }
        if left.is_empty() {
            return UNTOUCHED.to_owned();
        }
        // Nothing is left over when the session ended as it began.
        let unchanged = left.values().all(|count| *count == 0);
        let finals = left.into_iter().filter(|(_, count)| unchanged || *count > 0);
        finals.map(|(session, _)| block("session after", &session)).collect()
    }

    fn body(&self, exchange: &Exchange) -> String {
        let body = exchange.response.body();
        match std::str::from_utf8(body) {
            Ok(text) => self.redactor.apply(text),
            Err(_) => hex(body),
        }
    }

    /// Sorted by name. `Date` is the server's own, no part of the site's answer.
    fn headers(&self, exchange: &Exchange) -> String {
        let headers = exchange.response.headers();
        let mut names: Vec<&HeaderName> = headers.keys().filter(|name| *name != header::DATE).collect();
        names.sort_by_key(|name| name.as_str());
        let mut text = String::new();
        for name in names {
            for value in headers.get_all(name) {
                let value = String::from_utf8_lossy(value.as_bytes());
                let value = if *name != header::SET_COOKIE {
                    value.into_owned()
                } else if exchange.same_session && self.only_holds_the_session(&value) {
                    continue;
                } else {
                    self.set_cookie(&value)
                };
                text += &visible(&format!("{name}: {value}\n"));
            }
        }
        text
    }

    /// Whether this is the session's cookie, with nothing in it that a factory with sessions on a server
    /// would have to tell the browser as well.
    fn only_holds_the_session(&self, header: &str) -> bool {
        let lasts = |cookie: &SetCookie| cookie.max_age.is_some() || cookie.expires.is_some();
        SetCookie::parse(header).is_ok_and(|cookie| cookie.name == self.session_cookie && !lasts(&cookie))
    }

    fn set_cookie(&self, header: &str) -> String {
        match set_cookie::split(header) {
            (name, value, attributes) if name == self.session_cookie && !value.is_empty() => {
                format!("{name}=[session]{attributes}")
            }
            _ => header.to_owned(),
        }
    }

    fn dropped(&self) -> String {
        let lines = self.dropped.iter();
        lines.map(|(name, reason)| format!("a browser drops `{}`: {reason}\n", visible(name))).collect()
    }
}

fn counted<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}
