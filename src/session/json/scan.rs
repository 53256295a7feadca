//! The scanner: one pass that checks a text and reports where its parts are.

use std::collections::BTreeSet;
use std::ops::Range;

use super::{JsonError, MAX_DEPTH, Str};

/// Python's own limit on the digits of an integer (`sys.int_info`).
const MAX_INTEGER_DIGITS: usize = 4300;

/// What two equal keys in one object mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The last one counts, as in Python.
    Any,
    /// An error, at every level.
    Unique,
}

/// Checks that `text` is one JSON value with nothing behind it.
///
/// # Errors
/// Names the first place that is not JSON, is nested deeper than
/// [`MAX_DEPTH`], or repeats a key where `keys` forbids it.
pub fn check(text: &str, keys: Keys) -> Result<(), JsonError> {
    let mut scanner = Scanner::new(text, keys);
    scanner.value(MAX_DEPTH)?;
    scanner.end()
}

/// A position in a text, moving over one value after the other.
///
/// All ranges are byte ranges of the text. `levels` is how many containers
/// may still open.
#[derive(Debug)]
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
    keys: Keys,
}

impl<'t> Scanner<'t> {
    /// At the start of `text`.
    #[must_use]
    pub fn new(text: &'t str, keys: Keys) -> Self {
        Self { text, at: 0, keys }
    }

    /// Steps over any one value and says where it is.
    ///
    /// # Errors
    /// As [`check`].
    pub fn value(&mut self, levels: usize) -> Result<Range<usize>, JsonError> {
        self.blanks();
        let start = self.at;
        match self.peek() {
            Some(b'{') => self.members(levels, |_, _| {})?,
            Some(b'[') => self.items(levels, |_| {})?,
            Some(b'"') => _ = self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true")?,
            Some(b'f') => self.word("false")?,
            Some(b'n') => self.word("null")?,
            Some(b'N') => self.word("NaN")?,
            Some(b'I') => self.word("Infinity")?,
            _ => return self.fail("a value is missing"),
        }
        Ok(start..self.at)
    }

    /// Steps over an object; `each` gets a key (without its quotes) and a value.
    ///
    /// # Errors
    /// As [`check`], and if there is no object here.
    pub fn members(
        &mut self,
        levels: usize,
        mut each: impl FnMut(Range<usize>, Range<usize>),
    ) -> Result<(), JsonError> {
        let mut seen = BTreeSet::new();
        self.container(levels, b'{', b'}', |scanner, inner| {
            scanner.blanks();
            let key_at = scanner.at;
            let key = scanner.string()?;
            let repeated = scanner.keys == Keys::Unique && !seen.insert(Str::new(scanner.slice(key.clone())));
            if repeated {
                scanner.at = key_at;
                return scanner.fail("the key is repeated");
            }
            scanner.blanks();
            if !scanner.take(b':') {
                return scanner.fail("a ':' is missing");
            }
            each(key, scanner.value(inner)?);
            Ok(())
        })
    }

    /// Steps over an array; `each` gets every item.
    ///
    /// # Errors
    /// As [`check`], and if there is no array here.
    pub fn items(&mut self, levels: usize, mut each: impl FnMut(Range<usize>)) -> Result<(), JsonError> {
        self.container(levels, b'[', b']', |scanner, inner| {
            each(scanner.value(inner)?);
            Ok(())
        })
    }

