//! The parts of a pattern, and how each matches.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::slice;
use std::sync::Arc;

use regex::Regex;

use super::{BuildError, Param};

/// One segment of a pattern.
#[derive(Clone, Debug)]
pub(in crate::site) enum Segment {
    /// Exactly this text.
    Literal(Box<str>),
    /// `{name}`: any text but none.
    Marker(Box<str>),
    /// Anything else: markers with a regex, or beside other markers or text.
    Mixed(Mixed),
}

impl Segment {
    /// The names of its markers.
    pub(super) fn names(&self) -> &[Box<str>] {
        match self {
            Self::Literal(_) => &[],
            Self::Marker(name) => slice::from_ref(name),
            Self::Mixed(mixed) => &mixed.names,
        }
    }

    /// Whether this is what follows a trailing slash.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(text) if text.is_empty())
    }

    /// The values of its markers in a segment that it matches.
    pub(super) fn captures<'t>(&self, text: &'t str) -> Vec<&'t str> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Marker(_) => vec![text],
            Self::Mixed(mixed) => mixed.captures(text).unwrap_or_default(),
        }
    }

    /// The segment with a value for each marker, and the marker to blame if it cannot be matched.
    pub(super) fn fill(
        &self,
        value: &mut impl FnMut(&str) -> Result<String, BuildError>,
    ) -> Result<(Cow<'_, str>, &str), BuildError> {
        match self {
            Self::Literal(text) => Ok((Cow::Borrowed(text), "")),
            Self::Marker(name) => match value(name)? {
                empty if empty.is_empty() => Err(BuildError::DoesNotMatch(name.to_string())),
                text => Ok((Cow::Owned(text), name)),
            },
            Self::Mixed(mixed) => mixed.fill(value),
        }
    }
}

/// A segment that takes a regex to match.
#[derive(Clone, Debug)]
pub(in crate::site) struct Mixed {
    /// Text, and `None` for each marker.
    pub(super) pieces: Vec<Option<Box<str>>>,
    pub(super) names: Vec<Box<str>>,
    /// The capture group of each marker.
    pub(super) groups: Vec<usize>,
    /// The whole segment, anchored. It holds no names, so its text is also the segment's shape.
    pub(super) regex: Arc<Regex>,
    pub(super) rank: Rank,
}

impl Mixed {
    /// The text that each match starts with.
    pub(in crate::site) fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Some(text)) => text,
            _ => "",
        }
    }

    /// The whole segment as an anchored regex.
    pub(in crate::site) fn regex(&self) -> &Arc<Regex> {
        &self.regex
    }

    /// Its place among the mixed segments; equal only for those that cannot be told apart.
    pub(in crate::site) fn rank(&self) -> &Rank {
        &self.rank
    }

    fn captures<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let captures = self.regex.captures(text)?;
        let values = self.groups.iter().map(|&group| captures.get(group));
        Some(values.map(|value| value.map_or("", |value| value.as_str())).collect())
    }

    fn fill(
        &self,
        value: &mut impl FnMut(&str) -> Result<String, BuildError>,
    ) -> Result<(Cow<'_, str>, &str), BuildError> {
        let values = self.names.iter().map(|name| value(name));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let mut unused = values.iter();
        let text: String =
            (self.pieces.iter()).filter_map(|piece| piece.as_deref().or_else(|| unused.next().map(|v| &**v))).collect();
        let came_back = self.captures(&text).unwrap_or_default();
        let mut came_back = came_back.into_iter();
        for (name, value) in self.names.iter().zip(&values) {
            if came_back.next() != Some(value) {
                return Err(BuildError::DoesNotMatch(name.to_string()));
            }
        }
        let first = self.names.first().map_or("", |name| name);
        Ok((Cow::Owned(text), first))
    }
}

/// The order of mixed segments, most specific first: more literal characters, then fewer markers
/// that take anything, then the text of the regex, so that the order is always the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::site) struct Rank {
    pub(super) literal_chars: Reverse<usize>,
    pub(super) plain_markers: usize,
    pub(super) shape: Box<str>,
}

/// The remainder of a path, at the end of a pattern.
#[derive(Clone, Debug)]
pub(in crate::site) struct Rest {
    pub(super) name: Box<str>,
    pub(super) reach: Reach,
    /// `*name`, a list; otherwise `{name:.*}` or `{name:.+}`, one string.
    pub(super) list: bool,
}

impl Rest {
    /// The value in the remaining segments of a path that it matches.
    pub(super) fn capture(&self, remaining: &[Cow<'_, str>]) -> Param {
        if self.list {
            let parts = remaining.iter().filter(|part| !part.is_empty());
            Param::Rest(parts.map(|part| part.to_string()).collect())
        } else {
            Param::One(remaining.join("/"))
        }
    }

    /// The segments that give this value back; nothing at all is the shortest path.
    pub(super) fn split(&self, value: String) -> Result<Vec<String>, BuildError> {
        let lost = match self.reach {
            Reach::NonEmpty => value.is_empty(),
            Reach::AfterSlash | Reach::Optional => self.list && value.ends_with('/'),
        };
        if lost {
            return Err(BuildError::DoesNotMatch(self.name.to_string()));
        }
        if value.is_empty() && self.reach == Reach::Optional {
            return Ok(Vec::new());
        }
        Ok(value.split('/').map(str::to_owned).collect())
    }
}

/// What a remainder matches, most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::site) enum Reach {
    /// A slash and at least one character.
    NonEmpty,
    /// A slash and anything.
    AfterSlash,
    /// Anything, also no slash.
    Optional,
}

impl Reach {
    /// Whether these remaining segments are within reach.
    pub(in crate::site) fn contains(self, remaining: &[Cow<'_, str>]) -> bool {
        match self {
            Self::NonEmpty => remaining.first().is_some_and(|first| !first.is_empty()),
            Self::AfterSlash => !remaining.is_empty(),
            Self::Optional => true,
        }
    }
}
