//! Plays the requests of one file, each as its visitor, and writes down what happened.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::join_all;

use super::directive::Settings;
use super::request::Request;
use super::snap::Record;
use super::text::visible;
use super::visitor::Visitor;
use super::{Moment, Target};
use crate::diagnostic::Diagnostic;

/// One run through one file.
pub struct Player<'t> {
    target: &'t dyn Target,
    visitors: HashMap<String, Visitor>,
    seed: u64,
}

/// What came of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// Its section of the snapshot.
    pub section: String,
    /// Why it was refused or failed, if it was: for whoever runs the site, and in no snapshot.
    pub because: BTreeSet<String>,
}

impl<'t> Player<'t> {
    /// Nobody has been here yet; the first request gets seed 1.
    pub fn new(target: &'t dyn Target) -> Self {
        Self { target, visitors: HashMap::new(), seed: 0 }
    }

    /// Sends one request and says what came of it, or why it cannot be sent. `previous` is what held for
    /// the request before.
    pub async fn play(&mut self, request: &Request, previous: &Settings) -> Result<Played, Box<Diagnostic>> {
        let settings = &request.settings;
        let session_cookie = self.target.cookie_name();
        let visitor = self.visitors.entry(settings.visitor.clone()).or_default();
        let outgoing = visitor.send(request, session_cookie)?;

        let sends = (0..settings.parallel).map(|_| {
            self.seed += 1;
            self.target.send(outgoing.clone(), Moment { now: settings.now, seed: self.seed })
        });
        // All on one task: they meet at their awaits, and a run repeats the one before.
        let exchanges = join_all(sends).await;

        let received =
            exchanges.iter().flat_map(|exchange| visitor.receive(request, &outgoing, exchange, session_cookie));
        let dropped = received.collect();
        let redactor = visitor.redactor();
        let causes = exchanges.iter().filter_map(|exchange| exchange.because.as_ref());
        let because = causes.map(|cause| visible(&redactor.apply(cause))).collect();
        let record = Record {
            request,
            previous,
            target: &outgoing.uri().to_string(),
            exchanges: &exchanges,
            dropped: &dropped,
            session_cookie,
            redactor: &redactor,
        };
        Ok(Played { section: record.section(), because })
    }
}

#[cfg(test)]
mod tests {
    use super::super::http_file::parse;
    use super::super::tests::Fake;
    use super::*;
    use crate::diagnostic::Source;

    /// The sections of a file, or the first problem's message.
    async fn sections(source: &str) -> Result<Vec<String>, String> {
        let fake = Fake::default();
        let mut player = Player::new(&fake);
        let mut previous = Settings::default();
        let mut sections = Vec::new();
        for request in parse(&Source::file("a.http", source)).unwrap().requests {
            sections.push(player.play(&request, &previous).await.map_err(|problem| problem.message)?.section);
            previous = request.settings;
        }
        Ok(sections)
    }

    async fn last(source: &str) -> String {
        sections(source).await.unwrap().pop().unwrap()
    }

