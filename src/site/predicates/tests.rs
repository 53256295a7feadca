use std::collections::BTreeMap;

use http::header::HeaderName;

use super::*;
use crate::config::tree;
use crate::diagnostic::{Diagnostics, Source};

fn predicates(text: &str) -> Predicates {
    let mut problems = Diagnostics::default();
    let (table, errors) = toml::de::DeTable::parse_recoverable(text);
    assert!(errors.is_empty(), "{text}");
    let node = tree::read(&table, &Source::file("config.toml", text), &mut problems);
    let predicates = compile::predicates(&node, &mut problems);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    predicates
}

fn head_of<R>(url: &str, headers: &[(&str, &str)], with: impl FnOnce(&Head<'_>) -> R) -> R {
    let (host, rest) = url.split_once('/').unwrap();
    let query = rest.split_once('?').map(|(_, query)| query);
    let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    let mut map = HeaderMap::new();
    headers.iter().map(pair).for_each(|(name, value)| {
        map.append(name, value);
    });
    with(&Head { method: &Method::GET, path: "/", query, headers: &map, host })
}

fn holds(text: &str, url: &str, headers: &[(&str, &str)]) -> bool {
    head_of(url, headers, |head| predicates(text).liking(head).is_some())
}

#[test]
fn a_header_is_there_or_begins_as_the_pattern_says() {
    let is = |text: &str, headers: &[(&str, &str)]| holds(text, "a/", headers);
    assert!(is("header = \"X-Api\"", &[("x-api", "")]));
    assert!(!is("header = \"X-Api\"", &[("x-apis", "1")]));
    assert!(is("header = \"X-Api:[12]\"", &[("x-api", "2.5")]));
    assert!(!is("header = \"X-Api: [12]$\"", &[("x-api", "2.5")]));
    assert!(!is("header = \"X-Api:5\"", &[("x-api", "2.5")]));
    assert!(is("header = \"X-Api:1, 2\"", &[("x-api", "1"), ("x-api", "2")]));
    assert!(!is("header = [\"X-Api\", \"X-Key\"]", &[("x-api", "1")]));
    assert!(is("header = \"X-Api:a|b\"", &[("x-api", "bc")]));
    assert!(!is("header = \"X-Api:a|b\"", &[("x-api", "cb")]));
}

#[test]
fn a_parameter_is_in_the_query_and_the_last_of_several_values_counts() {
    let is = |text: &str, query: &str| holds(text, &format!("a/?{query}"), &[]);
    assert!(is("param = \"q\"", "q") && is("param = \"q\"", "a=1&q="));
    assert!(!is("param = \"q\"", "") && !is("param = \"q\"", "Q=1&a=q"));
    assert!(is("param = \"q=a b\"", "q=a+b") && is("param = \"q=é\"", "q=%C3%A9"));
    assert!(is("param = \"q=2\"", "q=1&q=2") && !is("param = \"q=1\"", "q=1&q=2"));
    assert!(is("param = \"=q=1\"", "%3Dq=1") && !is("param = \"=q=1\"", "q=1"));
    assert!(!is("param = [\"a\", \"b\"]", "a=1") && is("param = [\"a\", \"b\"]", "a=1&b=2"));
    assert!(is("param = \"q=\"", "q=") && !is("param = \"q=\"", "q=1"));
}

#[test]
fn xhr_is_what_scripts_say_of_themselves() {
    let xhr = [("x-requested-with", "XMLHttpRequest")];
    assert!(holds("xhr = true", "a/", &xhr) && !holds("xhr = true", "a/", &[]));
    assert!(!holds("xhr = false", "a/", &xhr) && holds("xhr = false", "a/", &[("x-requested-with", "x")]));
}

#[test]
fn a_host_is_compared_without_its_port() {
    let is = |text: &str, host: &str| holds(text, &format!("{host}/"), &[]);
    assert!(is("host = \"api.example.org\"", "api.example.org:6543"));
    assert!(!is("host = \"api.example.org\"", "www.api.example.org"));
    assert!(is("host = \".example.org\"", "example.org") && is("host = \".example.org\"", "a.b.example.org"));
    assert!(!is("host = \".example.org\"", "badexample.org"));
    assert!(is("host = [\"a\", \"b\"]", "b") && !is("host = [\"a\", \"b\"]", "c"));
    assert!(is("host = \"[::1]\"", "[::1]:80") && is("host = \"[::1]\"", "[::1]"));
}

#[test]
fn a_type_is_taken_if_the_most_exact_range_takes_it() {
    let json = "accept = \"application/json\"";
    for (accept, expected) in [
        ("application/json", true),
        ("APPLICATION/JSON; q=0.1", true),
        ("application/*", true),
        ("text/html, */*;q=0.5", true),
        ("text/html", false),
        ("*/*, application/json;q=0", false),
        ("application/*;q=0, */*", false),
        ("application/json;q=0.5;x=y, text/html", true),
        ("application/json;version=2", false),
        ("", true),
        ("nonsense", true),
    ] {
        assert_eq!(holds(json, "a/", &[("accept", accept)]), expected, "{accept}");
    }
    assert!(holds(json, "a/", &[]));
    assert!(holds("accept = [\"text/csv\", \"text/html\"]", "a/", &[("accept", "text/html")]));
}

/// Which of two routes on one path answers: the first, the second, or none.
fn winner(one: &str, two: &str, url: &str, headers: &[(&str, &str)]) -> Option<&'static str> {
    let (one, two) = (predicates(one), predicates(two));
    assert!(one.tells_apart(&two) && two.tells_apart(&one));
    head_of(url, headers, |head| match (one.liking(head), two.liking(head)) {
        (Some(first), Some(second)) => {
            let beats = one.beats(&first, &two, &second);
            assert_ne!(beats, two.beats(&second, &one, &first), "the order does not count");
            Some(if beats { "one" } else { "two" })
        }
        (Some(_), None) => Some("one"),
        (None, Some(_)) => Some("two"),
        (None, None) => None,
    })
}

