//! Reading single values out of a checked text.
//!
//! Nothing here fails: the text has been through [`check`](super::check), so
//! an error of the scanner cannot happen and reads as "nothing there".

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ANY_DEPTH, Keys, Kind, Scanner, Str};

/// What `text` is, told from its first byte.
#[must_use]
pub fn kind(text: &str) -> Kind {
    match text.trim_start().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't' | b'f' | b'n') => Kind::Word,
        _ => Kind::Number,
    }
}

/// The members of an object, repeated keys included; of anything else, none.
pub fn members<'t>(text: &'t str, mut each: impl FnMut(Str<'t>, &'t str)) {
    let part = |range| text.get(range).unwrap_or_default();
    let _ = Scanner::new(text, Keys::Any).members(ANY_DEPTH, |key, value| {
        each(Str::new(part(key)), part(value));
    });
}

/// The items of an array; of anything else, none.
pub fn items<'t>(text: &'t str, mut each: impl FnMut(&'t str)) {
    let _ = Scanner::new(text, Keys::Any).items(ANY_DEPTH, |item| {
        each(text.get(item).unwrap_or_default());
    });
}

/// The member `part` of an object, or of an array the item with that number.
#[must_use]
pub fn child<'t>(text: &'t str, part: &str) -> Option<&'t str> {
    let mut found = None;
    match (kind(text), index(part)) {
        (Kind::Object, _) => members(text, |key, value| {
            if key.spells(part) {
                found = Some(value);
            }
        }),
        (Kind::Array, Some(wanted)) => {
            let mut at = 0;
            items(text, |item| {
                if at == wanted {
                    found = Some(item);
                }
                at += 1;
            });
        }
        _ => {}
    }
    found
}

/// A part of a path as a place in a list: digits only.
pub fn index(part: &str) -> Option<usize> {
    let digits = part.bytes().all(|byte| byte.is_ascii_digit());
    if digits { part.parse().ok() } else { None }
}

/// The whole value. What JSON proper cannot say is shown as near as it can:
/// `NaN` and `Infinity` as null, a lone surrogate as U+FFFD.
#[must_use]
pub fn to_value(text: &str) -> Value {
    let text = text.trim();
    match kind(text) {
        Kind::Object => {
            let mut map = Map::new();
            members(text, |key, value| {
                map.insert(key.to_text().into_owned(), to_value(value));
            });
            Value::Object(map)
        }
        Kind::Array => {
            let mut list = Vec::new();
            items(text, |item| list.push(to_value(item)));
            Value::Array(list)
        }
        Kind::String => Value::String(inside(text).to_text().into_owned()),
        Kind::Number => text.parse().map_or(Value::Null, Value::Number),
        Kind::Word => match text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Null,
        },
    }
}

/// How many containers are inside each other: 0 for a number.
#[must_use]
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Whether two texts mean the same: spelling and the order of keys aside.
/// An integer is never the same as a float.
#[must_use]
pub fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.trim(), right.trim());
    if left == right {
        return true;
    }
    match (kind(left), kind(right)) {
        (Kind::Object, Kind::Object) => {
            let (left, right) = (by_key(left), by_key(right));
            let equal = |((a, x), (b, y)): ((&Str<'_>, &&str), (&Str<'_>, &&str))| a == b && same(x, y);
            left.len() == right.len() && left.iter().zip(&right).all(equal)
        }
        (Kind::Array, Kind::Array) => {
            let (left, right) = (list(left), list(right));
            let equal = |(a, b): (&&str, &&str)| same(a, b);
            left.len() == right.len() && left.iter().zip(&right).all(equal)
        }
        (Kind::String, Kind::String) => inside(left) == inside(right),
        (Kind::Number, Kind::Number) => same_number(left, right),
        _ => false,
    }
}

/// Whether a number is spelled as an integer.
pub fn is_integer(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn same_number(left: &str, right: &str) -> bool {
    match (is_integer(left), is_integer(right)) {
        // Spelled differently, integers differ, but for a needless sign.
        (true, true) => matches!((left, right), ("0", "-0") | ("-0", "0")),
        (false, false) => {
            let (left, right) = (left.parse::<f64>(), right.parse::<f64>());
            matches!((left, right), (Ok(a), Ok(b)) if a == b)
        }
        _ => false,
    }
}

fn by_key(text: &str) -> BTreeMap<Str<'_>, &str> {
    let mut map = BTreeMap::new();
    members(text, |key, value| _ = map.insert(key, value));
    map
}

fn list(text: &str) -> Vec<&str> {
    let mut list = Vec::new();
    items(text, |item| list.push(item));
    list
}

/// The inside of a string value.
pub fn inside(text: &str) -> Str<'_> {
    let text = text.trim();
    let body = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Str::new(body.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_read_exactly() {
        let text = r#"{"n": 18446744073709551616, "l": [true, null, "\u00e9"], "a": 1, "a": 2}"#;
        let value = to_value(text);
        assert_eq!(value["n"].to_string(), "18446744073709551616");
        assert_eq!(value["l"], json!([true, null, "é"]));
        assert_eq!(value["a"], json!(2));
    }

    #[test]
    fn what_json_cannot_say_is_shown_as_near_as_it_can() {
        let value = to_value(r#"[NaN, -Infinity, "\ud800"]"#);
        assert_eq!(value, json!([null, null, "\u{FFFD}"]));
    }

    #[test]
    fn a_child_is_a_member_or_a_numbered_item() {
        let text = r#"{"l": ["x", {"k": 1}], "l\u0031": 3, "d": 1, "d": 2}"#;
        assert_eq!(child(text, "l"), Some(r#"["x", {"k": 1}]"#));
        assert_eq!(child(text, "l1"), Some("3"));
        assert_eq!(child(text, "d"), Some("2"));
        assert_eq!(child(r#"["x", "y"]"#, "1"), Some(r#""y""#));
        for part in ["2", "-1", "+1", "", "x"] {
            assert_eq!(child(r#"["x", "y"]"#, part), None, "{part}");
        }
        assert_eq!(child("5", "0"), None);
    }

    #[test]
    fn sameness_ignores_spelling_and_key_order() {
        for (a, b) in [
            (r#"{"a": 1, "b": [2]}"#, r#"{"b":[ 2 ],"a":1}"#),
            (r#""\u00e9""#, "\"é\""),
            ("1e16", "1e+16"),
            ("-0", "0"),
            ("NaN", " NaN"),
            (r#"{"a": 1, "a": 2}"#, r#"{"a": 2}"#),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("1", "1.0"),
            ("1", "true"),
            ("[1, 2]", "[2, 1]"),
            ("{}", "[]"),
            (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#),
            ("NaN", "Infinity"),
            (r#""\ud800""#, r#""\ufffd""#),
            ("18446744073709551616", "18446744073709551617"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn depth_counts_containers_outside_strings() {
        assert_eq!(depth("1"), 0);
        assert_eq!(depth(r#"{"[{": ["\"[", []]}"#), 3);
    }
}
