//! Everything Pyramid takes for a session, for `cookie_reading = "compatible"`.
//!
//! Mirrors `webob.cookies.SignedSerializer.loads` and Pyramid's
//! `CookieSession.__init__`. Where those raise, and the site answers 500,
//! there is no session here. Only the nesting is limited more tightly, and
//! the payload must be a list.

use super::super::Session;
use super::super::json::{self, JsonError, Keys, Kind, Str};
use super::payload::{Payload, text, triple, wrong};

/// Decodes the value of a cookie as `base64.urlsafe_b64decode` does after
/// WebOb has added padding: both alphabets, anything else skipped but counted
/// for the padding, low bits of the last character ignored.
pub(super) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    // The value is text to WebOb, and Latin-1 again to the serializer.
    let text = std::str::from_utf8(value).ok()?;
    let bytes = text.chars().map(|character| u8::try_from(character).ok());
    let mut bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    let padding = bytes.len().wrapping_neg() % 4;
    bytes.resize(bytes.len() + padding, b'=');
    a2b_base64(&bytes)
}

/// `binascii.a2b_base64` of CPython, not strict.
fn a2b_base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut place, mut left, mut pads) = (0_u8, 0_u8, 0_u8);
    for &character in text {
        if character == b'=' {
            // Padding ends the text once it completes a group of four.
            if place >= 2 {
                pads += 1;
                if place + pads >= 4 {
                    return Some(bytes);
                }
            }
            continue;
        }
        let Some(bits) = six_bits(character) else {
            continue;
        };
        pads = 0;
        match place {
            0 => {}
            1 => bytes.push(left << 2 | bits >> 4),
            2 => bytes.push(left << 4 | bits >> 2),
            _ => bytes.push(left << 6 | bits),
        }
        left = bits;
        place = (place + 1) % 4;
    }
    (place == 0).then_some(bytes)
}