#[test]
fn more_predicates_are_more_specific_then_narrower_ones() {
    assert_eq!(winner("param = \"q\"", "", "a/?q", &[]), Some("one"));
    assert_eq!(winner("param = \"q\"", "param = [\"q\", \"r\"]", "a/?q&r", &[]), Some("two"));
    assert_eq!(winner("param = \"q=1\"", "param = \"q\"", "a/?q=1", &[]), Some("one"));
    assert_eq!(winner("host = \".b\"", "host = \"a.b\"", "a.b/", &[]), Some("two"));
    assert_eq!(winner("host = \".b\"", "host = \".a.b\"", "x.a.b/", &[]), Some("two"));
    assert_eq!(winner("header = \"A:1\"", "header = \"A\"", "a/", &[("a", "1")]), Some("one"));
}

#[test]
fn of_types_the_client_chooses_and_without_a_wish_html_comes_first() {
    let (json, html) = ("accept = \"application/json\"", "accept = \"text/html\"");
    let who = |accept: &str| winner(json, html, "a/", &[("accept", accept)]);
    assert_eq!(who("application/json"), Some("one"));
    assert_eq!(who("text/html;q=0.5, application/json;q=0.6"), Some("one"));
    assert_eq!(who("text/html, application/xhtml+xml, */*;q=0.8"), Some("two"));
    assert_eq!(who("*/*"), Some("two"));
    assert_eq!(who("image/png"), None);
}

#[test]
fn routes_that_a_request_could_choose_alike_are_not_told_apart() {
    let apart = |one: &str, two: &str| predicates(one).tells_apart(&predicates(two));
    for (one, two) in [
        ("", ""),
        ("param = \"a\"", "param = \"a\""),
        ("param = \"a\"", "param = \"b\""),
        ("param = \"a\"", "header = \"B\""),
        ("header = \"A:1\"", "header = \"A:12\""),
        ("header = \"A:1\"", "header = \"A:[1]\""),
        ("accept = \"a/b\"", "accept = [\"c/d\", \"a/b\"]"),
        ("accept = \"a/b\"", "param = \"q\""),
        ("host = [\"a\", \"b\"]", "host = [\"b\", \"c\"]"),
    ] {
        assert!(!apart(one, two), "{one} | {two}");
    }
    for (one, two) in [
        ("xhr = true", "xhr = false"),
        ("param = \"a=1\"", "param = \"a=2\""),
        ("header = \"A:1\"", "header = \"A:2\""),
        ("host = \"a\"", "host = \"b\""),
        ("host = \"a\"\nheader = \"B\"", "host = \"b\"\nparam = \"c\""),
    ] {
        assert!(apart(one, two), "{one} | {two}");
    }
}

#[test]
fn what_decided_is_named_for_caches() {
    let names = |text: &str| predicates(text).varies().map(|name| (name.to_string(), ())).collect::<BTreeMap<_, _>>();
    let all = names("accept = \"a/b\"\nheader = \"X-Api\"\nxhr = true\nhost = \"a\"\nparam = \"q\"");
    assert_eq!(all.into_keys().collect::<Vec<_>>(), ["accept", "x-api", "x-requested-with"]);
}
