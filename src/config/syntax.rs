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
    ("unexpected leading zero", "a number does not begin with 0", "text is written in quotes: `key = \"text\"`"),
    ("cannot extend value of type", "this has a value already, so it cannot be a table", ""),
    ("missing assignment between", "`=` is missing between a key and its value", "write `key = value`"),
    ("missing opening quote", "a quote is missing where this text begins", "write `key = \"text\"`"),
    ("invalid literal string", "something is missing before this", "write `key = value`"),
    ("invalid key-value pair", "a key is missing before this", "write `key = value`"),
    ("missing key for inline table element", "a key is missing here", "write `{ key = value }`"),
    ("unquoted keys cannot be empty", "a key is missing here", "write `key = value`"),
    ("invalid inline table element", "this is not `key = value`", "write `{ a = 1, b = 2 }`"),
    ("extra comma", "there is a comma too many here", ""),
    ("missing inline table opening", "`{` is missing before this", ""),
    ("missing array opening", "`[` is missing before this", ""),
    ("missing table open", "`[` is missing before this", ""),
    ("invalid float", "this is not a number", "text is written in quotes: `key = \"text\"`"),
    ("unexpected key or value", "nothing more can stand on this line", "one `key = value` has a line of its own"),
];

/// How the parser's messages about a string begin, its quotes, and how to close it.
const QUOTES: &[(&str, &str, &str)] = &[
    ("invalid basic string", "\"", "a string ends on its line; longer texts stand between `\"\"\"` and `\"\"\"`"),
    ("invalid literal string", "'", "a string ends on its line; longer texts stand between `'''` and `'''`"),
    ("invalid multi-line basic string", "\"\"\"", "put `\"\"\"` after its last line"),
    ("invalid multi-line literal string", "'''", "put `'''` after its last line"),
];

/// The quotes of printed text, which word processors put in.
const PRINTED_QUOTES: [char; 8] =
    ['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}'];

/// How the parser's message about a line that does not begin with a key begins.
const NOT_A_KEY: &str = "invalid unquoted key";

/// Reports what is wrong, in the order of the lines. One slip makes a parser stumble several times,
/// so only the first problem of a line counts, and none below a broken `[header]`.
pub fn report(errors: &[toml::de::Error], source: &Arc<Source>, problems: &mut Diagnostics) {
    // The text as it may be shown: some of it is repeated.
    let text = source.text().unwrap_or_default();
    let mut errors: Vec<_> = errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
    errors.sort_by_key(|(span, _)| span.start);
    let mut quiet_until = 0;
    for (span, message) in errors {
        let line = line_around(text, span.start);
        if line.start < quiet_until {
            continue;
        }
        quiet_until = match &text[line.clone()] {
            // What comes after it makes no sense.
            line if message.starts_with(NOT_A_KEY) && is_of_template(line) => usize::MAX,
            header if is_header(header) => next_header(text, line.end),
            _ => line.end,
        };
        problems.push(Mistake { text, span, source }.explain(message));
    }
}

/// A place at which the parser stumbled.
struct Mistake<'a> {
    text: &'a str,
    span: Range<usize>,
    source: &'a Arc<Source>,
}

