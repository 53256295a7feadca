//! What a file says: a head, then the bytes of the entry.
//!
//! ```text
//! "SWS" | layout | version | expires | bytes
//!  3      1        u64 BE    u64 BE, all ones: never
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::{Entry, Found};

/// The mark of our files, and the only layout there has been.
const MARK: &[u8; 4] = b"SWS\x01";
/// What is the same in every layout.
const NAME: &[u8; 3] = b"SWS";
const NEVER: u64 = u64::MAX;
const HEAD_BYTES: usize = MARK.len() + 8 + 8;

struct Head {
    version: u64,
    expires: Option<u64>,
}

pub(super) fn write(version: u64, entry: &Entry) -> Vec<u8> {
    let mut file = Vec::with_capacity(HEAD_BYTES + entry.bytes.len());
    file.extend_from_slice(MARK);
    file.extend_from_slice(&version.to_be_bytes());
    file.extend_from_slice(&entry.expires.unwrap_or(NEVER).to_be_bytes());
    file.extend_from_slice(&entry.bytes);
    file
}

/// What is in a file. One that is damaged has something, too: version 0 and
/// all its bytes, which are no record.
pub(super) fn read(file: Vec<u8>) -> Found {
    match head(&file) {
        Some((head, bytes)) => Found { version: head.version, bytes: bytes.into() },
        None => Found { version: 0, bytes: file.into() },
    }
}

/// When a file may be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expiry {
    At(u64),
    Never,
    /// It is cut off, or none of ours.
    Damaged,
}

/// When the file at `path` may be forgotten. Reads the head only.
pub(super) fn expiry(path: &Path) -> io::Result<Expiry> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    File::open(path)?.take(HEAD_BYTES as u64).read_to_end(&mut bytes)?;
    Ok(match head(&bytes) {
        Some((Head { expires: Some(expires), .. }, _)) => Expiry::At(expires),
        Some(_) => Expiry::Never,
        // Of a later version, which knows when.
        None if bytes.starts_with(NAME) && bytes.len() == HEAD_BYTES && !bytes.starts_with(MARK) => Expiry::Never,
        None => Expiry::Damaged,
    })
}

fn head(file: &[u8]) -> Option<(Head, &[u8])> {
    let rest = file.strip_prefix(MARK)?;
    let (version, rest) = rest.split_first_chunk()?;
    let (expires, bytes) = rest.split_first_chunk()?;
    let expires = u64::from_be_bytes(*expires);
    let head = Head { version: u64::from_be_bytes(*version), expires: (expires != NEVER).then_some(expires) };
    Some((head, bytes))
}
