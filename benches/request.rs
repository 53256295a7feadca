//! The whole way of a request but for the socket, through the tutorial's counter and around it.
#![allow(clippy::expect_used, reason = "a benchmark may stop at its own mistakes")]

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures_util::FutureExt;
use http::header::{COOKIE, HOST, SET_COOKIE};
use http::{Request, Response};
use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::Diagnostics;
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: f64 = 1_795_218_527.0;

/// The tutorial, with one more page that has no use for a session.
const SITE: &str = r#"
[session]
factory = "signed-cookie"
secret  = "0f3a5c7e9b1d2f4a6c8e0b1d3f5a7c9e"

[templates]
home = """
<!DOCTYPE html>
<html lang="en">
<head>
    <title>Quick Tutorial: {{name}}</title>
</head>
<body>
<h1>Hi {{name}}</h1>
<p>Count: {{counter}}</p>
</body>
</html>
"""

[routes.home]
path     = "/"
actions  = [{ increment-counter = "counter" }]
template = "home"
data     = { name = "Home View" }

[routes.about]
path     = "/about"
template = "home"
data     = { name = "About", counter = 0 }
"#;

fn site(folder: &Path) -> InProcess {
    let path = folder.join("config.toml");
    std::fs::write(&path, SITE).expect("a writable folder");
    let mut problems = Diagnostics::default();
    let vocabulary = Vocabulary::standard();
    let serving = Serving::load(&path, &Environment::new(), &vocabulary, Secrets::LookOnly, &mut problems);
    InProcess::new(Arc::new(serving.expect("a good site")))
}

fn ask(site: &InProcess, request: Request<Bytes>) -> Response<Bytes> {
    site.ask(request, NOW, 1).now_or_never().expect("no waiting").response
}

fn get(path: &str, cookie: Option<&str>) -> Request<Bytes> {
    let mut request = Request::get(path).header(HOST, "127.0.0.1:6543");
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    request.body(Bytes::new()).expect("a request")
}

fn request(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let site = site(folder.path());
    let first = ask(&site, get("/", None));
    let cookie = first.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()).expect("a cookie");
    let cookie = cookie.split(';').next();
    for (name, path, cookie, status) in [
        ("request/counter", "/", cookie, 200),
        ("request/no session", "/about", None, 200),
        ("request/not found", "/none", None, 404),
    ] {
        assert_eq!(ask(&site, get(path, cookie)).status(), status, "{path}");
        criterion.bench_function(name, |bencher| {
            bencher.iter_batched(|| get(path, cookie), |request| ask(&site, request), BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, request);
criterion_main!(benches);
