//! Signing in at a server: many at once, by an old cookie, across a reload; and what leaks of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use http::Request;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::session::factory::BoxFuture;
use sitewright::session::store::memory::MemoryStore;
use sitewright::session::store::{Entry, Found, Key, Store, StoreError};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::factories::{FactoryKind, HeldBy, stored};
use sitewright::site::live::Serving;

use crate::driver::{Server, Site};
use crate::language::users::HASH;

const CONFIG: &str = r#"
[csrf]
enabled = false

[users]
members = { file = "users.toml", max_failures_per_address = 1000 }

[templates]
form = "{{errors.password}}<form>{{json params}}{{json form}}</form>"

[routes.sign-in]
path    = "/sign-in"
methods = ["POST"]
params  = { user = { required = true }, password = { required = true } }
invalid = { template = "form" }
actions = [
    { verify-password = "members", as = "user", or = { template = "form", status = 403 } },
    { set = "user", from = "user" },
]
text    = "in"

[routes.visit]
path    = "/"
actions = [{ increment-counter = "visits" }]
json    = { user = "(default session.user 'nobody')", visits = "visits" }

[routes.plain]
path = "/plain"
text = "plain"
"#;

fn site(session: &str) -> Site {
    let users = format!("[ada]\npassword = \"{HASH}\"\nname = \"Ada\"\n");
    Site::new().config(&format!("{session}{CONFIG}")).file("users.toml", &users)
}

const IN_MEMORY: &str = "[session]\nfactory = \"memory\"\nsecret = { file = \"session.secret\", generate = true }\n";
const RIGHT: &str = "user=ada&password=password";
const WRONG: &str = "user=ada&password=wrong";

#[test]
fn whoever_knows_the_cookie_from_before_is_not_signed_in() {
    let server = site(IN_MEMORY).serve();
    let mut ada = server.visitor();
    ada.get("/");
    let planted = format!("session={}", ada.cookie().unwrap());
    assert_eq!(ada.post("/sign-in", RIGHT).text(), "in");
    let of_ada = json!({ "user": { "id": "ada", "name": "Ada" }, "visits": 2 });
    assert_eq!(serde_json::from_str::<serde_json::Value>(ada.get("/").text()).unwrap(), of_ada);
    let mut eve = server.visitor();
    let page = eve.request("GET", "/").header("Cookie", planted).send();
    assert!(page.text().contains("\"nobody\"") && page.text().contains("\"visits\":1"), "{}", page.text());
    assert_ne!(ada.cookie(), eve.cookie());
}

#[test]
fn the_count_of_wrong_passwords_outlives_a_reload() {
    let site = site(IN_MEMORY);
    let server = site.serve();
    let mut eve = server.visitor();
    for _ in 0..5 {
        assert_eq!(eve.post("/sign-in", WRONG).status, 403);
    }
    assert_eq!(eve.post("/sign-in", RIGHT).status, 429);
    site.save("users.toml", &format!("{}\n[grace]\npassword = \"{HASH}\"\n", site.read("users.toml")));
    server.signal("HUP");
    let log = server.wait_for_log("reloaded in");
    assert!(log.contains("[users]"), "{log}");
    assert_eq!(eve.post("/sign-in", "user=grace&password=password").status, 200);
    let page = eve.post("/sign-in", RIGHT);
    assert_eq!(page.status, 429);
    assert!(page.header("retry-after").parse::<u64>().unwrap() <= 180);
}

#[test]
fn a_page_is_served_while_a_hundred_sign_in() {
    // Each hash takes long enough for all of them to wait for each other.
    let slow = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let limits = "max_failures = 1000, max_failures_per_address = 1000";
    let config = format!("{IN_MEMORY}{CONFIG}").replace("max_failures_per_address = 1000", limits);
    let server = Site::new().config(&config).file("users.toml", &format!("[ada]\npassword = \"{slow}\"\n")).serve();
    let done = Arc::new(AtomicUsize::new(0));
    let mut visitors: Vec<_> = (0..100).map(|_| server.visitor()).collect();
    // The connection is there before the rush.
    let mut reader = server.visitor();
    assert_eq!(reader.get("/plain").text(), "plain");
    let threads: Vec<_> = visitors
        .drain(..)
        .map(|mut visitor| {
            let done = Arc::clone(&done);
            thread::spawn(move || {
                let status = visitor.post("/sign-in", RIGHT).status;
                done.fetch_add(1, Ordering::SeqCst);
                status
            })
        })
        .collect();
    // One is through, so they are at it.
    while done.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    assert_eq!(reader.get("/plain").text(), "plain");
    let before = done.load(Ordering::SeqCst);
    assert!(before < 100, "the page came after all of them");
    let statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
    assert!(statuses.contains(&200), "{statuses:?}");
}