    #[tokio::test]
    async fn a_section_tells_status_headers_session_and_body() {
        let expected = "\
### Second visit
GET /count
@at 2030-01-01T00:10:00Z

200 OK
content-type: text/html
set-cookie: theme=dark; Path=/other
x-b: 2

session before: {\"counter\":1}
session after: {\"counter\":2}

body:
  <p>Count: 2</p>
";
        assert_eq!(last("/count\n### Second visit\n# @at +10m\nGET /count").await, expected);
    }

    #[tokio::test]
    async fn the_session_cookie_is_shown_when_it_tells_the_browser_of_another_session_or_lifetime() {
        let cookie = "set-cookie: session=[session]; Path=/; HttpOnly";
        let found = sections("/count\n###\n/count\n###\n# @at +20m\n/count").await.unwrap();
        let shown: Vec<_> = found.iter().map(|section| section.contains(cookie)).collect();
        assert_eq!(shown, [true, false, true], "begun, the same, and begun anew: {found:?}");
        for section in sections("/count-for-a-day\n###\n/count-for-a-day").await.unwrap() {
            assert!(section.contains(&format!("{cookie}; Max-Age=86400\n")), "{section}");
        }
    }

    #[tokio::test]
    async fn a_session_that_is_kept_from_timing_out_says_so() {
        let found = sections("/look\n###\n/count\n###\n/look").await.unwrap();
        let refreshed: Vec<_> = found.iter().map(|section| section.contains("\nsession refreshed\n")).collect();
        assert_eq!(refreshed, [false, false, true], "{found:?}");
        let session = "session before: {\"counter\":1}\nsession after: {\"counter\":1}\nsession refreshed\n\nbody";
        assert!(found[2].contains(session), "{}", found[2]);
    }

    #[tokio::test]
    async fn visitors_have_jars_of_their_own() {
        let source = "/count\n###\n# @visitor bob\n/count\n###\n# @visitor visitor\n/count";
        let found = sections(source).await.unwrap();
        assert!(found[1].contains("@visitor bob\n") && found[1].contains("Count: 1"), "{}", found[1]);
        assert!(found[2].contains("@visitor visitor\n") && found[2].contains("Count: 2"), "{}", found[2]);
    }

    #[tokio::test]
    async fn the_clock_ends_a_session() {
        assert!(last("/count\n###\n# @at +20m\n/count").await.contains("Count: 1"));
    }

    #[tokio::test]
    async fn a_tampered_cookie_is_another_and_the_jar_keeps_the_true_one() {
        let found = sections("/count\n###\n# @tamper\n/echo\n###\n/count").await.unwrap();
        assert!(found[1].contains("@tamper\n"));
        assert!(found[2].contains("Count: 2"), "{}", found[2]);
        assert!(last("/count\n###\n# @tamper 1\n/count").await.contains("session before: {}"));
    }

    #[tokio::test]
    async fn tampering_needs_a_cookie_that_has_the_character() {
        let none = sections("# @tamper\n/count").await.unwrap_err();
        assert_eq!(none, "`@tamper`: the jar sends no `session` cookie here");
        let short = sections("/count\n###\n# @tamper 99\n/count").await.unwrap_err();
        assert_eq!(short, "`@tamper` names a character the session cookie does not have");
    }

    #[tokio::test]
    async fn parallel_requests_are_counted_and_the_final_session_is_shown() {
        let expected = "\
###
GET /count
@parallel 3

3 × 200 OK

session after: {\"counter\":4}

body × 1:
  <p>Count: 2</p>
body × 1:
  <p>Count: 3</p>
body × 1:
  <p>Count: 4</p>
";
        assert_eq!(last("/count\n###\n# @parallel 3\n/count").await, expected);
    }

    #[tokio::test]
    async fn parallel_first_visits_are_sessions_of_their_own() {
        let found = last("# @parallel 3\n/count").await;
        assert!(found.contains("session after: {\"counter\":1}\n\nbody × 3:\n"), "{found}");
        assert!(last("# @parallel 2\n/form").await.contains("2 × 200 OK\n\nsession untouched\n\nbody × 2:\n"));
    }

    #[tokio::test]
    async fn what_a_visitor_was_shown_can_be_sent_back_and_is_never_printed() {
        let found = sections("/form\n###\nPOST /form?t={{$csrf-token}}\n\ntoken={{$csrf-token}}").await.unwrap();
        assert!(found[0].contains("  <input value=\"[csrf-token]\">\n"), "{}", found[0]);
        assert!(
            found[1].contains("POST /form?t=[csrf-token]\n") && found[1].contains("body: welcome\n"),
            "{}",
            found[1]
        );
        let missing = sections("# @visitor bob\nPOST /form\n\n{{$csrf-token}}").await.unwrap_err();
        assert_eq!(missing, "no response has shown `bob` a `csrf-token` yet");
        let missing = sections("POST /form\n\n{{$csrf-token}}").await.unwrap_err();
        assert_eq!(missing, "no response has shown a `csrf-token` yet", "nobody named a visitor");
    }

    #[tokio::test]
    async fn the_session_value_is_never_printed() {
        for path in ["/echo", "/count", "/form", "# @tamper\n/echo", "# @parallel 2\n/echo", "/echo?{{$session}}"] {
            for section in sections(&format!("/count\n###\n{path}")).await.unwrap() {
                assert!(!section.contains("dentity"), "{section}");
            }
        }
        assert!(last("/count\n###\n/echo").await.contains("cookie: session=[session]\n"));
    }

    #[tokio::test]
    async fn a_cookie_that_browsers_drop_is_told_and_not_sent() {
        let found = sections("/big\n###\n/echo").await.unwrap();
        let note = "a browser drops `session`: name and value are 5007 bytes, the most is 4096\n";
        assert!(found[0].contains(note), "{}", found[0]);
        assert!(found[1].contains("  cookie: \n"), "{}", found[1]);
    }

    #[tokio::test]
    async fn requests_go_out_as_a_client_sends_them() {
        let found = last("POST http://site.example:81/ä b?q=\"{x}\"%zz\nContent-Length: 99\nCookie: a=b\n\nbody").await;
        let expected = "body:
  POST /%C3%A4%20b?q=%22%7Bx%7D%22%zz
  host: site.example:81
  cookie: a=b
  length: 4
  clock: 1893456000
  seed: 1
  body
\\ no newline at the end
";
        assert!(found.ends_with(expected), "{found}");
        let plain = last("/count\n###\n# @no-cookie-jar\n/echo").await;
        assert!(plain.contains("host: localhost:6543\n  cookie: \n  length: \n"), "{plain}");
        assert!(last("http://a/\nHost: b").await.contains("host: b\n"));
    }

    #[tokio::test]
    async fn bodies_that_are_no_text_are_shown_in_hexadecimal() {
        assert!(last("/binary").await.ends_with("body:\n  2 bytes that are not UTF-8\n  ff00\n"));
    }

    #[tokio::test]
    async fn two_runs_tell_the_same() {
        let source = "/count\n###\n# @parallel 20\n/count\n###\n/echo";
        assert_eq!(sections(source).await, sections(source).await);
    }
}
