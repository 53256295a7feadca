//! The session cookie: reading one and writing the next, small and nearly as large as they get.
#![allow(clippy::expect_used, reason = "a benchmark may stop at its own mistakes")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use sitewright::session::Session;
use sitewright::session::factory::{Loaded, SessionFactory, SignedCookie, SignedCookieOptions, Standing, Visit};
use sitewright::session::secret::Secret;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: f64 = 1_795_218_527.0;

fn factory() -> SignedCookie {
    let secrets = vec![Secret::new("0f3a5c7e9b1d2f4a6c8e0b1d3f5a7c9e".to_owned())];
    SignedCookie::new(SignedCookieOptions { secrets, ..SignedCookieOptions::default() }).expect("a secret")
}

/// The tutorial's session, and one of about 2.9 KB in a cookie of 4 KB.
fn sessions() -> [(&'static str, Session); 2] {
    let mut small = Session::new(NOW);
    set(&mut small, "counter", 1.into());
    let mut large = small.clone();
    for item in 0..41 {
        set(&mut large, &format!("item-{item}"), "a line about sixty characters long, as in a cart".into());
    }
    [("tutorial", small), ("2.9 KB", large)]
}

fn set(session: &mut Session, key: &str, value: Value) {
    session.set(&[key.to_owned()], value).expect("a free place");
}

fn load(factory: &SignedCookie, visit: &Visit) -> Loaded {
    factory.load(visit).now_or_never().expect("no waiting").expect("no failure")
}

fn commit(factory: &SignedCookie, visit: &Visit, loaded: &Loaded, session: &Session) -> String {
    let committed = factory.commit(visit, loaded, session).now_or_never().expect("no waiting");
    committed.expect("it fits").set_cookie.expect("a cookie")
}

/// A visit with the cookie that holds `session`.
fn visit(factory: &SignedCookie, session: &Session) -> Visit {
    let first = Visit::new(NOW, false);
    let cookie = commit(factory, &first, &load(factory, &first), session);
    let cookie = cookie.split(';').next().unwrap_or_default();
    let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(cookie).expect("a header"))]);
    Visit::from_headers(&headers, NOW, false)
}

fn cookie(criterion: &mut Criterion) {
    let factory = factory();
    for (size, session) in sessions() {
        let visit = visit(&factory, &session);
        let loaded = load(&factory, &visit);
        assert!(matches!(loaded.standing, Standing::Verified { .. }), "the cookie is good");
        criterion.bench_function(&format!("cookie/read/{size}"), |bencher| {
            bencher.iter(|| load(&factory, black_box(&visit)));
        });
        let mut changed = loaded.session.clone();
        set(&mut changed, "counter", 2.into());
        criterion.bench_function(&format!("cookie/write/{size}"), |bencher| {
            bencher.iter(|| commit(&factory, &visit, &loaded, black_box(&changed)));
        });
    }
}

criterion_group!(benches, cookie);
criterion_main!(benches);
