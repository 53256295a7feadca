//! Requests of other sites, as a real Pyramid with `require_csrf=True` takes them.
//!
//! What it answers is recorded in `tests/vectors/pyramid_csrf.tsv`. `UPDATE=1 tests/servers cargo test
//! --test suite -- --ignored pyramid::csrf` records it anew: read the difference before you keep it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::live::Pyramid;
use crate::driver::{Answer, Site, Visitor, project};
use crate::language::csrf::{Case, HOST, TRUSTED, cases};

fn record() -> PathBuf {
    project().join("tests/vectors/pyramid_csrf.tsv")
}

/// The requests that both can be asked.
fn asked() -> impl Iterator<Item = Case> {
    cases().into_iter().filter(|case| case.route == "/count")
}

/// The request without what Pyramid does not look at.
fn line(case: Case) -> String {
    let Case { method, https, header, field, origin, referer, route: _, fetch_site: _ } = case;
    let scheme = if https { "https" } else { "http" };
    let parts = [scheme, method, header, field, origin, referer];
    parts.map(|part| if part.is_empty() { "-" } else { part }).join("\t")
}

/// A request, and what Pyramid says.
type Answers = BTreeMap<String, String>;

fn recorded() -> Answers {
    let text = fs::read_to_string(record()).unwrap();
    let lines = text.lines().skip(1).filter_map(|line| line.rsplit_once('\t'));
    lines.map(|(request, answer)| (request.to_owned(), answer.to_owned())).collect()
}

/// A difference: the first cell of its row in docs/pyramid.md, and the requests it is about, with what
/// Sitewright does with them; Pyramid does the other.
type Difference = (&'static str, fn(Case) -> bool, bool);

/// Those that the requests show.
const DIFFERENCES: [Difference; 7] = [
    ("over HTTP, from another origin, with the token", |case| !case.https && !is_ours(case), false),
    (
        "over HTTPS, with the token, without `Origin` and `Referer`",
        |case| case.https && case.origin.is_empty() && case.referer.is_empty(),
        true,
    ),
    ("over HTTPS, `Sec-Fetch-Site: same-origin`", |case| case.https && case.fetch_site == "same-origin", true),
    (
        "`Sec-Fetch-Site` other than `same-origin` and `none`",
        |case| matches!(case.fetch_site, "same-site" | "cross-site"),
        false,
    ),
    ("`Origin` with several items", |case| case.origin.contains(' '), false),
    (
        "own or trusted origin with the default port written out, or in capitals",
        |case| case.https && ["LOCALHOST", ":443"].iter().any(|odd| source(case).contains(odd)),
        true,
    ),
    ("a token in a JSON body", |case| case.field == "json", true),
];

/// Those that it takes more than one request to see, or another site.
const OTHERS: [&str; 5] = [
    "to a site that says nothing of CSRF",
    "to a route that does not use the session",
    "own origin, with a public origin declared",
    "a refused request of a new visitor",
    "the token after a login",
];

fn source(case: Case) -> &'static str {
    if case.origin.is_empty() { case.referer } else { case.origin }
}

/// Whether the page that sent it is one of the site, of a friend, or of nobody knows whom.
fn is_ours(case: Case) -> bool {
    let ours = ["http://localhost", "https://localhost", "https://LOCALHOST", "http://friend.", "https://friend."];
    let source = source(case);
    let is_ours = ours.iter().any(|ours| source.starts_with(ours)) && !source.contains("evil");
    source.is_empty() || is_ours || source == "https://a.family.example:8443"
}

#[test]
fn what_differs_from_pyramid_is_what_the_page_lists() {
    let recorded = recorded();
    let mut shown = [false; DIFFERENCES.len()];
    for case in asked() {
        let theirs = recorded.get(&line(case)).unwrap_or_else(|| panic!("not recorded: {}", line(case)));
        let (ours, theirs) = (case.is_answered(), theirs == "answered");
        if ours == theirs {
            continue;
        }
        let reasons: Vec<usize> =
            (0..DIFFERENCES.len()).filter(|at| DIFFERENCES[*at].1(case) && DIFFERENCES[*at].2 == ours).collect();
        assert!(!reasons.is_empty(), "answered here: {ours}, by Pyramid: {theirs}: {case:?}");
        if let [only] = reasons[..] {
            shown[only] = true;
        }
    }
    let idle: Vec<_> = DIFFERENCES.iter().zip(shown).filter(|(_, shown)| !shown).map(|((row, ..), _)| row).collect();
    assert!(idle.is_empty(), "no difference: {idle:?}");

    let page = fs::read_to_string(project().join("docs/pyramid.md")).unwrap();
    let (_, chapter) = page.split_once("## Different: CSRF").unwrap();
    let (chapter, _) = chapter.split_once("\n## ").unwrap();
    let rows = chapter.lines().filter_map(|line| Some(line.strip_prefix("| ")?.split_once(" | ")?.0));
    let mut listed: Vec<&str> = rows.skip(1).collect();
    let mut known: Vec<&str> = DIFFERENCES.iter().map(|(row, ..)| *row).chain(OTHERS).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(listed, known);
}

