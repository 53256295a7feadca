//! Writing values the way Python's `json.dumps` does: `", "` and `": "` as
//! separators, ASCII only, floats as their shortest `repr`.

use std::fmt::Write;

use serde_json::Value;

use super::read::is_integer;

/// Appends `value`.
pub fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(out, number.as_str()),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                separate(out, at);
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (at, (key, member)) in members.iter().enumerate() {
                separate(out, at);
                write_string(out, key);
                out.push_str(": ");
                write_value(out, member);
            }
            out.push('}');
        }
    }
}

/// Appends `text` as a string with its quotes (`ensure_ascii`).
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// Appends `number` as Python's `repr` has it: the shortest digits that read
/// back the same, an exponent below 1e-4 and from 1e16 on.
pub fn write_f64(out: &mut String, number: f64) {
    if !number.is_finite() {
        out.push_str(match number {
            _ if number.is_nan() => "NaN",
            _ if number > 0.0 => "Infinity",
            _ => "-Infinity",
        });
        return;
    }
    let short = shortest(number);
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let place: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&place) {
        // Enough decimals for all digits, and at least one.
        let count = digits.bytes().filter(u8::is_ascii_digit).count();
        let decimals = i32::try_from(count).unwrap_or_default() - 1 - place;
        let _ = write!(out, "{number:.0$}", decimals.max(1).unsigned_abs() as usize);
    } else {
        let sign = if place < 0 { '-' } else { '+' };
        let _ = write!(out, "{digits}e{sign}{:02}", place.unsigned_abs());
    }
}

/// The fewest digits that read back as `number`, as `1.5e3`.
///
/// Where two are as near, Rust takes the larger and Python the even one. So
/// the digits are rounded again, to even, unless that reads back differently.
fn shortest(number: f64) -> String {
    let short = format!("{number:e}");
    let mantissa = short.split('e').next().unwrap_or_default();
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let even = format!("{number:.decimals$e}");
    if even.parse() == Ok(number) { even } else { short }
}

/// Appends the separator that stands before entry number `at`.
pub fn separate(out: &mut String, at: usize) {
    if at > 0 {
        out.push_str(", ");
    }
}

fn write_number(out: &mut String, text: &str) {
    match text.parse() {
        Ok(number) if !is_integer(text) => write_f64(out, number),
        _ if text == "-0" => out.push('0'),
        _ => out.push_str(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts and what `json.dumps(json.loads(text))` makes of them.
    const PYTHON: &str = include_str!("../../../tests/vectors/python_json.tsv");

    #[test]
    fn spelling_is_pythons() {
        for line in PYTHON.lines() {
            let (text, expected) = line.split_once('\t').expect("two columns");
            let mut written = String::new();
            write_value(&mut written, &super::super::to_value(text));
            assert_eq!(written, expected, "{text}");
        }
    }

    #[test]
    fn floats_that_json_lacks_are_pythons_words() {
        let mut written = String::new();
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            write_f64(&mut written, number);
            written.push(' ');
        }
        assert_eq!(written, "NaN Infinity -Infinity ");
    }
}
