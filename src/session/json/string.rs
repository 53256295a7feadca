//! The inside of a JSON string, still in the spelling it came in.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::Chars;

/// The text between the quotes of a checked JSON string.
///
/// Equality and order are those of the characters it spells, whatever the
/// escapes, and tell lone surrogates apart, which `&str` could not.
#[derive(Clone, Copy, Debug)]
pub struct Str<'t>(&'t str);

impl<'t> Str<'t> {
    /// Takes `body`, which must come from a checked text.
    #[must_use]
    pub fn new(body: &'t str) -> Self {
        Self(body)
    }

    /// The text as it is spelled.
    #[must_use]
    pub fn body(self) -> &'t str {
        self.0
    }

    /// The characters; a lone surrogate reads as U+FFFD.
    #[must_use]
    pub fn to_text(self) -> Cow<'t, str> {
        if self.is_plain() {
            return Cow::Borrowed(self.0);
        }
        let character = |unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER);
        Cow::Owned(self.units().map(character).collect())
    }

    /// The code points, lone surrogates included.
    pub fn units(self) -> Units<'t> {
        Units(self.0.chars())
    }

    /// Whether it spells exactly `text`.
    #[must_use]
    pub fn spells(self, text: &str) -> bool {
        if self.is_plain() { self.0 == text } else { self.units().eq(text.chars().map(u32::from)) }
    }

    /// Whether there is no escape in it.
    #[must_use]
    pub fn is_plain(self) -> bool {
        !self.0.contains('\\')
    }
}

impl Ord for Str<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        if self.is_plain() && other.is_plain() {
            self.0.cmp(other.0) // UTF-8 sorts as its code points do
        } else {
            self.units().cmp(other.units())
        }
    }
}

impl PartialOrd for Str<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Str<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Str<'_> {}

/// The code points of a [`Str`]: escapes resolved, surrogate pairs joined.
#[derive(Clone, Debug)]
pub struct Units<'t>(Chars<'t>);

impl Iterator for Units<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let first = self.0.next()?;
        if first != '\\' {
            return Some(u32::from(first));
        }
        Some(match self.0.next()? {
            'b' => 0x08,
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'u' => {
                let unit = hex(&mut self.0);
                self.joined(unit).unwrap_or(unit)
            }
            other => u32::from(other),
        })
    }
}

impl Units<'_> {
    /// `high` and the low surrogate escaped right behind it, as one code point.
    fn joined(&mut self, high: u32) -> Option<u32> {
        let rest = self.0.as_str().strip_prefix("\\u")?;
        let mut chars = rest.chars();
        let low = hex(&mut chars);
        if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
            return None;
        }
        self.0 = chars;
        Some(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }
}

/// The next four hexadecimal digits.
fn hex(chars: &mut Chars<'_>) -> u32 {
    let digits = chars.take(4).filter_map(|digit| digit.to_digit(16));
    digits.fold(0, |unit, digit| unit * 16 + digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_surrogates_are_resolved() {
        assert_eq!(Str::new(r"a\u00e9\n\/\\\ud83d\ude00").to_text(), "aé\n/\\😀");
        assert_eq!(Str::new(r"\ud83dx\ude00").to_text(), "\u{FFFD}x\u{FFFD}");
        assert_eq!(Str::new(r"\ud83d\ud83d\ude00").to_text(), "\u{FFFD}😀");
        assert!(matches!(Str::new("plain é").to_text(), Cow::Borrowed(_)));
    }

    #[test]
    fn equality_is_of_characters_not_of_spelling() {
        assert_eq!(Str::new(r"\u0061"), Str::new("a"));
        assert_eq!(Str::new(r"\ud83d\ude00"), Str::new("😀"));
        assert_ne!(Str::new(r"\ud800"), Str::new(r"\ud801"));
        assert!(Str::new(r"\u0061") < Str::new("b"));
    }

    #[test]
    fn a_lone_surrogate_is_not_the_replacement_character() {
        assert!(!Str::new(r"\ud800").spells("\u{FFFD}"));
        assert!(Str::new(r"\ufffd").spells("\u{FFFD}"));
    }
}
