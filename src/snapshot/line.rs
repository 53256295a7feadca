//! One line of a `.http` file, which knows where it stands.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place, Source};

/// One line, without its line ending.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// Its text.
    pub text: &'a str,
    start: usize,
    source: &'a Arc<Source>,
}

impl<'a> Line<'a> {
    /// The lines of a text. A byte order mark is none of it.
    pub fn all(source: &'a Arc<Source>) -> impl Iterator<Item = Self> {
        let whole = source.text().unwrap_or_default();
        let text = whole.trim_start_matches('\u{feff}');
        let mut next = whole.len() - text.len();
        text.split_inclusive('\n').map(move |line| {
            let start = next;
            next += line.len();
            let text = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
            Self { text, start, source }
        })
    }

    /// Where `part` stands in it; the whole line where it does not.
    pub fn place(&self, part: &str) -> Place {
        let part = if part.is_empty() { self.text.trim() } else { part };
        let (at, length) = self.text.find(part).map_or((0, self.text.len()), |at| (at, part.len()));
        self.source.place(self.start + at..self.start + at + length)
    }

    /// An error about `part` of it; about the whole line where that is not in it.
    pub fn error(&self, part: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(&self.place(part), message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_knows_its_place_whatever_ends_the_lines_before() {
        let source = Source::file("a.http", "\u{feff}GET /\r\n\n# @vistor bob\r\nlast");
        let lines: Vec<Line<'_>> = Line::all(&source).collect();
        assert_eq!(lines.iter().map(|line| line.text).collect::<Vec<_>>(), ["GET /", "", "# @vistor bob", "last"]);
        assert_eq!(lines[2].place("@vistor").to_string(), "a.http:3:3");
        assert_eq!(lines[2].place("elsewhere").to_string(), "a.http:3:1");
        assert_eq!(lines[3].place("").to_string(), "a.http:4:1");
    }
}