fn six_bits(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Reads a payload: times are whatever `float()` takes, the state whatever
/// `dict()` takes.
pub(super) fn read(payload: &[u8]) -> Result<Payload, JsonError> {
    let [renewed, created, state] = triple(text(payload)?, Keys::Any)?;
    let time = |text| float(text).ok_or(wrong("a time is not a number"));
    let state = dict(state).ok_or(wrong("the state is not an object"))?;
    Ok(Payload { renewed: time(renewed)?, session: Session::restore(time(created)?, &state)? })
}

/// `float(value)`.
fn float(text: &str) -> Option<f64> {
    match json::kind(text) {
        // Too large an integer is an OverflowError, too large a float infinite.
        Kind::Number => {
            let number: f64 = text.parse().ok()?;
            (number.is_finite() || !json::is_integer(text)).then_some(number)
        }
        Kind::String => float_of_string(&json::inside(text).to_text()),
        Kind::Word => match text {
            "true" => Some(1.0),
            "false" => Some(0.0),
            _ => None,
        },
        Kind::Array | Kind::Object => None,
    }
}

/// `float("…")`: blanks around it, and single underscores between digits.
fn float_of_string(text: &str) -> Option<f64> {
    let blank = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    let text = text.trim_matches(blank);
    let digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let mut underscores = text.match_indices('_').map(|(at, _)| at);
    if !underscores.all(|at| digit(at.checked_sub(1)) && digit(Some(at + 1))) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// `dict(value)`: an object as it is, or a list of pairs.
fn dict(text: &str) -> Option<String> {
    match json::kind(text) {
        Kind::Object => Some(text.to_owned()),
        Kind::String => (text == "\"\"").then(|| "{}".to_owned()),
        Kind::Array => {
            let mut pairs = Some(Vec::new());
            json::items(text, |item| match (&mut pairs, pair(item)) {
                (Some(pairs), Some((key, value))) => pairs.push(format!("{key}: {value}")),
                _ => pairs = None,
            });
            Some(format!("{{{}}}", pairs?.join(", ")))
        }
        Kind::Number | Kind::Word => None,
    }
}

/// Key and value out of anything with two items: a list, a string of two
/// characters, even an object, whose keys they are.
fn pair(text: &str) -> Option<(String, String)> {
    let mut parts = Vec::new();
    match json::kind(text) {
        Kind::Array => json::items(text, |item| parts.push(item.to_owned())),
        Kind::String => parts.extend(json::inside(text).units().map(quote)),
        Kind::Object => {
            let mut keys: Vec<Str<'_>> = Vec::new();
            json::members(text, |key, _| {
                if keys.len() <= 2 && !keys.contains(&key) {
                    keys.push(key);
                }
            });
            parts.extend(keys.iter().map(|key| format!("\"{}\"", key.body())));
        }
        Kind::Number | Kind::Word => return None,
    }
    let [key, value] = <[String; 2]>::try_from(parts).ok()?;
    Some((key_text(&key)?, value))
}

/// The string that `json.dumps` makes of a key. Lists and objects are none.
fn key_text(key: &str) -> Option<String> {
    match json::kind(key) {
        Kind::String => Some(key.to_owned()),
        Kind::Word => Some(format!("\"{key}\"")),
        Kind::Number if json::is_integer(key) => Some(format!("\"{key}\"")),
        Kind::Number => {
            let mut text = String::new();
            json::write_f64(&mut text, key.parse().ok()?);
            Some(format!("\"{text}\""))
        }
        Kind::Array | Kind::Object => None,
    }
}

/// One code point as a JSON string.
fn quote(unit: u32) -> String {
    let mut quoted = String::new();
    match char::from_u32(unit) {
        Some(character) => json::write_string(&mut quoted, character.encode_utf8(&mut [0; 4])),
        None => quoted = format!("\"\\u{unit:04x}\""),
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_python_reads_it() {
        for (value, expected) in [
            (&b"YWJj"[..], Some(&b"abc"[..])),
            (b"YWI", Some(b"ab")),
            (b"YWI=", Some(b"ab")),
            (b"YWI==junk", Some(b"ab")),
            (b"YWJ", Some(b"ab")),
            (b"YQ", Some(b"a")),
            (b"Y", None),
            (b"Y.W.J.j.", Some(b"abc")),
            (b"Y.WI", None),
            (b"Y...WJj.", Some(b"abc")),
            (b"-_+/", Some(b"\xfb\xff\xbf")),
            (b"", Some(b"")),
            (b"=", Some(b"")),
            (b"=YWJj", Some(b"abc")),
            (b"=YWJj===", Some(b"abc")),
            ("éééé".as_bytes(), Some(b"")),
            ("YWJj日".as_bytes(), None),
            (b"\xFF", None),
        ] {
            assert_eq!(decode(value).as_deref(), expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn times_are_what_float_takes() {
        for (text, expected) in [
            ("1", Some(1.0)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e999", Some(f64::INFINITY)),
            ("true", Some(1.0)),
            ("false", Some(0.0)),
            ("null", None),
            ("[]", None),
            ("{}", None),
            (r#"" 1_700.5\n""#, Some(1700.5)),
            (r#""inf""#, Some(f64::INFINITY)),
            (r#""-Infinity""#, Some(f64::NEG_INFINITY)),
            (r#""1__0""#, None),
            (r#""_1""#, None),
            (r#""1_""#, None),
            (r#""""#, None),
            (r#""0x1""#, None),
        ] {
            assert_eq!(float(text), expected, "{text}");
        }
        assert_eq!(float(&"9".repeat(400)), None);
        assert!(float("NaN").is_some_and(f64::is_nan));
        assert!(float("\"nan\"").is_some_and(f64::is_nan));
    }

    #[test]
    fn states_are_what_dict_takes() {
        for (text, expected) in [
            (r#"{"a": 1}"#, Some(r#"{"a": 1}"#)),
            ("[]", Some("{}")),
            (r#""""#, Some("{}")),
            (r#"["ab", "cd"]"#, Some(r#"{"a": "b", "c": "d"}"#)),
            (r#"["\ud83d\ude00\ud800"]"#, Some(r#"{"\ud83d\ude00": "\ud800"}"#)),
            (r#"[["a", [1]], [1, 2]]"#, Some(r#"{"a": [1], "1": 2}"#)),
            (r#"[[1e16, 1], [null, 2], [true, 3]]"#, Some(r#"{"1e+16": 1, "null": 2, "true": 3}"#)),
            (r#"[{"a": 1, "b": 2, "a": 3}]"#, Some(r#"{"a": "b"}"#)),
            (r#"[[[], 1]]"#, None),
            (r#"["abc"]"#, None),
            (r#"["ab", 1]"#, None),
            (r#"[["a"]]"#, None),
            (r#""ab""#, None),
            ("1", None),
            ("null", None),
        ] {
            assert_eq!(dict(text).as_deref(), expected, "{text}");
        }
    }
}
