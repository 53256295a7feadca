//! The program in `examples/own_session_factory.rs`: a session factory of one's own works like those
//! that are built in.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header};
use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::session::store::{Entry, Key, Store, StoreError, contract};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

use crate::driver::project;

#[allow(dead_code, reason = "its `main` runs only when it is a program")]
#[path = "../../examples/own_session_factory.rs"]
pub mod program;

/// The example's site, served from a folder of its own by its program, or by `sitewright` alone.
fn load(folder: &Path, vocabulary: &Vocabulary) -> Result<Serving, String> {
    let config = folder.join("config.toml");
    fs::copy(project().join("examples/own_session_factory.toml"), &config).unwrap();
    let mut problems = Diagnostics::default();
    Serving::load(&config, &Environment::new(), vocabulary, Secrets::Generate, &mut problems)
        .map_err(|_| print::to_text(&problems, false))
}

#[tokio::test]
async fn a_store_of_ones_own_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(program::JournalStore::new(folder.path().join("sessions.journal")));
    let report = contract::verify(&store).await.kept().expect("the contract");
    assert!(report.findings.iter().all(|(_, finding)| *finding == contract::Finding::Kept));
}

#[test]
fn a_factory_of_ones_own_is_chosen_by_its_name_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let mut cookie = String::new();
    for count in 1..=3 {
        let (page, set) = visit(folder.path(), &cookie);
        assert!(page.contains(&format!("Count: {count}<")), "{page}");
        cookie = set.unwrap_or(cookie);
    }
}

/// The page, and the cookie that came with it, from a site that is opened and ended like a process.
#[tokio::main(flavor = "current_thread")]
async fn visit(folder: &Path, cookie: &str) -> (String, Option<String>) {
    let vocabulary = Vocabulary::standard().with_factory(&program::JOURNAL);
    let site = InProcess::new(Arc::new(load(folder, &vocabulary).unwrap()));
    let request = Request::builder().uri("/").header(header::HOST, "localhost").header(header::COOKIE, cookie);
    let response = site.ask(request.body(Bytes::new()).unwrap(), 1.9e9, 1).await.response;
    let set = response.headers().get(header::SET_COOKIE).map(|set| set.to_str().unwrap());
    let set = set.and_then(|set| set.split(';').next()).map(str::to_owned);
    (String::from_utf8_lossy(response.body()).into_owned(), set)
}

#[tokio::test]
async fn half_a_line_is_dropped_and_a_second_process_kept_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.journal");
    let open = || program::JournalStore::new(path.clone());
    let (kept, half) = (Key::of(b"kept"), Key::of(b"half"));
    let entry = |bytes: &[u8]| Some(Entry { expires: None, bytes: bytes.into() });
    let first = open();
    assert_eq!(first.compare_and_set(&kept, None, entry(b"a")).await, Ok(true));
    assert_eq!(first.compare_and_set(&half, None, entry(b"b")).await, Ok(true));
    assert!(matches!(open().load(&kept).await, Err(StoreError::Unavailable(why)) if why.contains("another process")));
    drop(first);

    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 2]).unwrap();
    let second = open();
    assert_eq!(second.load(&half).await, Ok(None));
    assert_eq!(second.compare_and_set(&half, None, entry(b"c")).await, Ok(true));
    drop(second);
    let third = open();
    assert_eq!(third.load(&kept).await.unwrap().unwrap().bytes.as_ref(), b"a");
    assert_eq!(third.load(&half).await.unwrap().unwrap().bytes.as_ref(), b"c");
    drop(third);

    fs::write(&path, "nonsense\n").unwrap();
    assert!(matches!(open().count().await, Err(StoreError::Unavailable(_))), "what is damaged is not thrown away");
    assert_eq!(fs::read_to_string(&path).unwrap(), "nonsense\n");
}

#[test]
fn a_vocabulary_without_it_does_not_know_it() {
    let folder = tempfile::tempdir().unwrap();
    let problems = load(folder.path(), &Vocabulary::standard()).unwrap_err();
    assert!(problems.contains("unknown session factory `journal`"), "{problems}");
}
