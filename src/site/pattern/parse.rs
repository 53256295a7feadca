//! Text to pattern, with the exact place of a mistake.

use super::PatternError;
use super::compile::{self, Piece, Result, Spanned, is_name};
use super::segment::{Reach, Rest, Segment};

/// The segments of a pattern and its remainder.
pub(super) fn parse(text: &str) -> Result<(Vec<Segment>, Option<Rest>)> {
    if let Some((at, control)) = text.char_indices().find(|(_, found)| found.is_control()) {
        let span = at..at + control.len_utf8();
        return Err(PatternError::new(span, "a path holds no control characters").help("remove it"));
    }
    let start = usize::from(text.starts_with('/'));
    let mut parser = Parser {
        text,
        at: start,
        segment_start: start,
        segment: Vec::new(),
        segments: Vec::new(),
        names: Vec::new(),
        rest: None,
    };
    while let Some(next) = parser.left().chars().next() {
        match next {
            '/' => parser.slash()?,
            '{' => parser.marker()?,
            '*' => parser.star()?,
            _ => parser.literal()?,
        }
    }
    parser.finish()
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    segment_start: usize,
    segment: Vec<Piece<'t>>,
    segments: Vec<Segment>,
    names: Vec<&'t str>,
    rest: Option<Rest>,
}

impl<'t> Parser<'t> {
    fn left(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, len: usize) -> Spanned<'t> {
        let (start, text) = (self.at, self.left().get(..len).unwrap_or_default());
        self.at += text.len();
        Spanned { text, start }
    }

    fn slash(&mut self) -> Result<()> {
        if self.segment.is_empty() {
            let span = self.at.saturating_sub(1)..self.at + 1;
            return Err(PatternError::new(span, "`//` in a path matches nothing")
                .help("write one `/`; a host does not belong into a pattern"));
        }
        self.end_segment()?;
        self.take(1);
        self.segment_start = self.at;
        Ok(())
    }

    fn literal(&mut self) -> Result<()> {
        let left = self.left();
        let literal = self.take(left.find(['/', '{', '*']).unwrap_or(left.len()));
        for (at, found) in literal.text.char_indices() {
            let after = literal.text.get(at..).unwrap_or_default();
            let (len, message, help) = match found {
                '}' => (1, "this `}` closes no marker", "a marker is written `{name}`".into()),
                '?' | '#' => (
                    1,
                    "a pattern is matched against the path alone",
                    "leave the query and the fragment out; a query arrives as parameters".into(),
                ),
                '%' if let Some(escape) = percent_escape(after) => (
                    escape.len(),
                    "a pattern is written decoded",
                    format!("write the character that `{escape}` stands for"),
                ),
                _ => continue,
            };
            let start = literal.start + at;
            return Err(PatternError::new(start..start + len, message).help(help));
        }
        self.segment.push(Piece::Literal(literal.text));
        Ok(())
    }

    fn marker(&mut self) -> Result<()> {
        let marker = self.take(self.marker_len()?);
        let inner = (marker.text.strip_prefix('{')).and_then(|text| text.strip_suffix('}'));
        let inner = inner.unwrap_or_default();
        let start = marker.start + 1;
        let (name, regex) = match inner.split_once(':') {
            None => (inner, None),
            Some((name, regex)) => (name, Some(regex)),
        };
        if name.is_empty() {
            return Err(
                PatternError::new(marker.span(), "this marker has no name").help("write `{name}` or `{name:regex}`")
            );
        }
        self.name(Spanned { text: name, start })?;
        let start = start + name.len() + 1;
        let regex = regex.map(|text| Spanned { text, start });
        if regex.is_some_and(|regex| regex.text.is_empty()) {
            let help = format!("write `{{{name}}}` for one or more characters");
            return Err(PatternError::new(marker.span(), "this regex is empty").help(help));
        }
        self.segment.push(Piece::Marker { name, regex });
        Ok(())
    }

    /// The length of the marker that starts here, up to the brace that closes it.
    fn marker_len(&self) -> Result<usize> {
        let mut depth = 0_u32;
        for (at, found) in self.left().char_indices() {
            match found {
                '{' if depth == 2 => {
                    let span = self.at + at..self.at + at + 1;
                    return Err(PatternError::new(span, "braces go one level deep in a regex")
                        .help("a brace to be matched is written `\\x7B` or `\\x7D`"));
                }
                '{' => depth += 1,
                '}' if depth == 1 => return Ok(at + 1),
                '}' => depth -= 1,
                _ => {}
            }
        }
        Err(PatternError::new(self.at..self.at + 1, "this `{` is not closed")
            .help("a marker is written `{name}` or `{name:regex}`"))
    }

    fn star(&mut self) -> Result<()> {
        let mut reach = Reach::AfterSlash;
        if !self.segment.is_empty() {
            reach = Reach::Optional;
            self.end_segment()?;
        }
        let star = self.take(self.left().len());
        let text = star.text.strip_prefix('*').unwrap_or_default();
        let start = star.start + 1;
        let (message, help) = if text.is_empty() {
            ("this remainder has no name", "write `*rest`")
        } else if text.contains(['/', '{', '*']) {
            ("`*` is for the end of a pattern", "write `{name}` for one segment")
        } else {
            self.name(Spanned { text, start })?;
            let (name, list) = (text.into(), true);
            self.rest = Some(Rest { name, reach, list });
            return Ok(());
        };
        Err(PatternError::new(star.start..start, message).help(help))
    }

    fn name(&mut self, name: Spanned<'t>) -> Result<()> {
        if !is_name(name.text) {
            let message = format!("`{}` is not a name", name.text);
            return Err(PatternError::new(name.span(), message)
                .help("a name starts with a letter or `_` and goes on with letters, digits and `_`"));
        }
        if self.names.contains(&name.text) {
            let message = format!("`{}` is there twice", name.text);
            return Err(PatternError::new(name.span(), message).help("give each marker its own name"));
        }
        self.names.push(name.text);
        Ok(())
    }

    fn end_segment(&mut self) -> Result<()> {
        let pieces = std::mem::take(&mut self.segment);
        let segment = compile::segment(&pieces, self.segment_start..self.at)?;
        self.segments.push(segment);
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<Segment>, Option<Rest>)> {
        if self.rest.is_none() {
            self.rest = compile::remainder(&self.segment);
            if self.rest.is_none() {
                self.end_segment()?;
            }
        }
        Ok((self.segments, self.rest))
    }
}

fn percent_escape(text: &str) -> Option<&str> {
    let escape = text.get(..3)?;
    let digits = escape.strip_prefix('%')?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some(escape)
}
