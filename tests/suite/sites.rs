//! The snapshot tests of every shipped site pass, wherever its sessions live. `UPDATE=1 cargo test
//! --test suite sites` accepts what they answer now: read the difference before you keep it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use sitewright::cli::in_process::InProcess;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;
use sitewright::snapshot;

use crate::driver::{Factory, Site, project};

/// Held while snapshots are read and rewritten.
static TURN: Mutex<()> = Mutex::new(());

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
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
    for name in names() {
        assert!(report.contains(&format!(" sites/{name}/tests/")), "no tests of {name}:\n{report}");
    }
}

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn no_site_has_a_problem() {
    let sites = fs::read_dir(project().join("sites")).unwrap().map(|site| site.unwrap().path());
    for site in sites.chain([project().to_owned()]) {
        let (vocabulary, mut problems) = (Vocabulary::standard(), Diagnostics::default());
        let config = site.join("config.toml");
        let loaded = Serving::load(&config, &Environment::new(), &vocabulary, Secrets::LookOnly, &mut problems);
        let warnings = problems.without_notes();
        assert!(loaded.is_ok() && warnings.is_empty(), "{}", print::to_text(&warnings, false));
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

/// A site of which another makes a part answers as it does alone, but for where its pages are.
#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn every_site_answers_alike_when_it_is_mounted() {
    for name in names() {
        let site = Site::copy_of(".");
        let alone = site.read(&format!("sites/{name}/config.toml"));
        // Its own is that of the site around it then.
        let (_, session) = alone.split_once("[session]\n").unwrap();
        let session = session.split("\n[").next().unwrap();
        site.save(
            "config.toml",
            &format!("[session]\n{session}\n[[mount]]\nsite = \"sites/{name}\"\nat = \"/inside\"\n"),
        );
        let files = snapshot::discover(&site.path(&format!("sites/{name}"))).unwrap();
        let expected: Vec<String> = files.iter().map(|file| read(&file.with_extension("snap"))).collect();
        for file in &files {
            let requests = read(file).replace("{{host}}/", "{{host}}/inside/");
            // The page at the mount itself has no slash of its own.
            fs::write(file, requests.replace("/inside/\n", "/inside\n").replace("/inside/?", "/inside?")).unwrap();
        }
        let report = play(&site, &files, &snapshot::Options { update: true, color: false });
        assert_eq!(report.failed(), 0, "{name}:\n{report}");
        for (file, expected) in files.iter().zip(expected) {
            // A page with the prefix in it is longer.
            let without_lengths = |text: &str| -> String {
                text.lines()
                    .filter(|line| !line.starts_with("content-length: "))
                    .flat_map(|line| [line, "\n"])
                    .collect()
            };
            let expected = without_lengths(&expected);
            let answered = read(&file.with_extension("snap")).replace("/inside/", "/").replace("/inside", "/");
            let answered = without_lengths(&answered);
            let difference = similar::TextDiff::from_lines(&expected, &answered).unified_diff().to_string();
            assert!(expected == answered, "{}, mounted:\n{difference}", file.display());
        }
    }
}

#[test]
fn the_gallery_mounts_every_site_and_leads_to_it() {
    let gallery = Site::copy_of("sites/gallery");
    let (config, page) = (gallery.read("config.toml"), gallery.read("templates/gallery.hbs"));
    for name in names().filter(|name| name != "gallery") {
        assert!(config.contains(&format!("site = \"../{name}\"\nat   = \"/{name}\"\n")), "{name} is not mounted");
        assert!(page.contains(&format!("{{{{url \"{name}/")), "no link leads to {name}");
    }
}

/// The sites that are shipped beside the tutorial.
fn names() -> impl Iterator<Item = String> {
    let folders = fs::read_dir(project().join("sites")).unwrap();
    folders.map(|folder| folder.unwrap().file_name().into_string().unwrap())
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap()
}

/// Everything that can become of a session, and what its factory and no other might say of it.
const LIVES: &str = r#"
[session]
factory = "signed-cookie"
secret = { file = "session.secret", generate = true }

[defaults]
headers = { Cache-Control = "private, max-age=60" }
text = "{{session.n}}"

[routes.look]
path = "/look"

[routes.count]
path = "/count"
actions = [{ increment-counter = "n" }]

[routes.clear]
path = "/clear"
actions = [{ clear = true }]

[routes.renew]
path = "/renew"
actions = [{ renew = true }]

[routes.end]
path = "/end"
actions = [{ invalidate = true }]

[routes.anew]
path = "/anew"
actions = [{ invalidate = true }, { set = "n", value = 7 }]

[routes.fails]
path = "/fails"
actions = [{ increment-counter = "n" }, { store-param = "missing" }]
"#;

#[test]
fn the_life_of_a_session_is_told_alike_by_every_factory() {
    let visits = "count count renew look fails end end look count anew clear look count @+3m/look @+21m/look count \
                  @tamper/count count @no-cookie-jar/count @tamper/look @+1h/count end";
    let visits = visits.split_whitespace().map(|visit| match visit.split_once('/') {
        Some((directive, path)) => format!("###\n# {}\nGET /{path}\n", directive.replace("@+", "@at +")),
        None => format!("###\nGET /{visit}\n"),
    });
    let visits: String = visits.collect();
    let folder = tempfile::tempdir().unwrap();
    let vocabulary = Vocabulary::standard();
    for (max_age, on_exception) in [("never", "false"), ("never", "true"), ("600", "true")] {
        let file = folder.path().join(format!("{max_age}-{on_exception}.http"));
        fs::write(&file, &visits).unwrap();
        for kind in vocabulary.factories().iter().filter(|kind| kind.url.is_none()) {
            let site = Site::new().config(LIVES).env("SITEWRIGHT__SESSION__FACTORY", kind.name);
            let site = site.env("SITEWRIGHT__SESSION__MAX_AGE", max_age);
            let site = site.env("SITEWRIGHT__SESSION__SET_ON_EXCEPTION", on_exception);
            // The first one says how it is.
            let update = !file.with_extension("snap").exists();
            let report = play(&site, std::slice::from_ref(&file), &snapshot::Options { update, color: false });
            assert_eq!(report.failed(), 0, "`{}`, max_age {max_age}:\n{report}", kind.name);
        }
        let told = fs::read_to_string(file.with_extension("snap")).unwrap();
        let cookies = if max_age == "never" { 10 } else { 16 };
        assert_eq!(told.matches("set-cookie: session=").count(), cookies, "{told}");
    }
}

#[tokio::main]
async fn play(site: &Site, files: &[PathBuf], options: &snapshot::Options) -> snapshot::Report {
    snapshot::run(files, &InProcess::new(Arc::new(site.open())), options).await
}

/// Runs the snapshot tests of every site on the very factory that is served, which `sitewright test`
/// would leave alone.
#[tokio::main]
async fn every_site_passes(factory: &str, move_to: impl Fn(Site) -> Site) {
    let sites: Vec<_> = names().map(|name| format!("sites/{name}")).collect();
    for site in sites.iter().map(String::as_str).chain(["."]) {
        let moved = move_to(Site::copy_of(site));
        let serving = moved.open();
        let kind = serving.sessions.as_ref().unwrap().kind();
        assert!(factory.starts_with(kind), "the sessions are in `{kind}`, not in `{factory}`");
        let mut files = snapshot::discover(&project().join(site)).unwrap();
        if kind.ends_with("-cookie") {
            // What comes at once counts each time only where sessions are on the server.
            files.retain(|file| !fs::read_to_string(file).unwrap().contains("\n# @parallel "));
        }
        let target = InProcess::new(Arc::new(serving));
        let report = snapshot::run(&files, &target, &snapshot::Options::default()).await;
        assert!(report.passed() > 0 && report.failed() == 0, "{site} with `{factory}`:\n{report}");
    }
}
