//! Cookies that Pyramid never writes, though it reads many of them: the table in `docs/cookies.md`,
//! asked of all three.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::alphabet::URL_SAFE;
use serde_json::json;

use super::live::{Pyramid, sitewright};
use crate::driver::Visitor;

/// What becomes of a session that had counted to 41.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    GoesOn,
    Ends,
    /// A 500.
    Fails,
}

use Fate::{Ends, Fails, GoesOn};

/// In Pyramid, in compatible and in strict reading.
type Fates = [Fate; 3];

const ALL: Fates = [GoesOn, GoesOn, GoesOn];
const NONE: Fates = [Ends, Ends, Ends];
const NOT_STRICT: Fates = [GoesOn, GoesOn, Ends];
const PYRAMID_FAILS: Fates = [Fails, Ends, Ends];

#[test]
#[ignore = "needs Pyramid: run tests/run"]
fn odd_cookies_fare_as_the_documentation_says() {
    let pyramid = Pyramid::new(json!({ "secret": "itsaseekreet" }));
    let (_site, compatible) = sitewright("secret = \"itsaseekreet\"\ncookie_reading = \"compatible\"");
    let (_site, strict) = sitewright("secret = \"itsaseekreet\"\ncookie_reading = \"strict\"");
    let servers = [pyramid.site(0), compatible.address, strict.address];
    for (what, header, expected) in spellings(&pyramid).into_iter().chain(payloads(&pyramid)) {
        let fates = servers.map(|server| {
            let answer = Visitor::new(server).request("GET", "/").header("Cookie", &header).send();
            match answer.status {
                500 => Fails,
                _ if answer.count() == 42 => GoesOn,
                _ if answer.count() == 1 => Ends,
                _ => panic!("{what}: {}", answer.text()),
            }
        });
        assert_eq!(fates, expected, "{what}: {header}");
    }
}

/// One good session in many spellings of its cookie.
fn spellings(pyramid: &Pyramid) -> Vec<(&'static str, String, Fates)> {
    let good = good_cookie(pyramid);
    let (first, rest) = good.split_at(1);
    let octal = format!("\\{:03o}", first.as_bytes()[0]);
    let cookie = |value: &str| format!("session={value}");
    vec![
        ("as written", cookie(&good), ALL),
        ("padded", cookie(&padded(&good)), NOT_STRICT),
        ("in the other alphabet", cookie(&good.replace('-', "+").replace('_', "/")), NOT_STRICT),
        ("low bits set", cookie(&low_bit_set(&good)), NOT_STRICT),
        ("four foreign characters", cookie(&format!("{first}!!!!{rest}")), NOT_STRICT),
        ("one foreign character", cookie(&format!("{first}!{rest}")), NONE),
        ("quoted", cookie(&format!("\"{good}\"")), NOT_STRICT),
        ("an octal escape", cookie(&format!("\"{octal}{rest}\"")), NOT_STRICT),
        ("behind a comma", format!("a=b, session={good}"), NOT_STRICT),
        ("behind a semicolon", format!("a=b; session={good}"), ALL),
        ("before a bad one", format!("session={good}; session=x"), [Ends, Ends, GoesOn]),
        ("behind a bad one", format!("session=x; session={good}"), ALL),
        ("another cookie has a strange byte", format!("a=\"\\377\"; session={good}"), [Fails, GoesOn, GoesOn]),
        ("a strange byte", "session=\"\\377\"".to_owned(), PYRAMID_FAILS),
        ("nothing", "session=".to_owned(), NONE),
        ("another case", format!("Session={good}"), NONE),
    ]
}

/// Payloads, signed as they are.
fn payloads(pyramid: &Pyramid) -> Vec<(&'static str, String, Fates)> {
    let now = now();
    let with_state = |state: &str| format!("[{now}, {now}.5, {state}]");
    let with_times = |renewed: &str, created: &str| format!("[{renewed}, {created}, {{\"counter\": 41}}]");
    let time = now.to_string();
    let many_digits = "9".repeat(400);
    let nested = |levels| format!(r#"{{"counter": 41, "deep": {}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let signed = |(what, payload, fates): (&'static str, String, Fates)| {
        (what, format!("session={}", pyramid.sign(&payload)), fates)
    };
    [
        ("compact", format!(r#"[{now},{now}.5,{{"counter":41}}]"#), ALL),
        ("a time as text", with_times(&format!("\"{now}\""), &time), NOT_STRICT),
        ("a time as a boolean", with_times(&time, "true"), NOT_STRICT),
        ("a time that is no number", with_times("NaN", &time), NOT_STRICT),
        ("a time that is infinite", with_times("Infinity", &time), NOT_STRICT),
        ("a time ahead", with_times(&(now + 1000).to_string(), &time), NOT_STRICT),
        ("a time a little ahead", with_times(&(now + 60).to_string(), &time), ALL),
        ("a time of 400 digits", with_times(&many_digits, &time), PYRAMID_FAILS),
        ("a time that is null", with_times("null", &time), NONE),
        ("state as pairs", with_state(r#"[["counter", 41]]"#), NOT_STRICT),
        ("a repeated key", with_state(r#"{"counter": 7, "counter": 41}"#), NOT_STRICT),
        ("no state", with_state("null"), PYRAMID_FAILS),
        ("state as a number", with_state("41"), PYRAMID_FAILS),
        ("state as text", with_state("\"counter\""), PYRAMID_FAILS),
        ("nested", with_state(&nested(50)), ALL),
        ("nested too deep", with_state(&nested(100)), [GoesOn, Ends, Ends]),
        ("two parts", format!(r#"[{now}, {{"counter": 41}}]"#), NONE),
        ("trailing text", with_state(r#"{"counter": 41}"#) + "x", NONE),
        ("not JSON", "counter=41".to_owned(), NONE),
    ]
    .map(signed)
    .into()
}

/// A cookie with something to vary: it leaves low bits unused and has letters that the two alphabets
/// spell differently.
fn good_cookie(pyramid: &Pyramid) -> String {
    let now = now();
    let mut cookies = (0..1000).map(|odd| pyramid.sign(&format!(r#"[{now}, {now}.{odd}, {{"counter": 41}}]"#)));
    cookies.find(|cookie| cookie.len() % 4 != 0 && cookie.contains('-') && cookie.contains('_')).unwrap()
}

fn padded(cookie: &str) -> String {
    cookie.to_owned() + &"=".repeat(4 - cookie.len() % 4)
}

/// The last letter's successor: it differs in bits that no byte uses.
fn low_bit_set(cookie: &str) -> String {
    let (rest, last) = cookie.split_at(cookie.len() - 1);
    let alphabet = URL_SAFE.as_str();
    let at = alphabet.find(last).unwrap();
    format!("{rest}{}", &alphabet[at + 1..at + 2])
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
