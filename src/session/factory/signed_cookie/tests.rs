mod vectors;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: f64 = 1_700_000_100.5;

fn factory(change: impl FnOnce(&mut SignedCookieOptions)) -> SignedCookie {
    let mut options =
        SignedCookieOptions { secrets: vec![Secret::new("itsaseekreet".into())], ..SignedCookieOptions::default() };
    change(&mut options);
    SignedCookie::new(options).expect("a secret")
}

fn strict() -> SignedCookie {
    factory(|_| {})
}

fn compatible() -> SignedCookie {
    factory(|options| options.reading = CookieReading::Compatible)
}

fn secret(options: &mut SignedCookieOptions, secrets: &[&str]) {
    options.secrets = secrets.iter().map(|&text| Secret::new(text.into())).collect();
}

/// A visit with this `Cookie` field, in Latin-1.
fn visit(field: &str, now: f64) -> Visit {
    let bytes: Vec<u8> = field.chars().filter_map(|c| u8::try_from(c).ok()).collect();
    let mut headers = HeaderMap::new();
    // Bytes that no HTTP server lets through cannot be in a field.
    if let Ok(value) = HeaderValue::from_bytes(&bytes) {
        headers.append(COOKIE, value);
    }
    Visit::from_headers(&headers, now, false)
}

fn find(factory: &SignedCookie, value: &str, now: f64) -> Loaded {
    factory.find(&visit(&format!("session={value}"), now))
}

/// The value of a cookie with this payload, signed with the usual secret.
fn sealed(payload: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(strict().signer.seal(payload.as_bytes()))
}

