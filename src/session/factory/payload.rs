//! What a cookie-held session says: `[renewed, created, state]`, as Pyramid
//! writes it. This is the strict reader; [`pyramid`](super::pyramid) is the
//! lenient one.

use std::fmt::Write;

use super::super::Session;
use super::super::json::{self, JsonError, Keys, Kind, MAX_DEPTH, Scanner};

/// A session and the time it was last written.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    pub renewed: f64,
    pub session: Session,
}

/// Writes `session` as renewed at `now`, in whole seconds as Pyramid has it.
pub(super) fn write(session: &Session, now: f64) -> String {
    let mut payload = String::with_capacity(256);
    // Writing to a String cannot fail.
    let _ = write!(payload, "[{}, ", now as i64);
    json::write_f64(&mut payload, session.created());
    payload.push_str(", ");
    session.write_state(&mut payload);
    payload.push(']');
    payload
}

/// Reads a payload whose times are finite numbers and whose state is an
/// object without repeated keys.
pub(super) fn read(payload: &[u8]) -> Result<Payload, JsonError> {
    let [renewed, created, state] = triple(text(payload)?, Keys::Unique)?;
    if json::kind(state) != Kind::Object {
        return Err(wrong("the state is not an object"));
    }
    Ok(Payload { renewed: time(renewed)?, session: Session::restore(time(created)?, state)? })
}

/// The payload as text.
pub(super) fn text(payload: &[u8]) -> Result<&str, JsonError> {
    std::str::from_utf8(payload).map_err(|error| JsonError { at: error.valid_up_to(), reason: "the text is not UTF-8" })
}

/// The three items of an array.
pub(super) fn triple(text: &str, keys: Keys) -> Result<[&str; 3], JsonError> {
    let mut items = [""; 3];
    let mut count = 0;
    let mut scanner = Scanner::new(text, keys);
    scanner.items(MAX_DEPTH + 1, |item| {
        if let Some(slot) = items.get_mut(count) {
            *slot = text.get(item).unwrap_or_default();
        }
        count += 1;
    })?;
    scanner.end()?;
    if count == items.len() { Ok(items) } else { Err(wrong("the list does not have three items")) }
}

/// An error about the whole.
pub(super) fn wrong(reason: &'static str) -> JsonError {
    JsonError { at: 0, reason }
}

fn time(text: &str) -> Result<f64, JsonError> {
    let number = match json::kind(text) {
        Kind::Number => text.parse().ok(),
        _ => None,
    };
    number.filter(|time: &f64| time.is_finite()).ok_or(wrong("a time is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(payload: &[u8]) -> &'static str {
        read(payload).expect_err("not a payload").reason
    }

    #[test]
    fn what_is_written_is_read() {
        let text = br#"[1700000060, 1700000000.123456, {"counter": 1}]"#;
        let payload = read(text).expect("a payload");
        assert_eq!(payload.renewed, 1_700_000_060.0);
        assert_eq!(payload.session.created(), 1_700_000_000.123_456);
        assert!(!payload.session.is_new());
        assert_eq!(write(&payload.session, 1_700_000_060.75).as_bytes(), text);
    }

    #[test]
    fn only_the_plain_form_is_a_payload() {
        for (payload, expected) in [
            (&b"hello"[..], "a container is missing"),
            (b"\xFF[1,2,{}]", "the text is not UTF-8"),
            (b"[1, 2]", "the list does not have three items"),
            (b"[1, 2, {}, 3]", "the list does not have three items"),
            (b"[1, 2, {}] x", "something follows the value"),
            (b"[\"1\", 2, {}]", "a time is not a number"),
            (b"[true, 2, {}]", "a time is not a number"),
            (b"[NaN, 2, {}]", "a time is not a number"),
            (b"[1, Infinity, {}]", "a time is not a number"),
            (b"[1, 1e999, {}]", "a time is not a number"),
            (b"[1, 2, []]", "the state is not an object"),
            (b"[1, 2, null]", "the state is not an object"),
            (b"[1, 2, {\"a\": 1, \"a\": 1}]", "the key is repeated"),
        ] {
            assert_eq!(reason(payload), expected, "{}", payload.escape_ascii());
        }
    }

    #[test]
    fn a_state_may_be_nested_as_deep_as_any_json() {
        let nested = |depth: usize| {
            let list = "[".repeat(depth - 1) + &"]".repeat(depth - 1);
            format!(r#"[1, 2, {{"a": {list}}}]"#)
        };
        assert!(read(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(read(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    }
}