/// A store in which others are faster, a few times.
#[derive(Debug)]
struct Contended(MemoryStore);

/// How often others will be faster from now on.
static CONFLICTS: AtomicUsize = AtomicUsize::new(0);

const CONTENDED: FactoryKind = FactoryKind {
    name: "contended",
    summary: "Others are faster.",
    guarantee: "",
    held_by: HeldBy::Process,
    options: &[],
    url: None,
    open: |opening| stored(opening, |_| Ok(Arc::new(Contended(MemoryStore::new(1 << 20))))),
};

impl Store for Contended {
    fn kind(&self) -> &'static str {
        CONTENDED.name
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        self.0.load(key)
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let left = CONFLICTS.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        match left {
            Ok(_) => Box::pin(std::future::ready(Ok(false))),
            Err(_) => self.0.compare_and_set(key, seen, next),
        }
    }
}

#[tokio::test]
async fn however_often_others_are_faster_a_password_is_verified_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let session = IN_MEMORY.replace("memory", CONTENDED.name);
    std::fs::write(&config, format!("{session}{CONFIG}")).unwrap();
    std::fs::write(folder.path().join("users.toml"), format!("[ada]\npassword = \"{HASH}\"\n")).unwrap();
    let vocabulary = Vocabulary::standard().with_factory(&CONTENDED);
    let mut problems = Diagnostics::default();
    let serving = Serving::load(&config, &Environment::new(), &vocabulary, Secrets::Generate, &mut problems);
    let site = InProcess::new(Arc::new(serving.unwrap_or_else(|_| panic!("{}", print::to_text(&problems, false)))));
    let request = Request::get("/").header("host", "localhost").body(Bytes::new());
    let visit = site.ask(request.unwrap(), 1.9e9, 1).await;
    let cookie = visit.response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
    CONFLICTS.store(5, Ordering::SeqCst);
    let request = Request::post("/sign-in").header("host", "localhost").header("cookie", cookie);
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(Bytes::from(RIGHT));
    let answer = site.ask(request.unwrap(), 1.9e9, 2).await;
    assert_eq!(answer.response.body(), "in");
    assert_eq!((CONFLICTS.load(Ordering::SeqCst), answer.account.session.unwrap().attempts), (0, 6));
    assert_eq!(site.serving().verifier.verified(), 1);
}

fn assert_hidden(what: &str, text: &str) {
    for hidden in ["CANARY", "nf65EOgLrQMR", "c29tZXNhbHQ"] {
        assert!(!text.contains(hidden), "{hidden} is in {what}:\n{text}");
    }
}

fn visit(server: &Server) {
    let mut visitor = server.visitor();
    for form in
        [RIGHT, "user=ada&password=CANARY", "user=CANARY2&password=CANARY", "user=&password=CANARY", "password=CANARY"]
    {
        let page = visitor.post("/sign-in", form);
        assert_hidden("a page", &page.text().replace("CANARY2", ""));
        let page =
            visitor.request("POST", "/sign-in?password=CANARY").header("Accept", "application/json").form(form).send();
        assert_hidden("an answer", &page.text().replace("CANARY2", ""));
    }
    let json = r#"{ "user": "ada", "password": "CANARY" }"#;
    assert_hidden("an answer", visitor.request("POST", "/sign-in").body("application/json", json).send().text());
}