#[test]
fn of_several_cookies_strict_takes_the_newest_good_one_and_compatible_the_last() {
    let one = sealed(r#"[1700000000, 1700000000.5, {"n": 1}]"#);
    let two = sealed(r#"[1700000001, 1700000000.5, {"n": 2}]"#);
    let n = |factory: &SignedCookie, field: &str| factory.find(&visit(field, NOW)).session.get(&["n".to_owned()]);
    for field in [
        format!("session=forged; session={one}; session={two}"),
        format!("session={one}; session={two}; session={one}; session=forged"),
        format!("session={two}; session={one}"),
    ] {
        assert_eq!(n(&strict(), &field), Some(json!(2)), "{field}");
    }
    let field = format!("session={two}; session={one}");
    assert_eq!(n(&compatible(), &field), Some(json!(1)));
    let field = format!("session={one}; session=forged");
    assert_eq!(n(&strict(), &field), Some(json!(1)));
    assert_eq!(n(&compatible(), &field), None);
}

#[test]
fn idle_timeout_and_lifetime_are_exact() {
    let factory = factory(|options| options.lifetimes.lifetime = Some(5000));
    let value = sealed(r#"[1700000000, 1699999000.0, {"a": 1}]"#);
    let standing = |now| find(&factory, &value, now).standing;
    assert_eq!(standing(1_700_001_200.0), Standing::Verified { secret: 0 });
    let expired = find(&factory, &value, 1_700_001_200.000_001);
    assert_eq!(expired.standing, Standing::Refused(Refusal::Expired));
    assert!(expired.session.is_new() && expired.session.is_empty());
    assert_eq!(expired.session.created(), 1_700_001_200.000_001);

    let value = sealed(r#"[1700004000, 1699999000.0, {"a": 1}]"#);
    let standing = |now| find(&factory, &value, now).standing;
    assert_eq!(standing(1_700_004_000.0), Standing::Verified { secret: 0 });
    assert_eq!(standing(1_700_004_000.001), Standing::Refused(Refusal::Outlived));
}

#[test]
fn times_that_are_no_times_outlive_nothing() {
    let factory = factory(|options| {
        options.reading = CookieReading::Compatible;
        options.lifetimes.lifetime = Some(5000);
    });
    for created in ["NaN", "Infinity", "-Infinity"] {
        let value = sealed(&format!("[1700000000, {created}, {{}}]"));
        let standing = find(&factory, &value, NOW).standing;
        assert_eq!(standing, Standing::Refused(Refusal::Outlived), "{created}");
    }
}

#[test]
fn clocks_may_be_a_little_apart() {
    let standing = |time: &str| find(&strict(), &sealed(&format!("[{time}, {time}, {{}}]")), NOW).standing;
    assert_eq!(standing("1700000220"), Standing::Verified { secret: 0 });
    assert_eq!(standing("1700000221"), Standing::Refused(Refusal::Future));
}

#[test]
fn a_refresh_is_due_after_reissue_time_or_under_an_old_secret() {
    let value = sealed(r#"[1700000000, 1700000000.0, {"a": 1}]"#);
    let due = |change: fn(&mut SignedCookieOptions), now| find(&factory(change), &value, now).refresh_due;
    assert!(!due(|_| {}, 1_700_000_120.99));
    assert!(due(|_| {}, 1_700_000_121.0));
    assert!(due(|o| o.lifetimes.reissue_time = Some(0), 1_700_000_001.0));
    assert!(!due(|o| o.lifetimes.reissue_time = None, 1_700_001_200.0));

    let rotated = factory(|options| secret(options, &["newest", "itsaseekreet"]));
    let loaded = find(&rotated, &value, 1_700_000_001.0);
    assert_eq!(loaded.standing, Standing::Verified { secret: 1 });
    assert!(loaded.refresh_due);
    let reissued = rotated.seal(&loaded.session, 1_700_000_001.0).expect("it fits");
    let again = find(&rotated, &reissued, 1_700_000_001.0);
    assert_eq!(again.standing, Standing::Verified { secret: 0 });
    assert!(!again.refresh_due);
}

#[test]
fn odd_spellings_are_written_anew() {
    for value in [
        format!("{}==", sealed(r#"[1700000000, 1700000000.5, {"a": 1}]"#)),
        sealed(r#"["1700000000", true, [["a", 1]]]"#),
        sealed(r#"[NaN, 1, {"a": 0, "a": 1}]"#),
    ] {
        let factory = compatible();
        let loaded = find(&factory, &value, NOW);
        assert!(loaded.refresh_due, "{value}");
        let reissued = factory.seal(&loaded.session, NOW).expect("it fits");
        let strict = find(&strict(), &reissued, NOW);
        assert_eq!(strict.session.to_state_text(), r#"{"a": 1}"#);
    }
}

fn commit(factory: &SignedCookie, field: &str, change: impl Fn(&mut Session)) -> Committed {
    let visit = visit(field, NOW);
    let loaded = factory.find(&visit);
    let mut session = loaded.session.clone();
    change(&mut session);
    factory.store(&visit, &loaded, &session).expect("it fits")
}

#[test]
fn an_ended_session_is_deleted_where_there_was_one() {
    let field = format!("session={}", sealed("[1700000000, 1700000000.5, {}]"));
    let committed = commit(&strict(), &field, |session| session.invalidate(NOW));
    assert_eq!(
        committed.set_cookie.as_deref(),
        Some(
            "session=; Max-Age=0; Path=/; expires=Thu, 01-Jan-1970 00:00:00 GMT; \
             HttpOnly; SameSite=Lax"
        )
    );
    let committed = commit(&strict(), "", |session| session.invalidate(NOW));
    assert_eq!(committed.set_cookie, None);

    let committed = commit(&strict(), &field, |session| {
        session.invalidate(NOW);
        session.set(&["bye".to_owned()], json!(true)).expect("a map");
    });
    let header = committed.set_cookie.expect("a new session");
    let loaded = strict().find(&visit(header.split(';').next().expect("a pair"), NOW));
    assert_eq!(loaded.session.to_state_text(), r#"{"bye": true}"#);
    assert_eq!(loaded.session.created(), NOW);
}

#[test]
fn what_is_too_large_is_refused_with_the_largest_keys() {
    let session = |bytes: usize| {
        let state = json!({"small": 1, "d": "x".repeat(bytes)}).to_string();
        Session::restore(1_700_000_000.0, &state).expect("a state")
    };
    let bytes = |factory: &SignedCookie, size| factory.seal(&session(size), NOW).map(|v| v.len());
    let error = bytes(&strict(), 3000).expect_err("too large");
    let SessionError::TooLarge { bytes: size, limit: 4064, largest } = error else {
        panic!("{error}");
    };
    assert!(size > 4064);
    assert_eq!(largest.first(), Some(&("d".to_owned(), 3007)));
    let fits = (0..3000).rev().find_map(|size| bytes(&strict(), size).ok());
    assert_eq!(fits, Some(4064));

    // A long name leaves less room, or browsers would drop the cookie.
    let named = factory(|options| options.cookie.name = "n".repeat(100));
    let fits = (0..3000).rev().find_map(|size| bytes(&named, size).ok());
    assert_eq!(fits, Some(3996));
}

#[test]
fn a_cookie_no_browser_keeps_is_refused_by_strict_reading_alone() {
    let value = sealed(&format!(r#"[1700000000, 1700000000.5, {{"d": "{}"}}]"#, "x".repeat(4000)));
    let standing = find(&strict(), &value, NOW).standing;
    assert_eq!(standing, Standing::Refused(Refusal::TooLarge));
    let standing = find(&compatible(), &value, NOW).standing;
    assert_eq!(standing, Standing::Verified { secret: 0 });
}

#[test]
fn an_explanation_shows_what_there_is() {
    let factory = factory(|options| secret(options, &["newest", "itsaseekreet"]));
    let value = sealed(r#"[1700000060, 1700000000.5, {"counter": 1}]"#);
    let explained = factory.explain(value.as_bytes(), NOW);
    assert_eq!(explained.made_with, Some(1));
    assert_eq!(
        explained.to_string(),
        "signature  good, by secret 2 of the list\n\
         payload    [1700000060, 1700000000.5, {\"counter\": 1}]\n\
         renewed    Tue, 14 Nov 2023 22:14:20 GMT, 40 seconds ago (1700000060)\n\
         created    Tue, 14 Nov 2023 22:13:20 GMT, 100 seconds ago (1700000000.5)\n\
         state      {\n  \"counter\": 1\n}\n\
         verdict    a session"
    );

    let forged = factory.explain(format!("AAAA{}", &value[4..]).as_bytes(), NOW);
    assert_eq!((forged.made_with, forged.standing), (None, Standing::Refused(Refusal::Signature)));
    let contents = forged.contents.expect("it can be read all the same");
    assert_eq!(contents.state, Some(json!({"counter": 1})));

    let odd = factory.explain(sealed("[\"1\", 2, {}]").as_bytes(), NOW);
    let contents = odd.contents.expect("contents");
    assert_eq!(contents.flaw.as_deref(), Some("a time is not a number at byte 0"));
    assert_eq!(contents.renewed, Some(1.0));
    assert!(factory.explain(b"\xFF", NOW).contents.is_none());
}

#[test]
fn the_factory_does_not_show_its_secret() {
    assert!(!format!("{:?}", strict()).contains("itsaseekreet"));
}

proptest! {
    #[test]
    fn any_change_of_a_cookie_is_refused(at in 0_usize..1000, bit in 0_u32..8, cut in any::<bool>()) {
        let good = sealed(r#"[1700000060, 1700000000.5, {"counter": 1, "user": "Admin"}]"#);
        let mut bytes = good.into_bytes();
        let at = at % bytes.len();
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        prop_assert!(matches!(strict().standing(&bytes, NOW), Standing::Refused(_)));
    }

    #[test]
    fn no_value_is_a_panic(value in prop::collection::vec(any::<u8>(), 0..300)) {
        for factory in [strict(), compatible()] {
            prop_assert!(matches!(factory.standing(&value, NOW), Standing::Refused(_)));
            let _ = factory.explain(&value, NOW).to_string();
        }
    }

    #[test]
    fn no_signed_payload_is_a_panic(
        payload in "\\[?[\\[\\]{}\":,0-9a-fnutINl\\\\ eE.+_-]{0,60}\\]?",
        now in any::<f64>(),
    ) {
        let value = sealed(&payload);
        for factory in [strict(), compatible()] {
            let loaded = find(&factory, &value, now);
            let _ = factory.seal(&loaded.session, now);
            let _ = factory.explain(value.as_bytes(), now).to_string();
        }
    }

    #[test]
    fn no_cookie_field_is_a_panic(field in prop::collection::vec(any::<u8>(), 0..200)) {
        let field: String = field.into_iter().map(char::from).collect();
        for factory in [strict(), compatible()] {
            prop_assert!(factory.find(&visit(&field, NOW)).session.is_new());
        }
    }

    #[test]
    fn any_session_comes_back_as_it_was_stored(
        values in prop::collection::vec((any::<String>(), any::<String>(), any::<f64>()), 0..4),
    ) {
        let mut session = Session::new(1_700_000_000.25);
        for (key, text, float) in values {
            session.set(&[key], json!([text, float])).expect("a map");
        }
        let value = strict().seal(&session, NOW).expect("it fits");
        let loaded = find(&strict(), &value, NOW);
        prop_assert_eq!(loaded.session.to_state_text(), session.to_state_text());
        prop_assert_eq!(loaded.session.created(), session.created());
    }
}
