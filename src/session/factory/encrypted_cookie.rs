//! The session in the cookie, sealed: its owner can neither read nor change it.
//!
//! ```text
//! payload = [renewed, created, state]                        as in `signed-cookie`
//! value   = base64url(version || nonce || ciphertext || tag)            no padding
//!                     1          24       as the payload 16
//! ```
//!
//! XChaCha20-Poly1305 under a random nonce: 192 bits never repeat by chance,
//! so any number of servers can share a secret without counting. The key is
//! derived from the secret for this purpose and this cookie name, and version,
//! purpose and name are authenticated besides: what was made for another use
//! does not open.
//!
//! Left out on purpose:
//!
//! - **Compression.** How well a session compresses tells what is in it to
//!   whoever can put text of their own beside it (the CRIME attack).
//! - **Padding.** The length of a cookie gives away the length of the session.
//!   Padded to blocks, it still does to visitors who can lengthen the session
//!   letter by letter, as most can; and all pay for it on every request.
//! - **A hint which secret it was.** There is one, and a second during a
//!   rotation: a wrong one costs a microsecond, a hint bytes in every request.
//!
//! The browser is the store, as in [`SignedCookie`](super::SignedCookie): see
//! `docs/cookies.md`.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload as Message};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::super::Session;
use super::super::cookie::{CookieOptions, MAX_COOKIE};
use super::super::derive::derive;
use super::super::lifetimes::Lifetimes;
use super::super::secret::Secret;
use super::cookie_held::{CookieHeld, Opened};
use super::{
    BoxFuture, Committed, Loaded, Refusal, SessionError, SessionFactory, SignerError, Standing, Visit, payload,
};

/// The format that is written, and the only one there has been.
const VERSION: u8 = 1;
/// What the keys are for.
const PURPOSE: &str = "encrypted-cookie";
const NONCE_BYTES: usize = 24;

/// The settings of an [`EncryptedCookie`].
#[derive(Clone, Debug, Default)]
pub struct EncryptedCookieOptions {
    /// Name and attributes of the cookie.
    pub cookie: CookieOptions,
    /// How long a session lasts.
    pub lifetimes: Lifetimes,
    /// The secrets, at least one: the first seals, all open.
    pub secrets: Vec<Secret>,
}

/// The `encrypted-cookie` factory.
pub struct EncryptedCookie {
    held: CookieHeld,
    newest: XChaCha20Poly1305,
    older: Vec<XChaCha20Poly1305>,
    /// What is authenticated besides the session.
    context: Vec<u8>,
}

impl EncryptedCookie {
    /// Makes the factory; derives the keys.
    ///
    /// # Errors
    /// If there is no secret.
    pub fn new(options: EncryptedCookieOptions) -> Result<Self, SignerError> {
        let EncryptedCookieOptions { cookie, lifetimes, secrets } = options;
        let cipher = |secret| {
            let key = derive(secret, PURPOSE, &cookie.name);
            XChaCha20Poly1305::new_from_slice(key.as_ref()).map_err(|_| SignerError::Key)
        };
        let (first, rest) = secrets.split_first().ok_or(SignerError::NoSecret)?;
        Ok(Self {
            newest: cipher(first)?,
            older: rest.iter().map(cipher).collect::<Result<_, _>>()?,
            context: [&[VERSION], PURPOSE.as_bytes(), b"\0", cookie.name.as_bytes()].concat(),
            held: CookieHeld { cookie, lifetimes },
        })
    }

    /// How the one cookie `value` would fare at `now`.
    pub(super) fn standing(&self, value: &[u8], now: f64) -> Standing {
        match self.open(value, now) {
            Ok(Opened { secret, .. }) => Standing::Verified { secret },
            Err(refusal) => Standing::Refused(refusal),
        }
    }

    fn open(&self, value: &[u8], now: f64) -> Result<Opened, Refusal> {
        let (secret, message) = self.unseal(value)?;
        let payload = payload::read(&message).map_err(|_| Refusal::Structure)?;
        self.held.lifetimes.check(payload.session.created(), payload.renewed, now)?;
        Ok(Opened { secret, payload, odd: false })
    }

    /// What is in a value of ours, and the number of the secret it was made
    /// with.
    pub(super) fn unseal(&self, value: &[u8]) -> Result<(usize, Vec<u8>), Refusal> {
        let bytes = self.held.decode(value)?;
        let sealed = bytes.strip_prefix(&[VERSION]).ok_or(Refusal::Encoding)?;
        let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Refusal::Encoding)?;
        let message = || Message { msg, aad: &self.context };
        let mut ciphers = std::iter::once(&self.newest).chain(&self.older).enumerate();
        let opened = ciphers.find_map(|(secret, cipher)| Some((secret, cipher.decrypt(nonce.into(), message()).ok()?)));
        opened.ok_or(Refusal::Signature)
    }

    /// The value of the cookie that holds `session`, renewed at `now`.
    fn seal(&self, session: &Session, now: f64) -> Result<String, SessionError> {
        let mut nonce = [0; NONCE_BYTES];
        let no_nonce = |error| SessionError::Unavailable(format!("the system gives no random bytes: {error}"));
        getrandom::fill(&mut nonce).map_err(no_nonce)?;
        self.seal_with(nonce, session, now)
    }

    fn seal_with(&self, nonce: [u8; NONCE_BYTES], session: &Session, now: f64) -> Result<String, SessionError> {
        let payload = payload::write(session, now);
        let message = Message { msg: payload.as_bytes(), aad: &self.context };
        let sealed = self.newest.encrypt(&XNonce::from(nonce), message);
        let too_long = |_| SessionError::too_large(payload.len(), MAX_COOKIE, session);
        let bytes = [&[VERSION], nonce.as_slice(), sealed.map_err(too_long)?.as_slice()].concat();
        self.held.encode(&bytes, MAX_COOKIE, session)
    }

    fn find(&self, visit: &Visit) -> Loaded {
        let found = self.held.newest_good(visit, |value| self.open(value, visit.now));
        self.held.loaded(found, visit.now)
    }
}

/// Leaves the keys out.
impl fmt::Debug for EncryptedCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedCookie").field("held", &self.held).field("secrets", &(1 + self.older.len())).finish()
    }
}

impl SessionFactory for EncryptedCookie {
    fn kind(&self) -> &'static str {
        "encrypted-cookie"
    }

    fn cookie_name(&self) -> &str {
        &self.held.cookie.name
    }

    fn explain(&self, value: &[u8], now: f64) -> Option<String> {
        Some(Self::explain(self, value, now).to_string())
    }

    fn load<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Loaded, SessionError>> {
        Box::pin(std::future::ready(Ok(self.find(visit))))
    }

    fn commit<'a>(
        &'a self,
        visit: &'a Visit,
        loaded: &'a Loaded,
        session: &'a Session,
    ) -> BoxFuture<'a, Result<Committed, SessionError>> {
        let committed = self.held.committed(visit, loaded, session, || self.seal(session, visit.now));
        Box::pin(std::future::ready(committed))
    }
}

#[cfg(test)]
mod tests;
