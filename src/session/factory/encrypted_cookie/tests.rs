use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: f64 = 1_700_000_100.5;

/// Made by libsodium and Python's `hashlib` from the secret `itsaseekreet`, the
/// cookie name `session`, the nonce 0, 1, …, 23 and the payload
/// `[1700000060, 1700000000.123456, {"counter": 1}]`.
const GOLDEN: &str = "AQABAgMEBQYHCAkKCwwNDg8QERITFBUWF8SePl8BqGCWvIiJb9a_jzKShQb_Qogs6ixunozalaGQ\
                      7PymeyYJ9MF1z-aC9Oamn6c1oOn9Ddxh9ry6dyqodQ";

fn factory(change: impl FnOnce(&mut EncryptedCookieOptions)) -> EncryptedCookie {
    let mut options = EncryptedCookieOptions::default();
    secrets(&mut options, &["itsaseekreet"]);
    change(&mut options);
    EncryptedCookie::new(options).expect("a secret")
}

fn plain() -> EncryptedCookie {
    factory(|_| {})
}

fn secrets(options: &mut EncryptedCookieOptions, secrets: &[&str]) {
    options.secrets = secrets.iter().map(|&text| Secret::new(text.into())).collect();
}

fn session(state: &str) -> Session {
    Session::restore(1_700_000_000.25, state).expect("a state")
}

fn sealed(factory: &EncryptedCookie, state: &str) -> String {
    factory.seal(&session(state), NOW).expect("it fits")
}

/// A value that seals any payload.
fn sealed_as_it_is(factory: &EncryptedCookie, context: &[u8], payload: &[u8]) -> String {
    let nonce = [7; NONCE_BYTES];
    let body = factory.newest.encrypt(&XNonce::from(nonce), Message { msg: payload, aad: context }).expect("sealed");
    BASE64_URL_SAFE_NO_PAD.encode([&[VERSION], nonce.as_slice(), &body].concat())
}

fn visit(field: &str, now: f64) -> Visit {
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, HeaderValue::from_str(field).expect("a field"));
    Visit::from_headers(&headers, now, false)
}

fn find(factory: &EncryptedCookie, value: &str, now: f64) -> Loaded {
    factory.find(&visit(&format!("{}={value}", factory.cookie_name()), now))
}

fn refusal(factory: &EncryptedCookie, value: impl AsRef<[u8]>) -> Option<Refusal> {
    match factory.standing(value.as_ref(), NOW) {
        Standing::Refused(refusal) => Some(refusal),
        _ => None,
    }
}

