//! The session in the cookie, signed but readable: the wire format of
//! Pyramid 2.x's `SignedCookieSessionFactory`.
//!
//! ```text
//! payload = [renewed, created, state]                     JSON, Python's spelling
//! value   = base64url(HMAC(salt || secret, payload) || payload)     no padding
//! ```
//!
//! The browser is the store. So nothing ever conflicts, an old cookie can be
//! sent again until it times out, and of two tabs the last one wins.
//! `docs/cookies.md` has the details, and what strict reading refuses.

use std::borrow::Cow;

use super::super::Session;
use super::super::cookie::{CookieOptions, values_as_webob};
use super::super::json::JsonError;
use super::super::lifetimes::Lifetimes;
use super::super::secret::Secret;
use super::cookie_held::{CookieHeld, Opened};
use super::payload::{self, Payload};
use super::{
    BoxFuture, Committed, HashAlg, Loaded, Refusal, SessionError, SessionFactory, Signer, SignerError, Standing, Visit,
    pyramid,
};

/// The longest value Pyramid writes, in characters.
const MAX_VALUE: usize = 4064;

/// What is a cookie of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CookieReading {
    /// The one way to write a session, and no other.
    #[default]
    Strict,
    /// Whatever Pyramid accepts. What strict reading would refuse is written
    /// anew.
    Compatible,
}

/// The settings of a [`SignedCookie`], by Pyramid's names.
#[derive(Clone, Debug)]
pub struct SignedCookieOptions {
    /// Name and attributes of the cookie.
    pub cookie: CookieOptions,
    /// How long a session lasts.
    pub lifetimes: Lifetimes,
    /// The hash function of the signature.
    pub hashalg: HashAlg,
    /// What keeps signatures for different purposes apart.
    pub salt: String,
    /// The secrets, at least one: the first signs, all verify.
    pub secrets: Vec<Secret>,
    /// How cookies are read.
    pub reading: CookieReading,
}

impl Default for SignedCookieOptions {
    fn default() -> Self {
        Self {
            cookie: CookieOptions::default(),
            lifetimes: Lifetimes::default(),
            hashalg: HashAlg::default(),
            salt: "pyramid.session.".to_owned(),
            secrets: Vec::new(),
            reading: CookieReading::default(),
        }
    }
}

/// The `signed-cookie` factory.
#[derive(Debug)]
pub struct SignedCookie {
    held: CookieHeld,
    reading: CookieReading,
    pub(super) signer: Signer,
}

impl SignedCookie {
    /// Makes the factory; computes the keys.
    ///
    /// # Errors
    /// If there is no secret.
    pub fn new(options: SignedCookieOptions) -> Result<Self, SignerError> {
        Ok(Self {
            signer: Signer::new(options.hashalg, &options.salt, &options.secrets)?,
            held: CookieHeld { cookie: options.cookie, lifetimes: options.lifetimes },
            reading: options.reading,
        })
    }

    /// How the one cookie `value` would fare at `now`.
    pub(super) fn standing(&self, value: &[u8], now: f64) -> Standing {
        match self.open(value, now) {
            Ok(Opened { secret, .. }) => Standing::Verified { secret },
            Err(refusal) => Standing::Refused(refusal),
        }
    }

    fn find(&self, visit: &Visit) -> Loaded {
        let found = match self.reading {
            CookieReading::Strict => self.held.newest_good(visit, |value| self.open(value, visit.now)),
            CookieReading::Compatible => self.sent_to_webob(visit).map(|value| self.open(&value, visit.now)),
        };
        self.held.loaded(found, visit.now)
    }

    /// The cookie that Pyramid would see: the last of our name.
    fn sent_to_webob<'v>(&'v self, visit: &'v Visit) -> Option<Cow<'v, [u8]>> {
        let fields = visit.cookie_fields();
        fields.flat_map(|field| values_as_webob(field, self.cookie_name())).last()
    }

    fn open(&self, value: &[u8], now: f64) -> Result<Opened, Refusal> {
        let opened = match (self.open_strictly(value), self.reading) {
            (Err(_), CookieReading::Compatible) => self.open_as_pyramid(value)?,
            (opened, _) => opened?,
        };
        self.in_time(&opened.payload, now)?;
        Ok(opened)
    }

    fn open_strictly(&self, value: &[u8]) -> Result<Opened, Refusal> {
        self.verified(&self.held.decode(value)?, false, payload::read)
    }

    fn open_as_pyramid(&self, value: &[u8]) -> Result<Opened, Refusal> {
        let sealed = pyramid::decode(value).ok_or(Refusal::Encoding)?;
        self.verified(&sealed, true, pyramid::read)
    }

    fn verified(
        &self,
        sealed: &[u8],
        odd: bool,
        read: impl Fn(&[u8]) -> Result<Payload, JsonError>,
    ) -> Result<Opened, Refusal> {
        let (secret, message) = self.signer.open(sealed).ok_or(Refusal::Signature)?;
        let payload = read(message).map_err(|_| Refusal::Structure)?;
        Ok(Opened { secret, payload, odd })
    }

    fn in_time(&self, payload: &Payload, now: f64) -> Result<(), Refusal> {
        let (lifetimes, created) = (&self.held.lifetimes, payload.session.created());
        match self.reading {
            CookieReading::Strict => lifetimes.check(created, payload.renewed, now),
            // Pyramid believes a clock however far ahead.
            CookieReading::Compatible => lifetimes.check_age(created, payload.renewed, now),
        }
    }

    fn store(&self, visit: &Visit, loaded: &Loaded, session: &Session) -> Result<Committed, SessionError> {
        self.held.committed(visit, loaded, session, || self.seal(session, visit.now))
    }

    /// The value of the cookie that holds `session`, renewed at `now`.
    fn seal(&self, session: &Session, now: f64) -> Result<String, SessionError> {
        let payload = payload::write(session, now);
        self.held.encode(&self.signer.seal(payload.as_bytes()), MAX_VALUE, session)
    }
}

impl SessionFactory for SignedCookie {
    fn kind(&self) -> &'static str {
        "signed-cookie"
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
        Box::pin(std::future::ready(self.store(visit, loaded, session)))
    }
}

#[cfg(test)]
mod tests;
