//! The program in `examples/own_verb.rs`: a verb of one's own works like those that are built in.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header};
use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::http::answer::Answer;
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

#[allow(dead_code, reason = "its `main` runs only when it is a program")]
#[path = "../../examples/own_verb.rs"]
pub mod program;

/// The example's site in the language of its program, or of `sitewright` alone.
fn load(vocabulary: &Vocabulary) -> Result<Serving, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_verb.toml");
    let mut problems = Diagnostics::default();
    Serving::load(&path, &Environment::new(), vocabulary, Secrets::LookOnly, &mut problems)
        .map_err(|_| print::to_text(&problems, false))
}

async fn ask(site: &InProcess, method: &str, path: &str, cookie: &str, token: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request =
        request.header(header::HOST, "localhost").header(header::COOKIE, cookie).header("x-csrf-token", token);
    site.ask(request.body(Bytes::new()).unwrap(), 1.9e9, 1).await
}

/// The cookie that a `Set-Cookie` sets.
fn pair(set: &http::HeaderValue) -> String {
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_verb_of_ones_own_does_its_work() {
    let site = InProcess::new(Arc::new(load(&Vocabulary::standard().with_verb(&program::TOGGLE)).unwrap()));
    let mut cookie = String::new();
    for expected in ["off", "on", "off"] {
        let page = ask(&site, "GET", "/", &cookie, "").await;
        if let Some(set) = page.response.headers().get(header::SET_COOKIE) {
            cookie = pair(set);
        }
        let page = String::from_utf8_lossy(page.response.body()).into_owned();
        assert!(page.contains(&format!("The light is {expected}.")), "{page}");

        let (_, field) = page.split_once("name=\"csrf_token\" value=\"").unwrap();
        let token = field.split('"').next().unwrap();
        let switched = ask(&site, "POST", "/switch", &cookie, token).await;
        assert_eq!(switched.response.headers()[header::LOCATION], "/");
        cookie = pair(&switched.response.headers()[header::SET_COOKIE]);
    }
}

#[test]
fn a_vocabulary_without_it_does_not_know_it() {
    let problems = load(&Vocabulary::standard()).unwrap_err();
    assert!(problems.contains("unknown verb `toggle`"), "{problems}");
}

#[test]
fn what_is_said_of_a_verb_goes_by_its_effects() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/own_verb.toml");
    let mut problems = Diagnostics::default();
    let vocabulary = Vocabulary::standard().with_verb(&program::TOGGLE);
    Serving::load(&path, &Environment::new(), &vocabulary, Secrets::LookOnly, &mut problems).unwrap();
    let text = print::to_text(&problems, false);
    assert!(text.contains("so `switch` can lose an update when two tabs ask at once"), "{text}");
}
