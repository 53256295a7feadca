//! What a route may know of a request: drawn once, the same however often the route runs.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::params::Checked;
use super::router::Param;
use crate::action::{Question, Verdict};
use crate::session::secret::Secret;

/// Parameters in the order they came; a name may come several times.
pub type Fields = Vec<(String, Value)>;

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// Its parameters, in order.
    pub fields: Fields,
    /// The names of the fields that were sent as files.
    pub files: Vec<String>,
}

impl From<Fields> for Form {
    fn from(fields: Fields) -> Self {
        Self { fields, files: Vec::new() }
    }
}

/// A request, taken apart and checked; the input of [`super::route::Route::run`].
#[derive(Clone, Debug)]
pub struct Request<'r> {
    /// The method as sent; HEAD runs the route of GET.
    pub method: &'r Method,
    /// The path as sent, percent-encoded.
    pub path: &'r str,
    /// The query string as sent, without the question mark.
    pub query_string: Option<&'r str>,
    /// The query, decoded.
    pub query: Fields,
    /// The form, or the entries of a JSON object.
    pub form: Fields,
    /// The names of the form's fields that were sent as files.
    pub files: Vec<String>,
    /// What came of checking the route's `params`.
    pub checked: Checked,
    /// The fields with passwords that were set apart.
    pub passwords: Vec<(String, Secret)>,
    /// What came of the questions that the route asked.
    pub verdicts: Vec<(Question, Verdict)>,
    /// The values of the path's markers.
    pub markers: Vec<(&'r str, Param)>,
    /// The headers as sent.
    pub headers: &'r HeaderMap,
    /// The host the request is for, with its port if it named one.
    pub host: String,
    /// Whether the visitor uses HTTPS.
    pub https: bool,
    /// The visitor's address; `None` on a Unix socket.
    pub remote_addr: Option<IpAddr>,
    /// Now, in seconds since the Unix epoch.
    pub now: f64,
    /// A new CSRF token, for a route that may need one; else empty.
    pub token: String,
    /// The nonce of its Content Security Policy, if the route shows one.
    pub nonce: String,
}

impl Request<'_> {
    /// Sets the fields of the form apart that hold passwords: no name leads to them any more. In a query,
    /// where a password does not belong, they are lost.
    pub fn set_apart(&mut self, fields: &[String]) {
        if fields.is_empty() {
            return;
        }
        for field in fields {
            if let Some(Value::String(password)) = last(&self.form, field) {
                self.passwords.push((field.clone(), Secret::new(password.clone())));
            }
        }
        let is_other = |(name, _): &(String, Value)| !fields.contains(name);
        self.form.retain(is_other);
        self.query.retain(is_other);
        self.checked.forget(fields);
    }

    /// A parameter: a declared one as it was checked, any other as `request.params` of Pyramid finds
    /// it. The query wins over the form, and the last of repeated values counts.
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.checked.value(name).or_else(|| last(&self.query, name)).or_else(|| last(&self.form, name))
    }

    /// The value of a name that stands for the request or a part of it.
    pub fn get(&self, name: &str, entries: Option<&BTreeSet<String>>) -> Option<Value> {
        Some(match name {
            "params" => match entries {
                Some(entries) => pick(entries, |name| self.param(name).cloned()),
                None => {
                    let mut all = map_of(&self.form);
                    all.extend(map_of(&self.query));
                    all.extend(self.checked.values().iter().cloned());
                    Value::Object(all)
                }
            },
            "errors" => self.checked.errors(),
            "csp_nonce" => Value::from(self.nonce.as_str()),
            "query" => Value::Object(map_of(&self.query)),
            "form" => Value::Object(map_of(&self.form)),
            "path" => self.markers.iter().map(|(name, param)| ((*name).to_owned(), marker(param))).collect(),
            "request" => match entries {
                Some(entries) => pick(entries, |name| self.part(name)),
                None => pick(&REQUEST.iter().map(|(name, _)| (*name).to_owned()).collect(), |name| self.part(name)),
            },
            _ => return None,
        })
    }

    fn part(&self, name: &str) -> Option<Value> {
        Some(match name {
            "method" => Value::from(self.method.as_str()),
            "path" => Value::from(rooted(self.path)),
            "query_string" => Value::from(self.query_string.unwrap_or_default()),
            "host" => Value::from(self.host.as_str()),
            "scheme" => Value::from(if self.https { "https" } else { "http" }),
            "time" => Value::from(self.now as i64),
            "remote_addr" => self.remote_addr.map_or(Value::Null, |address| Value::from(address.to_string())),
            "headers" => {
                // A cookie may be somebody's session: no page has a use for showing it.
                let shown = self.headers.iter().filter(|(name, _)| *name != http::header::COOKIE);
                shown
                    .map(|(name, value)| (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes()))))
                    .collect()
            }
            _ => return None,
        })
    }
}

/// A path as templates see it: with one slash at its beginning. Browsers take two, or a backslash behind
/// one, for the beginning of a host.
pub fn rooted(path: &str) -> String {
    format!("/{}", path.trim_start_matches(['/', '\\']))
}

/// The entries of `request`, with what they are.
pub const REQUEST: &[(&str, &str)] = &[
    ("method", "the method, such as `GET`"),
    ("path", "the path as sent, percent-encoded, with one slash at its beginning"),
    ("query_string", "what follows the question mark"),
    ("host", "the host the request is for"),
    ("scheme", "`http` or `https`"),
    ("remote_addr", "the visitor's address"),
    ("time", "when it came, in whole seconds since 1970"),
    ("headers", "the headers by lower-case name, but no cookies"),
];

/// The names every template and expression sees, with what they are.
pub const NAMES: &[(&str, &str)] = &[
    ("session", "the session, as the actions so far have left it"),
    ("flash", "the flash messages of all queues, each with its `queue` and its `message`"),
    ("csrf_token", "the token a form has to send back; see *Forms and CSRF*"),
    (
        "csp_nonce",
        "what the page's own scripts and styles need: `<script nonce=\"{{csp_nonce}}\">`; see *Content Security Policy*",
    ),
    ("params", "the parameters of the request: the query, then the form"),
    ("errors", "what is wrong with the parameters, by name"),
    ("query", "the query's parameters"),
    ("form", "the form's parameters, or the entries of a JSON object in the body"),
    ("path", "the values of the path's markers"),
    ("request", "the request itself"),
];

fn last<'f>(fields: &'f Fields, name: &str) -> Option<&'f Value> {
    fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)
}

fn map_of(fields: &Fields) -> Map<String, Value> {
    fields.iter().cloned().collect()
}

fn pick(entries: &BTreeSet<String>, get: impl Fn(&str) -> Option<Value>) -> Value {
    Value::Object(entries.iter().filter_map(|name| Some((name.clone(), get(name)?))).collect())
}

fn marker(param: &Param) -> Value {
    match param {
        Param::One(text) => Value::from(text.as_str()),
        Param::Rest(parts) => Value::from(parts.clone()),
    }
}
