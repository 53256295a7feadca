//! `sitewright request`: one request without a server, and what it did.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

use super::in_process::InProcess;
use super::{ConfigOption, Exit, block_on, complain, load, now};
use crate::config::declaration::CsrfCheck;
use crate::http::answer::{Account, Answer, SessionAccount};
use crate::session::factory::{Standing, Visit};
use crate::session::transaction::{Rules, transact};
use crate::site::cache::pages::Origin;
use crate::site::csrf::{is_unsafe, new_token};
use crate::site::live::Serving;
use crate::site::predicates::Head;
use crate::site::{Choice, Found, Vocabulary};

#[derive(Args, Debug)]
#[command(after_help = "Examples:
  sitewright request GET /howdy --explain
  sitewright request POST /login/add --data user=Admin
  sitewright request GET / --header 'Accept: application/json'")]
pub struct Options {
    /// The method
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
    #[command(flatten)]
    config: ConfigOption,
}

pub fn run(options: &Options, vocabulary: &Vocabulary, out: &mut impl Write) -> io::Result<Exit> {
    let serving = match load(&options.config, vocabulary) {
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
    let asked = format!("{} {}", request.method(), request.uri());
    let answer = block_on(async {
        if let Err(failure) = as_from_a_form(&serving, &mut request).await {
            complain(&failure);
        }
        InProcess::new(Arc::clone(&serving)).ask(request, now(), 0).await
    });
    let answer = match answer {
        Ok(answer) => answer,
        Err(exit) => return Ok(exit),
    };
    if options.explain {
        explain(&serving, &asked, &answer, out)?;
    } else {
        show(&answer, out)?;
    }
    Ok(Exit::Fine)
}

/// Where a route answers its own forms only, and the request brings neither a session nor a token: makes
/// the session that the page with the form would have begun, and sends its token.
async fn as_from_a_form(serving: &Serving, request: &mut Request<Bytes>) -> Result<(), String> {
    let brings = |name: &str| request.headers().contains_key(name);
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let head = Head {
        method: request.method(),
        path: request.uri().path(),
        query: request.uri().query(),
        headers: request.headers(),
        host: &host.to_ascii_lowercase(),
    };
    let Ok(Choice { found: Found::Route(route, _), .. }) = serving.site.find(&head) else { return Ok(()) };
    let is_checked =
        route.csrf == CsrfCheck::Token && is_unsafe(request.method()) && !brings("cookie") && !brings("x-csrf-token");
    let Some(factory) = serving.sessions.as_deref().filter(|_| is_checked) else { return Ok(()) };
    let token = new_token().map_err(|failure| failure.private)?;
    let visit = Visit::from_headers(&HeaderMap::new(), now(), false).writing(true);
    let rules = Rules { commit: true, refresh: false };
    let begun = transact(factory, &visit, rules, |session| session.set_csrf_token(&token), |()| true).await;
    let set_cookie = begun.map_err(|error| error.to_string())?.set_cookie.unwrap_or_default();
    let cookie = set_cookie.split(';').next().unwrap_or_default();
    let values = (HeaderValue::from_str(cookie), HeaderValue::from_str(&token));
    if let (Ok(cookie), Ok(token)) = values {
        request.headers_mut().insert(header::COOKIE, cookie);
        request.headers_mut().insert("x-csrf-token", token);
    }
    Ok(())
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

fn explain(serving: &Serving, asked: &str, answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    let account = &answer.account;
    writeln!(out, "{asked} → {}\n", answer.response.status())?;
    match account.route.as_deref().and_then(|name| serving.site.routes.iter().find(|route| route.name == name)) {
        Some(route) => {
            writeln!(out, "route    `{}`, path {}", route.name, route.pattern.text())?;
            let is_forged = account.failure.as_ref().is_some_and(|failure| failure.is_forged);
            if is_forged {
                writeln!(out, "csrf     refused before anything else")?;
            }
            for (name, sentence) in account.faults.iter().filter(|_| !is_forged) {
                writeln!(out, "invalid  {name}: {sentence}")?;
            }
            let steps = route.steps_if(account.faults.is_empty()).iter().filter(|_| !is_forged);
            for (i, step) in steps.enumerate() {
                let kind = if i < route.guards { "guard" } else { "step" };
                let condition = if step.condition.is_some() { ", if its condition holds" } else { "" };
                let bound = step.bind.as_ref().map_or_else(String::new, |name| format!(", bound as `{name}`"));
                writeln!(out, "{:<9}{}{bound}{condition}", format!("{kind} {}", i + 1), step.verb)?;
            }
        }
        None => writeln!(out, "route    none matches the method and the path")?,
    }
    if let Some(origin) = &account.kept {
        let origin = match origin {
            Origin::Made => "the reply was made for this request".to_owned(),
            Origin::Kept(seconds) => format!("the reply was made {seconds:.0} s ago"),
            Origin::Old => "the reply is an old one, which is being made anew".to_owned(),
        };
        writeln!(out, "cache    {origin}")?;
    }
    if let Some(failure) = &account.failure {
        writeln!(out, "failed   {}", failure.public)?;
        if !failure.private.is_empty() {
            writeln!(out, "because  {}", failure.private)?;
        }
    }
    match &account.session {
        Some(session) => explain_session(session, account, answer, out)?,
        None if account.route.is_some() && account.failure.is_none() => {
            writeln!(out, "session  not asked for: this route does not use it")?;
        }
        None => {}
    }
    Ok(())
}

fn explain_session(
    session: &SessionAccount,
    account: &Account,
    answer: &Answer,
    out: &mut impl Write,
) -> io::Result<()> {
    let standing = match session.standing {
        Standing::Absent => "the request has no session cookie, so it is new".to_owned(),
        Standing::Verified { secret: 0 } => "the cookie is good, under the newest secret".to_owned(),
        Standing::Verified { secret } => format!("the cookie is good, under secret {} of the list", secret + 1),
        Standing::Refused(refusal) => format!("the cookie is no session: {refusal}; it is new"),
    };
    writeln!(out, "session  {standing}")?;
    writeln!(out, "before   {}", session.before.to_value())?;
    writeln!(out, "after    {}", session.after.to_value())?;
    let runs =
        if session.attempts > 1 { format!(" (the route ran {} times)", session.attempts) } else { String::new() };
    let changed = session.after.differs_from(&session.before) || session.after.is_invalidated();
    let stored = match (session.committed, account.only_looking, changed) {
        (true, _, true) => format!("yes, it is different{runs}"),
        (true, _, false) => "yes, to keep it from timing out".to_owned(),
        (false, Some(why), _) => format!("no: {why} only looks"),
        (false, None, true) => "no: the request failed".to_owned(),
        (false, None, false) => match &session.unrefreshed {
            Some(error) => format!("no, though it was to be kept from timing out: {error}"),
            None => "no: nothing changed".to_owned(),
        },
    };
    writeln!(out, "stored   {stored}")?;
    let cookie = answer.response.headers().get(header::SET_COOKIE);
    let cookie = match cookie {
        Some(value) => attributes(value),
        None => "none".to_owned(),
    };
    writeln!(out, "cookie   {cookie}")
}

/// A `Set-Cookie` without its value, which opens a session.
fn attributes(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (pair, rest) = text.split_once(';').unwrap_or((&text, ""));
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    format!("{name}=[{} characters];{rest}", value.len())
}
