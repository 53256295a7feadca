//! Key material that does not show itself.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// Secrets that documentation and tutorials made known to everyone.
const SAMPLES: [&str; 14] = [
    "itsaseekreet",
    "seekrit",
    "seekreet",
    "abcqwe123!@#",
    "0cb243f53ad865a0f70099c0414ffe9cfcfe03ac",
    "changeme",
    "change-me",
    "secret",
    "sosecret",
    "mysecret",
    "s3cr3t",
    "password",
    "keyboard cat",
    "validate_key",
];

/// The fewest bytes that are beyond guessing.
const MIN_BYTES: usize = 32;
/// Sixteen random bytes in hexadecimal have more different digits than this.
const MIN_DISTINCT: usize = 8;
/// What [`Secret::generate`] draws: the block size of HMAC-SHA-512 is 128
/// bytes, its strength 64.
const GENERATED_BYTES: usize = 64;

/// A secret: never printed, wiped from memory when dropped. Comparing two takes a time that tells
/// where they differ: it is for settings, not for what a visitor sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes `text` over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// A fresh secret from the system's random source, as one line of
    /// base64url.
    ///
    /// # Errors
    /// If the system has no random bytes to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; GENERATED_BYTES]);
        getrandom::fill(bytes.as_mut())?;
        Ok(Self::new(BASE64_URL_SAFE_NO_PAD.encode(bytes.as_ref())))
    }

    /// The secret itself. Keep it out of logs, errors and pages.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Why the secret is too easy to guess, if it is. Does not quote it.
    #[must_use]
    pub fn weakness(&self) -> Option<String> {
        let text = self.expose();
        if SAMPLES.contains(&text.to_lowercase().as_str()) {
            return Some("it is a well-known sample".to_owned());
        }
        if text.len() < MIN_BYTES {
            let length = text.len();
            return Some(format!("it has {length} bytes, and {MIN_BYTES} are the least"));
        }
        if is_repetition(text.as_bytes()) {
            return Some("it repeats one short text".to_owned());
        }
        let distinct = distinct(text);
        if distinct < MIN_DISTINCT {
            return Some(format!("it has only {distinct} different characters"));
        }
        None
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Whether `text` is one piece over and over, the last time perhaps cut off.
fn is_repetition(text: &[u8]) -> bool {
    (1..=text.len() / 2).any(|period| {
        let later = text.iter().skip(period);
        later.eq(text.iter().take(text.len() - period))
    })
}

fn distinct(text: &str) -> usize {
    let characters: std::collections::BTreeSet<char> = text.chars().collect();
    characters.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weakness(text: &str) -> Option<String> {
        Secret::new(text.to_owned()).weakness()
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::new("itsaseekreet".into());
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "itsaseekreet");
    }

    #[test]
    fn generated_secrets_are_strong_single_lines_and_differ() {
        let secret = Secret::generate().expect("random bytes");
        assert_eq!(secret.expose().len(), 86);
        assert!(secret.expose().bytes().all(|b| b.is_ascii_graphic()));
        assert_eq!(secret.weakness(), None);
        let other = Secret::generate().expect("random bytes");
        assert_ne!(secret.expose(), other.expose());
    }

    #[test]
    fn samples_are_weak_however_long() {
        for sample in SAMPLES {
            assert_eq!(weakness(sample).as_deref(), Some("it is a well-known sample"));
        }
        assert!(weakness("ItsASeekreet").is_some());
    }

    #[test]
    fn short_repeated_and_monotonous_secrets_are_weak() {
        for (text, why) in [
            ("", "0 bytes"),
            ("gK7#pQ2$vX9!mZ4&wB6*tR8@nL3%jD", "30 bytes"),
            ("gK7#pQ2$vX9!mZ4&gK7#pQ2$vX9!mZ4&", "repeats"),
            ("itsaseekreetitsaseekreetitsaseekreet", "repeats"),
            ("changeme-changeme-changeme-changeme", "repeats"),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "2 different"),
        ] {
            let weakness = weakness(text).expect(text);
            assert!(weakness.contains(why), "{text}: {weakness}");
        }
        assert_eq!(weakness("9f86d081884c7d659a2feaa0c55ad015"), None);
        assert_eq!(weakness("correct horse battery staple, twice over"), None);
    }
}
