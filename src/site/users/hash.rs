//! The hash of a password: Argon2id (RFC 9106), written as a PHC string.

use std::fmt;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::session::secret::Secret;

/// The least that OWASP advises (Password Storage): memory in KiB, and how often it is gone over.
const LEAST: [(u32, u32); 5] = [(47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5)];
/// The most memory that one hash may take, in KiB.
const MOST_MEMORY: u32 = 1 << 20;
const SALT_BYTES: usize = 16;

/// The hash of a password. It never shows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    whole: PasswordHash,
    params: Params,
}

/// Why a text is not a hash that can be worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is no PHC string.
    NotAHash,
    /// It is one of another algorithm, such as `argon2i` or `bcrypt`.
    Algorithm(&'static str),
    /// It takes too much memory.
    TooDear,
    /// Something is missing in it or does not make sense.
    Broken,
}

/// What the hashes of other algorithms begin with.
const OTHERS: [(&str, &str); 11] = [
    ("$argon2i$", "argon2i"),
    ("$argon2d$", "argon2d"),
    ("$2", "bcrypt"),
    ("$scrypt$", "scrypt"),
    ("$7$", "scrypt"),
    ("$y$", "yescrypt"),
    ("$pbkdf2", "PBKDF2"),
    ("$1$", "MD5-crypt"),
    ("$apr1$", "MD5-crypt"),
    ("$5$", "SHA-256-crypt"),
    ("$6$", "SHA-512-crypt"),
];

impl Hash {
    /// Reads a PHC string.
    ///
    /// # Errors
    /// Why it is none of use. Nothing of it is repeated.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        if !text.starts_with("$argon2id$") {
            let other = OTHERS.iter().find(|(begin, _)| text.starts_with(begin));
            return Err(other.map_or(Unfit::NotAHash, |(_, name)| Unfit::Algorithm(name)));
        }
        let whole = PasswordHash::new(text).map_err(|_| Unfit::Broken)?;
        let params = Params::try_from(&whole).map_err(|_| Unfit::Broken)?;
        let known = whole.version.is_none_or(|version| Version::try_from(version).is_ok());
        if whole.salt.is_none() || whole.hash.is_none() || !known {
            return Err(Unfit::Broken);
        }
        if params.m_cost() > MOST_MEMORY {
            return Err(Unfit::TooDear);
        }
        Ok(Self { whole, params })
    }

    /// A PHC string for a password, at the least cost that OWASP advises for little memory: 19 MiB, twice.
    ///
    /// # Errors
    /// If the system has no random bytes or no memory to give.
    pub fn of(password: &Secret) -> Result<String, String> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|error| format!("the system gives no random bytes: {error}"))?;
        let hash: Result<PasswordHash, _> =
            Argon2::default().hash_password_with_salt(composed(password).as_bytes(), &salt);
        hash.map(|hash| hash.to_string()).map_err(|error| format!("the password cannot be hashed: {error}"))
    }

    /// Whether this is the password. Takes milliseconds and megabytes.
    pub fn verify(&self, password: &Secret) -> bool {
        Argon2::default().verify_password(composed(password).as_bytes(), &self.whole).is_ok()
    }

    /// Whether it is cheaper to guess at than OWASP advises.
    pub fn is_cheap(&self) -> bool {
        let (memory, passes) = (self.params.m_cost(), self.params.t_cost());
        !LEAST.iter().any(|(least_memory, least_passes)| memory >= *least_memory && passes >= *least_passes)
    }
}

impl Default for Hash {
    /// One of no password, at the cost of [`Hash::of`].
    fn default() -> Self {
        let params = Params::default();
        let whole = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::default().into()),
            params: (&params).try_into().unwrap_or_default(),
            salt: Salt::new(&[0; SALT_BYTES]).ok(),
            hash: Output::new(&[0; Params::DEFAULT_OUTPUT_LEN]).ok(),
        };
        Self { whole, params }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(***)")
    }
}

/// The password as it is hashed: an accented letter is one character, as most keyboards type it (RFC 8265,
/// section 4.2).
fn composed(password: &Secret) -> Zeroizing<String> {
    Zeroizing::new(password.expose().nfc().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn with(parameters: &str) -> Result<Hash, Unfit> {
        Hash::read(&format!(
            "$argon2id$v=19${parameters}$c29tZXNhbHRzb21lc2FsdA$8mVcfFXtLuuHkUBV+lDSRCWKNFJHxNSTbmbHOCHU2jw"
        ))
    }

    #[test]
    fn a_hash_is_of_its_password_alone() {
        let text = Hash::of(&secret("correct horse")).unwrap();
        let hash = Hash::read(&text).unwrap();
        assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{text}");
        assert!(hash.verify(&secret("correct horse")));
        for wrong in ["", "correct horse ", "Correct horse", &text] {
            assert!(!hash.verify(&secret(wrong)), "{wrong}");
        }
        assert!(!hash.is_cheap());
        assert_ne!(text, Hash::of(&secret("correct horse")).unwrap(), "the salt differs");
        assert_eq!(format!("{hash:?}"), "Hash(***)");
    }

    #[test]
    fn a_password_is_the_same_however_a_keyboard_composes_it() {
        let hash = Hash::read(&Hash::of(&secret("Zoe\u{308}")).unwrap()).unwrap();
        assert!(hash.verify(&secret("Zo\u{eb}")));
    }

    #[test]
    fn hashes_of_other_programs_are_verified() {
        // What argon2-cffi and the reference implementation print for `password`.
        for text in [
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
        ] {
            assert!(Hash::read(text).unwrap().verify(&secret("password")), "{text}");
        }
    }

    #[test]
    fn what_is_no_hash_of_argon2id_is_told_without_repeating_it() {
        assert_eq!(Hash::read("hunter2"), Err(Unfit::NotAHash));
        assert_eq!(Hash::read(""), Err(Unfit::NotAHash));
        assert_eq!(Hash::read("$2b$12$abcdefghijklmnopqrstuv"), Err(Unfit::Algorithm("bcrypt")));
        assert_eq!(
            Hash::read("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"),
            Err(Unfit::Algorithm("argon2i"))
        );
        for broken in [
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=18$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$8mVcfFXtLuuHkUBV+lDSRCWKNFJHxNSTbmbHOCHU2jw",
        ] {
            assert_eq!(Hash::read(broken), Err(Unfit::Broken), "{broken}");
        }
        assert_eq!(with("m=2097152,t=1,p=1"), Err(Unfit::TooDear));
        assert_eq!(with("m=0,t=1,p=1"), Err(Unfit::Broken));
    }

    #[test]
    fn what_owasp_advises_is_not_cheap() {
        for (parameters, cheap) in [
            ("m=47104,t=1,p=1", false),
            ("m=19456,t=2,p=1", false),
            ("m=7168,t=5,p=1", false),
            ("m=65536,t=3,p=4", false),
            ("m=19456,t=1,p=1", true),
            ("m=4096,t=10,p=1", true),
        ] {
            assert_eq!(with(parameters).unwrap().is_cheap(), cheap, "{parameters}");
        }
    }
}
