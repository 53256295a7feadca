//! The life of a request, from its head to its response: host, route, body, session, reply.
//!
//! It knows no socket, so the server, `sitewright request` and the snapshot tests all take this
//! one way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};

use super::failed::{Failed, session_failure};
use super::files::Asked;
use super::host::host;
use super::looking::{is_to_be_shown, only_looking};
use super::origin::Origin;
use super::{Incoming, RequestBody, ResponseBody, files, missed, page, params};
use crate::session::Session;
use crate::session::factory::{SessionError, Standing, Visit};
use crate::session::transaction::{Rules, transact};
use crate::site::cache::{PageKey, pages};
use crate::site::cors::Cors;
use crate::site::csrf::new_token;
use crate::site::failure::Failure;
use crate::site::live::Serving;
use crate::site::params::{Checked, Faults};
use crate::site::policy::new_nonce;
use crate::site::predicates::Head;
use crate::site::questions;
use crate::site::request::{Form, Request};
use crate::site::response::Reply;
use crate::site::route::{Outcome, Ran, Route};
use crate::site::session_keys::SessionUse;
use crate::site::{Choice, Found};

/// What is drawn once for each request, however often its route runs.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Seconds since the Unix epoch.
    pub now: f64,
    /// The id under which the log knows the request.
    pub id: u64,
}

/// A response and how it came about.
#[derive(Debug)]
pub struct Answer<Body = Bytes> {
    /// The response.
    pub response: Response<Body>,
    /// How it came about, for the log, `--explain` and snapshots.
    pub account: Account,
}

/// How a response came about.
#[derive(Debug, Default)]
pub struct Account {
    /// The full name of the route that matched.
    pub route: Option<String>,
    /// What is wrong with the parameters the route declares.
    pub faults: Faults,
    /// What became of the route's steps in its last run, as far as it came.
    pub outcomes: Vec<Outcome>,
    /// Where the reply came from, if replies of the route are kept.
    pub kept: Option<pages::Origin>,
    /// What became of the session, if the route asked for it.
    pub session: Option<SessionAccount>,
    /// Why the session could not be loaded or stored.
    pub session_error: Option<SessionError>,
    /// Why the request was not answered as declared.
    pub failure: Option<Failure>,
    /// The nonce that the page may show.
    pub nonce: Option<String>,
    /// The visitor's address.
    pub address: Option<std::net::IpAddr>,
    /// Whether nothing may be stored because of this: HEAD, or a prefetch.
    pub only_looking: Option<&'static str>,
    /// Whether a change of the session is stored, or being stored: repeated, the request would do it twice.
    pub may_be_stored: AtomicBool,
}

/// What became of the session.
#[derive(Debug)]
pub struct SessionAccount {
    /// How the visitor's cookie fared.
    pub standing: Standing,
    /// The session before the route ran.
    pub before: Session,
    /// The session after it.
    pub after: Session,
    /// Whether anything was stored.
    pub committed: bool,
    /// How often the route ran.
    pub attempts: u32,
    /// Why a refresh that was due was left out.
    pub unrefreshed: Option<SessionError>,
}

impl SessionAccount {
    /// Whether the request left another session than it came with, in what it holds or in its name.
    pub fn is_changed(&self) -> bool {
        self.after.is_invalidated() || self.after.is_renewed() || self.after.differs_from(&self.before)
    }

    /// Whether the session goes on under its name: it did not begin, move or end with this request.
    pub fn is_same(&self) -> bool {
        let known = matches!(self.standing, Standing::Verified { .. });
        known && !self.after.is_invalidated() && !self.after.is_renewed()
    }
}

/// Answers one request with the site that is served at this moment.
pub async fn answer(serving: &Serving, mut incoming: Incoming, moment: &Moment) -> Answer<ResponseBody> {
    let mut account = Account::default();
    let response = respond(serving, &mut incoming, moment, &mut account).await;
    Answer { response, account }
}

