//! From the one secret to a key for each purpose.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::secret::Secret;

/// The bytes of a derived key.
const KEY_BYTES: usize = 32;

/// The key for `purpose` and the cookie `name`: HKDF-SHA-256 (RFC 5869) of
/// the secret. What is made under one key is worth nothing under another, so
/// neither a value for another cookie nor one for another purpose is accepted.
pub(super) fn derive(secret: &Secret, purpose: &str, name: &str) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    // No purpose contains the separator, so no two pairs give the same text.
    let info = [b"sitewright/v1/", purpose.as_bytes(), b"\0", name.as_bytes()].concat();
    let expanded = Hkdf::<Sha256>::new(None, secret.expose().as_bytes()).expand(&info, key.as_mut());
    debug_assert!(expanded.is_ok(), "one block is never too long");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_purpose_and_name_has_its_own_key() {
        let key = |secret: &str, purpose, name| *derive(&Secret::new(secret.into()), purpose, name);
        let one = key("secret", "session-id", "session");
        assert_eq!(one, key("secret", "session-id", "session"));
        for other in [
            key("secreT", "session-id", "session"),
            key("secret", "record", "session"),
            key("secret", "session-id", "sid"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn keys_stay_the_same_from_release_to_release() {
        let key = derive(&Secret::new("secret".into()), "session-id", "session");
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "70d27a75e211236e1e840b7ffe0508f442a4bd46d62372ac1619cd55b8013aa9");
    }
}
