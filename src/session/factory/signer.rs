//! Signing with the newest secret, verifying with all of them.

use std::fmt;

use zeroize::Zeroizing;

use super::super::secret::Secret;
use super::hashalg::{HashAlg, Keyed};

/// A salt and secrets, made ready for any number of signatures.
pub struct Signer {
    hashalg: HashAlg,
    newest: Box<dyn Keyed>,
    older: Vec<Box<dyn Keyed>>,
}

/// Why secrets make no [`Signer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerError {
    /// There is none.
    NoSecret,
    /// The hash function cannot take this key.
    Key,
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSecret => "there is no secret to sign with",
            Self::Key => "the hash function cannot take this secret",
        })
    }
}

impl std::error::Error for SignerError {}

impl Signer {
    /// Computes the key schedules. The first of `secrets` signs.
    ///
    /// # Errors
    /// If there are no secrets.
    pub fn new(hashalg: HashAlg, salt: &str, secrets: &[Secret]) -> Result<Self, SignerError> {
        let keyed = |secret| {
            let keyed = hashalg.keyed(&key(salt, secret));
            keyed.map_err(|_| SignerError::Key)
        };
        let (first, rest) = secrets.split_first().ok_or(SignerError::NoSecret)?;
        Ok(Self { hashalg, newest: keyed(first)?, older: rest.iter().map(keyed).collect::<Result<_, _>>()? })
    }

    /// The bytes of a signature.
    #[must_use]
    pub fn size(&self) -> usize {
        self.newest.size()
    }

    /// The signature of `message`, followed by `message` itself.
    #[must_use]
    pub fn seal(&self, message: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(self.size() + message.len());
        self.newest.sign(message, &mut sealed);
        sealed.extend_from_slice(message);
        sealed
    }

    /// Splits what [`seal`](Self::seal) made, without a look at the signature.
    #[must_use]
    pub fn split<'m>(&self, sealed: &'m [u8]) -> Option<(&'m [u8], &'m [u8])> {
        sealed.split_at_checked(self.size())
    }

    /// The message that was sealed, and the number of the secret that did it;
    /// nothing if none of ours did. Takes the same time wherever bytes differ.
    #[must_use]
    pub fn open<'m>(&self, sealed: &'m [u8]) -> Option<(usize, &'m [u8])> {
        let (signature, message) = self.split(sealed)?;
        let mut secrets = std::iter::once(&self.newest).chain(&self.older);
        let secret = secrets.position(|keyed| keyed.verify(message, signature))?;
        Some((secret, message))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("hashalg", &self.hashalg).field("secrets", &(1 + self.older.len())).finish()
    }
}

/// Pyramid's key: salt and secret without anything between, in Latin-1 if
/// both fit in, otherwise in UTF-8.
fn key(salt: &str, secret: &Secret) -> Zeroizing<Vec<u8>> {
    let secret = secret.expose();
    let characters = salt.chars().chain(secret.chars());
    let mut key = Zeroizing::new(Vec::with_capacity(salt.len() + secret.len()));
    if characters.clone().all(|character| u8::try_from(character).is_ok()) {
        key.extend(characters.filter_map(|character| u8::try_from(character).ok()));
    } else {
        key.extend(salt.bytes().chain(secret.bytes()));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(salt: &str, secrets: &[&str]) -> Signer {
        let secrets: Vec<_> = secrets.iter().map(|&s| Secret::new(s.into())).collect();
        Signer::new(HashAlg::Sha256, salt, &secrets).expect("a secret")
    }

    #[test]
    fn the_first_secret_signs_and_all_verify() {
        let old = signer("salt", &["old"]).seal(b"message");
        let both = signer("salt", &["new", "old"]);
        assert_eq!(both.open(&old), Some((1, &b"message"[..])));
        assert_eq!(both.open(&both.seal(b"x")), Some((0, &b"x"[..])));
        assert_eq!(signer("salt", &["new"]).open(&old), None);
        assert_eq!(both.open(&old[..31]), None);
    }

    #[test]
    fn keys_are_pyramids() {
        let key = |salt, secret: &str| key(salt, &Secret::new(secret.into())).to_vec();
        assert_eq!(key("ab", "cdef"), key("abcd", "ef"));
        assert_eq!(key("s", "é"), b"s\xE9");
        assert_eq!(key("é", "ключ"), "éключ".as_bytes());
    }

    #[test]
    fn no_secret_is_an_error() {
        let none = Signer::new(HashAlg::Sha256, "", &[]);
        assert_eq!(none.expect_err("no secret"), SignerError::NoSecret);
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?}", signer("salt", &["alpha", "beta"]));
        assert_eq!(shown, "Signer { hashalg: Sha256, secrets: 2 }");
    }
}
