//! JSON as Python's `json` module reads and writes it.
//!
//! A session may have been written by Pyramid, so this is a slightly wider
//! language than RFC 8259: `NaN` and `Infinity` are numbers, integers have no
//! bounds, strings may hold lone surrogates, and of two equal keys the last
//! one counts. Texts are checked once ([`check`], [`Scanner`]) and then read
//! piece by piece, so a value nobody asks for is never built and a value
//! nobody changes keeps its spelling.

mod read;
mod scan;
mod string;
mod write;

use std::fmt;

pub use read::{child, depth, index, inside, is_integer, items, kind, members, same, to_value};
pub use scan::{Keys, Scanner, check};
pub use string::Str;
pub use write::{separate, write_f64, write_string, write_value};

/// How many containers may be inside each other: enough for any session, too
/// few to exhaust a stack.
pub const MAX_DEPTH: usize = 64;

/// No limit, for texts that are known to be JSON: what this process wrote may
/// be deeper than what it would read, until it is stored.
pub const ANY_DEPTH: usize = usize::MAX;

/// What a JSON text is, told from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// Digits, and Python's `NaN`, `Infinity` and `-Infinity`.
    Number,
    /// `true`, `false` or `null`.
    Word,
}

/// Why a text is not JSON. Holds no part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where, in bytes from the start.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.at)
    }
}

impl std::error::Error for JsonError {}
