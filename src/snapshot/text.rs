//! The pieces a snapshot's text is made of.

use http::StatusCode;
use serde_json::Value;

/// JSON up to this many characters stays on one line.
const SHORT_JSON: usize = 80;

/// `200 OK`.
pub fn status(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// On one line when it is short, else indented; `none` when there is none.
pub fn json(value: Option<&Value>) -> String {
    let Some(value) = value else {
        return "none".to_owned();
    };
    let short = value.to_string();
    if short.chars().count() <= SHORT_JSON { short } else { format!("{value:#}\n") }
}

/// Bytes that are no text: how many, and which.
pub fn hex(body: &[u8]) -> String {
    let mut text = format!("{} bytes that are not UTF-8\n", body.len());
    for row in body.chunks(32) {
        text.extend(row.iter().map(|byte| format!("{byte:02x}")));
        text.push('\n');
    }
    text
}

/// One line after the label, or all lines indented below it. Where several lines do not end with a
/// newline, that is said, as diffs say it.
pub fn block(label: &str, text: &str) -> String {
    let text = visible(text);
    if !text.contains('\n') {
        return format!("{label}: {text}\n");
    }
    let (lines, end) = match text.strip_suffix('\n') {
        Some(lines) => (lines, ""),
        None => (text.as_str(), "\\ no newline at the end\n"),
    };
    let indented = lines.split('\n').map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") });
    format!("{label}:\n{}{end}", indented.collect::<String>())
}

/// Shows what would be invisible, or would steer the terminal a diff is printed on. Newline and tab
/// stay as they are.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => shown.push(c),
            '\u{0}'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('\u{2421}'),
            '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                shown.extend(c.escape_unicode());
            }
            _ => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_beside_its_label_and_lines_below_it() {
        assert_eq!(block("body", "one"), "body: one\n");
        assert_eq!(block("body", "one\n"), "body:\n  one\n");
        assert_eq!(block("body", "### a\n\nb\n"), "body:\n  ### a\n\n  b\n");
        assert_eq!(block("body", "a\nb"), "body:\n  a\n  b\n\\ no newline at the end\n");
    }

    #[test]
    fn different_texts_never_look_the_same() {
        let texts =
            ["", "\n", "\n\n", "a", "a\n", "a\n\n", "\na", "  a", "  a\n", "a\r\n", "a\n\\ no newline at the end\n"];
        let shown: std::collections::BTreeSet<_> = texts.iter().map(|text| block("body", text)).collect();
        assert_eq!(shown.len(), texts.len());
    }

    #[test]
    fn what_steers_a_terminal_is_shown_instead() {
        assert_eq!(visible("a\r\n\t\u{1b}[31m\u{7f}\u{9b}\u{202e}é"), "a␍\n\t␛[31m␡\\u{9b}\\u{202e}é");
    }

    #[test]
    fn long_json_is_indented_and_keeps_its_order() {
        let value: Value = serde_json::from_str(r#"{"z":1,"a":"x"}"#).unwrap();
        assert_eq!(json(Some(&value)), r#"{"z":1,"a":"x"}"#);
        let long = serde_json::json!({ "z": "x".repeat(80), "a": [1] });
        assert_eq!(json(Some(&long)), format!("{{\n  \"z\": \"{}\",\n  \"a\": [\n    1\n  ]\n}}\n", "x".repeat(80)));
        assert_eq!(json(None), "none");
    }

    #[test]
    fn binary_bodies_are_counted_and_written_in_rows() {
        let text = hex(&[0xff; 33]);
        assert_eq!(text, format!("33 bytes that are not UTF-8\n{}\nff\n", "ff".repeat(32)));
    }

    #[test]
    fn a_status_without_a_known_reason_is_a_number() {
        assert_eq!(status(StatusCode::SEE_OTHER), "303 See Other");
        assert_eq!(status(StatusCode::from_u16(299).unwrap()), "299");
    }
}
