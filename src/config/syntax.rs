//! What keeps a text from being TOML, in plain words.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};

/// How the parser's messages begin, what a person is told instead, and how to mend it.
const WORDS: &[(&str, &str, &str)] = &[
    ("key with no value", "`=` and a value are missing after this key", "write `key = value`"),
    ("missing value for key", "a value is missing after this `=`", "text is written in quotes: `key = \"text\"`"),
    ("missing comma between key-value pairs", "a comma is missing here", "write `{ a = 1, b = 2 }`"),
    ("missing comma between array elements", "a comma or `]` is missing before this", "write `[1, 2]`"),
    ("unclosed array table", "`]]` is missing here", ""),
    ("unclosed array", "`]` is missing here", ""),
    ("unclosed inline table", "`}` is missing here", ""),
    ("unclosed table", "`]` is missing here", ""),
    ("invalid boolean", "this is neither `true` nor `false`", "they are written in small letters"),
    (NOT_A_KEY, "this is not a key", "if it belongs to a template, the `\"\"\"` before or after it is missing above"),
    ("unexpected leading zero", "a number does not begin with 0", "text is written in quotes: `key = \"text\"`"),
    ("cannot extend value of type", "this has a value already, so it cannot be a table", ""),
    ("unexpected key or value", "nothing more can stand on this line", "one `key = value` has a line of its own"),
];

/// Mostly a line of a template whose quotes are missing; whatever comes after it makes no sense.
const NOT_A_KEY: &str = "invalid unquoted key";

/// Reports what is wrong, in the order of the lines. One slip makes a parser stumble several times,
/// so only the first problem of a line counts, and none below a broken `[header]`.
pub fn report(text: &str, errors: &[toml::de::Error], source: &Arc<Source>, problems: &mut Diagnostics) {
    let mut errors: Vec<_> = errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut quiet_until = 0;
    for (span, message) in errors {
        let line = line_around(text, span.start);
        if line.start < quiet_until {
            continue;
        }
        quiet_until = match &text[line.clone()] {
            _ if message.starts_with(NOT_A_KEY) => usize::MAX,
            header if is_header(header) => next_header(text, line.end),
            _ => line.end,
        };
        problems.push(explain(text, span, message, source));
    }
}

fn explain(text: &str, span: Range<usize>, message: &str, source: &Arc<Source>) -> Diagnostic {
    let error = |span: Range<usize>, message: String| Diagnostic::error(&source.place(span), message);
    let found = text.get(span.clone()).unwrap_or_default();
    if message.starts_with("duplicate key") {
        let line = line_around(text, span.start);
        let header = text.get(line.clone()).map(str::trim_end).filter(|line| is_header(line));
        let (again, what) =
            header.map_or((span.clone(), found), |header| (line.start..line.start + header.len(), header));
        let error = error(again, format!("`{what}` is here twice")).help("keep one of the two");
        return match first(text, span) {
            Some(first) => error.related(&source.place(first), "the first"),
            None => error,
        };
    }
    if message.starts_with("missing escaped value") {
        let escape = span.start.saturating_sub(1)..span.end.max(span.start + 1);
        let written = text.get(escape.clone()).unwrap_or_default();
        return error(escape, format!("`{written}` means nothing in a string"))
            .help(format!("write `\\{written}`, or put the string into single quotes: there a `\\` is just a `\\`"));
    }
    if message.starts_with("string values must be quoted") {
        if found.trim().is_empty() {
            return error(span, "a value is missing after this `=`".to_owned())
                .help("text is written in quotes: `key = \"text\"`");
        }
        let rest = text.get(span.start..line_around(text, span.start).end).unwrap_or_default();
        let value = rest.split(['#', ',', ']', '}']).next().unwrap_or_default().trim();
        return error(span, "text is written in quotes".to_owned()).help(format!("write `\"{value}\"`"));
    }
    for (begins, quotes, help) in [
        ("invalid basic string", "\"", "a string ends on its line; longer texts stand between `\"\"\"` and `\"\"\"`"),
        ("invalid literal string", "'", "a string ends on its line; longer texts stand between `'''` and `'''`"),
        ("invalid multi-line basic string", "\"\"\"", "put `\"\"\"` after its last line"),
        ("invalid multi-line literal string", "'''", "put `'''` after its last line"),
    ] {
        let opening = text.get(..span.start).and_then(|before| before.rfind(quotes));
        if let Some(start) = opening.filter(|_| message.starts_with(begins)) {
            return error(start..start + quotes.len(), "this string is not closed".to_owned()).help(help);
        }
    }
    match WORDS.iter().find(|(begins, ..)| message.starts_with(begins)) {
        Some((_, words, "")) => error(span, (*words).to_owned()),
        Some((_, words, help)) => error(span, (*words).to_owned()).help(*help),
        None => error(span, format!("this is not TOML: {}", message.trim_end_matches(", expected nothing"))),
    }
}

/// Where the key or the table header at `span` was written first.
fn first(text: &str, span: Range<usize>) -> Option<Range<usize>> {
    let line = line_around(text, span.start);
    let (header, before) = (text.get(line.clone())?.trim_end(), text.get(..line.start)?);
    if is_header(header) {
        let mut found = before.match_indices(header).map(|(start, _)| start..start + header.len());
        return found.find(|span| line_around(text, span.start).start == span.start);
    }
    let name = text.get(span.clone())?;
    let section = text.get(..span.start)?.rfind("\n[").unwrap_or(0);
    let mut found = text.get(section..span.start)?.match_indices(name);
    found.find_map(|(at, _)| {
        let (start, end) = (section + at, section + at + name.len());
        let alone = !text[..start].ends_with(|c: char| c.is_alphanumeric() || "_-.\"'".contains(c));
        (alone && text[end..].trim_start().starts_with('=')).then_some(start..end)
    })
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

fn next_header(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find("\n[")).map_or(text.len(), |at| from + at + 1)
}

/// The line around a byte, without its end.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| at + newline);
    start..end
}
