//! Every example in README.md and docs/ is tried.
//!
//! | Block | What must hold |
//! |---|---|
//! | `toml` | it is a whole site, and loads without a warning, unless `sitewright check` shows that below |
//! | `toml,fragment` | it loads when what it leaves out is added |
//! | `toml,broken` | loading it prints the `text` below |
//! | `diff` | the site above, or the shipped one, loads with this edit |
//! | `diff,broken` | with this edit, loading it prints the `text` below |
//! | `http` | played on the site above, it gives the `snap` below |
//! | `http,fragment` | it can be played on the site above |
//! | `rust` | it stands in `examples/`, or in a test beside this one |
//! | `haproxy` | it is run by the tests under fire |
//! | `python` | it is run by the tests with Pyramid |
//! | `console` | each `$ … sitewright …` prints the lines below it, where `…` stands for anything |
//! | `sh` | each line is a command that the program takes, and `check` finds no problem |
//! | `csv` | it is the file that examples read |
//! | `text,prose` | nothing but that the program takes each `$ sitewright …` |
//!
//! With `UPDATE=1` in the environment, what comes out is written into the page.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, PoisonError};

use sitewright::cli::in_process::InProcess;
use sitewright::cli::{self, Exit};
use sitewright::config::Environment;
use sitewright::diagnostic::{Diagnostics, print};
use sitewright::site::Vocabulary;
use sitewright::site::credentials::Secrets;
use sitewright::site::live::Serving;
use sitewright::snapshot;
use tempfile::TempDir;

use crate::reference::TURN;
use crate::{own_factory, own_verb};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What fragments leave out: a session, users, and the routes their redirects lead to.
const STOCK: [(&str, &str); 4] = [
    ("[session]", "factory = \"signed-cookie\"\nsecret = { file = \"session.secret\", generate = true }"),
    ("[users]", "members = { file = \"users.toml\" }"),
    ("[routes.login]", "path = \"/stock/login\"\ntext = \"\""),
    ("[routes.home]", "path = \"/stock/home\"\ntext = \"\""),
];

/// A file that examples read.
const TEAS: &str = "name,price\nAssam,4.50\n\"Sencha, first harvest\",6.20\n";

#[test]
#[cfg_attr(not(feature = "default"), ignore = "needs every factory that there is by default")]
fn examples_in_the_documentation_do_what_they_show() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let docs = std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut wrong = String::new();
    for path in pages.chain([Path::new(ROOT).join("README.md")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut page = Page { parts: text.split("\n```").map(str::to_owned).collect(), site: None };
        let complaints: Vec<String> = (1..page.parts.len()).step_by(2).filter_map(|at| page.check(at).err()).collect();
        wrong.extend(complaints.iter().map(|complaint| format!("{}: {complaint}\n\n", path.display())));
        if updating() {
            std::fs::write(&path, page.parts.join("\n```")).unwrap();
        }
    }
    assert!(wrong.is_empty(), "run `UPDATE=1 cargo test --test suite documentation`\n\n{wrong}");
}

fn updating() -> bool {
    std::env::var_os("UPDATE").is_some()
}

struct Page {
    /// Cut at the fences: every other part is a block and begins with its kind.
    parts: Vec<String>,
    /// The last whole site on the page.
    site: Option<TempDir>,
}

impl Page {
    /// Tries the block at `at`.
    fn check(&mut self, at: usize) -> Result<(), String> {
        let part = self.parts[at].clone();
        let (kind, text) = part.split_once('\n').unwrap_or((&part, ""));
        match kind {
            "toml" => {
                let site = loads(text)?;
                let warnings = load(site.path()).1;
                self.site = Some(site);
                let is_shown = self.parts.get(at + 2).is_some_and(|next| next.contains("$ sitewright check"));
                if warnings != "no problems" && !is_shown {
                    return Err(format!("{warnings}\n\nin:\n{text}"));
                }
            }
            "toml,fragment" => drop(loads(&completed(text))?),
            "toml,broken" => return self.expect(at + 2, "text", problems(text)?),
            "diff" => drop(loads(&self.edited(text)?)?),
            "diff,broken" => return self.expect(at + 2, "text", problems(&self.edited(text)?)?),
            "http" => {
                let snap = self.play(text)?;
                return self.expect(at + 2, "snap", snap);
            }
            "http,fragment" => drop(self.play(text)?),
            "console" => {
                let output = self.run(text);
                return self.expect(at, "console", output);
            }
            "rust" => {
                let files = |folder| std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
                let mut files = files("examples").chain(files("tests/suite")).map(|file| file.unwrap().path());
                let found = files.any(|path| path.is_file() && std::fs::read_to_string(path).unwrap().contains(text));
                return if found { Ok(()) } else { Err(format!("in no example:\n{text}")) };
            }
            // The page shows the table that the code's own documentation shows.
            "sql" => {
                let sources = ["postgres.rs", "mysql.rs"].map(|name| {
                    let source =
                        std::fs::read_to_string(Path::new(ROOT).join("src/session/store/sql").join(name)).unwrap();
                    source.replace("//! ", "")
                });
                let known = sources.iter().any(|source| source.contains(text.trim_end()));
                return if known { Ok(()) } else { Err(format!("no such table:\n{text}")) };
            }
            "sh" => return text.lines().try_for_each(takes),
            "text,prose" => return text.lines().filter_map(|line| line.strip_prefix("$ ")).try_for_each(takes),
            "csv" if text.trim_end() != TEAS.trim_end() => return Err(format!("no example reads this file:\n{text}")),
            "text" | "snap" => {
                let printed_by = if kind == "snap" { "http" } else { "broken" };
                if at < 3 || !self.parts[at - 2].lines().next().is_some_and(|kind| kind.ends_with(printed_by)) {
                    return Err(format!(
                        "nothing above prints this; a text that nothing prints is `text,prose`:\n{text}"
                    ));
                }
            }
            "csv" | "python" | "haproxy" => {}
            other => return Err(format!("nobody tries blocks of the kind `{other}`")),
        }
        Ok(())
    }

