//! `sitewright request --explain`: what a request did, and why.

use std::io::{self, Write};

use http::header::{LOCATION, SET_COOKIE};
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};

use crate::action::Cannot;
use crate::diagnostic::nearest;
use crate::http::answer::{Answer, SessionAccount};
use crate::session::factory::Standing;
use crate::site::cache::pages::Origin;
use crate::site::live::Serving;
use crate::site::predicates::Head;
use crate::site::response::{Content, Response};
use crate::site::route::{Outcome, Route};
use crate::site::router::{Miss, Router};
use crate::site::{Choice, Found};

/// A request that was answered.
pub struct Explained<'a> {
    /// The site.
    pub serving: &'a Serving,
    /// The request's head.
    pub asked: &'a Parts,
    /// The host it was for, in lower case.
    pub host: &'a str,
    /// What became of it.
    pub answer: &'a Answer,
    /// Whether the session it came with was made for it.
    pub has_made_session: bool,
}

impl Explained<'_> {
    /// Writes all of it, a line for each fact.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let account = &self.answer.account;
        let routes = &self.serving.site.routes;
        writeln!(out, "{} {} → {}\n", self.asked.method, self.asked.uri, self.answer.response.status())?;
        match account.route.as_deref().and_then(|name| routes.iter().find(|route| route.name == name)) {
            Some(route) => self.route(route, out)?,
            None => self.no_route(out)?,
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
            Some(session) => self.session(session, out)?,
            None if account.route.is_some() && account.failure.is_none() => {
                writeln!(out, "session  not asked for: this route does not use it")?;
            }
            None => {}
        }
        Ok(())
    }

    fn route(&self, route: &Route, out: &mut impl Write) -> io::Result<()> {
        let account = &self.answer.account;
        writeln!(out, "route    `{}`, path {}", route.name, route.pattern.text())?;
        let is_forged = account.failure.as_ref().is_some_and(|failure| failure.is_forged);
        if is_forged {
            writeln!(out, "csrf     refused before anything else")?;
        }
        let mut answered = None;
        for (at, (step, outcome)) in route.steps.iter().zip(&account.outcomes).enumerate() {
            let bound = step.bind.as_ref().map_or_else(String::new, |name| format!(", bound as `{name}`"));
            let became = match outcome {
                Outcome::Done => bound,
                Outcome::Nothing => format!("{bound}: there is no such key"),
                Outcome::Skipped => ": skipped, its `if` does not hold".to_owned(),
                Outcome::Asked => ": it could not be found out".to_owned(),
                Outcome::Failed => ": fails".to_owned(),
                Outcome::Answered(cannot) => format!(": {cannot}"),
            };
            writeln!(out, "{:<9}{}{became}", named(route, at), step.verb)?;
            if let (Outcome::Answered(_), Some(response)) = (outcome, &step.otherwise) {
                let its = if matches!(outcome, Outcome::Answered(Cannot::Answers)) { "" } else { "the `or` of " };
                answered = Some((format!(", by {its}{}", named(route, at)), response));
            }
        }
        let has_ended = account
            .outcomes
            .last()
            .is_some_and(|outcome| matches!(outcome, Outcome::Answered(_) | Outcome::Asked | Outcome::Failed));
        let faults = account.faults.iter().filter(|_| !is_forged && !has_ended);
        for (name, sentence) in faults {
            writeln!(out, "invalid  {name}: {sentence}")?;
        }
        if let Some(left) = left(route, account.outcomes.len()) {
            writeln!(out, "not run  {left}")?;
        }
        if account.failure.is_some() {
            return Ok(());
        }
        let (by, response) = answered.unwrap_or_else(|| match &route.invalid {
            Some(invalid) if !account.faults.is_empty() => (", by `invalid`".to_owned(), invalid),
            _ => (String::new(), &route.response),
        });
        writeln!(out, "answer   {}{by}", self.content(response))
    }

    /// What a response is.
    fn content(&self, response: &Response) -> String {
        match &response.content {
            Content::Template(name) => format!("template `{name}`"),
            Content::Html(_) => "html".to_owned(),
            Content::Text(_) => "text".to_owned(),
            Content::Json(_) => "json".to_owned(),
            Content::File(path) => format!("file `{}`", path.display()),
            Content::Redirect(_) => {
                let to = self.answer.response.headers().get(LOCATION).map(HeaderValue::as_bytes).unwrap_or_default();
                format!("redirect to {}", String::from_utf8_lossy(to))
            }
        }
    }

    /// Why no route was run.
    fn no_route(&self, out: &mut impl Write) -> io::Result<()> {
        let (site, path) = (&self.serving.site, self.asked.uri.path());
        let head = Head {
            method: &self.asked.method,
            path,
            query: self.asked.uri.query(),
            headers: &self.asked.headers,
            host: self.host,
        };
        match site.find(&head) {
            Ok(Choice { found: Found::Static(files, _), .. }) => {
                let at = if files.at.is_empty() { "/" } else { &files.at };
                writeln!(out, "files    in {}, below {at}", files.directory.display())
            }
            Ok(_) => writeln!(out, "route    not looked for"),
            Err(Miss::Malformed(_)) => writeln!(out, "route    none: the path cannot be read"),
            Err(Miss::MethodNotAllowed(allowed)) => {
                let allowed: Vec<_> = allowed.iter().map(Method::as_str).collect();
                match self.asked.method {
                    Method::OPTIONS => writeln!(out, "route    none: the table of routes answers OPTIONS")?,
                    ref other => writeln!(out, "route    none at this path takes {other}")?,
                }
                writeln!(out, "methods  {}", allowed.join(", "))
            }
            Err(Miss::NotFound) if self.answer.response.status() == StatusCode::NO_CONTENT => {
                writeln!(out, "route    none: browsers ask for {path} by themselves")
            }
            Err(Miss::NotFound) => {
                let here = site.routes.iter().filter(|route| is_at(route, path)).collect::<Vec<_>>();
                let there = if here.is_empty() { "has this path" } else { "at this path answers such a request" };
                writeln!(out, "route    none {there}")?;
                for route in here.iter().filter(|route| !route.predicates.is_empty()) {
                    writeln!(out, "but      `{}` does with {}", route.name, route.predicates.written().join(", "))?;
                }
                match near(&site.routes, path) {
                    Some(route) if here.is_empty() => {
                        writeln!(out, "near     `{}`, path {}", route.name, route.pattern.text())
                    }
                    None if here.is_empty() => writeln!(out, "         `sitewright routes` lists all paths"),
                    _ => Ok(()),
                }
            }
        }
    }

    fn session(&self, session: &SessionAccount, out: &mut impl Write) -> io::Result<()> {
        let account = &self.answer.account;
        let standing = match session.standing {
            _ if self.has_made_session => "made for this request, as by the page with the form".to_owned(),
            Standing::Absent => "the request has no session cookie, so it is new".to_owned(),
            Standing::Verified { secret } => format!("the cookie is good, under {}", Standing::name_of_secret(secret)),
            Standing::Refused(refusal) => format!("the cookie is no session: {refusal}; it is new"),
        };
        writeln!(out, "session  {standing}")?;
        writeln!(out, "before   {}", session.before.to_value())?;
        let changed = session.after.differs_from(&session.before) || session.after.is_invalidated();
        let would = if changed && !session.committed { "would have been " } else { "" };
        writeln!(out, "after    {would}{}", session.after.to_value())?;
        let runs =
            if session.attempts > 1 { format!(" (the route ran {} times)", session.attempts) } else { String::new() };
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
        let cookie = self.answer.response.headers().get(SET_COOKIE).map_or_else(|| "none".to_owned(), attributes);
        writeln!(out, "cookie   {cookie}")
    }
}