#[test]
fn cookies_stay_readable_from_release_to_release() {
    let loaded = find(&plain(), GOLDEN, NOW);
    assert_eq!(loaded.standing, Standing::Verified { secret: 0 });
    assert_eq!(loaded.session.to_state_text(), r#"{"counter": 1}"#);
    assert_eq!(loaded.session.created(), 1_700_000_000.123_456);
    assert!(!loaded.session.is_new() && !loaded.refresh_due);

    let nonce = std::array::from_fn(|at| at as u8);
    let written = plain().seal_with(nonce, &loaded.session, 1_700_000_060.0);
    assert_eq!(written.as_deref(), Ok(GOLDEN));
}

#[test]
fn a_flipped_bit_is_refused_wherever_it_is() {
    let good = BASE64_URL_SAFE_NO_PAD.decode(GOLDEN).expect("base64");
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let refused = refusal(&plain(), BASE64_URL_SAFE_NO_PAD.encode(bytes));
            let expected = if at == 0 { Refusal::Encoding } else { Refusal::Signature };
            assert_eq!(refused, Some(expected), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn a_value_that_is_cut_off_is_refused_wherever_it_is() {
    let good = BASE64_URL_SAFE_NO_PAD.decode(GOLDEN).expect("base64");
    for length in 0..good.len() {
        let refused = refusal(&plain(), BASE64_URL_SAFE_NO_PAD.encode(&good[..length]));
        let expected = if length < 1 + NONCE_BYTES { Refusal::Encoding } else { Refusal::Signature };
        assert_eq!(refused, Some(expected), "{length} bytes");
    }
    for length in 0..GOLDEN.len() {
        assert!(refusal(&plain(), &GOLDEN[..length]).is_some(), "{length} characters");
    }
}

#[test]
fn no_other_spelling_is_read() {
    for (odd, expected) in [
        (format!("{GOLDEN}=="), Refusal::Encoding),
        (format!("\"{GOLDEN}\""), Refusal::Encoding),
        (GOLDEN.replace('_', "/"), Refusal::Encoding),
        (format!("{}R", &GOLDEN[..GOLDEN.len() - 1]), Refusal::Encoding),
        (format!("{GOLDEN}AAAA"), Refusal::Signature),
        (String::new(), Refusal::Encoding),
        ("A".repeat(MAX_COOKIE), Refusal::TooLarge),
    ] {
        assert_eq!(refusal(&plain(), &odd), Some(expected), "{odd}");
    }
}

#[test]
fn what_was_made_for_another_use_is_refused() {
    let named = |name: &str| factory(|options| options.cookie.name = name.into());
    let value = sealed(&named("sid"), "{}");
    assert_eq!(refusal(&named("sid"), &value), None);
    assert_eq!(refusal(&plain(), &value), Some(Refusal::Signature));

    // The same key and another context: another version, purpose or name.
    let payload = br#"[1700000060, 1700000000.5, {"counter": 1}]"#;
    let sealed = |context: &[u8]| sealed_as_it_is(&plain(), context, payload);
    assert_eq!(refusal(&plain(), sealed(b"\x01encrypted-cookie\0session")), None);
    for context in [&b""[..], b"\x02encrypted-cookie\0session", b"\x01csrf\0session", b"\x01encrypted-cookie\0sid"] {
        let refused = refusal(&plain(), sealed(context));
        assert_eq!(refused, Some(Refusal::Signature), "{}", context.escape_ascii());
    }
}

#[test]
fn what_is_genuine_but_no_session_is_refused() {
    for payload in ["", "{}", "[1, 2]", r#"[1700000000, 1700000000, []]"#, r#"["1700000000", 1700000000, {}]"#] {
        let value = sealed_as_it_is(&plain(), &plain().context, payload.as_bytes());
        assert_eq!(refusal(&plain(), value), Some(Refusal::Structure), "{payload}");
    }
}

#[test]
fn the_same_session_never_looks_the_same() {
    let factory = plain();
    let values: std::collections::BTreeSet<String> = (0..100).map(|_| sealed(&factory, r#"{"a": 1}"#)).collect();
    assert_eq!(values.len(), 100);
    let nonces = values.iter().filter_map(|value| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        bytes.get(1..=NONCE_BYTES).map(<[u8]>::to_vec)
    });
    assert_eq!(nonces.collect::<std::collections::BTreeSet<_>>().len(), 100);
}

#[test]
fn a_value_shows_nothing_of_the_session() {
    let value = sealed(&plain(), r#"{"user": "admin", "role": "editor"}"#);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).expect("base64");
    let shown = String::from_utf8_lossy(&bytes);
    for part in ["17000", "user", "admin", "role", "editor", "{", "["] {
        // One character may come up by chance.
        assert!(part.len() == 1 || !shown.contains(part), "{part}");
    }
    assert!(!format!("{:?}", plain()).contains("itsaseekreet"));
}

#[test]
fn every_secret_opens_and_the_first_seals() {
    let old = sealed(&plain(), r#"{"a": 1}"#);
    let rotated = factory(|options| secrets(options, &["newest", "other", "itsaseekreet"]));
    let loaded = find(&rotated, &old, NOW);
    assert_eq!(loaded.standing, Standing::Verified { secret: 2 });
    assert!(loaded.refresh_due);
    let new = rotated.seal(&loaded.session, NOW).expect("it fits");
    let again = find(&rotated, &new, NOW);
    assert_eq!(again.standing, Standing::Verified { secret: 0 });
    assert_eq!(again.session.to_state_text(), r#"{"a": 1}"#);
    assert!(!again.refresh_due);
    assert_eq!(refusal(&plain(), &new), Some(Refusal::Signature));
    assert!(EncryptedCookie::new(EncryptedCookieOptions::default()).is_err());
}

#[test]
fn of_several_cookies_the_newest_good_one_counts() {
    let factory = plain();
    let at = |renewed, state| {
        sealed_as_it_is(&factory, &factory.context, format!("[{renewed}, 1700000000.5, {state}]").as_bytes())
    };
    let (one, two) = (at(1_700_000_000, r#"{"n": 1}"#), at(1_700_000_001, r#"{"n": 2}"#));
    for field in [format!("session=forged; session={one}; session={two}"), format!("session={two}; session={one}")] {
        assert_eq!(factory.find(&visit(&field, NOW)).session.to_state_text(), r#"{"n": 2}"#);
    }
    let loaded = plain().find(&visit(&format!("session={}; session=forged", &one[..40]), NOW));
    assert_eq!(loaded.standing, Standing::Refused(Refusal::Signature));
}

#[test]
fn times_are_those_of_every_session() {
    let factory = factory(|options| options.lifetimes.lifetime = Some(5000));
    let standing = |payload: &str, now| {
        let value = sealed_as_it_is(&factory, &factory.context, payload.as_bytes());
        factory.standing(value.as_bytes(), now)
    };
    let idle = "[1700000000, 1699999000.0, {}]";
    assert_eq!(standing(idle, 1_700_001_200.0), Standing::Verified { secret: 0 });
    assert_eq!(standing(idle, 1_700_001_200.5), Standing::Refused(Refusal::Expired));
    let old = "[1700004000, 1699999000.0, {}]";
    assert_eq!(standing(old, 1_700_004_000.0), Standing::Verified { secret: 0 });
    assert_eq!(standing(old, 1_700_004_000.5), Standing::Refused(Refusal::Outlived));
    assert_eq!(standing(old, 1_700_003_880.0), Standing::Verified { secret: 0 });
    assert_eq!(standing(old, 1_700_003_879.5), Standing::Refused(Refusal::Future));
}

#[test]
fn what_is_too_large_is_refused_with_the_largest_keys() {
    let value = |factory: &EncryptedCookie, bytes: usize| {
        factory.seal(&session(&json!({"small": 1, "d": "x".repeat(bytes)}).to_string()), NOW)
    };
    for name in ["session".to_owned(), "n".repeat(100)] {
        let factory = factory(|options| options.cookie.name.clone_from(&name));
        let limit = MAX_COOKIE - name.len();
        let fits = (0..4096).rev().find_map(|bytes| value(&factory, bytes).ok()).expect("some fit");
        assert!((limit - 2..=limit).contains(&fits.len()), "{}", fits.len());
        assert!(matches!(find(&factory, &fits, NOW).standing, Standing::Verified { .. }));
        let error = value(&factory, 4000).expect_err("too large");
        let SessionError::TooLarge { bytes, limit: least, largest } = error else { panic!("{error}") };
        assert!(bytes > limit && least == limit);
        assert_eq!(largest.first(), Some(&("d".to_owned(), 4007)));
    }
}

#[test]
fn an_explanation_opens_what_the_secrets_open() {
    let rotated = factory(|options| secrets(options, &["newest", "itsaseekreet"]));
    assert_eq!(
        rotated.explain(GOLDEN.as_bytes(), NOW).to_string(),
        "seal       good, by secret 2 of the list\n\
         payload    [1700000060, 1700000000.123456, {\"counter\": 1}]\n\
         renewed    Tue, 14 Nov 2023 22:14:20 GMT, 40 seconds ago (1700000060)\n\
         created    Tue, 14 Nov 2023 22:13:20 GMT, 100 seconds ago (1700000000.123456)\n\
         state      {\n  \"counter\": 1\n}\n\
         verdict    a session"
    );
    let other = factory(|options| secrets(options, &["another"]));
    assert_eq!(
        other.explain(GOLDEN.as_bytes(), NOW).to_string(),
        "seal       not by any of the secrets\n\
         verdict    no session: it was made with none of the secrets"
    );
}

proptest! {
    #[test]
    fn any_session_comes_back_as_it_was_stored(
        values in prop::collection::vec((any::<String>(), any::<String>(), any::<f64>()), 0..4),
    ) {
        let mut session = Session::new(1_700_000_000.25);
        for (key, text, float) in values {
            session.set(&[key], json!([text, float])).expect("a map");
        }
        let value = plain().seal(&session, NOW).expect("it fits");
        let loaded = find(&plain(), &value, NOW);
        prop_assert_eq!(loaded.session.to_state_text(), session.to_state_text());
        prop_assert_eq!(loaded.session.created(), session.created());
    }

    #[test]
    fn no_value_is_a_panic(value in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(plain().standing(&value, NOW), Standing::Refused(_)));
        let _ = plain().explain(&value, NOW).to_string();
    }

    #[test]
    fn no_sealed_payload_is_a_panic(payload in "\\[?[\\[\\]{}\":,0-9a-fnutINl\\\\ eE.+_-]{0,60}\\]?", now: f64) {
        let factory = plain();
        let value = sealed_as_it_is(&factory, &factory.context, payload.as_bytes());
        let loaded = find(&factory, &value, now);
        let _ = factory.seal(&loaded.session, now);
        let _ = factory.explain(value.as_bytes(), now).to_string();
    }
}
