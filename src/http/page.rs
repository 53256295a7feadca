//! Replies to responses: the headers every response has, and the pages for failures.

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, RETRY_AFTER,
    SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::ResponseBody;
use crate::site::failure::Failure;
use crate::site::params::errors;
use crate::site::policy::POLICY;
use crate::site::predicates::Accepted;
use crate::site::response::{Body, Reply};
use crate::site::{Site, title};

/// What every response says unless its route says otherwise (OWASP secure headers; none of them
/// keeps a page's own scripts or styles from working).
const SECURITY: [(HeaderName, HeaderValue); 4] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
];

/// What a reply has to do with the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Session {
    /// Nothing: it is everybody's.
    Unused,
    /// It may depend on it: no cache keeps it, unless its route says otherwise.
    Used,
    /// It came with the session being stored: no cache keeps it, whatever its route says. So it is
    /// the same wherever sessions live, in the cookie or not.
    Stored,
}

/// A reply as a response. `set_cookie` is the value of the one `Set-Cookie`.
pub fn response(reply: Reply, session: Session, set_cookie: Option<HeaderValue>) -> Response<ResponseBody> {
    finished(text(reply), session, set_cookie)
}

/// A reply of text as a response, with the headers it has itself.
pub fn text(reply: Reply) -> Response<ResponseBody> {
    let text = match reply.body {
        Body::Text(text) => text,
        // Only routes have files: see `files::sent`.
        Body::File(_) => String::new(),
    };
    let mut response = Response::new(ResponseBody::from(Bytes::from(text)));
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.reserve(reply.headers.len() + SECURITY.len() + 3);
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    response
}

/// Adds to a response what all have in common, and what it has to do with the session.
pub fn finished(
    mut response: Response<ResponseBody>,
    session: Session,
    set_cookie: Option<HeaderValue>,
) -> Response<ResponseBody> {
    let headers = response.headers_mut();
    if session != Session::Unused {
        headers.append(VARY, HeaderValue::from_static("Cookie"));
        if session == Session::Stored || !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
    }
    if let Some(value) = set_cookie {
        headers.append(SET_COOKIE, value);
    }
    secure(headers);
    response
}

/// Adds what every response says, where it does not say otherwise.
pub fn secure(headers: &mut HeaderMap) {
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(value);
    }
}

/// Says which headers decided what answers.
pub fn vary(varies: &[HeaderName], headers: &mut HeaderMap) {
    for name in varies {
        headers.append(VARY, HeaderValue::from(name.clone()));
    }
}

/// Says whose scripts may read it, beside the site's own.
pub fn shared(site: &Site, asked: &HeaderMap, headers: &mut HeaderMap) {
    if let Some(cors) = &site.cors {
        cors.allow(asked, headers);
    }
}

/// 204 with the methods a path answers.
pub fn options(allowed: &[Method]) -> Response<ResponseBody> {
    let reply =
        Reply { status: StatusCode::NO_CONTENT, headers: vec![(ALLOW, allow(allowed))], body: String::new().into() };
    response(reply, Session::Unused, None)
}

