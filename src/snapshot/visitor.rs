//! One visitor of a file: a cookie jar, and a memory of what the site has shown.

use bytes::Bytes;
use http::{HeaderValue, Uri, header};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::Exchange;
use super::directive::{DEFAULT_VISITOR, Tamper};
use super::jar::{Jar, Place};
use super::placeholder;
use super::redact::{self, Redactor, Volatile};
use super::request::Request;
use super::set_cookie;
use crate::diagnostic::{Diagnostic, nearest_help};

/// `Host` where a file gives none: where `sitewright serve` listens.
const DEFAULT_HOST: &str = "localhost:6543";

/// What no URL holds as it is (RFC 3986 appendix A). A `%` stays, so that a test can send a broken escape.
const NOT_IN_URL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// A visitor, to begin with one who has never been here.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    jar: Jar,
    /// What was shown last comes last.
    shown: Vec<Volatile>,
}

impl Visitor {
    /// The request as it goes out, `{{$name}}` filled in and the jar's cookies added.
    pub fn send(&mut self, request: &Request, session_cookie: &str) -> Result<http::Request<Bytes>, Box<Diagnostic>> {
        let mut outgoing = self.fill(request)?;
        let brings_its_own = outgoing.headers().contains_key(header::COOKIE);
        let mut cookies = Vec::new();
        if !request.settings.no_cookie_jar && !brings_its_own {
            let sent = self.jar.matching(&place(request, &outgoing), request.settings.now);
            cookies.extend(sent.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let session = cookies.iter_mut().find(|(name, _)| name == session_cookie);
        if let Some(tamper) = request.settings.tamper {
            let (_, value) = session.ok_or_else(|| no_cookie(request, session_cookie))?;
            *value = flip(value, tamper)
                .ok_or_else(|| request.error("`@tamper` names a character the session cookie does not have"))?;
            self.remember(redact::session(value));
        }
        if !cookies.is_empty() {
            let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            outgoing.headers_mut().insert(header::COOKIE, header_value(request, &pairs.join("; "))?);
        }
        Ok(outgoing)
    }

    /// Takes in what came back. Returns name and reason of the cookies a browser would drop.
    pub fn receive(
        &mut self,
        request: &Request,
        outgoing: &http::Request<Bytes>,
        exchange: &Exchange,
        session_cookie: &str,
    ) -> Vec<(String, String)> {
        let from = place(request, outgoing);
        let mut dropped = Vec::new();
        self.remember(exchange.volatile.iter().cloned());
        for header in exchange.response.headers().get_all(header::SET_COOKIE) {
            let header = String::from_utf8_lossy(header.as_bytes());
            let (name, value, _) = set_cookie::split(&header);
            if name == session_cookie {
                self.remember(redact::session(value));
            }
            if !request.settings.no_cookie_jar
                && let Err(reason) = self.jar.store(&header, &from, request.settings.now)
            {
                dropped.push((name.to_owned(), reason.to_string()));
            }
        }
        dropped
    }

    /// Knows all that this visitor was shown or has sent.
    pub fn redactor(&self) -> Redactor {
        Redactor::new(self.shown.iter().cloned())
    }

    /// The request as it goes out, but for the jar's cookies.
    fn fill(&self, request: &Request) -> Result<http::Request<Bytes>, Box<Diagnostic>> {
        let fill = |text: &str| placeholder::fill(text, |name| self.last_shown(request, name));
        let target = fill(&request.url.target)?;
        let target = utf8_percent_encode(&target, NOT_IN_URL).to_string();
        let uri: Uri = target.parse().map_err(|error| request.error(format!("this is no URL: {error}")))?;
        let body = fill(&request.body)?;

        let mut outgoing = http::Request::new(Bytes::from(body));
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = uri;
        let headers = outgoing.headers_mut();
        for (name, value) in &request.headers {
            headers.append(name, header_value(request, &fill(value)?)?);
        }
        if !headers.contains_key(header::HOST) {
            let host = request.url.authority.as_deref().unwrap_or(DEFAULT_HOST);
            headers.insert(header::HOST, header_value(request, host)?);
        }
        // Both editors count the body themselves.
        headers.remove(header::CONTENT_LENGTH);
        let length = outgoing.body().len();
        if length > 0 {
            outgoing.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        Ok(outgoing)
    }

    fn last_shown(&self, request: &Request, name: &str) -> Result<String, Box<Diagnostic>> {
        let wanted = name.trim_start_matches('$');
        let shown = self.shown.iter().rfind(|(_, known)| *known == wanted);
        shown.map(|(text, _)| text.clone()).ok_or_else(|| {
            let whom = named(request).map_or_else(String::new, |visitor| format!(" `{visitor}`"));
            let near = nearest_help(wanted, ["csrf-token"]);
            let error = request.error(format!("no response has shown{whom} a `{wanted}` yet"));
            error
                .help(near.unwrap_or_else(|| {
                    format!("`{{{{{name}}}}}` is what a response has shown last; request a page that shows it first")
                }))
                .into()
        })
    }

    fn remember(&mut self, shown: impl IntoIterator<Item = Volatile>) {
        for word in shown {
            self.shown.retain(|known| *known != word);
            self.shown.push(word);
        }
    }
}

/// Where the cookies of a request belong: by `Host`, as the server sees it.
fn place(request: &Request, outgoing: &http::Request<Bytes>) -> Place {
    let host = outgoing.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or(DEFAULT_HOST);
    Place::new(host, outgoing.uri().path(), request.url.https)
}

/// The visitor, if the file names one.
fn named(request: &Request) -> Option<&str> {
    Some(request.settings.visitor.as_str()).filter(|visitor| *visitor != DEFAULT_VISITOR)
}

fn no_cookie(request: &Request, session_cookie: &str) -> Diagnostic {
    let whose = named(request).map_or_else(String::new, |visitor| format!(" of `{visitor}`"));
    request.error(format!("`@tamper`: the jar{whose} sends no `{session_cookie}` cookie here"))
}

fn header_value(request: &Request, text: &str) -> Result<HeaderValue, Box<Diagnostic>> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| request.error(format!("a header cannot hold {text:?}")).into())
}

/// Flips the lowest bit of a character that leaves a letter or digit: what is tested is the signature,
/// not the decoder.
fn flip(value: &str, tamper: Tamper) -> Option<String> {
    let mut bytes = value.as_bytes().to_vec();
    let index = match tamper {
        Tamper::Middle => bytes.len() / 2,
        Tamper::Character(position) if position > 0 => position.unsigned_abs() - 1,
        Tamper::Character(position) => bytes.len().checked_sub(position.unsigned_abs())?,
    };
    let byte = bytes.get_mut(index)?;
    *byte = (0..7).map(|bit| *byte ^ (1 << bit)).find(u8::is_ascii_alphanumeric)?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_flipped_and_the_character_stays_in_the_alphabet() {
        for byte in "ABYZabyz0189-_+/=.".chars() {
            let flipped = flip(&byte.to_string(), Tamper::Middle).unwrap();
            assert_eq!((flipped.as_bytes()[0] ^ byte as u8).count_ones(), 1);
            assert!(flipped.as_bytes()[0].is_ascii_alphanumeric(), "{byte} {flipped}");
        }
        let at = |position| flip("aaa", Tamper::Character(position));
        assert_eq!((at(1).as_deref(), at(-1).as_deref()), (Some("caa"), Some("aac")));
        assert_eq!((at(4), at(-4), flip("", Tamper::Middle)), (None, None, None));
    }
}