/// The response, with an account that tells how far it came even if the future is dropped.
pub(super) async fn respond(
    serving: &Serving,
    incoming: &mut Incoming,
    moment: &Moment,
    account: &mut Account,
) -> Response<ResponseBody> {
    let body = std::mem::take(&mut incoming.body);
    let mut response = match attempt(serving, incoming, body, moment, account).await {
        Ok(response) => response,
        Err(failed) => return failed.into_response(serving, incoming, moment, account),
    };
    page::shared(&serving.site, &incoming.headers, response.headers_mut());
    response
}

async fn attempt(
    serving: &Serving,
    incoming: &Incoming,
    body: RequestBody,
    moment: &Moment,
    account: &mut Account,
) -> Result<Response<ResponseBody>, Box<Failed>> {
    let site = &serving.site;
    let server = &site.settings.server;
    let peer = incoming.connection.peer.map(|peer| peer.ip());
    let origin = Origin::of(peer, &incoming.headers, &site.edge);
    account.address = origin.address;
    let host = host(incoming, &site.edge.hosts)?;
    if incoming.path == "*" {
        return Ok(page::options(&site.methods()));
    }
    if let Some(cors) = &site.cors
        && Cors::is_asked(&incoming.method, &incoming.headers)
        && let methods = site.methods_of(&incoming.path)
        && !methods.is_empty()
    {
        let mut response = page::options(&methods);
        cors.answer(&methods, &incoming.headers, response.headers_mut());
        return Ok(response);
    }
    let head = Head {
        method: &incoming.method,
        path: &incoming.path,
        query: incoming.query.as_deref(),
        headers: &incoming.headers,
        host: &host,
    };
    let (route, markers, varies) = match site.find(&head) {
        Ok(Choice { found: Found::Route(route, markers), varies }) => (route, markers, varies),
        Ok(Choice { found: Found::Static(files, segments), varies }) => {
            let asked = Asked {
                method: &incoming.method,
                headers: &incoming.headers,
                query: incoming.query.as_deref(),
                segments: &segments,
                folder: incoming.path.ends_with('/'),
            };
            let mut response = files::answer(files, &asked).await?;
            page::secure(response.headers_mut());
            page::vary(&varies, response.headers_mut());
            return Ok(response);
        }
        Err(miss) => return missed::answer(miss, site, &head),
    };
    account.route = Some(route.name.clone());
    account.only_looking = only_looking(incoming);
    let query = match &incoming.query {
        Some(query) => params::urlencoded(query.as_bytes(), "query")?,
        None => Vec::new(),
    };
    let takes_body = !matches!(incoming.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let form = if takes_body {
        let deadline = Duration::from_secs(server.body_timeout);
        let body = body.read(server.max_body, deadline).await;
        let body = body
            .map_err(|error| Failure::new(error.status(), told_of_body(error.status())).because(error.to_string()))?;
        params::form(&incoming.headers, &body)?
    } else {
        Form::default()
    };
    let mut request = Request {
        method: &incoming.method,
        path: &incoming.path,
        query_string: incoming.query.as_deref(),
        query,
        form: form.fields,
        files: form.files,
        checked: Checked::default(),
        passwords: Vec::new(),
        verdicts: Vec::new(),
        markers,
        headers: &incoming.headers,
        host,
        https: origin.https,
        remote_addr: origin.address,
        now: moment.now,
        token: if route.wants_token { new_token()? } else { String::new() },
        nonce: if route.wants_nonce { account.nonce.insert(new_nonce()?).clone() } else { String::new() },
    };
    request.checked = route.params.check(&request);
    account.faults.clone_from(request.checked.faults());
    request.set_apart(&route.passwords);
    let mut response = run(serving, route, &mut request, account).await?;
    page::vary(&varies, response.headers_mut());
    Ok(response)
}

/// Runs the route, in a session if it asks for one.
async fn run(
    serving: &Serving,
    route: &Route,
    request: &mut Request<'_>,
    account: &mut Account,
) -> Result<Response<ResponseBody>, Box<Failed>> {
    let site = &serving.site;
    let factory = match &serving.sessions {
        Some(factory) if route.session_use != SessionUse::None => factory,
        _ => {
            let mut session = Session::new(request.now);
            let key = site.page_key(route, request, &mut session);
            let reply = kept_or_run(serving, route, request, session, key, account).await?;
            let response = files::sent(reply, request, page::Session::Unused).await?;
            return Ok(page::finished(response, page::Session::Unused, None));
        }
    };
    let rules = Rules { commit: account.only_looking.is_none(), refresh: route.keepalive };
    let may_write = rules.commit && route.session_use == SessionUse::Writes;
    let visit = Visit::from_headers(request.headers, request.now, request.https).writing(may_write);
    let keep_failed = site.settings.session.set_on_exception;
    let done = loop {
        let may_be_stored = &account.may_be_stored;
        let asked: &Request<'_> = request;
        let outcomes = &mut account.outcomes;
        let done = transact(
            &**factory,
            &visit,
            rules,
            |session| match site.page_key(route, asked, session) {
                Some(key) => Ok(Work::Page(key)),
                None => site.run(route, asked, session, outcomes).map(Work::Run),
            },
            |outcome: &Result<Work, Failure>| {
                let keep = match outcome {
                    Ok(Work::Run(Ran::Question(_))) => false,
                    Ok(_) => true,
                    Err(failure) => keep_failed && !failure.is_forged,
                };
                may_be_stored.store(keep && may_write, Ordering::Relaxed);
                keep
            },
        );
        let done = match done.await {
            Ok(done) => done,
            Err(error) => return Err(session_failure(account.session_error.insert(error)).into()),
        };
        // Between two runs nobody waits for this session.
        match &done.outcome {
            Ok(Work::Run(Ran::Question(question))) => questions::settle(serving, route, question, request).await?,
            _ => break done,
        }
    };
    account.may_be_stored.store(done.committed && may_write, Ordering::Relaxed);
    let set_cookie = match done.set_cookie.map(HeaderValue::try_from).transpose() {
        Ok(value) => value,
        Err(_) => {
            return Err(Failure::internal("the session factory made a cookie that cannot be a header").into());
        }
    };
    // The page is looked for when the session is done with: a route that is kept changes none.
    let outcome = match done.outcome {
        Ok(Work::Page(key)) => kept_or_run(serving, route, request, done.after.clone(), Some(key), account).await,
        Ok(Work::Run(ran)) => reply(ran),
        Err(failure) => Err(failure),
    };
    let session = account.session.insert(SessionAccount {
        standing: done.standing,
        before: done.before,
        after: done.after,
        committed: done.committed,
        attempts: done.attempts,
        unrefreshed: done.unrefreshed,
    });
    let used = if session.committed { page::Session::Stored } else { page::Session::Used };
    let sent = match outcome {
        Ok(reply) => files::sent(reply, request, used).await,
        Err(failure) => Err(failure),
    };
    match sent {
        Ok(_) if account.only_looking.is_some() && session.is_changed() && is_to_be_shown(request.headers) => {
            Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "This page cannot be fetched ahead.").into())
        }
        Ok(response) => Ok(page::finished(response, used, set_cookie)),
        Err(failure) => Err(Box::new(Failed { failure, allowed: Vec::new(), stored: session.committed, set_cookie })),
    }
}

