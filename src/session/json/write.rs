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
    // The shortest digits, and of two that are as near the even ones, as Python has it.
    let mut buffer = zmij::Buffer::new();
    let short = buffer.format_finite(number);
    let (sign, plain) = short.strip_prefix('-').map_or(("", short), |plain| ("-", plain));
    // Writing to a String cannot fail.
    let _ = if let Some(digits) = plain.strip_prefix("0.0000") {
        let (first, rest) = digits.split_at_checked(1).unwrap_or_default();
        let point = if rest.is_empty() { "" } else { "." };
        write!(out, "{sign}{first}{point}{rest}e-05")
    } else if let Some((digits, exponent)) = short.split_once("e-") {
        write!(out, "{digits}e-{exponent:0>2}")
    } else {
        out.write_str(short)
    };
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
    fn exponents_begin_and_look_as_in_python() {
        for (number, expected) in [
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-0.000_012_34, "-1.234e-05"),
            (1e-7, "1e-07"),
            (1.5e-300, "1.5e-300"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-0.0, "-0.0"),
            // Halfway between two of 16 digits: the even one.
            (41.0 / 4_194_304.0, "9.775161743164062e-06"),
        ] {
            let mut written = String::new();
            write_f64(&mut written, number);
            assert_eq!(written, expected);
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
