//! What is stored of a session.
//!
//! ```text
//! bytes = format | created | renewed | state | tag
//!         1        f64 BE    f64 BE    JSON    16, HMAC-SHA-256(key, Key | all before)
//! ```
//!
//! The tag is a MAC rather than a checksum, under a key derived from the
//! secret for this purpose and this cookie name. It finds damage as well, and
//! besides, whoever can write to the store (it may be a shared server) can
//! neither make up a session nor put one visitor's under another's key. Half
//! of the hash is enough for that (RFC 2104 5). What it cannot find is an
//! older record of the same session, put back.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::derive::derive;
use super::super::factory::SignerError;
use super::super::secret::Secret;
use super::{Found, Key};

/// The format that is written, and the only one there has been.
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 1 + 8 + 8;
const TAG_BYTES: usize = 16;

/// What is stored of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// When the session began.
    pub created: f64,
    /// When it was last stored.
    pub renewed: f64,
    /// Its state, as [`Session::to_state_text`](super::super::Session::to_state_text) spells it.
    pub state: &'a str,
}

impl Record<'_> {
    /// The bytes it takes in the store.
    #[must_use]
    pub fn size(&self) -> usize {
        HEAD_BYTES + self.state.len() + TAG_BYTES
    }
}

/// Why the bytes under a key are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// They are too few.
    Short,
    /// They are in a format that this version does not know.
    Format(u8),
    /// They were changed, cut off, made for another key or cookie, or under a
    /// secret that is gone.
    Tag,
    /// They are genuine, but no session.
    Contents,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("it is cut off"),
            Self::Format(format) => write!(f, "its format is {format}, and only {FORMAT} is known"),
            Self::Tag => f.write_str("it is damaged, not made for this session, or made with a secret that is gone"),
            Self::Contents => f.write_str("it is genuine, but holds no session"),
        }
    }
}

impl std::error::Error for Damage {}

/// Seals records with the newest secret, and opens those sealed with any.
pub(super) struct Seal {
    newest: Hmac<Sha256>,
    older: Vec<Hmac<Sha256>>,
}

impl Seal {
    pub fn new(cookie_name: &str, secrets: &[Secret]) -> Result<Self, SignerError> {
        let keyed = |secret| {
            let key = derive(secret, "record", cookie_name);
            Hmac::new_from_slice(key.as_ref()).map_err(|_| SignerError::Key)
        };
        let (first, rest) = secrets.split_first().ok_or(SignerError::NoSecret)?;
        Ok(Self { newest: keyed(first)?, older: rest.iter().map(keyed).collect::<Result<_, _>>()? })
    }

    /// The bytes of `record`, for `key` alone.
    pub fn seal(&self, key: &Key, record: &Record<'_>) -> Box<[u8]> {
        let mut bytes = Vec::with_capacity(record.size());
        bytes.push(FORMAT);
        bytes.extend_from_slice(&record.created.to_be_bytes());
        bytes.extend_from_slice(&record.renewed.to_be_bytes());
        bytes.extend_from_slice(record.state.as_bytes());
        let tag = tagged(&self.newest, key, &bytes).finalize().into_bytes();
        bytes.extend(tag.iter().take(TAG_BYTES));
        bytes.into()
    }

    /// The record that was sealed for `key`.
    pub fn open<'f>(&self, key: &Key, found: &'f Found) -> Result<Record<'f>, Damage> {
        let (&format, _) = found.bytes.split_first().ok_or(Damage::Short)?;
        if format != FORMAT {
            return Err(Damage::Format(format));
        }
        let end = found.bytes.len().checked_sub(TAG_BYTES).ok_or(Damage::Short)?;
        let (body, tag) = found.bytes.split_at_checked(end).ok_or(Damage::Short)?;
        let mut secrets = std::iter::once(&self.newest).chain(&self.older);
        if !secrets.any(|secret| tagged(secret, key, body).verify_truncated_left(tag).is_ok()) {
            return Err(Damage::Tag);
        }
        let (_, rest) = body.split_first().ok_or(Damage::Contents)?;
        let (created, rest) = rest.split_first_chunk().ok_or(Damage::Contents)?;
        let (renewed, state) = rest.split_first_chunk().ok_or(Damage::Contents)?;
        Ok(Record {
            created: f64::from_be_bytes(*created),
            renewed: f64::from_be_bytes(*renewed),
            state: std::str::from_utf8(state).map_err(|_| Damage::Contents)?,
        })
    }
}

