//! What must be true of the source itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sitewright::action::VERBS;
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;

/// The most lines of a file: comments and blank lines count, its tests do not.
const MOST_LINES: usize = 400;

/// A file under `src/`, without its tests.
struct Source {
    path: PathBuf,
    code: String,
}

impl Source {
    /// The first folder or the file below `src/`: `site` for `src/site/mod.rs`.
    fn folder(&self) -> String {
        let below = self.path.strip_prefix("src").unwrap();
        let first = below.components().next().unwrap();
        first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
    }

    /// The lines that are code, not comments.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn named(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for path in files(Path::new("src"), "rs") {
        let is_test = |part: &str| matches!(part, "tests" | "tests.rs" | "properties.rs");
        if path.iter().any(|part| is_test(&part.to_string_lossy())) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
        sources.push(Source { path, code });
    }
    sources
}

fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path, suffix));
        } else if path.extension().is_some_and(|extension| extension == suffix) {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The arrows as the crate documentation draws them: "`http -> {site, session}`".
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let map = fs::read_to_string("src/lib.rs").unwrap();
    let map: Vec<&str> = map.lines().filter_map(|line| line.strip_prefix("//! ")).collect();
    let map = map.join(" ");
    let drawn = map.split('`').filter_map(|text| text.split_once(" -> "));
    drawn
        .map(|(from, to)| {
            // `session's value` is less than all of it; see below.
            let folder = |name: &str| name.trim().split('\'').next().unwrap().to_owned();
            (from.to_owned(), to.trim_matches(['{', '}']).split(',').map(folder).collect())
        })
        .collect()
}

#[test]
fn dependencies_point_the_way_the_map_says() {
    let arrows = arrows();
    assert!(arrows.len() >= 5, "the map draws {arrows:?}");
    let mut wrong = Vec::new();
    for source in sources() {
        let from = source.folder();
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        for (line, text) in source.lines() {
            for path in text.split("crate::").skip(1) {
                let to: String = path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let drawn =
                    to == from || to == "diagnostic" || arrows.get(&from).is_some_and(|to_all| to_all.contains(&to));
                if !drawn {
                    wrong.push(format!("{}: {from} -> {to}", source.named(line)));
                }
                // An action sees a session as a value, never where it lives.
                if from == "action" && to == "session" && !path.starts_with("session::Session") {
                    wrong.push(format!("{}: an action sees `{path}`", source.named(line)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_http_names_warp() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| source.folder() != "http") {
        for (line, text) in source.lines() {
            if text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "warp") {
                wrong.push(source.named(line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_stay_small() {
    let sources = sources();
    let large = sources.iter().map(|source| (source.code.lines().count(), &source.path));
    let large: Vec<_> = large.filter(|(lines, _)| *lines > MOST_LINES).collect();
    assert!(large.is_empty(), "more than {MOST_LINES} lines: {large:?}");
}

#[test]
fn nothing_is_left_undone() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (line, text) in source.lines() {
            for word in ["todo!", "unimplemented!", "dbg!"] {
                if text.contains(word) {
                    wrong.push(format!("{}: {word}", source.named(line)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_verb_has_its_file_and_every_file_its_verb() {
    let verbs: BTreeSet<String> = VERBS.iter().map(|verb| verb.name.replace('-', "_")).collect();
    let files = files(Path::new("src/action"), "rs");
    let files: BTreeSet<String> = files.iter().map(|file| file.file_stem().unwrap().to_string_lossy().into()).collect();
    let shared = BTreeSet::from(["mod", "args", "scene"].map(str::to_owned));
    assert_eq!(verbs, &files - &shared);
}

#[test]
fn the_example_of_every_verb_builds() {
    for verb in VERBS {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("config.toml");
        let text = format!(
            "[session]\nfactory = \"signed-cookie\"\nsecret = {{ file = \"session.secret\", generate = true }}\n\
             [users]\nmembers = {{ file = \"users.toml\" }}\n\
             [routes.example]\npath = \"/{{sku}}\"\nmethods = [\"GET\", \"POST\"]\ntext = \"\"\nactions = [{}]\n\
             [routes.home]\npath = \"/\"\ntext = \"hello\"\n\
             [routes.login]\npath = \"/login\"\ntext = \"log in\"\n\
             [routes.item]\npath = \"/item/{{sku}}\"\ntext = \"item\"\n",
            verb.example
        );
        fs::write(&site, text).unwrap();
        fs::write(folder.path().join("users.toml"), "").unwrap();
        let mut problems = Diagnostics::default();
        let loaded =
            Serving::load(&site, &Environment::new(), &Vocabulary::standard(), Secrets::LookOnly, &mut problems);
        assert!(loaded.is_ok(), "{}: {}", verb.name, print::to_text(&problems, false));
        assert!(verb.example.contains(verb.name), "{}", verb.name);
    }
}

#[test]
fn what_the_documents_link_to_is_there() {
    let mut wrong = Vec::new();
    let mut documents = files(Path::new("docs"), "md");
    documents.push("README.md".into());
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap();
            let here = target.is_empty() || target.contains(':');
            if !here && !document.parent().unwrap().join(target).exists() {
                wrong.push(format!("{}: {target}", document.display()));
            }
        }
    }
    // Where the code names a document, it names it from the top.
    for path in files(Path::new("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for mention in text.split("docs/").skip(1) {
            let name = mention.split(|c: char| !(c.is_alphanumeric() || "-_./".contains(c))).next().unwrap();
            if name.ends_with(".md") && !Path::new("docs").join(name).exists() {
                wrong.push(format!("{}: docs/{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
