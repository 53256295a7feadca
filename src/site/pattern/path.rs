//! The path of a URL (RFC 3986, section 3.3): cut at `/`, then decoded, and back.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but `pchar`: what a segment must encode. Pyramid's `PATH_SAFE` without the `/`.
const NOT_IN_A_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Why a path has no meaning at all; the answer is 400 (Pyramid answers 500, or takes it as text).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// A `%` without two hexadecimal digits.
    Escape,
    /// Bytes that are not UTF-8.
    Utf8,
    /// A control character, NUL and line ends included.
    Control,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Escape => "the path holds a `%` without two hexadecimal digits",
            Self::Utf8 => "the path is not UTF-8",
            Self::Control => "the path holds a control character",
        })
    }
}

impl std::error::Error for Malformed {}

/// The decoded segments of a raw path; the empty path is the root. `None` when no pattern can
/// match: it does not start with `/`, or a segment is not [matchable](is_matchable).
pub(in crate::site) fn decode(raw: &str) -> Result<Option<Vec<Cow<'_, str>>>, Malformed> {
    let relative = match raw.strip_prefix('/') {
        Some(relative) => relative,
        None if raw.is_empty() => raw,
        None => return Ok(None),
    };
    let segments = relative.split('/').map(decode_segment);
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    let last = segments.len() - 1;
    let matchable = (segments.iter().enumerate()).all(|(at, s)| is_matchable(s, at == last));
    Ok(matchable.then_some(segments))
}

/// One segment, percent-encoded.
pub(in crate::site) fn encode(segment: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(segment, NOT_IN_A_SEGMENT)
}

/// Whether any pattern matches a path with this decoded segment. Empty segments do not count but
/// at the end, where they are the trailing slash; dot segments never do, since clients resolve
/// them (RFC 3986, section 5.2.4) and only an attacker sends one.
pub(in crate::site) fn is_matchable(segment: &str, last: bool) -> bool {
    (last || !segment.is_empty()) && segment != "." && segment != ".." && !segment.contains(char::is_control)
}

fn decode_segment(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    let mut escapes = raw.split('%');
    escapes.next();
    let is_hex = |escape: &str| {
        let digits = escape.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !escapes.all(is_hex) {
        return Err(Malformed::Escape);
    }
    let segment = percent_decode_str(raw).decode_utf8().map_err(|_| Malformed::Utf8)?;
    if segment.contains(char::is_control) {
        return Err(Malformed::Control);
    }
    Ok(segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(raw: &str) -> Option<Vec<String>> {
        let segments = decode(raw).unwrap()?;
        Some(segments.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn a_path_is_cut_before_it_is_decoded() {
        assert_eq!(segments("/a%2Fb/c").unwrap(), ["a/b", "c"]);
        assert_eq!(segments("/%68owdy").unwrap(), ["howdy"]);
        assert_eq!(segments("/100%25").unwrap(), ["100%"]);
        assert_eq!(segments("/%2541").unwrap(), ["%41"], "decoded once only");
        assert_eq!(segments("/a+b").unwrap(), ["a+b"], "a plus is no blank");
    }

    #[test]
    fn the_empty_path_is_the_root_and_a_trailing_slash_counts() {
        assert_eq!(segments("").unwrap(), [""]);
        assert_eq!(segments("/").unwrap(), [""]);
        assert_eq!(segments("/a/").unwrap(), ["a", ""]);
    }

    #[test]
    fn what_no_pattern_matches_is_none() {
        for raw in ["*", "a", "//", "//a", "/a//b", "/./a", "/a/..", "/%2e%2E/a", "/%2e"] {
            assert_eq!(segments(raw), None, "{raw}");
        }
        assert!(segments("/...").is_some());
    }

    #[test]
    fn malformed_paths_say_why() {
        for raw in ["/%zz", "/%", "/%4", "/a/%4/b", "/%%41", "/%é"] {
            assert_eq!(decode(raw), Err(Malformed::Escape), "{raw}");
        }
        for raw in ["/%ff", "/%C3", "/%C3/%A9", "/%ED%A0%80"] {
            assert_eq!(decode(raw), Err(Malformed::Utf8), "{raw}");
        }
        for raw in ["/howdy%0A", "/%00", "/%7F", "/%C2%85", "/a\nb"] {
            assert_eq!(decode(raw), Err(Malformed::Control), "{raw}");
        }
    }

    #[test]
    fn a_segment_encodes_what_a_path_cannot_hold() {
        let encoded: String = encode("a/b c%?#é\"<~!$&'()*+,;=:@").collect();
        assert_eq!(encoded, "a%2Fb%20c%25%3F%23%C3%A9%22%3C~!$&'()*+,;=:@");
    }
}
