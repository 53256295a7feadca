//! Texts that mean something by themselves, and where each of their bytes is written.

use std::ops::Range;
use std::sync::Arc;

use super::{Place, Source};

/// A text and where its bytes are written: a template in a file of its own, a string in TOML, or a
/// part of one.
#[derive(Clone, Debug)]
pub struct Written {
    /// The text itself.
    pub text: String,
    /// Where it is written.
    pub place: Place,
    /// Where in the source each byte of the text is written, and where the text ends; `None` if
    /// that cannot be told.
    offsets: Option<Vec<usize>>,
}

impl Written {
    /// The whole of a file.
    pub fn file(source: &Arc<Source>, text: String) -> Self {
        let offsets = Some((0..=text.len()).collect());
        Self { place: source.place(0..text.len()), text, offsets }
    }

    /// A TOML string that decodes to `text`; `place` spans it with its quotes.
    pub fn quoted(text: String, place: &Place) -> Self {
        let raw = place.source.text().and_then(|all| all.get(place.span.clone()));
        let unquoted = raw.and_then(unquote).filter(|(decoded, _)| *decoded == text);
        let offsets = unquoted.map(|(_, within)| within.iter().map(|at| place.span.start + at).collect::<Vec<_>>());
        let mut written = Self { text, place: place.clone(), offsets };
        if !written.text.is_empty() {
            written.place = written.place_of(0..written.text.len());
        }
        written
    }

    /// A part of this text, with something around it that is not written there.
    #[must_use]
    pub fn part(&self, before: &str, part: Range<usize>, after: &str) -> Self {
        let middle = self.text.get(part.clone()).unwrap_or_default();
        let offsets = self.offsets.as_ref().and_then(|offsets| {
            let middle = offsets.get(part.start..=part.end)?;
            let first = std::iter::repeat_n(*middle.first()?, before.len());
            let last = std::iter::repeat_n(*middle.last()?, after.len());
            Some(first.chain(middle.iter().copied()).chain(last).collect())
        });
        Self { text: format!("{before}{middle}{after}"), place: self.place_of(part), offsets }
    }

    /// Where the bytes `span` of the text are written; all of it where that cannot be told.
    pub fn place_of(&self, span: Range<usize>) -> Place {
        let at = |byte: usize| self.offsets.as_ref()?.get(byte).copied();
        match (at(span.start), at(span.end)) {
            (Some(start), Some(end)) => self.place.source.place(start..end),
            _ => self.place.clone(),
        }
    }
}

/// Decodes a TOML string (TOML 1.1, "String"): its text, and where in `raw` each byte of the text is
/// written, and where the text ends.
fn unquote(raw: &str) -> Option<(String, Vec<usize>)> {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes))?;
    let end = raw.len().checked_sub(quotes.len())?;
    let mut at = quotes.len();
    if quotes.len() == 3 {
        let inner = raw.get(at..end)?;
        at += if inner.starts_with("\r\n") { 2 } else { usize::from(inner.starts_with('\n')) };
    }
    let (mut text, mut offsets) = (String::new(), Vec::new());
    while at < end {
        let rest = raw.get(at..end)?;
        let next = rest.chars().next()?;
        let (decoded, len) =
            if next == '\\' && quotes.starts_with('"') { escape(rest)? } else { (Some(next), next.len_utf8()) };
        if let Some(decoded) = decoded {
            text.push(decoded);
            offsets.resize(text.len(), at);
        }
        at += len;
    }
    offsets.push(end);
    Some((text, offsets))
}

/// The character that an escape at the start of `text` stands for (none for the end of a line that
/// goes on), and the bytes it takes.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |digits: usize| {
        let code = u32::from_str_radix(text.get(2..2 + digits)?, 16).ok()?;
        Some((Some(char::from_u32(code)?), 2 + digits))
    };
    let simple = |c: char| Some((Some(c), 2));
    match text.chars().nth(1)? {
        'b' => simple('\u{8}'),
        't' => simple('\t'),
        'n' => simple('\n'),
        'f' => simple('\u{c}'),
        'r' => simple('\r'),
        'e' => simple('\u{1b}'),
        c @ ('"' | '\\') => simple(c),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        c if c.is_ascii_whitespace() => {
            let rest = text.get(1..)?.trim_start_matches([' ', '\t', '\r', '\n']);
            Some((None, text.len() - rest.len()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(toml: &str, text: &str) -> Written {
        let source = Source::file("config.toml", toml);
        Written::quoted(text.to_owned(), &source.place(0..toml.len()))
    }

    fn shown(place: &Place) -> &str {
        place.source.text().and_then(|text| text.get(place.span.clone())).unwrap()
    }

    #[test]
    fn a_byte_behind_escapes_is_found_where_it_is_written() {
        for (toml, text) in [
            ("\"a \\\"b\\\" {{x}}\"", "a \"b\" {{x}}"),
            ("\"\\u00e9\\x41\\t{{x}}\"", "éA\t{{x}}"),
            ("\"\"\"\na\\\n   b {{x}}\n\"\"\"", "ab {{x}}\n"),
            ("'''\nit's \\{{x}}'''", "it's \\{{x}}"),
            ("'{{x}}'", "{{x}}"),
        ] {
            let written = written(toml, text);
            let at = text.find("{{x}}").unwrap();
            assert_eq!(shown(&written.place_of(at..at + 5)), "{{x}}", "{toml}");
        }
    }

    #[test]
    fn a_text_that_is_written_otherwise_is_shown_as_a_whole() {
        let written = written("\"abc\"", "something else");
        assert_eq!(shown(&written.place_of(0..3)), "\"abc\"");
    }

    #[test]
    fn a_part_knows_where_it_comes_from() {
        let written = written("\"(gt a 1)\"", "(gt a 1)");
        let part = written.part("{{json ", 0..8, "}}");
        assert_eq!(part.text, "{{json (gt a 1)}}");
        assert_eq!(shown(&part.place), "(gt a 1)");
        let at = part.text.find("gt").unwrap();
        assert_eq!(shown(&part.place_of(at..at + 2)), "gt");
        assert_eq!(part.place_of(0..3).span, 1..1);
    }
}
