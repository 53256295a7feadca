//! What a record is found under.

use std::fmt;

use sha2::{Digest, Sha256};

/// The key of a record: the SHA-256 of a session's id.
///
/// Safe to show: nobody gets from it to the id, so a copy of a store opens no
/// session. For operators it is the name of a session, in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; Key::SIZE]);

impl Key {
    /// The bytes of a key.
    pub const SIZE: usize = 32;

    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The key of the session that `id` names.
    #[must_use]
    pub fn of(id: &[u8]) -> Self {
        Self(Sha256::digest(id).into())
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    /// The first byte: an even distribution over 256 parts.
    pub(super) const fn first(&self) -> u8 {
        let [first, ..] = self.0;
        first
    }

    /// Reads what [`Display`](fmt::Display) writes.
    #[must_use]
    pub fn parse(hex: &str) -> Option<Self> {
        let mut key = [0; Self::SIZE];
        if hex.len() != 2 * Self::SIZE || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return None;
        }
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(Self(key))
    }
}

/// In hexadecimal, lower case.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_sha_256_of_the_id() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Key::of(b"").to_string(), empty);
        assert_eq!(Key::parse(empty), Some(Key::of(b"")));
    }

    #[test]
    fn only_its_own_spelling_is_a_key() {
        let hex = Key::of(b"").to_string();
        let signed = format!("+{}", &hex[1..]);
        let wide = format!("é{}", &hex[2..]);
        for text in ["", &hex[1..], &format!("{hex}0"), &hex.to_uppercase(), &signed, &wide] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
    }
}
