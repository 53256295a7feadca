//! The outcome of a run, as text for a terminal and as JUnit XML for continuous integration.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, counted, print};

/// The outcome of a run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One per file, in the order they ran.
    pub files: Vec<FileReport>,
    /// Whether the text is coloured.
    pub color: bool,
}

/// The outcome of one `.http` file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The `.http` file.
    pub path: PathBuf,
    /// One per request, and one per problem that belongs to none.
    pub cases: Vec<Case>,
    /// The snapshot was written anew.
    pub updated: bool,
    /// What in the file is probably not meant this way.
    pub warnings: Vec<Diagnostic>,
}

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The request's name.
    pub name: String,
    /// Its line in the `.http` file, counted from 1; 0 when it has none there.
    pub line: usize,
    /// `None` when it passed.
    pub failure: Option<Failure>,
    /// Why the site refused it or failed, where its answer is not one that was accepted before.
    pub because: BTreeSet<String>,
}

/// Why a case failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The file is wrong.
    Broken(Diagnostic),
    /// The answer is not the accepted one; a unified diff.
    Differs(String),
    /// The snapshot does not hold the request; its section as a unified diff.
    New(String),
    /// There is no snapshot file.
    NoSnapshot,
    /// The snapshot holds a request that the file does not.
    Stale,
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

impl Report {
    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.cases().filter(|case| case.failure.is_none()).count()
    }

    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.cases().filter(|case| case.failure.is_some()).count()
    }

    fn cases(&self) -> impl Iterator<Item = &Case> {
        self.files.iter().flat_map(|file| &file.cases)
    }

    /// The run as JUnit XML: a `testsuite` per file, a `testcase` per request.
    pub fn junit(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let (tests, failures) = (self.cases().count(), self.failed());
        xml += &format!("<testsuites name=\"sitewright\" tests=\"{tests}\" failures=\"{failures}\">\n");
        for file in &self.files {
            let path = escape(&file.path.to_string_lossy());
            let (tests, failures) = (file.cases.len(), file.failed());
            xml += &format!("  <testsuite name=\"{path}\" tests=\"{tests}\" failures=\"{failures}\">\n");
            for case in &file.cases {
                let name = escape(&case.name);
                let line = if case.line > 0 { format!(" line=\"{}\"", case.line) } else { String::new() };
                let open = format!("    <testcase name=\"{name}\" classname=\"{path}\" file=\"{path}\"{line}");
                xml += &match &case.failure {
                    None => format!("{open}/>\n"),
                    Some(failure) => {
                        let (message, detail) = (failure.message(), escape(&(case.causes() + &failure.detail())));
                        format!("{open}>\n      <failure message=\"{message}\">{detail}</failure>\n    </testcase>\n")
                    }
                };
            }
            xml += "  </testsuite>\n";
        }
        xml + "</testsuites>\n"
    }

    fn paint<'a>(&self, color: &str, text: &'a str) -> Cow<'a, str> {
        if self.color { format!("\u{1b}[{color}m{text}\u{1b}[0m").into() } else { text.into() }
    }

    fn write_file(&self, f: &mut fmt::Formatter<'_>, file: &FileReport) -> fmt::Result {
        let path = file.path.display();
        let requests = counted(file.cases.len() as u64, "request");
        let (color, word) = match file.failed() {
            0 if file.updated => (YELLOW, "wrote "),
            0 => (GREEN, "ok    "),
            _ => (RED, "FAILED"),
        };
        let requests_if_good = if file.failed() == 0 { format!(" ({requests})") } else { String::new() };
        writeln!(f, "{} {path}{requests_if_good}", self.paint(color, word))?;
        if file.cases.iter().all(|case| case.failure == Some(Failure::NoSnapshot)) {
            writeln!(f, "\n  {requests}, and {} (accept with --update)", Failure::NoSnapshot.message())?;
        }
        for case in &file.cases {
            self.write_case(f, file, case)?;
        }
        for warning in &file.warnings {
            writeln!(f, "\n{}", print::one(warning, self.color))?;
        }
        if file.has_more_to_say() { writeln!(f) } else { Ok(()) }
    }

    /// What there is to say of a case, if there is anything.
    fn write_case(&self, f: &mut fmt::Formatter<'_>, file: &FileReport, case: &Case) -> fmt::Result {
        let place = if case.line > 0 { format!("{}:{}: ", file.path.display(), case.line) } else { String::new() };
        match &case.failure {
            Some(Failure::Broken(problem)) => writeln!(f, "\n{}", print::one(problem, self.color))?,
            // Said of all of them.
            None | Some(Failure::NoSnapshot) if case.because.is_empty() => {}
            None | Some(Failure::NoSnapshot) => writeln!(f, "\n  {place}{}", case.name)?,
            Some(failure) => writeln!(f, "\n  {place}{}: {}", case.name, failure.message())?,
        }
        if let Some(Failure::Differs(diff) | Failure::New(diff)) = &case.failure {
            self.write_diff(f, diff)?;
        }
        case.causes().lines().try_for_each(|cause| writeln!(f, "    {}", self.paint(YELLOW, cause)))
    }

    fn write_diff(&self, f: &mut fmt::Formatter<'_>, diff: &str) -> fmt::Result {
        for line in diff.lines() {
            let line = match line.chars().next() {
                Some('+') => self.paint(GREEN, line),
                Some('-') => self.paint(RED, line),
                Some('@') => self.paint(CYAN, line),
                _ => line.into(),
            };
            writeln!(f, "    {line}")?;
        }
        Ok(())
    }
}

