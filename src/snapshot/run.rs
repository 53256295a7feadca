//! Runs `.http` files against a target: reads, plays, compares, and writes what is accepted.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Target;
use super::compare::{self, Comparison, Verdict};
use super::directive::Settings;
use super::http_file::{HttpFile, parse};
use super::player::{Played, Player};
use super::report::{Case, Failure, FileReport, Report};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};

/// How to run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Accept what came out: write the snapshots that differ.
    pub update: bool,
    /// Colour the report's diffs.
    pub color: bool,
}

/// The `.http` files below a site's `tests/` folder, sorted by path; none where there is no such folder.
/// Links to folders are not followed.
pub fn discover(site: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![site.join("tests")];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "http") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Runs the files one after the other, each from the same start, and compares each with the `.snap`
/// beside it. With [`Options::update`] snapshots that differ are written instead; a file that cannot be
/// read or played never is.
pub async fn run(files: &[PathBuf], target: &dyn Target, options: &Options) -> Report {
    let mut report = Report { files: Vec::new(), color: options.color };
    for path in files {
        let done = match play(path, target).await {
            Ok((file, played)) => {
                let (cases, updated) = judge(path, &file, &played, options.update);
                FileReport { path: path.clone(), cases, updated, warnings: file.warnings }
            }
            Err(problems) => {
                let cases = problems.sorted().into_iter().map(broken).collect();
                FileReport { path: path.clone(), cases, updated: false, warnings: Vec::new() }
            }
        };
        report.files.push(done);
    }
    report
}

async fn play(path: &Path, target: &dyn Target) -> Result<(HttpFile, Vec<Played>), Diagnostics> {
    let text = fs::read_to_string(path).map_err(|error| unfit(path, format!("this file cannot be read: {error}")))?;
    let file = parse(&Source::file(path.display().to_string(), text))?;
    target.reset().await;
    let mut player = Player::new(target);
    let mut played = Vec::new();
    let start = Settings::default();
    let mut previous = &start;
    for request in &file.requests {
        played.push(player.play(request, previous).await.map_err(|problem| *problem)?);
        previous = &request.settings;
    }
    Ok((file, played))
}

/// An error about a file as a whole.
fn unfit(path: &Path, message: String) -> Diagnostic {
    Diagnostic::error(&Source::opaque(path.display().to_string()).place(0..0), message)
}

fn broken(problem: &Diagnostic) -> Case {
    let place = problem.place.as_ref().filter(|place| place.source.text().is_some());
    Case {
        name: problem.message.clone(),
        line: place.map_or(0, line_of),
        failure: Some(Failure::Broken(problem.clone())),
        because: BTreeSet::new(),
    }
}

fn line_of(place: &Place) -> usize {
    let (line, _) = place.line_and_column();
    line
}

/// The cases of a file, and whether its snapshot was written.
fn judge(path: &Path, file: &HttpFile, played: &[Played], update: bool) -> (Vec<Case>, bool) {
    let snap = path.with_extension("snap");
    let whole = |message: String| (vec![broken(&unfit(&snap, message))], false);
    let expected = match fs::read_to_string(&snap) {
        // A checkout may have changed the line endings; the format itself has no bare CR.
        Ok(text) => Some(text.replace("\r\n", "\n")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) if update => None,
        Err(error) => return whole(format!("this snapshot cannot be read: {error}")),
    };
    let sections: Vec<&str> = played.iter().map(|played| played.section.as_str()).collect();
    let actual = compare::join(&sections);
    let Comparison { verdicts, stale } = compare::compare(expected.as_deref().unwrap_or_default(), &sections);
    let updated = update && expected.as_ref() != Some(&actual);
    if updated && let Err(error) = fs::write(&snap, actual) {
        return whole(format!("this snapshot cannot be written: {error}"));
    }
    let judged = file.requests.iter().zip(played).zip(verdicts);
    let mut cases: Vec<Case> = judged
        .map(|((request, played), verdict)| {
            // What was accepted needs no explanation.
            let because = if verdict == Verdict::Same { BTreeSet::new() } else { played.because.clone() };
            let failure = match verdict {
                Verdict::Same => None,
                _ if update => None,
                _ if expected.is_none() => Some(Failure::NoSnapshot),
                Verdict::Differs(diff) => Some(Failure::Differs(diff)),
                Verdict::New(diff) => Some(Failure::New(diff)),
            };
            Case { name: request.title(), line: line_of(&request.place), failure, because }
        })
        .collect();
    let stale = stale.into_iter().filter(|_| !update);
    cases.extend(stale.map(|name| Case { name, line: 0, failure: Some(Failure::Stale), because: BTreeSet::new() }));
    (cases, updated)
}

#[cfg(test)]
mod tests {
    use super::super::tests::Fake;
    use super::*;

    const UPDATE: Options = Options { update: true, color: false };
    const CHECK: Options = Options { update: false, color: false };

    /// A site folder of a test's own, gone when the test is.
    struct Site(PathBuf);

