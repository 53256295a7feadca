//! One segment of a pattern: its pieces checked, its regex compiled.

use std::cmp::Reverse;
use std::ops::Range;

use super::segment::{Mixed, Rank, Reach, Rest, Segment};
use super::{PatternError, regex_pool};

pub(super) type Result<T> = std::result::Result<T, PatternError>;

/// A piece of the text and where it starts.
#[derive(Clone, Copy)]
pub(super) struct Spanned<'t> {
    pub(super) text: &'t str,
    pub(super) start: usize,
}

impl Spanned<'_> {
    pub(super) fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }
}

/// What a segment is made of.
pub(super) enum Piece<'t> {
    Literal(&'t str),
    Marker { name: &'t str, regex: Option<Spanned<'t>> },
}

/// The segment that these pieces make up at `span`.
pub(super) fn segment(pieces: &[Piece<'_>], span: Range<usize>) -> Result<Segment> {
    match *pieces {
        [] => Ok(Segment::Literal("".into())),
        [Piece::Literal(text)] => literal_segment(text, span),
        [Piece::Marker { name, regex: None }] => Ok(Segment::Marker(name.into())),
        _ => mixed_segment(pieces, span).map(Segment::Mixed),
    }
}

/// What the pieces of the last segment mean if they are a remainder, as one string.
pub(super) fn remainder(pieces: &[Piece<'_>]) -> Option<Rest> {
    let &[Piece::Marker { name, regex: Some(regex) }] = pieces else {
        return None;
    };
    let reach = match regex.text {
        ".*" => Reach::AfterSlash,
        ".+" => Reach::NonEmpty,
        _ => return None,
    };
    Some(Rest { name: name.into(), reach, list: false })
}

/// Whether this can name a marker.
pub(super) fn is_name(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn literal_segment(text: &str, span: Range<usize>) -> Result<Segment> {
    if matches!(text, "." | "..") {
        return Err(PatternError::new(span, "a dot segment is never matched")
            .help("clients resolve `.` and `..` before they ask"));
    }
    if let Some(name) = text.strip_prefix(':')
        && is_name(name)
    {
        return Err(PatternError::new(span, format!("`:{name}` is no marker")).help(format!("write `{{{name}}}`")));
    }
    Ok(Segment::Literal(text.into()))
}

fn mixed_segment(pieces: &[Piece<'_>], span: Range<usize>) -> Result<Mixed> {
    let mut regex = String::from(r"\A");
    let mut names = Vec::new();
    let mut groups = Vec::new();
    let mut next_group = 1;
    let (mut literal_chars, mut plain_markers) = (0, 0);
    for piece in pieces {
        match *piece {
            Piece::Literal(text) => {
                regex.push_str(&regex::escape(text));
                literal_chars += text.chars().count();
            }
            Piece::Marker { name, regex: own } => {
                names.push(name.into());
                groups.push(next_group);
                next_group += 1;
                if let Some(own) = own {
                    next_group += check_regex(name, own)?;
                    regex.extend(["(", own.text, ")"]);
                } else {
                    plain_markers += 1;
                    regex.push_str("(.+)");
                }
            }
        }
    }
    regex.push_str(r"\z");
    Ok(Mixed {
        pieces: (pieces.iter())
            .map(|piece| match *piece {
                Piece::Literal(text) => Some(text.into()),
                Piece::Marker { .. } => None,
            })
            .collect(),
        names,
        groups,
        regex: regex_pool::compile(&regex).map_err(|error| not_compiled(&error, span))?,
        rank: Rank { literal_chars: Reverse(literal_chars), plain_markers, shape: regex.into() },
    })
}

/// Checks the regex of one marker by itself; answers how many capture groups it has.
fn check_regex(name: &str, regex: Spanned<'_>) -> Result<usize> {
    if matches!(regex.text, ".*" | ".+") {
        let message = format!("`{}` reaches across `/` as the whole last segment only", regex.text);
        return Err(PatternError::new(regex.span(), message)
            .help(format!("write `{{{name}}}`, or `{{{name}:[^/]*}}` for a part that may be empty")));
    }
    if let Some(at) = literal_slash(regex.text) {
        let at = regex.start + at;
        return Err(PatternError::new(at..at + 1, "a regex is matched within one segment")
            .help(format!("put `/` between markers, or end with `{{{name}:.*}}`")));
    }
    regex_pool::check(regex.text).map_err(|(span, message)| {
        PatternError::new(regex.start + span.start..regex.start + span.end, message).help(regex_pool::SYNTAX)
    })
}

/// Each marker's regex is sound by now, so what is left is their sum.
fn not_compiled(error: &regex::Error, span: Range<usize>) -> PatternError {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            PatternError::new(span, format!("compiled, this takes more than {limit} bytes")).help(regex_pool::SMALLER)
        }
        _ => PatternError::new(span, "these regexes do not work side by side")
            .help("do not name groups in a regex, and do not use its `x` flag"),
    }
}

/// The first `/` of a regex that stands outside a negated class such as `[^/]`.
fn literal_slash(regex: &str) -> Option<usize> {
    let mut classes = Vec::new();
    let mut chars = regex.char_indices().peekable();
    while let Some((at, found)) = chars.next() {
        match found {
            '\\' if chars.next_if(|&(_, next)| next != '/').is_some() => {}
            '/' if !classes.contains(&true) => return Some(at),
            '[' => {
                classes.push(chars.next_if(|&(_, next)| next == '^').is_some());
                // First in a class, `]` is one of its characters.
                chars.next_if(|&(_, next)| next == ']');
            }
            ']' => {
                classes.pop();
            }
            _ => {}
        }
    }
    None
}