impl FileReport {
    /// Whether more than a line is said of it.
    fn has_more_to_say(&self) -> bool {
        self.failed() > 0 || !self.warnings.is_empty() || self.cases.iter().any(|case| !case.because.is_empty())
    }

    fn failed(&self) -> usize {
        self.cases.iter().filter(|case| case.failure.is_some()).count()
    }
}

impl Case {
    /// `because …`, a line for each cause.
    fn causes(&self) -> String {
        self.because.iter().map(|cause| format!("because {cause}\n")).collect()
    }
}

impl Failure {
    fn message(&self) -> &'static str {
        match self {
            Self::Broken(_) => "the file cannot be run",
            Self::Differs(_) => "differs from the snapshot",
            Self::New(_) => "not in the snapshot yet",
            Self::NoSnapshot => "there is no snapshot yet",
            Self::Stale => "still in the snapshot, but no longer in the file",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Broken(problem) => print::one(problem, false),
            Self::Differs(text) | Self::New(text) => text.clone(),
            Self::NoSnapshot | Self::Stale => String::new(),
        }
    }
}

/// A line per file, the failures in full, and a summary.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for file in &self.files {
            self.write_file(f, file)?;
        }
        let (passed, failed) = (self.passed(), self.failed());
        let color = if failed > 0 { RED } else { GREEN };
        writeln!(f, "{}", self.paint(color, &format!("{passed} passed, {failed} failed")))
    }
}

/// Text for XML 1.0, content and attributes alike; what XML cannot hold becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\t' | '\n' => escaped.push(c),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn case(name: &str, line: usize, failure: Option<Failure>) -> Case {
        Case { name: name.to_owned(), line, failure, because: BTreeSet::new() }
    }

    fn report() -> Report {
        let file = |path: &str, cases, updated| FileReport { path: path.into(), cases, updated, warnings: Vec::new() };
        let source = Source::file("d.http", "### x\nGTE /\n");
        let broken = Failure::Broken(Diagnostic::error(&source.place(6..9), "x"));
        let diff = "@@ -1 +1 @@\n-<p>1</p>\n+<p>2</p>\n".to_owned();
        Report {
            files: vec![
                file("a.http", vec![case("one", 1, None), case("two", 4, None)], false),
                file("b.http", vec![case("one", 1, None)], true),
                file(
                    "c.http",
                    vec![
                        case("one", 1, None),
                        case("A & \"B\"", 4, Some(Failure::Differs(diff))),
                        case("gone", 0, Some(Failure::Stale)),
                    ],
                    false,
                ),
                file("d.http", vec![case("x", 2, Some(broken))], false),
                file("e.http", vec![case("new", 1, Some(Failure::NoSnapshot))], false),
            ],
            color: false,
        }
    }

    #[test]
    fn the_text_has_a_line_per_file_the_failures_and_a_summary() {
        let expected = "\
ok     a.http (2 requests)
wrote  b.http (1 request)
FAILED c.http

  c.http:4: A & \"B\": differs from the snapshot
    @@ -1 +1 @@
    -<p>1</p>
    +<p>2</p>

  gone: still in the snapshot, but no longer in the file

FAILED d.http

error: x
 --> d.http:2:1
  |
2 | GTE /
  | ^^^

FAILED e.http

  1 request, and there is no snapshot yet (accept with --update)

4 passed, 4 failed
";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn colour_is_there_only_when_asked_for() {
        assert!(!report().to_string().contains('\u{1b}'));
        let colored = Report { color: true, ..report() }.to_string();
        assert!(colored.contains("    \u{1b}[31m-<p>1</p>\u{1b}[0m\n    \u{1b}[32m+<p>2</p>\u{1b}[0m\n"));
    }

    #[test]
    fn junit_has_a_case_per_request_and_is_escaped() {
        let mut report = report();
        report.files.drain(..2);
        report.files.truncate(1);
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sitewright" tests="3" failures="2">
  <testsuite name="c.http" tests="3" failures="2">
    <testcase name="one" classname="c.http" file="c.http" line="1"/>
    <testcase name="A &amp; &quot;B&quot;" classname="c.http" file="c.http" line="4">
      <failure message="differs from the snapshot">@@ -1 +1 @@
-&lt;p&gt;1&lt;/p&gt;
+&lt;p&gt;2&lt;/p&gt;
</failure>
    </testcase>
    <testcase name="gone" classname="c.http" file="c.http">
      <failure message="still in the snapshot, but no longer in the file"></failure>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(report.junit(), expected);
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(escape("a\u{1b}b\u{0}\n\u{ffff}"), "a\u{fffd}b\u{fffd}\n\u{fffd}");
    }
}