#[test]
fn neither_a_password_nor_its_hash_is_in_a_log_a_page_or_a_command() {
    let site = site(IN_MEMORY).env("SITEWRIGHT_LOG", "trace").env("RUST_BACKTRACE", "1").file(
        "tests/all.http",
        "POST /sign-in\nContent-Type: application/x-www-form-urlencoded\n\nuser=ada&password=CANARY\n\n###\nGET /\n",
    );
    let server = site.serve();
    visit(&server);
    let users = site.read("users.toml");
    for (from, to) in [
        ("password = \"", "password = "),
        ("password = \"", "password \""),
        ("password", "pasword"),
        ("[ada]", "[ada"),
        ("$argon2id", "argon2id"),
        ("$argon2id", "$argon2i"),
        ("v=19", "v=19\n"),
        ("m=256", "m=x"),
        ("name = ", "name = 99999999999999999999 #"),
        ("[ada]\npassword =", "ada ="),
    ] {
        site.save("users.toml", &users.replacen(from, to, 1));
        server.signal("HUP");
        server.wait_for_log("not reloaded");
        let checked = site.run(&["check"]);
        assert_eq!(checked.code, 1, "{to}");
        assert_hidden(to, &(checked.out + &checked.err));
    }
    site.save("users.toml", &users);
    for arguments in [
        &["check"][..],
        &["routes"],
        &["request", "POST", "/sign-in", "--data", "user=ada&password=CANARY"],
        &["request", "POST", "/sign-in", "--data", "user=ada&password=CANARY", "--explain"],
        &["request", "POST", "/sign-in", "--data", "user=&password=CANARY", "--explain"],
        &["test", "--update"],
        &["test", "--format", "junit"],
    ] {
        let ran = site.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        assert_hidden(&format!("{arguments:?}"), &(ran.out + &ran.err));
    }
    assert_hidden("the snapshot", &site.read("tests/all.snap"));
    // What is told only of those who ask for more.
    server.visitor().request("GET", "/").header("Cookie", "session=forged").send();
    server.wait_for_log(" DEBUG ");
    server.signal("TERM");
    server.wait_for_log("stopp");
    assert_hidden("the log", &server.log());
    assert_hidden("the access log", &server.access_log());
}

/// The problems of a site with this file of users.
fn problems(folder: &std::path::Path, users: &[u8]) -> String {
    std::fs::write(folder.join("users.toml"), users).unwrap();
    let mut problems = Diagnostics::default();
    let loaded = Serving::load(
        &folder.join("config.toml"),
        &Environment::new(),
        &Vocabulary::standard(),
        Secrets::LookOnly,
        &mut problems,
    );
    assert_eq!(loaded.is_ok(), !problems.has_errors());
    print::to_text(&problems, false)
}

#[test]
fn no_mistake_in_a_file_of_users_shows_a_hash_or_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), format!("{IN_MEMORY}{CONFIG}")).unwrap();
    let whole = format!(
        "# users\n[ada]\npassword = \"{HASH}\"\nname = \"Ada\"\n\n[grace]\npassword = '{HASH}'\nrole = [\"a\", 1]\n"
    );
    let piece = prop_oneof![
        Just(""),
        Just("\n"),
        Just("\""),
        Just("'"),
        Just("="),
        Just("["),
        Just("]"),
        Just("{"),
        Just("#"),
        Just("$"),
        Just("\\"),
        Just("\"\"\""),
        Just("\\u0024"),
        Just("."),
        Just(" "),
        Just("\u{e9}"),
        Just("[ada]\n"),
        Just("x = "),
    ];
    let edits = prop::collection::vec((0..whole.len(), 0..12_usize, piece), 1..5);
    let mut runner = TestRunner::new(Config { cases: 400, ..Config::default() });
    let tried = runner.run(&edits, |edits| {
        let mut text: Vec<char> = whole.chars().collect();
        for (at, length, piece) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let shown = problems(folder.path(), text.as_bytes());
        // However it was cut up: no stretch of it is shown that would help anybody.
        let digest = HASH.rsplit('$').next().unwrap();
        for start in 0..digest.len() - 8 {
            let stretch = &digest[start..start + 8];
            prop_assert!(!shown.contains(stretch), "{stretch} of\n{text}\nis in\n{shown}");
        }
        Ok(())
    });
    tried.unwrap();
}
