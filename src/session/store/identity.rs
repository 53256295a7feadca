//! How a browser names a session: a random id, signed.
//!
//! ```text
//! value = base64url(HMAC-SHA-256(key, id) || id)      no padding, 86 characters
//! ```
//!
//! The key is derived from the secret for this purpose and this cookie name.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::super::cookie::MAX_COOKIE;
use super::super::derive::derive;
use super::super::factory::{HashAlg, Refusal, Signer, SignerError};
use super::super::secret::Secret;
use super::Key;

const ID_BYTES: usize = 32;
/// What a value has: signature and id, in base64url.
const VALUE_BYTES: usize = (2 * ID_BYTES * 4).div_ceil(3);

/// The name of a session: 256 bits from the operating system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id([u8; ID_BYTES]);

impl Id {
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut id = [0; ID_BYTES];
        getrandom::fill(&mut id)?;
        Ok(Self(id))
    }

    pub fn key(&self) -> Key {
        Key::of(&self.0)
    }
}

/// An id opens a session, so it does not show itself.
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(***)")
    }
}

/// Signs ids with the newest secret, and recognises those signed with any.
#[derive(Debug)]
pub(super) struct Identities {
    signer: Signer,
    name_bytes: usize,
}

impl Identities {
    pub fn new(cookie_name: &str, secrets: &[Secret]) -> Result<Self, SignerError> {
        let derived = |secret| {
            let key = derive(secret, "session-id", cookie_name);
            Secret::new(BASE64_URL_SAFE_NO_PAD.encode(key.as_ref()))
        };
        let secrets: Vec<_> = secrets.iter().map(derived).collect();
        Ok(Self { signer: Signer::new(HashAlg::Sha256, "", &secrets)?, name_bytes: cookie_name.len() })
    }

    /// The value of the cookie that names `id`.
    pub fn write(&self, id: Id) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.signer.seal(&id.0))
    }

    /// The id a cookie names, and the number of the secret that signed it.
    /// Only what [`write`](Self::write) wrote, letter by letter, names one.
    pub fn read(&self, value: &[u8]) -> Result<(Id, usize), Refusal> {
        if self.name_bytes + value.len() > MAX_COOKIE {
            return Err(Refusal::TooLarge);
        }
        if value.len() != VALUE_BYTES {
            return Err(Refusal::Encoding);
        }
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(value).map_err(|_| Refusal::Encoding)?;
        let (secret, id) = self.signer.open(&sealed).ok_or(Refusal::Signature)?;
        let id = id.try_into().map_err(|_| Refusal::Encoding)?;
        Ok((Id(id), secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities(name: &str, secrets: &[&str]) -> Identities {
        let secrets: Vec<_> = secrets.iter().map(|&secret| Secret::new(secret.into())).collect();
        Identities::new(name, &secrets).expect("a secret")
    }

    #[test]
    fn what_is_written_is_read() {
        let identities = identities("session", &["one"]);
        let id = Id::generate().expect("random bytes");
        let value = identities.write(id);
        assert_eq!(value.len(), VALUE_BYTES);
        assert_eq!(identities.read(value.as_bytes()), Ok((id, 0)));
    }

    #[test]
    fn every_secret_is_recognised_and_the_first_signs() {
        let id = Id::generate().expect("random bytes");
        let old = identities("session", &["old"]).write(id);
        let both = identities("session", &["new", "old"]);
        assert_eq!(both.read(old.as_bytes()), Ok((id, 1)));
        assert_eq!(both.read(both.write(id).as_bytes()), Ok((id, 0)));
        let new = identities("session", &["new"]);
        assert_eq!(new.read(old.as_bytes()), Err(Refusal::Signature));
    }

    #[test]
    fn a_value_counts_under_its_own_name_only() {
        let value = identities("session", &["one"]).write(Id::generate().expect("random bytes"));
        assert_eq!(identities("sid", &["one"]).read(value.as_bytes()), Err(Refusal::Signature));
    }

    #[test]
    fn no_other_spelling_is_read() {
        let identities = identities("session", &["one"]);
        let value = identities.write(Id([0xFF; ID_BYTES]));
        let mut stray_bits = value.clone().into_bytes();
        if let Some(last) = stray_bits.last_mut() {
            *last += 1; // the last character carries two bits, the rest are zero
        }
        for (odd, refusal) in [
            (stray_bits, Refusal::Encoding),
            (value.replace('_', "/").into_bytes(), Refusal::Encoding),
            (format!("{value}==").into_bytes(), Refusal::Encoding),
            (format!("\"{value}\"").into_bytes(), Refusal::Encoding),
            (vec![b'A'; VALUE_BYTES], Refusal::Signature),
            (vec![b'A'; MAX_COOKIE], Refusal::TooLarge),
            (vec![0xFF; VALUE_BYTES], Refusal::Encoding),
            (Vec::new(), Refusal::Encoding),
        ] {
            assert_eq!(identities.read(&odd), Err(refusal), "{}", odd.escape_ascii());
        }
    }

    #[test]
    fn an_id_does_not_show_itself() {
        assert_eq!(format!("{:?}", Id([7; ID_BYTES])), "Id(***)");
    }
}