impl Mistake<'_> {
    fn explain(&self, message: &str) -> Diagnostic {
        match message {
            _ if message.starts_with("duplicate key") => self.duplicate(),
            _ if message.starts_with("missing escaped value") => self.bad_escape(),
            _ if self.found().starts_with(PRINTED_QUOTES) => self.printed_quotes(),
            _ if message.starts_with("string values must be quoted") => self.unquoted(),
            _ if message.starts_with(NOT_A_KEY) => self.not_a_key(),
            _ => self
                .unclosed_string(message)
                .or_else(|| self.ended_too_early())
                .unwrap_or_else(|| self.in_plain_words(message)),
        }
    }

    fn error(&self, message: impl Into<String>) -> Diagnostic {
        self.error_at(self.span.clone(), message)
    }

    fn error_at(&self, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.source.place(span), message)
    }

    /// What the parser stumbled over.
    fn found(&self) -> &str {
        self.text.get(self.span.clone()).unwrap_or_default()
    }

    fn line(&self) -> Range<usize> {
        line_around(self.text, self.span.start)
    }

    fn duplicate(&self) -> Diagnostic {
        let line = self.line();
        let header = self.text.get(line.clone()).map(str::trim_end).filter(|line| is_header(line));
        let span = header.map_or(self.span.clone(), |header| line.start..line.start + header.len());
        let error = self.error_at(span, format!("`{}` is here twice", header.unwrap_or(self.found())));
        let error = error.help("keep one of the two");
        let first = header.map_or_else(|| self.first_key(), |header| self.first_header(header));
        match first {
            Some(first) => error.related(&self.source.place(first), "the first"),
            None => error,
        }
    }

    fn first_header(&self, header: &str) -> Option<Range<usize>> {
        let before = self.text.get(..self.line().start)?;
        let mut found = before.match_indices(header).map(|(start, _)| start..start + header.len());
        found.find(|span| line_around(self.text, span.start).start == span.start)
    }

    fn first_key(&self) -> Option<Range<usize>> {
        let name = self.found();
        let section = self.text.get(..self.span.start)?.rfind("\n[").unwrap_or(0);
        let mut found = self.text.get(section..self.span.start)?.match_indices(name);
        found.find_map(|(at, _)| {
            let (start, end) = (section + at, section + at + name.len());
            let alone = !self.text[..start].ends_with(|c: char| c.is_alphanumeric() || "_-.\"'".contains(c));
            (alone && self.text[end..].trim_start().starts_with('=')).then_some(start..end)
        })
    }

    fn bad_escape(&self) -> Diagnostic {
        let escape = self.span.start.saturating_sub(1)..self.span.end.max(self.span.start + 1);
        let written = self.text.get(escape.clone()).unwrap_or_default();
        self.error_at(escape, format!("`{written}` means nothing in a string"))
            .help(format!("write `\\{written}`, or put the string into single quotes: there a `\\` is just a `\\`"))
    }

    fn unquoted(&self) -> Diagnostic {
        if self.found().trim().is_empty() {
            let error = self.error("a value is missing after this `=`");
            return error.help("text is written in quotes: `key = \"text\"`");
        }
        let rest = self.text.get(self.span.start..self.line().end).unwrap_or_default();
        let value = rest.split(['#', ',', ']', '}']).next().unwrap_or_default().trim();
        self.error("text is written in quotes").help(format!("write `\"{value}\"`"))
    }

    fn printed_quotes(&self) -> Diagnostic {
        let rest = self.text.get(self.span.start..self.line().end).unwrap_or_default();
        let begins = rest.chars().next().map_or(0, char::len_utf8);
        let (first, inside) = rest.split_at(begins);
        let text = inside.split(PRINTED_QUOTES).next().unwrap_or_default();
        self.error_at(self.span.start..self.span.start + begins, format!("`{first}` is no quote of TOML"))
            .help(format!("write `\"{}\"`, with straight quotes", text.trim()))
    }

    /// A quote inside a text ends it.
    fn ended_too_early(&self) -> Option<Diagnostic> {
        let quote = self.text.get(..self.span.start)?.chars().next_back()?;
        let (other, long) = match quote {
            '"' => ('\'', "\"\"\""),
            '\'' => ('"', "\'\'\'"),
            _ => return None,
        };
        let closes = self.span.start - 1..self.span.start;
        let follows =
            self.text.get(self.span.start..)?.starts_with(|c: char| !c.is_whitespace() && !",]}=#:".contains(c));
        follows.then(|| {
            self.error_at(closes, format!("this `{quote}` ends the text, and more follows")).help(format!(
                "put a text with `{quote}` in it between `{other}` and `{other}`, or between `{long}` and `{long}`"
            ))
        })
    }

    fn not_a_key(&self) -> Diagnostic {
        let line = self.text.get(self.line()).unwrap_or_default();
        if line.trim_start().starts_with("//") {
            self.error("this is not a comment").help("a comment begins with `#`")
        } else if self.found() == ":" {
            self.error("a key and its value are joined by `=`").help("write `key = value`")
        } else if is_of_template(line) {
            let help = "it looks like a part of a template whose `\"\"\"` is missing, here or further up";
            self.error("this is not a key").help(help)
        } else {
            let help = "a key is letters, digits, `_` and `-`, or is written in quotes";
            self.error("this cannot be in a key").help(help)
        }
    }

    fn unclosed_string(&self, message: &str) -> Option<Diagnostic> {
        let (_, quotes, help) = QUOTES.iter().find(|(begins, ..)| message.starts_with(begins))?;
        let start = self.text.get(..self.span.start)?.rfind(quotes)?;
        Some(self.error_at(start..start + quotes.len(), "this string is not closed").help(*help))
    }

    fn in_plain_words(&self, message: &str) -> Diagnostic {
        match WORDS.iter().find(|(begins, ..)| message.starts_with(begins)) {
            Some((_, words, "")) => self.error(*words),
            Some((_, words, help)) => self.error(*words).help(*help),
            None => self.error(format!("this is not TOML: {}", message.trim_end_matches(", expected nothing"))),
        }
    }
}

fn is_of_template(line: &str) -> bool {
    line.trim_start().starts_with('<') || line.contains("{{")
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
