//! `[errors]`: the pages that a site declares for what fails.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use http::{Method, StatusCode};
use serde_json::{Map, Value};

use super::failure::Failure;
use super::response::{self, Reply, Response};
use super::{Part, Site, params, request};

/// One of `[errors]`, compiled.
#[derive(Debug)]
pub(super) struct ErrorPage {
    pub statuses: RangeInclusive<u16>,
    pub response: Response,
    pub fingerprint: u64,
}

impl Site {
    /// The declared page for a failure on `path`, if there is one: that of the innermost mounted
    /// site, else the served site's.
    ///
    /// # Errors
    ///
    /// A [`Failure`] of the page itself.
    pub fn error_page(&self, path: &str, failure: &Failure, info: &ErrorInfo<'_>) -> Option<Result<Reply, Failure>> {
        let status = failure.status.as_u16();
        let inside = |part: &&Part| {
            path.strip_prefix(&part.prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || part.prefix.is_empty())
        };
        let mut parts: Vec<&Part> = self.parts.iter().filter(inside).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.prefix.len()));
        let found = parts.into_iter().find_map(|part| {
            let fits =
                |page: &&ErrorPage| page.statuses.contains(&status) && (info.takes_html || !page.response.is_html());
            Some((part, part.errors.iter().find(fits)?))
        });
        found.map(|(part, declared)| {
            let scope = ErrorScope { info, failure, data: &part.data };
            let with = response::Rendering { templates: &self.templates, links: &self.links, scope: &scope };
            let mut reply = declared.response.render(&with)?;
            if declared.response.status.is_none() {
                reply.status = failure.status;
            }
            Ok(reply)
        })
    }
}

/// What an error page may know of the request.
pub struct ErrorInfo<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path as sent.
    pub path: &'a str,
    /// Whether the client takes HTML, or does not ask for JSON at least.
    pub takes_html: bool,
    /// The id under which the log has the rest.
    pub id: &'a str,
    /// The nonce of its Content Security Policy.
    pub nonce: &'a str,
}

/// The entries of `error` on an error page, with what they are.
pub const ERROR: &[(&str, &str)] = &[
    ("status", "the status code"),
    ("title", "its name, such as `Not Found`"),
    ("message", "what happened, in a sentence for the visitor"),
    ("id", "the id under which the log has the cause, if it has one to tell"),
    ("errors", "a sentence for each parameter that does not hold, by its name"),
    ("back", "the path of the page whose form was refused, to load it again"),
];

/// The entries of `request` on an error page.
pub const ON_ERROR_PAGES: [&str; 2] = ["method", "path"];

struct ErrorScope<'a> {
    info: &'a ErrorInfo<'a>,
    failure: &'a Failure,
    data: &'a Map<String, Value>,
}

impl crate::template::render::Scope for ErrorScope<'_> {
    fn get(&self, name: &str, _: Option<&BTreeSet<String>>) -> Option<Cow<'_, Value>> {
        Some(Cow::Owned(match name {
            "error" => serde_json::json!({
                "status": self.failure.status.as_u16(),
                "title": title(self.failure.status),
                "message": self.failure.public,
                "id": self.info.id,
                "errors": params::errors(&self.failure.errors),
                "back": self.failure.back,
            }),
            // They wait for a page that is no error.
            "flash" => Value::Array(Vec::new()),
            "csp_nonce" => Value::from(self.info.nonce),
            "request" => {
                serde_json::json!({ "method": self.info.method.as_str(), "path": request::rooted(self.info.path) })
            }
            _ => return self.data.get(name).map(Cow::Borrowed),
        }))
    }
}

/// The name of a status, such as `Not Found`.
pub fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}