/// `guard 1`, `step 2`: the guards come first, and all are counted together.
fn named(route: &Route, at: usize) -> String {
    format!("{} {}", if at < route.steps.guards.len() { "guard" } else { "step" }, at + 1)
}

/// The steps from the one at `done` on, which were not come to.
fn left(route: &Route, done: usize) -> Option<String> {
    let span = |kind: &str, from: usize, to: usize| match to.checked_sub(from) {
        None | Some(0) => None,
        Some(1) => Some(format!("{kind} {to}")),
        Some(_) => Some(format!("{kind}s {} to {to}", from + 1)),
    };
    let first = route.steps.guards.len();
    let guards = span("guard", done, first);
    let steps = span("step", done.max(first), route.steps.len());
    let left: Vec<String> = guards.into_iter().chain(steps).collect();
    (!left.is_empty()).then(|| left.join(", "))
}

/// Whether a route has this path, whatever else it wants of a request.
fn is_at(route: &Route, path: &str) -> bool {
    let alone = Router::build(vec![(route.pattern.clone(), vec![Method::GET], ())]);
    alone.is_ok_and(|alone| alone.find(&Method::GET, path).is_ok())
}

/// The route whose path may have been meant.
fn near<'r>(routes: &'r [Route], path: &str) -> Option<&'r Route> {
    // A marker is as near as whatever stands in its place.
    let filled = |route: &Route| {
        let given: Vec<&str> = path.split('/').collect();
        let segments = route.pattern.text().split('/').enumerate().map(|(at, segment)| {
            let is_marker = segment.starts_with('{') && segment.ends_with('}');
            given.get(at).filter(|_| is_marker).copied().unwrap_or(segment).to_owned()
        });
        segments.collect::<Vec<_>>().join("/")
    };
    let paths: Vec<String> = routes.iter().map(filled).collect();
    let same = paths.iter().find(|filled| *filled == path).map(String::as_str);
    let near = same.or_else(|| nearest(path, paths.iter().map(String::as_str)))?;
    routes.iter().zip(&paths).find_map(|(route, filled)| (filled == near).then_some(route))
}

/// A `Set-Cookie` without its value, which opens a session.
fn attributes(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    let (pair, rest) = text.split_once(';').unwrap_or((&text, ""));
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    format!("{name}=[{} characters];{rest}", value.len())
}

/// The host that a request is for, in lower case.
pub fn host(headers: &http::HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    host.to_ascii_lowercase()
}