/// What a run in a session came to, or the key of the page to be looked for instead.
enum Work {
    Run(Ran),
    Page(PageKey),
}

/// What a run came to where nothing can be asked.
fn reply(ran: Ran) -> Result<Reply, Failure> {
    match ran {
        Ran::Reply(reply) => Ok(reply),
        Ran::Question(_) => Err(Failure::internal("an action asks outside of a session")),
    }
}

/// The page of a key if it is kept; otherwise the route runs.
async fn kept_or_run(
    serving: &Serving,
    route: &Route,
    request: &Request<'_>,
    mut session: Session,
    key: Option<PageKey>,
    account: &mut Account,
) -> Result<Reply, Failure> {
    let mut make = || serving.site.run(route, request, &mut session, &mut account.outcomes).and_then(reply);
    match (key, &route.caching) {
        (Some(key), Some(caching)) => {
            let (outcome, origin) = serving.pages.get(key, request.now, caching.lifetime, make).await;
            account.kept = Some(origin);
            outcome
        }
        _ => make(),
    }
}

fn told_of_body(status: StatusCode) -> &'static str {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => "This is more than the server accepts in one request.",
        StatusCode::REQUEST_TIMEOUT => "The request took too long to arrive.",
        _ => "The request could not be read.",
    }
}
