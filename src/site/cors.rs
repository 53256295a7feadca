//! `[cors]`: which other origins' scripts may read the answers of a site (Fetch standard, CORS protocol).

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::csrf::{self, Csrf};
use super::route::Route;
use crate::config::declaration::CsrfCheck;
use crate::config::settings::Settings;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// All origins.
const ANY: &str = "*";

/// What a site allows scripts of other origins.
#[derive(Clone, Debug)]
pub struct Cors {
    /// As browsers write them; `None` for all.
    origins: Option<Vec<String>>,
    credentials: bool,
    headers: HeaderValue,
    expose: Option<HeaderValue>,
    max_age: u64,
}

impl Cors {
    /// As `[cors]` says; `None` if no origin is allowed anything.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let cors = &settings.cors;
        let list = |names: &[String]| HeaderValue::from_str(&names.join(", ")).ok();
        (!cors.origins.is_empty()).then(|| Self {
            origins: (!cors.origins.iter().any(|origin| origin == ANY))
                .then(|| cors.origins.iter().filter_map(|origin| csrf::origin(origin)).collect()),
            credentials: cors.credentials,
            headers: list(&cors.headers).unwrap_or(HeaderValue::from_static("")),
            expose: list(&cors.expose).filter(|names| !names.is_empty()),
            max_age: cors.max_age,
        })
    }

    /// Whether a browser asks here, before it sends a script's request, if it may.
    pub fn is_asked(method: &Method, headers: &HeaderMap) -> bool {
        method == Method::OPTIONS && headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Adds to the answer to such a question which methods and headers may be sent.
    pub fn answer(&self, methods: &[Method], asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.allowed(asked).is_none() {
            return;
        }
        let names: Vec<_> = methods.iter().map(Method::as_str).collect();
        let methods = HeaderValue::from_str(&names.join(", "));
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods.unwrap_or(HeaderValue::from_static("")));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(self.max_age));
    }

    /// Adds to any answer who may read it.
    pub fn allow(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        if self.origins.is_some() {
            // Also to whom it is not allowed: a cache must not give this answer to one that it is.
            answer.append(VARY, HeaderValue::from(ORIGIN));
        }
        let Some(origin) = self.allowed(asked) else { return };
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(names) = &self.expose {
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names.clone());
        }
    }

    /// The origin that asks, as it is to be allowed, if it is.
    fn allowed(&self, asked: &HeaderMap) -> Option<HeaderValue> {
        let origin = asked.get(ORIGIN)?;
        match &self.origins {
            None => Some(HeaderValue::from_static(ANY)),
            Some(origins) => origins.iter().any(|allowed| origin == allowed.as_str()).then(|| origin.clone()),
        }
    }
}

/// Reports what cannot be meant in `[cors]`, and origins that may bring a visitor's session but would be
/// refused when they change something.
pub(super) fn check(settings: &Settings, routes: &[Route], problems: &mut Diagnostics) {
    let cors = &settings.cors;
    let place = |key: &str, at: usize| {
        let one = format!("cors.{key}[{at}]");
        let place = settings.place(&one).or_else(|| settings.place(&format!("cors.{key}")))?;
        Some((place.clone(), one))
    };
    let csrf = Csrf::new(settings);
    let checked = routes.iter().find(|route| route.csrf != CsrfCheck::Nothing);
    for (at, origin) in cors.origins.iter().enumerate() {
        let Some((place, key)) = place("origins", at) else { continue };
        if origin == ANY {
            if cors.credentials {
                problems.push(
                    Diagnostic::error(&place, "`\"*\"` does not go with `credentials`: browsers refuse it")
                        .key(key)
                        .help("name the origins, or drop `credentials`"),
                );
            }
        } else if csrf::origin(origin).is_none() {
            problems.push(
                Diagnostic::error(&place, format!("`{origin}` is not an origin"))
                    .key(key)
                    .help("an origin is a scheme and a host, without a path: `https://app.example.org`")
                    .help("`\"*\"` is every origin, that of a page in a file too"),
            );
        } else if let Some(route) = checked.filter(|_| cors.credentials && !csrf.takes(origin)) {
            let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
            let message = format!("what `{origin}` sends to `{}` will be refused", route.name);
            problems.push(
                Diagnostic::warning(&place, message)
                    .key(key)
                    .help(format!("trust it: `[csrf]` with `trusted_origins = [\"{host}\"]`")),
            );
        }
    }
    for (list, names) in [("headers", &cors.headers), ("expose", &cors.expose)] {
        for (at, name) in names.iter().enumerate() {
            let is_name = HeaderName::from_bytes(name.as_bytes()).is_ok() && (name != ANY || !cors.credentials);
            if let Some((place, key)) = place(list, at).filter(|_| !is_name) {
                problems.push(
                    Diagnostic::error(&place, format!("`{name}` is not the name of a header"))
                        .key(key)
                        .help("such as `authorization`; `*`, for all, counts without `credentials` only"),
                );
            }
        }
    }
}
