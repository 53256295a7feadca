//! One request of a `.http` file, and the lines of its head.

use http::{HeaderName, HeaderValue, Method};

use super::directive::Settings;
use super::line::Line;
use crate::diagnostic::{Diagnostic, Place, did_you_mean};

/// One request as it is written. `{{$name}}` may still stand in the target, a header or the body: what
/// the visitor was last shown is put in when the request is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What follows `###`, else `# @name`.
    pub name: Option<String>,
    /// The request line.
    pub place: Place,
    /// One of the nine methods of RFC 9110 and RFC 5789.
    pub method: Method,
    /// Where it goes.
    pub url: Url,
    /// In order, repeated ones kept.
    pub headers: Vec<(HeaderName, String)>,
    /// Empty when there is none.
    pub body: String,
    /// What the directives say.
    pub settings: Settings,
}

/// Where a request goes. The site under test answers whatever the host: it only becomes `Host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `https`. Matters to the cookie jar alone.
    pub https: bool,
    /// Host and port, where the file gives them.
    pub authority: Option<String>,
    /// Path and query, or `*`; not yet percent-encoded, without the fragment.
    pub target: String,
}

impl Request {
    /// What the request is called in reports: its name, else method and target.
    pub fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("{} {}", self.method, self.url.target))
    }

    /// An error about this request, shown at its request line.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.place, message)
    }
}

/// A request line without the HTTP version at its end, which says nothing here.
pub fn without_version(line: &str) -> &str {
    match line.rsplit_once(char::is_whitespace) {
        Some((before, version)) if version.starts_with("HTTP/") => before.trim_end(),
        _ => line,
    }
}

/// The methods of RFC 9110 and RFC 5789.
pub const METHODS: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::CONNECT,
];

/// Reads `METHOD URL`, or a URL alone; `line` is where it begins.
pub fn line(line: Line<'_>, text: &str) -> Result<(Method, Url), Box<Diagnostic>> {
    if let Some(url) = url(text) {
        return Ok((Method::GET, url));
    }
    let (word, target) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let Some(method) = METHODS.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(word)) else {
        let help = did_you_mean(&word.to_ascii_uppercase(), METHODS.iter().map(Method::as_str));
        return Err(line.error(word, format!("`{word}` is neither a method nor a URL")).maybe_help(help).into());
    };
    let target = target.trim();
    let url = url(target).ok_or_else(|| line.error(target, "a URL begins with `/`, `http://` or `https://`"))?;
    Ok((method, url))
}

fn url(text: &str) -> Option<Url> {
    let text = text.split('#').next().unwrap_or_default();
    if text == "*" || text.starts_with('/') {
        return Some(Url { https: false, authority: None, target: text.to_owned() });
    }
    let (scheme, rest) = text.split_once("://")?;
    let https = scheme.eq_ignore_ascii_case("https");
    let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let known = https || scheme.eq_ignore_ascii_case("http");
    (known && !authority.is_empty()).then(|| {
        let slash = if target.starts_with('/') { "" } else { "/" };
        Url { https, authority: Some(authority.to_owned()), target: format!("{slash}{target}") }
    })
}

/// How two requests are kept apart.
pub const APART: &str = "a request of its own has a line above it that begins with `###`";

/// Whether a line is `METHOD URL`, with the method in capitals.
pub fn looks_like_request(text: &str) -> bool {
    let Some((word, target)) = text.trim().split_once(char::is_whitespace) else { return false };
    METHODS.iter().any(|method| method.as_str() == word) && url(without_version(target.trim())).is_some()
}

/// Reads `Name: value`.
pub fn header(line: Line<'_>, text: &str) -> Result<(HeaderName, String), Box<Diagnostic>> {
    if looks_like_request(text) {
        return Err(line.error("", "this is a request, and it stands among the headers of another").help(APART).into());
    }
    let (name, value) = text.split_once(':').ok_or_else(|| {
        line.error("", "a header is written `Name: value`").help("an empty line parts the headers from the body")
    })?;
    let value = value.trim();
    let parsed = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| line.error(name, format!("`{name}` is no header name")))?;
    match HeaderValue::from_bytes(value.as_bytes()) {
        Ok(_) => Ok((parsed, value.to_owned())),
        Err(_) => Err(line.error(value, "a header value holds no control characters").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn parsed(text: &str) -> Result<(Method, Url), Box<Diagnostic>> {
        // Not even an empty text is without a line.
        let source = Source::file("a.http", format!("{text}\n"));
        line(Line::all(&source).next().unwrap(), text)
    }

    fn target(text: &str) -> (Option<String>, String, bool) {
        let url = url(text).unwrap();
        (url.authority, url.target, url.https)
    }

    #[test]
    fn the_method_is_get_unless_it_is_written() {
        assert_eq!(parsed("/x").unwrap().0, Method::GET);
        assert_eq!(parsed("http://h/x").unwrap().0, Method::GET);
        assert_eq!(parsed("post /x").unwrap().0, Method::POST);
        assert_eq!(parsed("OPTIONS *").unwrap().1.target, "*");
    }

    #[test]
    fn a_url_is_relative_or_brings_its_host() {
        assert_eq!(target("/a?b=c d#e"), (None, "/a?b=c d".into(), false));
        assert_eq!(target("http://localhost:6543/a"), (Some("localhost:6543".into()), "/a".into(), false));
        assert_eq!(target("HTTPS://h?b"), (Some("h".into()), "/?b".into(), true));
        assert_eq!(target("http://h"), (Some("h".into()), "/".into(), false));
    }

    #[test]
    fn what_is_no_request_line_is_refused_with_advice() {
        let problem = parsed("GTE /x").unwrap_err();
        assert_eq!(problem.message, "`GTE` is neither a method nor a URL");
        assert_eq!(problem.help, ["did you mean `GET`?"]);
        for text in ["GET", "GET x", "GET ftp://h/", "http:///x", "example.com/x", "", "GET  HTTP/1.1"] {
            assert!(parsed(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_request_is_told_from_a_header_and_from_text() {
        for text in ["GET /x", "POST http://h/x HTTP/1.1", "  DELETE https://h/x"] {
            assert!(looks_like_request(text), "{text}");
        }
        for text in ["X-A: b", "get /x", "GET", "GET it", "Get / and put", ""] {
            assert!(!looks_like_request(text), "{text}");
        }
    }

    #[test]
    fn the_version_is_taken_off() {
        assert_eq!(without_version("GET /x HTTP/1.1"), "GET /x");
        assert_eq!(without_version("GET /HTTP/1.1"), "GET /HTTP/1.1");
    }

    #[test]
    fn headers_are_names_and_values() {
        let parsed = |text: &str| header(Line::all(&Source::file("a.http", text)).next().unwrap(), text);
        assert_eq!(parsed("X-A:  b: c ").unwrap(), (HeaderName::from_static("x-a"), "b: c".into()));
        for text in ["no colon", "na me: x", ": x", "a: \u{1}"] {
            assert!(parsed(text).is_err(), "{text:?}");
        }
    }
}
