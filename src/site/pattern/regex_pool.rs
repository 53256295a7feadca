//! Compiled regexes, shared by their text.
//!
//! A Unicode-aware regex as small as `\d{4}` takes a tenth of a megabyte. Many routes have the
//! same few, and a reload has those of the running site again, so each is compiled once and kept
//! for as long as any pattern has it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};

/// Bytes one compiled regex may take; `[\w-]{1,64}` fits.
const SIZE_LIMIT: usize = 4 << 20;
/// Bytes one regex may take while matching, for each thread.
const CACHE_LIMIT: usize = 1 << 20;

/// Groups within groups: parsing one is recursive.
const NEST_LIMIT: u32 = 32;

/// Advice about what a regex cannot hold.
pub const SYNTAX: &str = "the syntax is that of Rust's regex crate: no look-around, no back-references";
/// Advice about one that is too big.
pub const SMALLER: &str = "repeat less, or leave Unicode out: `[0-9]` for `\\d`, `[0-9A-Za-z_]` for `\\w`";

static COMPILED: LazyLock<Mutex<HashMap<Box<str>, Weak<Regex>>>> = LazyLock::new(Mutex::default);

/// The regex of this text: the one in use, or else a new one.
///
/// # Errors
/// Those of the regex crate; 4 MiB compiled is too big.
pub fn compile(text: &str) -> Result<Arc<Regex>, regex::Error> {
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = compiled.get(text).and_then(Weak::upgrade) {
        return Ok(regex);
    }
    let mut builder = RegexBuilder::new(text);
    let builder = builder.size_limit(SIZE_LIMIT).dfa_size_limit(CACHE_LIMIT);
    let regex = Arc::new(builder.build()?);
    if compiled.len() == compiled.capacity() {
        compiled.retain(|_, regex| regex.strong_count() > 0);
    }
    compiled.insert(text.into(), Arc::downgrade(&regex));
    Ok(regex)
}

/// Parses a regex: how many capture groups it has.
///
/// # Errors
/// Where it is wrong, and why; also if no text can match it.
pub fn check(text: &str) -> Result<usize, (Range<usize>, String)> {
    let parsed = regex_syntax::ParserBuilder::new().nest_limit(NEST_LIMIT).build().parse(text);
    let (span, message) = match parsed {
        Ok(parsed) if is_hopeless(&parsed) => return Err((0..text.len(), "no text matches it".to_owned())),
        Ok(parsed) => return Ok(parsed.properties().explicit_captures_len()),
        Err(regex_syntax::Error::Parse(error)) => (*error.span(), error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => (*error.span(), error.kind().to_string()),
        Err(error) => return Err((0..text.len(), error.to_string())),
    };
    // An empty place is the end: something is missing, and anywhere may be where.
    Err(match span.start.offset..span.end.offset {
        empty if empty.is_empty() => (0..text.len(), message),
        span => (span, message),
    })
}

/// Whether no text can match: it has a class such as `[^\s\S]` in it that it cannot do without.
fn is_hopeless(regex: &Hir) -> bool {
    match regex.kind() {
        HirKind::Class(Class::Unicode(class)) => class.ranges().is_empty(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().is_empty(),
        HirKind::Repetition(repetition) => repetition.min > 0 && is_hopeless(&repetition.sub),
        HirKind::Capture(capture) => is_hopeless(&capture.sub),
        HirKind::Concat(parts) => parts.iter().any(is_hopeless),
        HirKind::Alternation(choices) => choices.iter().all(is_hopeless),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Look(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_regexes_are_one_while_in_use() {
        let first = compile("a{2}equal").unwrap();
        assert!(Arc::ptr_eq(&first, &compile("a{2}equal").unwrap()));
        assert!(!Arc::ptr_eq(&first, &compile("a{3}equal").unwrap()));
        let gone = Arc::downgrade(&first);
        drop(first);
        assert!(gone.upgrade().is_none());
        assert!(compile("a{2}equal").is_ok());
    }

    #[test]
    fn a_regex_that_is_too_big_is_an_error() {
        assert!(compile(r"(\w{99}){99}").is_err());
        assert!(compile(r"[\w-]{1,64}").is_ok());
    }

    #[test]
    fn a_regex_that_no_text_matches_is_an_error() {
        for text in [r"[^\s\S]", r"a[^\x00-\x{10ffff}]b"] {
            assert_eq!(check(text), Err((0..text.len(), "no text matches it".to_owned())), "{text}");
        }
        for text in ["", "a|[^\\s\\S]", "x*", r"([^\s\S])?", "$^"] {
            assert!(check(text).is_ok(), "{text}");
        }
    }
}
