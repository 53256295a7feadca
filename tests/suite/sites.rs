//! The snapshot tests of every shipped site pass, wherever its sessions live. `UPDATE=1 cargo test
//! --test suite sites` accepts what they answer now: read the difference before you keep it.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sitewright::cli::in_process::InProcess;
use sitewright::site::Vocabulary;
use sitewright::snapshot;

use crate::driver::{Factory, Site, project};

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
    let vocabulary = Vocabulary::standard();
    for kind in vocabulary.factories().iter().filter(|kind| kind.url.is_none()) {
        every_site_passes(kind.name, |site| site.env("SITEWRIGHT__SESSION__FACTORY", kind.name));
    }
}

#[test]
#[ignore = "needs the servers that keep sessions: run by tests/run"]
fn every_factory_on_a_server_gives_the_same_answers() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for factory in Factory::on_servers() {
        every_site_passes(factory.name, |site| site.sessions_in(factory));
    }
}

/// Runs the snapshot tests of every site on the very factory that is served, which `sitewright test`
/// would leave alone.
#[tokio::main]
async fn every_site_passes(factory: &str, move_to: impl Fn(Site) -> Site) {
    let beside = fs::read_dir(project().join("sites")).unwrap();
    let sites: Vec<_> = beside.map(|site| format!("sites/{}", site.unwrap().file_name().to_str().unwrap())).collect();
    for site in sites.iter().map(String::as_str).chain(["."]) {
        let moved = move_to(Site::copy_of(site));
        let serving = moved.open();
        let kind = serving.sessions.as_ref().unwrap().kind();
        assert!(factory.starts_with(kind), "the sessions are in `{kind}`, not in `{factory}`");
        let files = snapshot::discover(&project().join(site)).unwrap();
        let target = InProcess::new(Arc::new(serving));
        let report = snapshot::run(&files, &target, &snapshot::Options::default()).await;
        assert!(report.passed() > 0 && report.failed() == 0, "{site} with `{factory}`:\n{report}");
    }
}
