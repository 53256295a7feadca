//! The snapshot tests of every shipped site pass, wherever its sessions live. `UPDATE=1 cargo test
//! --test suite sites` accepts what they answer now: read the difference before you keep it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::factories::FactoryKind;
use sitewright::site::live::Serving;
use sitewright::snapshot;

use crate::driver::{Site, project};

/// The name under which the sites of this test keep their sessions on a server that others use too.
const OWN: &str = "sitewright_sites_under_test";

/// Held while snapshots are read and rewritten.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn every_site_answers_as_its_snapshots_say() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sitewright"));
    command.arg("test").current_dir(project());
    if std::env::var_os("UPDATE").is_some() {
        command.arg("--update");
    }
    let output = command.output().unwrap();
    let report = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}");
    // The tutorial and each site beside it were among them.
    assert!(report.contains(" tests/tutorial/"), "{report}");
    for site in fs::read_dir(project().join("sites")).unwrap() {
        let name = site.unwrap().file_name().into_string().unwrap();
        assert!(report.contains(&format!(" sites/{name}/tests/")), "no tests of {name}:\n{report}");
    }
}

#[test]
fn every_factory_that_needs_no_server_gives_the_same_answers() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    every_site_passes(|kind| kind.url.is_none().then(String::new));
}

#[test]
#[ignore = "needs the servers of every session store: run by tests/run"]
fn every_factory_on_a_server_gives_the_same_answers() {
    every_site_passes(|kind| {
        let variable = format!("SITEWRIGHT_TEST_{}", kind.name.to_uppercase());
        kind.url.map(|_| std::env::var(&variable).unwrap_or_else(|_| panic!("{variable} says where the server is")))
    });
}

/// Runs the snapshot tests of every site with each kind of factory that has a `url`, perhaps an empty
/// one: on the very store that is served, which `sitewright test` leaves alone.
#[tokio::main(flavor = "current_thread")]
async fn every_site_passes(url: impl Fn(&FactoryKind) -> Option<String>) {
    let vocabulary = Vocabulary::standard();
    let beside = fs::read_dir(project().join("sites")).unwrap();
    let sites: Vec<_> = beside.map(|site| format!("sites/{}", site.unwrap().file_name().to_str().unwrap())).collect();
    for (kind, url) in vocabulary.factories().iter().filter_map(|kind| Some((kind, url(kind)?))) {
        for site in sites.iter().map(String::as_str).chain(["."]) {
            let copy = Site::copy_of(site);
            let serving = open(&copy.path("config.toml"), kind, &url, &vocabulary);
            assert_eq!(serving.sessions.as_ref().unwrap().kind(), kind.name);
            let files = snapshot::discover(&project().join(site)).unwrap();
            let target = InProcess::new(Arc::new(serving));
            let report = snapshot::run(&files, &target, &snapshot::Options::default()).await;
            assert!(report.passed() > 0 && report.failed() == 0, "{site} with `{}`:\n{report}", kind.name);
        }
    }
}

/// Opens a site as a server does, with this factory.
fn open(config: &Path, kind: &FactoryKind, url: &str, vocabulary: &Vocabulary) -> Serving {
    let has = |option: &&str| kind.options.contains(option);
    let mut settings = vec![("factory", kind.name)];
    settings.extend(["table", "key_prefix"].iter().filter(|option| has(option)).map(|option| (*option, OWN)));
    settings.extend(kind.url.map(|_| ("url", url)));
    let variable =
        |(name, value): (&str, &str)| (format!("SITEWRIGHT__SESSION__{}", name.to_uppercase()), value.to_owned());
    let environment: Environment = settings.into_iter().map(variable).collect();
    let mut problems = Diagnostics::default();
    let opened = Serving::load(config, &environment, vocabulary, Secrets::Generate, &mut problems);
    opened.unwrap_or_else(|_| panic!("{}", print::to_text(&problems, false)))
}
