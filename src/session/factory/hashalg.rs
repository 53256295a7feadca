//! The hash functions a signature can use, by their names in Python's `hashlib`.

use std::fmt;

use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac, SimpleHmac};

/// A hash function for HMAC (RFC 2104), whatever `hashlib.new` calls by this
/// name and gives a digest of fixed length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
pub enum HashAlg {
    Blake2b,
    Blake2s,
    Md5,
    Ripemd160,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
    /// Pyramid's default.
    #[default]
    Sha512,
    Sha512_224,
    Sha512_256,
    Sm3,
}

impl HashAlg {
    /// Every one, in the order of its name.
    pub const ALL: [Self; 16] = [
        Self::Blake2b,
        Self::Blake2s,
        Self::Md5,
        Self::Ripemd160,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
        Self::Sha512,
        Self::Sha512_224,
        Self::Sha512_256,
        Self::Sm3,
    ];

    /// The names of [`ALL`](Self::ALL), as [`parse`](Self::parse) reads them.
    pub const NAMES: [&'static str; 16] = [
        "blake2b",
        "blake2s",
        "md5",
        "ripemd160",
        "sha1",
        "sha224",
        "sha256",
        "sha384",
        "sha3_224",
        "sha3_256",
        "sha3_384",
        "sha3_512",
        "sha512",
        "sha512_224",
        "sha512_256",
        "sm3",
    ];

    /// The function of this name. Letter case and `-` for `_` do not matter,
    /// nor, as in OpenSSL, the sizes in `blake2b512` and `blake2s256`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace('-', "_");
        let name = match name.as_str() {
            "blake2b512" => "blake2b",
            "blake2s256" => "blake2s",
            other => other,
        };
        let mut known = Self::ALL.into_iter().zip(Self::NAMES);
        known.find(|&(_, known)| known == name).map(|(alg, _)| alg)
    }

    /// The name in [`NAMES`](Self::NAMES).
    #[must_use]
    pub fn name(self) -> &'static str {
        let mut known = Self::ALL.into_iter().zip(Self::NAMES);
        known.find(|&(alg, _)| alg == self).map_or("", |(_, name)| name)
    }

    /// HMAC over this function with `key`, its schedule computed.
    pub(super) fn keyed(self, key: &[u8]) -> Result<Box<dyn Keyed>, InvalidLength> {
        match self {
            Self::Blake2b => keyed::<SimpleHmac<blake2::Blake2b512>>(key),
            Self::Blake2s => keyed::<SimpleHmac<blake2::Blake2s256>>(key),
            Self::Md5 => keyed::<Hmac<md5::Md5>>(key),
            Self::Ripemd160 => keyed::<Hmac<ripemd::Ripemd160>>(key),
            Self::Sha1 => keyed::<Hmac<sha1::Sha1>>(key),
            Self::Sha224 => keyed::<Hmac<sha2::Sha224>>(key),
            Self::Sha256 => keyed::<Hmac<sha2::Sha256>>(key),
            Self::Sha384 => keyed::<Hmac<sha2::Sha384>>(key),
            Self::Sha3_224 => keyed::<SimpleHmac<sha3::Sha3_224>>(key),
            Self::Sha3_256 => keyed::<SimpleHmac<sha3::Sha3_256>>(key),
            Self::Sha3_384 => keyed::<SimpleHmac<sha3::Sha3_384>>(key),
            Self::Sha3_512 => keyed::<SimpleHmac<sha3::Sha3_512>>(key),
            Self::Sha512 => keyed::<Hmac<sha2::Sha512>>(key),
            Self::Sha512_224 => keyed::<Hmac<sha2::Sha512_224>>(key),
            Self::Sha512_256 => keyed::<Hmac<sha2::Sha512_256>>(key),
            Self::Sm3 => keyed::<Hmac<sm3::Sm3>>(key),
        }
    }
}

impl fmt::Display for HashAlg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// HMAC with its key, ready for any number of messages.
pub(super) trait Keyed: Send + Sync {
    /// The bytes of a signature.
    fn size(&self) -> usize;
    /// Appends the signature of `message` to `out`.
    fn sign(&self, message: &[u8], out: &mut Vec<u8>);
    /// Whether `signature` is that of `message`, in constant time.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

impl<M: Mac + Clone + Send + Sync> Keyed for M {
    fn size(&self) -> usize {
        M::output_size()
    }

    fn sign(&self, message: &[u8], out: &mut Vec<u8>) {
        let mac = self.clone().chain_update(message);
        out.extend_from_slice(&mac.finalize().into_bytes());
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let mac = self.clone().chain_update(message);
        mac.verify_slice(signature).is_ok()
    }
}

fn keyed<M>(key: &[u8]) -> Result<Box<dyn Keyed>, InvalidLength>
where
    M: Mac + KeyInit + Clone + Send + Sync + 'static,
{
    Ok(Box::new(<M as KeyInit>::new_from_slice(key)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name TAB key TAB message TAB signature`, the last three in hex, by
    /// Python's `hmac`.
    const PYTHON: &str = include_str!("../../../tests/vectors/python_hmac.tsv");

    #[test]
    fn signatures_are_pythons() {
        let mut seen = std::collections::BTreeSet::new();
        for line in PYTHON.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            let &[name, key, message, expected] = fields.as_slice() else {
                panic!("four columns: {line}");
            };
            let alg = HashAlg::parse(name).expect(name);
            let keyed = alg.keyed(&unhex(key)).expect("any key");
            let mut signature = Vec::new();
            keyed.sign(&unhex(message), &mut signature);
            assert_eq!(signature, unhex(expected), "{line}");
            assert_eq!(signature.len(), keyed.size());
            assert!(keyed.verify(&unhex(message), &signature));
            assert!(!keyed.verify(b"other", &signature));
            assert!(!keyed.verify(&unhex(message), &signature[1..]));
            seen.insert(name);
        }
        assert!(seen.into_iter().eq(HashAlg::NAMES), "every function has vectors");
    }

    #[test]
    fn names_are_hashlibs() {
        assert!(HashAlg::NAMES.is_sorted());
        for (alg, name) in HashAlg::ALL.into_iter().zip(HashAlg::NAMES) {
            assert_eq!(HashAlg::parse(name), Some(alg));
            assert_eq!(alg.to_string(), name);
        }
        assert_eq!(HashAlg::parse("SHA3-256"), Some(HashAlg::Sha3_256));
        assert_eq!(HashAlg::parse("blake2b512"), Some(HashAlg::Blake2b));
        assert_eq!(HashAlg::parse("shake_128"), None);
        assert_eq!(HashAlg::default(), HashAlg::Sha512);
    }

    fn unhex(text: &str) -> Vec<u8> {
        let pairs = text.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16);
        pairs.map(|pair| byte(pair).expect("hex")).collect()
    }
}