    /// Compares what came out with the block at `at`.
    fn expect(&mut self, at: usize, kind: &str, actual: String) -> Result<(), String> {
        let actual = format!("{kind}\n{}", actual.trim());
        match self.parts.get_mut(at) {
            Some(shown) if *shown == actual => Ok(()),
            Some(shown) if shown.starts_with(kind) && updating() => {
                *shown = actual;
                Ok(())
            }
            Some(shown) if shown.starts_with(kind) => {
                Err(similar::TextDiff::from_lines(&*shown, &actual).unified_diff().to_string())
            }
            _ => Err(format!("a block `{kind}` should follow:\n{actual}")),
        }
    }

    /// The folder of the site above, or of the shipped one.
    fn folder(&self) -> PathBuf {
        self.site.as_ref().map_or_else(|| PathBuf::from(ROOT), |site| site.path().to_owned())
    }

    /// The text of that site with the lines of a diff changed.
    fn edited(&self, diff: &str) -> Result<String, String> {
        let lines = |sign: char| diff.lines().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<_>>().join("\n");
        let before = std::fs::read_to_string(self.folder().join("config.toml")).unwrap();
        let after = before.replacen(&lines('-'), &lines('+'), 1);
        if before == after { Err(format!("this edit changes nothing:\n{diff}")) } else { Ok(after) }
    }

    /// The snapshot of a file of requests.
    fn play(&self, requests: &str) -> Result<String, String> {
        let folder = self.site.as_ref().ok_or("there is no site above")?.path();
        let file = folder.join("tests/example.http");
        std::fs::create_dir_all(folder.join("tests")).unwrap();
        std::fs::write(&file, requests).unwrap();
        let (serving, problems) = load(folder);
        let target = InProcess::new(Arc::new(serving.ok_or(problems)?));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = snapshot::Options { update: true, color: false };
        let report = runtime.block_on(snapshot::run(std::slice::from_ref(&file), &target, &options));
        if report.failed() > 0 {
            Err(report.to_string())
        } else {
            Ok(std::fs::read_to_string(file.with_extension("snap")).unwrap())
        }
    }

    /// What a terminal shows: the commands, and what they print now.
    fn run(&self, shown: &str) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_sitewright"));
        let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
        let mut text = String::new();
        for entry in format!("\n{shown}").split("\n$ ").skip(1) {
            let (command, output) = entry.split_once('\n').unwrap_or((entry, ""));
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{command} 2>&1")]).current_dir(self.folder()).env("PATH", &path);
            let actual = String::from_utf8(shell.output().unwrap().stdout).unwrap();
            let kept = if matches(output.trim(), actual.trim()) { output } else { &actual };
            text += &format!("$ {command}\n{}\n", kept.trim());
        }
        text
    }
}

