//! Requests whose answer does not come, with sessions that do as their name says.

use std::io::{self, Write};
use std::sync::Mutex;

use http::{HeaderMap, Method, Version};
use tracing::subscriber::DefaultGuard;

use super::*;
use crate::config::Environment;
use crate::diagnostic::Diagnostics;
use crate::http::{Connection, RequestBody};
use crate::session::Session;
use crate::session::factory::{BoxFuture, Committed, Loaded, SessionError, SessionFactory, Standing, Visit};
use crate::site::Vocabulary;
use crate::site::credentials::Secrets;
use crate::site::factories::{FactoryKind, HeldBy};
use crate::site::live::Serving;

const SITE: &str = r#"
[session]
factory = "FACTORY"
secret = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

[errors]
5xx = { text = "own page: {{error.message}} {{error.id}}" }

[routes.count]
path = "/"
actions = [{ increment-counter = "n" }]
text = "{{n}}"
"#;

/// Sessions that let a request down.
#[derive(Debug)]
enum Bad {
    StalledLoad,
    StalledCommit,
    Panicking,
}

impl SessionFactory for Bad {
    fn kind(&self) -> &'static str {
        "bad"
    }

    fn cookie_name(&self) -> &'static str {
        "session"
    }

    fn load<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Loaded, SessionError>> {
        Box::pin(async move {
            match self {
                Self::StalledLoad => std::future::pending().await,
                Self::Panicking => panic!("as the name says"),
                Self::StalledCommit => {}
            }
            let session = Session::new(visit.now);
            Ok(Loaded { session, standing: Standing::Absent, refresh_due: false, token: None })
        })
    }

    fn commit<'a>(
        &'a self,
        _: &'a Visit,
        _: &'a Loaded,
        _: &'a Session,
    ) -> BoxFuture<'a, Result<Committed, SessionError>> {
        Box::pin(std::future::pending())
    }
}

const fn kind(
    name: &'static str,
    open: fn(crate::site::factories::Opening<'_>) -> crate::site::factories::Opened,
) -> FactoryKind {
    FactoryKind { name, summary: "", guarantee: "", held_by: HeldBy::Process, options: &[], url: None, open }
}

static STALLED_LOAD: FactoryKind = kind("stalled-load", |_| Ok(Arc::new(Bad::StalledLoad)));
static STALLED_COMMIT: FactoryKind = kind("stalled-commit", |_| Ok(Arc::new(Bad::StalledCommit)));
static PANICKING: FactoryKind = kind("panicking", |_| Ok(Arc::new(Bad::Panicking)));

/// The log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start(&self) -> DefaultGuard {
        let log = self.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || log.clone()).finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What a request gets from the site with such sessions, and what the log says.
async fn ask(factory: &str, path: &str) -> (Response<ResponseBody>, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, SITE.replace("FACTORY", factory)).unwrap();
    let vocabulary =
        [&STALLED_LOAD, &STALLED_COMMIT, &PANICKING].into_iter().fold(Vocabulary::standard(), Vocabulary::with_factory);
    let mut problems = Diagnostics::default();
    let serving = Serving::load(&config, &Environment::new(), &vocabulary, Secrets::LookOnly, &mut problems);
    let live = Live::new(State::Serving(Arc::new(serving.expect("a good site"))));
    let served = Served::new(Arc::new(live));
    let mut incoming = Incoming {
        method: Method::GET,
        path: path.to_owned(),
        query: None,
        headers: HeaderMap::from_iter([(http::header::HOST, http::HeaderValue::from_static("a"))]),
        version: Version::HTTP_11,
        connection: Connection { peer: Some(([192, 0, 2, 1], 1).into()), authority: None },
        body: RequestBody::default(),
    };
    let limits = served.limits();
    let log = Log::default();
    let guard = log.start();
    let response = filter::handle(&served, &mut incoming, &limits, limits.handler).await;
    drop(guard);
    (response, log.text())
}

fn text(response: Response<ResponseBody>) -> String {
    String::from_utf8(response.into_body().into_bytes().unwrap().to_vec()).unwrap()
}

/// The id on the page, which the log has too.
#[track_caller]
fn assert_told(page: &str, log: &str) {
    let id = page.rsplit(' ').next().unwrap();
    assert!(page.starts_with("own page: ") && id.len() == 8, "{page}");
    assert!(log.contains(&format!("id={id}")), "{page}: {log}");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_takes_too_long_may_be_asked_for_again() {
    let (response, log) = ask("stalled-load", "/").await;
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (503, &b"1"[..]));
    assert!(log.contains("INFO access: 192.0.2.1 \"GET / HTTP/1.1\" 503 "), "{log}");
    assert_told(&text(response), &log);
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_session_may_be_stored_is_not_to_be_repeated() {
    let (response, log) = ask("stalled-commit", "/").await;
    assert_eq!((response.status().as_u16(), response.headers().get("retry-after")), (503, None));
    assert!(log.contains("\" 503 "), "{log}");
    assert!(log.contains("the session store is unavailable"), "{log}");
    let page = text(response);
    assert!(page.contains("It is not certain whether this was saved."), "{page}");
    assert_told(&page, &log);
}

#[tokio::test]
async fn a_panic_is_answered_with_the_page_of_the_site() {
    let (response, log) = ask("panicking", "/").await;
    assert_eq!(response.status(), 500);
    assert!(log.contains("\" 500 ") && log.contains("as the name says"), "{log}");
    let page = text(response);
    assert!(!page.contains("as the name says"), "{page}");
    assert_told(&page, &log);
}

#[tokio::test]
async fn what_the_edge_refuses_is_in_the_access_log() {
    let long = format!("/{}", "x".repeat(20_000));
    let (response, log) = ask("stalled-load", &long).await;
    assert_eq!(response.status(), 414);
    assert!(text(response).contains("This address is longer than the server accepts."));
    assert!(log.contains("INFO access: 192.0.2.1 \"GET /xxx") && log.contains("\" 414 "), "{log}");
}