    /// Checks that only blanks are left.
    ///
    /// # Errors
    /// If there is anything else.
    pub fn end(&mut self) -> Result<(), JsonError> {
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("something follows the value"),
        }
    }

    /// `open`, entries with commas between them, `close`.
    fn container(
        &mut self,
        levels: usize,
        open: u8,
        close: u8,
        mut entry: impl FnMut(&mut Self, usize) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        self.blanks();
        let Some(inner) = levels.checked_sub(1) else {
            return self.fail("too many levels of nesting");
        };
        if !self.take(open) {
            return self.fail("a container is missing");
        }
        self.blanks();
        if self.take(close) {
            return Ok(());
        }
        loop {
            entry(self, inner)?;
            self.blanks();
            if self.take(close) {
                return Ok(());
            }
            if !self.take(b',') {
                return self.fail("a ',' is missing");
            }
        }
    }

    /// A string; the range leaves the quotes out.
    fn string(&mut self) -> Result<Range<usize>, JsonError> {
        if !self.take(b'"') {
            return self.fail("a '\"' is missing");
        }
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0..=0x1F) => return self.fail("a control character must be escaped"),
                Some(_) => self.at += 1,
                None => return self.fail("the string has no end"),
            }
        }
        self.at += 1;
        Ok(start..self.at - 1)
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = self.rest();
        let length = match rest.get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.get(2..6).is_some_and(all_hex) => 6,
            _ => return self.fail("the escape is unknown"),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let negative = self.take(b'-');
        if negative && self.peek() == Some(b'I') {
            return self.word("Infinity");
        }
        let start = self.at;
        if !self.take(b'0') && !self.digits() {
            return self.fail("a digit is missing");
        }
        let whole = self.at - start;
        let fraction = self.part(1, |first| first == b'.');
        let exponent = match self.rest().get(1) {
            Some(b'+' | b'-') => self.part(2, |first| first.eq_ignore_ascii_case(&b'e')),
            _ => self.part(1, |first| first.eq_ignore_ascii_case(&b'e')),
        };
        if whole > MAX_INTEGER_DIGITS && !fraction && !exponent {
            return self.fail("the integer is too long");
        }
        Ok(())
    }

    /// A lead of `lead` bytes, the first of them fitting, and then digits: all or nothing.
    fn part(&mut self, lead: usize, fits: impl Fn(u8) -> bool) -> bool {
        let before = self.at;
        if self.peek().is_some_and(fits) {
            self.at += lead;
            if self.digits() {
                return true;
            }
            self.at = before;
        }
        false
    }

    fn digits(&mut self) -> bool {
        let count = self.rest().iter().take_while(|b| b.is_ascii_digit());
        let count = count.count();
        self.at += count;
        count > 0
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        if !self.rest().starts_with(word.as_bytes()) {
            return self.fail("the word is unknown");
        }
        self.at += word.len();
        Ok(())
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'t [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn slice(&self, range: Range<usize>) -> &'t str {
        self.text.get(range).unwrap_or_default()
    }

    fn fail<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        let at = self.at.min(self.text.len());
        Err(JsonError { at, reason })
    }
}

fn all_hex(digits: &[u8]) -> bool {
    digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> &'static str {
        check(text, Keys::Any).expect_err(text).reason
    }

    #[test]
    fn accepts_what_python_accepts() {
        for text in [
            " [1, 2]\r\n\t",
            "{}",
            "[]",
            "NaN",
            "-Infinity",
            "Infinity",
            "-0",
            "-0.0e-0",
            "1E5",
            "1e+16",
            r#""\ud800""#,
            r#""\uDC00\ud800""#,
            r#""\/\b\f\n\r\t\"\\""#,
            "\"\u{7f}é\"",
            r#"{"a": 1, "a": 2}"#,
        ] {
            assert_eq!(check(text, Keys::Any), Ok(()), "{text}");
        }
        assert_eq!(check(&"9".repeat(4300), Keys::Any), Ok(()));
    }

    #[test]
    fn refuses_what_python_refuses() {
        for text in [
            "",
            " ",
            "[",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\" 1}",
            "[1 2]",
            "01",
            "1.",
            ".5",
            "+1",
            "-",
            "1e",
            "1e+",
            "-NaN",
            "nul",
            "truE",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"\\u123",
            "\"\n\"",
            "\"\u{0}\"",
            "[] x",
            "'a'",
            "\u{feff}[]",
            "0x1",
        ] {
            assert!(check(text, Keys::Any).is_err(), "{text}");
        }
        assert_eq!(reason(&"9".repeat(4301)), "the integer is too long");
        assert_eq!(reason("[] x"), "something follows the value");
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(MAX_DEPTH), Keys::Any), Ok(()));
        assert_eq!(reason(&nested(MAX_DEPTH + 1)), "too many levels of nesting");
        assert!(check(&"[".repeat(1_000_000), Keys::Any).is_err());
    }

    #[test]
    fn repeated_keys_are_found_at_every_level_and_in_every_spelling() {
        for text in [r#"{"a": 1, "a": 2}"#, r#"[{"b": {"a": 1, "\u0061": 2}}]"#] {
            assert_eq!(check(text, Keys::Unique).expect_err(text).reason, "the key is repeated");
        }
        let different = r#"{"\ud800": 1, "\ud801": 2, "a": {"a": {}}}"#;
        assert_eq!(check(different, Keys::Unique), Ok(()));
    }

    #[test]
    fn an_error_says_where() {
        let error = check(r#"{"a": tru}"#, Keys::Any).expect_err("not JSON");
        assert_eq!(error.to_string(), "the word is unknown at byte 6");
    }
}