/// A Pyramid that wants tokens, a visitor of it, and the visitor's token.
fn pyramid() -> (Pyramid, Visitor, String) {
    let pyramid = Pyramid::new(json!({ "secret": "itsaseekreet", "trusted_origins": TRUSTED }));
    let mut visitor = Visitor::new(pyramid.site(0));
    let page = visitor.get("/csrf-token").text().to_owned();
    let token = page.split(['<', '>']).find(|word| word.len() == 40).unwrap_or_else(|| panic!("no token: {page}"));
    (pyramid, visitor, token.to_owned())
}

fn verdict(answer: &Answer) -> &'static str {
    let page = String::from_utf8_lossy(&answer.body);
    match answer.status {
        200 => "answered",
        400 if page.contains("forgery token") => "bad token",
        400 if page.contains("origin or referrer") => "bad origin",
        status => panic!("{status}: {page}"),
    }
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn pyramid_answers_as_recorded() {
    let (_pyramid, mut visitor, token) = pyramid();
    let mut answers = Answers::new();
    for case in asked() {
        let (query, headers, body) = case.parts(&token);
        let mut request = visitor.request(case.method, &format!("/{query}")).host(HOST);
        for (name, value) in headers.iter().filter(|(name, _)| *name != "content-type") {
            request = request.header(name, value);
        }
        if let Some((_, kind)) = headers.iter().find(|(name, _)| *name == "content-type") {
            request = request.body(kind, body);
        }
        let verdict = verdict(&request.send()).to_owned();
        let before = answers.insert(line(case), verdict.clone());
        assert!(before.is_none_or(|before| before == verdict), "Pyramid looks at `Sec-Fetch-Site`: {case:?}");
    }
    if std::env::var_os("UPDATE").is_some() {
        let head = "scheme\tmethod\theader\tfield\torigin\treferer\tanswer\n".to_owned();
        let lines = answers.iter().map(|(request, answer)| format!("{request}\t{answer}\n"));
        fs::write(record(), head + &lines.collect::<String>()).unwrap();
    }
    assert_eq!(answers, recorded());
}

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn pyramid_begins_a_session_for_whom_it_refuses_and_keeps_the_token_of_who_logs_in() {
    let (pyramid, mut visitor, token) = pyramid();
    let refused = Visitor::new(pyramid.site(0)).post("/login/add", "user=Ada");
    assert_eq!((verdict(&refused), refused.set_cookies().len()), ("bad token", 1));
    let logged_in = visitor.post("/login/add", &format!("user=Ada&csrf_token={token}"));
    assert_eq!(verdict(&logged_in), "answered");
    assert!(visitor.get("/csrf-token").text().contains(&token));
}

/// A page that shows the token, and one that wants it.
const COUNTER: &str = r#"
[session]
factory = "signed-cookie"
secret  = "itsaseekreet"

[routes.form]
path = "/"
html = "{{csrf_token}}"

[routes.count]
path    = "/count"
methods = ["POST"]
actions = [{ increment-counter = "counter" }]
text    = "Count: {{counter}}"
"#;

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn either_side_takes_the_token_that_the_other_has_drawn() {
    let (pyramid, mut visitor, token) = pyramid();
    let site = Site::new().config(COUNTER);
    let server = site.serve();
    visitor.moves_to(&server);
    assert_eq!(visitor.get("/").text(), token);
    assert_eq!(visitor.post("/count", &format!("csrf_token={token}")).count(), 1);

    let mut visitor = server.visitor();
    let token = visitor.get("/").text().to_owned();
    visitor.moves_to(&pyramid);
    assert_eq!(verdict(&visitor.post("/", "")), "bad token");
    assert_eq!(visitor.post("/", &format!("csrf_token={token}")).count(), 1);
}