/// The value of `Allow`.
pub fn allow(methods: &[Method]) -> HeaderValue {
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

/// Sitewright's own page for a failure, as the client likes it: HTML, JSON or plain text.
pub fn failure_page(failure: &Failure, id: &str, accept: &HeaderMap) -> Reply {
    let status = failure.status;
    let name = title(status);
    let told = if status.is_server_error() { Some(id) } else { None };
    let (kind, body) = match preferred(accept) {
        Preferred::Json => {
            let mut body = serde_json::json!({ "status": status.as_u16(), "title": name, "message": failure.public });
            if let Some(body) = body.as_object_mut() {
                body.extend(told.map(|id| ("id".to_owned(), id.into())));
                let errors = (!failure.errors.is_empty()).then(|| errors(&failure.errors));
                body.extend(errors.map(|errors| ("errors".to_owned(), errors)));
            }
            ("application/json", body.to_string())
        }
        Preferred::Html => {
            let message = handlebars::html_escape(&failure.public);
            let id = told.map_or_else(String::new, |id| format!("<p><small>Error {id}</small></p>\n"));
            let code = status.as_u16();
            let errors = list(failure);
            let back = failure.back.as_ref().map_or_else(String::new, |path| {
                format!("<p><a href=\"{}\">Load the page again</a></p>\n", handlebars::html_escape(path))
            });
            let body = format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                 <meta name=\"viewport\" content=\"width=device-width\">\n<title>{code} {name}</title>\n\
                 <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:20vh auto 0;padding:0 1rem;color-scheme:light dark}}</style>\n\
                 </head>\n<body>\n<h1>{code} {name}</h1>\n<p>{message}</p>\n{back}{errors}{id}</body>\n</html>\n"
            );
            ("text/html; charset=utf-8", body)
        }
        Preferred::Plain => {
            let id = told.map_or_else(String::new, |id| format!("Error {id}\n"));
            let errors: String =
                failure.errors.iter().map(|(name, sentence)| format!("{name}: {sentence}\n")).collect();
            ("text/plain; charset=utf-8", format!("{} {name}\n\n{}\n{errors}{id}", status.as_u16(), failure.public))
        }
    };
    Reply { status, headers: vec![(CONTENT_TYPE, HeaderValue::from_static(kind))], body: body.into() }
}

/// What is wrong with each parameter, as HTML.
fn list(failure: &Failure) -> String {
    if failure.errors.is_empty() {
        return String::new();
    }
    let escape = handlebars::html_escape;
    let item = |(name, sentence): &(String, String)| format!("<li>{}: {}</li>\n", escape(name), escape(sentence));
    format!("<ul>\n{}</ul>\n", failure.errors.iter().map(item).collect::<String>())
}

/// The headers a failure brings, whatever its page.
pub fn failure_headers(failure: &Failure, allowed: &[Method], headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if failure.status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, allow(allowed));
    }
    if let Some(seconds) = failure.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

/// Whether a page of HTML is an answer: not to a client that asks for JSON and no HTML.
pub fn takes_html(headers: &HeaderMap) -> bool {
    !matches!(preferred(headers), Preferred::Json)
}

enum Preferred {
    Html,
    Json,
    Plain,
}

/// What the client likes best. A browser asks for HTML; who takes anything gets HTML too.
fn preferred(headers: &HeaderMap) -> Preferred {
    match Accepted::of(headers.get_all(ACCEPT).iter()).best(&["text/html", "application/json", "text/plain"]) {
        Some("text/html") => Preferred::Html,
        Some("application/json") => Preferred::Json,
        _ => Preferred::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_as_the_client_likes_it() {
        for (fields, kind) in [
            (&[][..], "text/html; charset=utf-8"),
            (&["*/*"], "text/html; charset=utf-8"),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], "text/html; charset=utf-8"),
            (&["application/json"], "application/json"),
            (&["application/json, text/plain, */*"], "application/json"),
            (&["application/json;q=0.1, text/html"], "text/html; charset=utf-8"),
            (&["text/html;q=0.1, application/json;q=0.9"], "application/json"),
            (&["text/html;q=0", "application/json"], "application/json"),
            (&["image/*"], "text/plain; charset=utf-8"),
            (&["text/plain"], "text/plain; charset=utf-8"),
        ] {
            let headers = fields.iter().map(|field| (ACCEPT, HeaderValue::from_static(field)));
            let mut accept = HeaderMap::new();
            headers.for_each(|(name, value)| _ = accept.append(name, value));
            let page = failure_page(&Failure::not_found(), "", &accept);
            assert_eq!(page.headers, [(CONTENT_TYPE, HeaderValue::from_static(kind))], "{fields:?}");
        }
    }
}