    impl Site {
        fn new(test: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("sitewright-snapshot-{test}-{}", std::process::id()));
            fs::create_dir_all(folder.join("tests")).unwrap();
            Self(folder)
        }

        fn write(&self, name: &str, text: &str) -> PathBuf {
            let path = self.0.join("tests").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        }
    }

    impl Drop for Site {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    async fn run_one(path: &Path, options: Options) -> Report {
        run(&[path.to_owned()], &Fake::default(), &options).await
    }

    fn failures(report: &Report) -> Vec<Option<&Failure>> {
        report.files[0].cases.iter().map(|case| case.failure.as_ref()).collect()
    }

    #[test]
    fn files_below_tests_are_found_in_order() {
        let site = Site::new("discover");
        for name in ["b.http", "a.http", "a.snap", "deep/c.http", "notes.txt"] {
            site.write(name, "");
        }
        let found = discover(&site.0).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(site.0.join("tests")).unwrap()).collect();
        assert_eq!(names, [Path::new("a.http"), Path::new("b.http"), Path::new("deep/c.http")]);
        assert!(discover(&site.0.join("nowhere")).unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_missing_snapshot_fails_until_it_is_accepted() {
        let site = Site::new("missing");
        let path = site.write("count.http", "/count\n###\n/count");
        let report = run_one(&path, CHECK).await;
        assert_eq!(failures(&report), [Some(&Failure::NoSnapshot); 2]);
        assert!(!path.with_extension("snap").exists());

        let report = run_one(&path, UPDATE).await;
        assert_eq!((report.passed(), report.failed(), report.files[0].updated), (2, 0, true));
        let report = run_one(&path, CHECK).await;
        assert_eq!((report.passed(), report.failed(), report.files[0].updated), (2, 0, false));
    }

    #[tokio::test]
    async fn a_difference_is_one_failure_and_update_mends_it() {
        let site = Site::new("differs");
        let path = site.write("count.http", "/count\n###\n/count");
        run_one(&path, UPDATE).await;
        let snap = path.with_extension("snap");
        let accepted = fs::read_to_string(&snap).unwrap();
        fs::write(&snap, accepted.replace("Count: 2", "Count: 3")).unwrap();

        let report = run_one(&path, CHECK).await;
        let [None, Some(Failure::Differs(diff))] = failures(&report)[..] else { panic!("{report}") };
        assert!(diff.contains("-  <p>Count: 3</p>\n+  <p>Count: 2</p>\n"), "{diff}");
        assert!(run_one(&path, UPDATE).await.files[0].updated);
        assert_eq!(fs::read_to_string(&snap).unwrap(), accepted);
    }

    #[tokio::test]
    async fn update_leaves_a_snapshot_alone_that_is_as_it_should_be() {
        let site = Site::new("same");
        let path = site.write("count.http", "/count");
        run_one(&path, UPDATE).await;
        let snap = path.with_extension("snap");
        let windows = fs::read_to_string(&snap).unwrap().replace('\n', "\r\n");
        fs::write(&snap, &windows).unwrap();
        assert!(!run_one(&path, UPDATE).await.files[0].updated);
        assert_eq!(fs::read_to_string(&snap).unwrap(), windows);
    }

    #[tokio::test]
    async fn requests_that_came_and_went_fail() {
        let site = Site::new("stale");
        let path = site.write("count.http", "### old\n/echo\n### kept\n/form");
        run_one(&path, UPDATE).await;
        site.write("count.http", "### kept\n/form\n### new\n/form");
        let report = run_one(&path, CHECK).await;
        assert!(matches!(failures(&report)[..], [None, Some(Failure::New(_)), Some(Failure::Stale)]), "{report}");
    }

    #[tokio::test]
    async fn a_broken_file_fails_and_its_snapshot_is_never_written() {
        let site = Site::new("broken");
        for source in ["# @vistor bob\n/count", "/count\n###\n# @visitor bob\n# @tamper\n/count", ""] {
            let path = site.write("broken.http", source);
            let report = run_one(&path, UPDATE).await;
            assert!(matches!(failures(&report)[..], [Some(Failure::Broken(_))]), "{report}");
            assert!(!path.with_extension("snap").exists());
        }
        let report = run_one(&site.0.join("tests/none.http"), CHECK).await;
        assert!(report.to_string().contains("this file cannot be read"), "{report}");
    }

    #[test]
    fn a_run_may_move_between_threads() {
        fn is_send(_: &impl Send) {}
        is_send(&run(&[], &Fake::default(), &CHECK));
    }

    #[tokio::test]
    async fn every_file_starts_alike() {
        let site = Site::new("alike");
        let files = [site.write("a.http", "/count"), site.write("b.http", "/count")];
        let report = run(&files, &Fake::default(), &UPDATE).await;
        assert_eq!(report.passed(), 2);
        let [a, b] = files.map(|path| fs::read_to_string(path.with_extension("snap")).unwrap());
        assert!(a.contains("Count: 1"));
        assert_eq!(a, b);
    }
}
