//! URL patterns, in Pyramid's syntax.
//!
//! | Written | Matches |
//! |---|---|
//! | `/howdy` | itself; the leading `/` is optional, `""` and `/` are the root |
//! | `{name}` | one or more characters of one segment |
//! | `{name:regex}` | what the regex matches, from end to end, within one segment |
//! | `{name}.{ext}` | markers and text share a segment; the left marker takes as much as it can |
//! | `/files/*rest` | the remaining segments as a list, also none: `/files/` |
//! | `/files*rest` | the same, and `/files` too |
//! | `/files/{path:.*}` | the remainder as one string; `.+` wants at least one character |
//!
//! Text is written decoded (`/a b`, not `/a%20b`), is case-sensitive, and a trailing slash counts.
//!
//! Where this differs from Pyramid ("URL Dispatch", Route Pattern Syntax) it is stricter:
//! a segment is cut before it is decoded, so `%2F` is a character and never a separator;
//! `//` and dot segments match nothing; only `.*` and `.+` reach across `/`, and only as the
//! whole last segment; `*rest` starts at a segment boundary, so `/files*rest` is not `/filesystem`;
//! what Pyramid would take as literal text by mistake (`{0a}`, `a*b`) is an error.

mod compile;
mod parse;
pub(in crate::site) mod path;
pub(super) mod regex_pool;
pub(in crate::site) mod segment;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use segment::{Reach, Rest, Segment};

/// The most segments a pattern may have; what walks patterns segment by segment relies on it.
const MAX_SEGMENTS: usize = 64;