/// Reads a command line as its program does, and runs it if it only checks.
fn takes(line: &str) -> Result<(), String> {
    let command = line.split(" > ").next().unwrap_or(line);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("printf '%s\\n' {command}")]).current_dir(ROOT);
    let words = String::from_utf8(shell.output().unwrap().stdout).unwrap();
    let is_setting = |word: &&str| word.split_once('=').is_some_and(|(name, _)| name == name.to_uppercase());
    let words: Vec<&str> = words.lines().skip_while(is_setting).collect();
    let (program, arguments, vocabulary) = match &words[..] {
        [] | ["" | "export", ..] => return Ok(()),
        ["tests/run"] if Path::new(ROOT).join("tests/run").exists() => return Ok(()),
        ["sitewright", arguments @ ..] | ["cargo", "run", "--release", "--", arguments @ ..] => {
            ("sitewright", arguments, Vocabulary::standard())
        }
        ["cargo", "run", "--example", name, "--", arguments @ ..] => {
            let source = Path::new(ROOT).join("examples").join(name).with_extension("rs");
            if !source.exists() {
                return Err(format!("there is no example `{name}`"));
            }
            let vocabulary = Vocabulary::standard().with_verb(&own_verb::program::TOGGLE);
            (*name, arguments, vocabulary.with_factory(&own_factory::program::JOURNAL))
        }
        _ => return Err(format!("nobody knows this command: {line}")),
    };
    let words = || std::iter::once(&program).chain(arguments).map(OsString::from);
    cli::read(words()).map_err(|refusal| format!("{line}\n{refusal}"))?;
    if arguments.first() == Some(&"check") && cli::run(words(), &vocabulary) != Exit::Fine {
        return Err(format!("{line}: finds problems"));
    }
    Ok(())
}

#[test]
fn a_command_that_the_program_does_not_take_is_found_out() {
    assert_eq!(takes("SITEWRIGHT__SESSION__FACTORY=memory sitewright test sites/*  # all"), Ok(()));
    assert_eq!(takes("cargo run --example own_verb -- check examples/own_verb.toml"), Ok(()));
    for wrong in [
        "sitewright tset",
        "sitewright test --updat > report.xml",
        "sitewright check sites/nowhere.toml",
        "cargo run --example nobodys -- check",
        "rm -r sites",
    ] {
        assert!(takes(wrong).is_err(), "{wrong}");
    }
}

/// Whether `text` is `pattern`, in which `…` stands for anything.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[test]
fn an_ellipsis_stands_for_anything() {
    for (pattern, good) in [("ab", true), ("a", false), ("a…", true), ("…b", true), ("…", true), ("a…c", false)]
    {
        assert_eq!(matches(pattern, "ab"), good, "{pattern}");
    }
    assert!(matches("a…b…c", "a b c") && !matches("a…c…b", "a b c"));
}

/// A site of which a fragment says the interesting part; without a table, that is a route.
pub fn completed(fragment: &str) -> String {
    let mut text = fragment.to_owned();
    if !fragment.lines().any(|line| line.starts_with('[')) {
        text = format!(
            "[routes.example]\npath = \"/stock/{{sku}}\"\nmethods = [\"GET\", \"POST\"]\ntext = \"\"\n{fragment}"
        );
    }
    for (table, entries) in STOCK.iter().filter(|(table, _)| !fragment.contains(table)) {
        text += &format!("\n{table}\n{entries}\n");
    }
    text
}

/// A folder with this site, which loads; else its problems.
fn loads(text: &str) -> Result<TempDir, String> {
    let folder = folder_with(text);
    match load(folder.path()) {
        (Some(_), _) => Ok(folder),
        (None, problems) => Err(format!("{problems}\n\nin:\n{text}")),
    }
}

/// The problems of a site, which does not load.
fn problems(text: &str) -> Result<String, String> {
    match load(folder_with(text).path()) {
        (None, problems) => Ok(problems),
        (Some(_), _) => Err(format!("this should not load:\n{text}")),
    }
}

/// A folder with this site, the shipped ones to mount, and the files that pages speak of.
fn folder_with(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("sites"), folder.path().join("sites")).unwrap();
    std::fs::write(folder.path().join("teas.csv"), TEAS).unwrap();
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8mVcfFXtLuuHkUBV+lDSRCWKNFJHxNSTbmbHOCHU2jw";
    std::fs::write(folder.path().join("users.toml"), format!("[ada]\npassword = \"{hash}\"\n")).unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    for name in ["static", "images"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("style.css"), "body {}\n").unwrap();
    }
    folder
}

fn load(folder: &Path) -> (Option<Serving>, String) {
    let secret = |name: &str| (name.to_owned(), format!("{name} abcdefghijklmnopqrstuvwxyz"));
    let mut environment: Environment = ["SESSION_SECRET", "SESSION_SECRET_OLD"].map(secret).into();
    let mut found = Diagnostics::default();
    let path = folder.join("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    if let Some(kind) = ["postgres", "redis"].iter().find(|kind| text.contains(&format!("factory = \"{kind}\""))) {
        environment.insert("SESSION_STORE".to_owned(), format!("{kind}://localhost"));
    }
    let serving = Serving::load(&path, &environment, &Vocabulary::standard(), Secrets::LookOnly, &mut found).ok();
    let text = print::to_text(&found.without_notes(), false).replace(&format!("{}/", folder.display()), "");
    (serving, text)
}
