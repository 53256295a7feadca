//! `sitewright request`: one request without a server, and what it did.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

use super::explain::{Explained, host};
use super::in_process::InProcess;
use super::{Exit, block_on, complain, load, now};
use crate::config::declaration::CsrfCheck;
use crate::http::answer::Answer;
use crate::http::form;
use crate::session::factory::Visit;
use crate::session::transaction::{Rules, transact};
use crate::site::csrf::{FIELD, is_unsafe, new_token};
use crate::site::live::Serving;
use crate::site::predicates::Head;
use crate::site::{Choice, Found, Vocabulary};
use crate::snapshot::METHODS;

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright request GET /howdy --explain
  sitewright request POST /login/add --data user=Admin
  sitewright request GET / --header 'Accept: application/json'")]
pub struct Options {
    /// The method
    #[arg(value_parser = method)]
    method: Method,
    /// The path, with a query if there is one
    path: String,
    /// A header, as `Name: value`; may be given several times
    #[arg(long, short = 'H', value_name = "HEADER")]
    header: Vec<String>,
    /// The body; `-` reads it from standard input
    #[arg(long, short, value_name = "BODY")]
    data: Option<String>,
    /// Say what happened and why, instead of showing the response
    #[arg(long)]
    explain: bool,
}

/// A method as it goes over the wire: in capitals, if it is one that others know.
fn method(text: &str) -> Result<Method, String> {
    match METHODS.iter().find(|known| known.as_str().eq_ignore_ascii_case(text)) {
        Some(known) if known.as_str() != text => Err(format!("methods are written in capitals: `{known}`")),
        _ => text.parse().map_err(|_| "this is not a method, such as `GET`".to_owned()),
    }
}

pub fn run(options: &Options, config: &Path, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let serving = match load(config, vocabulary) {
        Ok(serving) => Arc::new(serving),
        Err(exit) => return Ok(exit),
    };
    let mut request = match build(options)? {
        Ok(request) => request,
        Err(message) => {
            complain(&message);
            return Ok(Exit::Usage);
        }
    };
    let answered = block_on(async {
        let has_made_session = as_from_a_form(&serving, &mut request).await.unwrap_or_else(|failure| {
            complain(&failure);
            false
        });
        let (asked, body) = request.into_parts();
        let request = Request::from_parts(asked.clone(), body);
        (asked, has_made_session, InProcess::new(Arc::clone(&serving)).ask(request, now(), 0).await)
    });
    let (asked, has_made_session, answer) = match answered {
        Ok(answered) => answered,
        Err(exit) => return Ok(exit),
    };
    if options.explain {
        let (asked, host) = (&asked, &host(&asked.headers));
        Explained { serving: &serving, asked, host, answer: &answer, has_made_session }.write(out)?;
    } else {
        show(&answer, out)?;
    }
    Ok(Exit::Fine)
}

/// Where a route answers its own forms only, and the request brings neither a session nor a token: makes
/// the session that the page with the form would have begun, and sends its token. Says whether it did.
async fn as_from_a_form(serving: &Serving, request: &mut Request<Bytes>) -> Result<bool, String> {
    let brings = |name: &str| request.headers().contains_key(name);
    let head = Head {
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query(),
        headers: request.headers(),
        host: &host(request.headers()),
    };
    let Ok(Choice { found: Found::Route(route, _), .. }) = serving.site.find(&head) else { return Ok(false) };
    let has_token = || {
        let form = form(request.headers(), request.body()).unwrap_or_default();
        brings("x-csrf-token") || form.fields.iter().any(|(name, _)| name == FIELD)
    };
    let is_checked = route.csrf == CsrfCheck::Token && is_unsafe(request.method()) && !brings("cookie") && !has_token();
    let Some(factory) = serving.sessions.as_deref().filter(|_| is_checked) else { return Ok(false) };
    let token = new_token().map_err(|failure| failure.private)?;
    let visit = Visit::from_headers(&HeaderMap::new(), now(), false).writing(true);
    let rules = Rules { commit: true, refresh: false };
    let begun = transact(factory, &visit, rules, |session| session.set_csrf_token(&token), |()| true).await;
    let set_cookie = begun.map_err(|error| error.to_string())?.set_cookie.unwrap_or_default();
    let cookie = set_cookie.split(';').next().unwrap_or_default();
    let values = (HeaderValue::from_str(cookie), HeaderValue::from_str(&token));
    let (Ok(cookie), Ok(token)) = values else { return Ok(false) };
    request.headers_mut().insert(header::COOKIE, cookie);
    request.headers_mut().insert("x-csrf-token", token);
    Ok(true)
}

/// The request, or what is wrong with the arguments.
fn build(options: &Options) -> io::Result<Result<Request<Bytes>, String>> {
    let body = match options.data.as_deref() {
        Some("-") => {
            let mut body = Vec::new();
            io::stdin().lock().read_to_end(&mut body)?;
            Some(body)
        }
        Some(data) => Some(data.as_bytes().to_vec()),
        None => None,
    };
    let mut request =
        Request::builder().method(options.method.clone()).uri(&options.path).header(header::HOST, "localhost:6543");
    if body.is_some() && !options.header.iter().any(|header| header.to_lowercase().starts_with("content-type:")) {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    let Ok(mut request) = request.body(Bytes::from(body.unwrap_or_default())) else {
        return Ok(Err(format!("`{}` is not a path", options.path)));
    };
    for header in &options.header {
        let parsed = header.split_once(':').and_then(|(name, value)| {
            Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, HeaderValue::from_str(value.trim()).ok()?))
        });
        match parsed {
            Some((name, value)) if name == header::HOST => {
                request.headers_mut().insert(name, value);
            }
            Some((name, value)) => {
                request.headers_mut().append(name, value);
            }
            None => return Ok(Err(format!("`{header}` is not a header; write `Name: value`"))),
        }
    }
    if !options.path.starts_with('/') {
        return Ok(Err(format!("`{}` is not a path: it starts with a slash", options.path)));
    }
    Ok(Ok(request))
}

fn show(answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    let response = &answer.response;
    writeln!(out, "HTTP/1.1 {}", response.status())?;
    for (name, value) in response.headers() {
        writeln!(out, "{name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
    }
    writeln!(out)?;
    out.write_all(response.body())?;
    if !response.body().ends_with(b"\n") {
        writeln!(out)?;
    }
    Ok(())
}
