//! A site without a server: requests take the same way as from a socket, minus the socket.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, ETAG, LAST_MODIFIED};
use http::{Method, Request, Response, StatusCode, Version};
use serde_json::{Map, Value};

use crate::http::answer::{Answer, Moment, SessionAccount, answer};
use crate::http::{Connection, Incoming, RequestBody, drop_body};
use crate::session::factory::SessionFactory;
use crate::site::live::Serving;
use crate::snapshot::{self, Exchange, Target};

/// How many sessions are forgotten at a time between two tests.
const PAGE: usize = 100;

/// A site that is asked directly.
#[derive(Clone, Debug)]
pub struct InProcess {
    serving: Arc<Serving>,
    cookie_name: String,
}

impl InProcess {
    /// Asks this site.
    pub fn new(serving: Arc<Serving>) -> Self {
        let cookie_name =
            serving.sessions.as_ref().map_or_else(String::new, |factory| factory.cookie_name().to_owned());
        Self { serving, cookie_name }
    }

    /// The site that is asked.
    pub fn serving(&self) -> &Arc<Serving> {
        &self.serving
    }

    /// Answers one request at a given moment.
    pub async fn ask(&self, request: Request<Bytes>, now: f64, id: u64) -> Answer {
        let (head, body) = request.into_parts();
        let incoming = Incoming {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            version: Version::HTTP_11,
            connection: Connection { peer: Some(([127, 0, 0, 1], 0).into()), authority: None },
            body: RequestBody::from(body),
        };
        let is_head = incoming.method == Method::HEAD;
        let mut answer = answer(&self.serving, incoming, &Moment { now, id }).await;
        if is_head {
            drop_body(&mut answer.response);
        }
        let (head, body) = answer.response.into_parts();
        // Nobody else hears of a file that cannot be read to its end.
        let body = body.into_bytes().unwrap_or_else(|error| Bytes::from(error.to_string()));
        Answer { response: Response::from_parts(head, body), account: answer.account }
    }
}

impl InProcess {
    /// The versions of static files that a page links to: they change with the files, not with the page.
    fn versions_in(&self, page: &[u8]) -> Vec<(String, &'static str)> {
        let Ok(page) = std::str::from_utf8(page) else { return Vec::new() };
        let known = self.serving.site.statics.iter().flat_map(|files| files.versions.values());
        let shown = known.filter(|version| page.contains(&version.text));
        shown.map(|version| (version.text.clone(), "version")).collect()
    }
}

impl Target for InProcess {
    fn send<'a>(
        &'a self,
        request: Request<Bytes>,
        moment: snapshot::Moment,
    ) -> Pin<Box<dyn Future<Output = Exchange> + Send + 'a>> {
        Box::pin(async move {
            let answer = self.ask(request, moment.now, moment.seed).await;
            let session = answer.account.session.as_ref();
            let mut volatile = self.versions_in(answer.response.body());
            volatile.extend(validators(&answer.response));
            volatile.extend(session.into_iter().flat_map(tokens).map(|token| (token, "csrf-token")));
            volatile.extend(answer.account.nonce.map(|nonce| (nonce, "csp-nonce")));
            Exchange {
                response: answer.response,
                before: session.map(before),
                after: session.and_then(after),
                same_session: session.is_some_and(SessionAccount::is_same),
                because: answer.account.failure.map(|failure| failure.private).filter(|cause| !cause.is_empty()),
                refreshed: session.is_some_and(|session| session.committed && !session.is_changed()),
                volatile,
            }
        })
    }

    fn cookie_name(&self) -> &str {
        &self.cookie_name
    }

    fn reset<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async {
            self.serving.verifier.reset();
            let Some(stored) = self.serving.sessions.as_deref().and_then(SessionFactory::stored) else { return };
            let store = stored.store();
            let mut from = None;
            // What cannot be listed is under names that nobody gets again; what cannot be removed
            // shows in the snapshots.
            while let Ok(page) = store.list(from, PAGE).await {
                for (key, _) in &page.entries {
                    let _ = store.remove(key).await;
                }
                from = page.next;
                if from.is_none() {
                    return;
                }
            }
        })
    }
}

/// What tells the state of a file that was sent: it depends on when the file was written.
fn validators(response: &Response<Bytes>) -> impl Iterator<Item = (String, &'static str)> {
    let headers = response.headers();
    // A route may declare these headers too, and then they are part of the site.
    let of_file = headers.contains_key(ACCEPT_RANGES) || response.status() == StatusCode::NOT_MODIFIED;
    let named = [(ETAG, "etag"), (LAST_MODIFIED, "last-modified")];
    named.into_iter().filter(move |_| of_file).filter_map(|(header, name)| {
        let value = headers.get(header)?.to_str().ok()?;
        Some((value.trim_matches('"').to_owned(), name))
    })
}

/// The CSRF tokens that a visitor may have met, the one that the session has now last: what was drawn for
/// a session that was not stored is worth nothing.
fn tokens(session: &SessionAccount) -> impl Iterator<Item = String> {
    let kept = if session.committed { &session.after } else { &session.before };
    [session.after.csrf_token(), kept.csrf_token()].into_iter().flatten()
}

fn before(session: &SessionAccount) -> Value {
    session.before.to_value()
}

/// What is kept of the session; none if it has ended.
fn after(session: &SessionAccount) -> Option<Value> {
    if !session.committed {
        return Some(before(session));
    }
    let ended = session.after.is_invalidated() && session.after.is_empty();
    (!ended).then(|| match session.after.to_value() {
        Value::Null => Value::Object(Map::new()),
        value => value,
    })
}