fn tagged(secret: &Hmac<Sha256>, key: &Key, body: &[u8]) -> Hmac<Sha256> {
    secret.clone().chain_update(key.as_bytes()).chain_update(body)
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("secrets", &(1 + self.older.len())).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORD: Record<'_> = Record { created: 1.5, renewed: 2.5, state: r#"{"n": 1}"# };

    fn seal(name: &str, secrets: &[&str]) -> Seal {
        let secrets: Vec<_> = secrets.iter().map(|&secret| Secret::new(secret.into())).collect();
        Seal::new(name, &secrets).expect("a secret")
    }

    fn found(bytes: &[u8]) -> Found {
        Found { version: 1, bytes: bytes.into() }
    }

    #[test]
    fn a_record_takes_33_bytes_and_its_state() {
        let bytes = seal("session", &["one"]).seal(&Key::of(b"a"), &RECORD);
        assert_eq!(bytes.len(), 33 + RECORD.state.len());
    }

    #[test]
    fn a_record_counts_under_its_key_its_cookie_and_its_secrets_only() {
        let key = Key::of(b"a");
        let entry = found(&seal("session", &["old"]).seal(&key, &RECORD));
        assert_eq!(seal("session", &["new", "old"]).open(&key, &entry), Ok(RECORD));
        assert_eq!(seal("session", &["old"]).open(&Key::of(b"b"), &entry), Err(Damage::Tag));
        assert_eq!(seal("sid", &["old"]).open(&key, &entry), Err(Damage::Tag));
        assert_eq!(seal("session", &["new"]).open(&key, &entry), Err(Damage::Tag));
    }

    #[test]
    fn a_format_of_the_future_is_named() {
        let (seal, key) = (seal("session", &["one"]), Key::of(b"a"));
        let mut bytes = seal.seal(&key, &RECORD);
        bytes[0] = 2;
        assert_eq!(seal.open(&key, &found(&bytes)), Err(Damage::Format(2)));
    }

    #[test]
    fn a_record_says_nothing_when_shown() {
        let shown = format!("{:?} {:?}", seal("session", &["alpha"]), found(b"private"));
        assert_eq!(shown, "Seal { secrets: 1 } Found { version: 1, bytes: 7 }");
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(created: f64, renewed: f64, state in ".*", id: [u8; 4]) {
            let (seal, key) = (seal("session", &["one"]), Key::of(&id));
            let entry = found(&seal.seal(&key, &Record { created, renewed, state: &state }));
            let opened = seal.open(&key, &entry).expect("a record");
            prop_assert_eq!(opened.created.to_bits(), created.to_bits());
            prop_assert_eq!(opened.renewed.to_bits(), renewed.to_bits());
            prop_assert_eq!(opened.state, state);
        }

        #[test]
        fn a_flipped_bit_and_a_missing_end_are_found(state in ".{0,40}", at: prop::sample::Index, bit in 0_u32..8) {
            let (seal, key) = (seal("session", &["one"]), Key::of(b"a"));
            let bytes = seal.seal(&key, &Record { state: &state, ..RECORD });
            let at = at.index(bytes.len());
            prop_assert!(seal.open(&key, &found(&bytes[..at])).is_err());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1_u8 << bit;
            prop_assert!(seal.open(&key, &found(&flipped)).is_err());
        }

        #[test]
        fn any_bytes_are_no_record(bytes: Vec<u8>) {
            let seal = seal("session", &["one"]);
            prop_assert!(seal.open(&Key::of(b"a"), &found(&bytes)).is_err());
        }
    }
}
