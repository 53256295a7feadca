//! Sites with mistakes, and the exact text a person is shown for each.
//!
//! A site is `tests/broken/NAME.toml` or `tests/broken/NAME/config.toml`, its text is in
//! `tests/broken/NAME.txt`. Lines `# environment: VARIABLE=value` at the top of a site are its
//! environment. `UPDATE=1 cargo test --test suite broken` writes all texts anew: read the
//! difference before you keep it.

use std::path::{Path, PathBuf};

use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

const FOLDER: &str = "tests/broken";

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn every_broken_site_is_explained_as_expected() {
    let update = std::env::var_os("UPDATE").is_some();
    let sites = sites();
    assert!(sites.len() >= 60, "only {} sites", sites.len());
    let mut wrong = Vec::new();
    for (name, site) in sites {
        let file = Path::new(FOLDER).join(format!("{name}.txt"));
        let text = explain(&site);
        if update {
            std::fs::write(&file, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if text != expected {
            wrong.push(format!("--- {name}: expected\n{expected}\n--- {name}: shown\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} texts differ", wrong.join("\n"), wrong.len());
}

/// What a person is shown; each of these sites has something to say about it.
fn explain(site: &Path) -> String {
    let mut problems = Diagnostics::default();
    let environment = environment(site);
    let loaded = Serving::load(site, &environment, &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
    assert!(!problems.is_empty(), "nothing is wrong with {}", site.display());
    assert_eq!(loaded.is_err(), problems.has_errors(), "{}", site.display());
    print::to_text(&problems, false) + "\n"
}

fn environment(site: &Path) -> Environment {
    let text = std::fs::read_to_string(site).unwrap_or_default();
    let lines = text.lines().map_while(|line| line.strip_prefix("# environment: "));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The sites by name. Paths are relative, so that the texts are the same everywhere.
fn sites() -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path());
    let mut sites: Vec<(String, PathBuf)> = entries
        .filter_map(|path| {
            let name = path.file_stem()?.to_str()?.to_owned();
            match path.extension() {
                Some(extension) => (extension == "toml").then_some((name, path)),
                None => path.is_dir().then(|| (name, path.join("config.toml"))),
            }
        })
        .collect();
    sites.sort();
    sites
}

#[test]
fn however_a_file_is_broken_its_secret_is_not_shown() {
    let secret = "Zq7xKv9wPm3tLr5yHb8nCd2fGj6sWe4u";
    let site = format!(
        "[session]\nfactory = \"signed-cookie\"\nsecret = \"{secret}\"\n\n[routes.home]\npath = \"/\"\ntext = \"hello\"\n"
    );
    let table =
        site.replace("[session]\n", "session = { ").replace("cookie\"\n", "cookie\", ").replace("\"\n\n", "\" }\n");
    let list = site.replace("secret = ", "secrets = [\n  ").replace("\"\n\n", "\",\n]\n\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let bare = site.replace(&format!("\"{secret}\""), secret);
    for text in [site, table, list, bare] {
        for at in 0..text.len() {
            let (before, after) = text.split_at(at);
            for broken in [
                format!("{before}{}", &after[1..]),
                format!("{before}\"{after}"),
                format!("{before}]{after}"),
                before.to_owned(),
            ] {
                std::fs::write(&file, &broken).unwrap();
                let mut problems = Diagnostics::default();
                let loaded = Serving::load(
                    &file,
                    &Environment::new(),
                    &Vocabulary::standard(),
                    Secrets::LookOnly,
                    &mut problems,
                );
                assert_eq!(loaded.is_err(), problems.has_errors(), "{broken}");
                let shown = print::to_text(&problems, false);
                let piece = (0..secret.len() - 5).map(|at| &secret[at..at + 6]).find(|piece| shown.contains(piece));
                assert_eq!(piece, None, "{broken}\n---\n{shown}");
            }
        }
    }
}