/// A parsed URL pattern; see the [module documentation](self) for the syntax.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// What is cut at `/`; the root is one empty literal.
    segments: Vec<Segment>,
    rest: Option<Rest>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The first mistake in `text`: a bad, repeated or missing name, unbalanced braces, a regex
    /// that does not compile, compiles to more than 4 MiB or contains a `/`, a `*` that is not at
    /// the end, `//`, dot segments, control characters, `?`, `#` or percent escapes in literal
    /// text, more than 64 segments.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let (segments, rest) = parse::parse(text)?;
        let slash = if text.starts_with('/') { "" } else { "/" };
        Self { text: format!("{slash}{text}"), segments, rest }.limited(text)
    }

    /// The pattern as written, with the leading `/`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of the markers, from left to right.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let rest = self.rest.iter().map(|rest| &rest.name);
        let names = self.segments.iter().flat_map(Segment::names).chain(rest);
        names.map(|name| &**name)
    }

    /// The pattern under a mount point: `/a` under `/login` is `/login/a`, and the root is
    /// `/login` itself, without a trailing slash (Pyramid's `route_prefix` with `inherit_slash`).
    /// A remainder that matches the root goes on matching it: `/*rest` becomes `/login*rest`.
    ///
    /// # Errors
    /// `prefix` is literal text, so markers are refused, as is whatever [`Pattern::parse`] refuses
    /// in text. Spans are those of `prefix`.
    pub fn with_prefix(&self, prefix: &str) -> Result<Self, PatternError> {
        if let Some(at) = prefix.find(['{', '}', '*']) {
            return Err(PatternError::new(at..at + 1, "a mount point is literal text, without markers"));
        }
        let mut mounted = Self::parse(prefix)?;
        if mounted.is_root() {
            return Ok(self.clone());
        }
        if mounted.segments.last().is_some_and(Segment::is_empty) {
            mounted.segments.pop();
            mounted.text.pop();
        }
        if !self.is_root() {
            mounted.segments.extend_from_slice(&self.segments);
            mounted.rest = self.rest.clone();
            mounted.text.push_str(match &mounted.rest {
                Some(rest) if self.segments.is_empty() && rest.list => self.text.trim_start_matches('/'),
                _ => &self.text,
            });
        }
        if let Some(rest) = &mut mounted.rest
            && self.segments.is_empty()
            && rest.reach == Reach::AfterSlash
        {
            rest.reach = Reach::Optional;
        }
        mounted.limited(prefix)
    }

    /// The percent-encoded path of this pattern with `value` for each marker, given decoded.
    /// A `/` in a value is encoded, except in a remainder (`*rest`, `{path:.*}`), whose parts it
    /// separates.
    ///
    /// # Errors
    /// [`BuildError::Missing`] for a marker without a value, [`BuildError::DoesNotMatch`] for a
    /// value that would not come back when the path is matched: an empty one, a dot segment, a
    /// control character, text that the regex or a neighbour in the segment claims otherwise.
    pub fn path_for(&self, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, BuildError> {
        let mut value = |name: &str| value(name).ok_or_else(|| BuildError::Missing(name.into()));
        let mut filled: Vec<(Cow<'_, str>, &str)> = Vec::new();
        for segment in &self.segments {
            filled.push(segment.fill(&mut value)?);
        }
        if let Some(rest) = &self.rest {
            let parts = rest.split(value(&rest.name)?)?;
            filled.extend(parts.into_iter().map(|part| (part.into(), &*rest.name)));
        }
        let mut path = String::new();
        let mut left = filled.len();
        for (segment, name) in filled {
            left -= 1;
            if !path::is_matchable(&segment, left == 0) {
                return Err(BuildError::DoesNotMatch(name.into()));
            }
            path.push('/');
            path.extend(path::encode(&segment));
        }
        Ok(path)
    }

    /// The values of the markers in a path that this pattern matches, given as decoded segments.
    pub(in crate::site) fn captures(&self, path: &[Cow<'_, str>]) -> Vec<(&str, Param)> {
        let mut params = Vec::new();
        for (segment, text) in self.segments.iter().zip(path) {
            let values = segment.captures(text).into_iter();
            let values = values.map(|value| Param::One(value.to_owned()));
            params.extend(segment.names().iter().map(|name| &**name).zip(values));
        }
        if let Some(rest) = &self.rest {
            let remaining = path.get(self.segments.len()..).unwrap_or_default();
            params.push((&*rest.name, rest.capture(remaining)));
        }
        params
    }

    /// The segments before the remainder.
    pub(in crate::site) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// How far the remainder reaches, if there is one.
    pub(in crate::site) fn reach(&self) -> Option<Reach> {
        self.rest.as_ref().map(|rest| rest.reach)
    }

    fn is_root(&self) -> bool {
        self.rest.is_none() && matches!(&*self.segments, [only] if only.is_empty())
    }

    fn limited(self, text: &str) -> Result<Self, PatternError> {
        if self.segments.len() > MAX_SEGMENTS {
            let message = format!("a path has at most {MAX_SEGMENTS} segments");
            return Err(PatternError::new(0..text.len(), message));
        }
        Ok(self)
    }
}

/// The value of a marker, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Param {
    /// Of `{name}` and `{name:regex}`, and a remainder taken as one string.
    One(String),
    /// Of `*rest`: one part for each segment. A trailing slash adds none, as in Pyramid.
    Rest(Vec<String>),
}

/// As one string, the parts of a list joined with `/`: what [`Pattern::path_for`] takes. A part
/// that holds a `/` of its own (an encoded one) cannot be told from two parts in this form.
impl fmt::Display for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(value) => f.write_str(value),
            Self::Rest(parts) => f.write_str(&parts.join("/")),
        }
    }
}

/// A mistake in a pattern: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// The bytes of the text it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl PatternError {
    fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatternError {}

/// Why a pattern has no path for the given values; each holds the marker's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// There is no value for this marker.
    Missing(String),
    /// The path would not give this marker's value back.
    DoesNotMatch(String),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the path needs a value for `{name}`"),
            Self::DoesNotMatch(name) => write!(f, "the path cannot hold this value of `{name}`"),
        }
    }
}

impl std::error::Error for BuildError {}

#[cfg(test)]
mod tests;
