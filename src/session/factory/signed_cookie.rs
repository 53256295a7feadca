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

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::super::Session;
use super::super::cookie::{CookieOptions, MAX_COOKIE, values_as_webob};
use super::super::json::JsonError;
use super::super::secret::Secret;
use super::payload::{self, Payload};
use super::{
    BoxFuture, Committed, HashAlg, Loaded, Refusal, SessionError, SessionFactory, Signer, SignerError, Standing, Visit,
    pyramid,
};

/// The longest value Pyramid writes, in characters.
const MAX_VALUE: usize = 4064;
/// How far the clocks of two servers may be apart, in seconds.
const CLOCK_SKEW: f64 = 120.0;
/// How many keys a "too large" names.
const LARGEST_SHOWN: usize = 3;

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

/// The settings of a [`SignedCookie`], by Pyramid's names. Times are in
/// seconds, `None` is never.
#[derive(Clone, Debug)]
pub struct SignedCookieOptions {
    /// Name and attributes of the cookie.
    pub cookie: CookieOptions,
    /// How long a visitor may be away.
    pub timeout: Option<u64>,
    /// The age from which a mere visit writes the cookie anew.
    pub reissue_time: Option<u64>,
    /// How long a session lasts, however busy.
    pub lifetime: Option<u64>,
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
            timeout: Some(1200),
            reissue_time: Some(120),
            lifetime: None,
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
    cookie: CookieOptions,
    timeout: Option<u64>,
    reissue_time: Option<u64>,
    lifetime: Option<u64>,
    reading: CookieReading,
    pub(super) signer: Signer,
}

/// A cookie that is good.
struct Opened {
    secret: usize,
    payload: Payload,
    /// Strict reading would refuse how it is written.
    odd: bool,
}

impl SignedCookie {
    /// Makes the factory; computes the keys.
    ///
    /// # Errors
    /// If there is no secret.
    pub fn new(options: SignedCookieOptions) -> Result<Self, SignerError> {
        Ok(Self {
            signer: Signer::new(options.hashalg, &options.salt, &options.secrets)?,
            cookie: options.cookie,
            timeout: options.timeout,
            reissue_time: options.reissue_time,
            lifetime: options.lifetime,
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
            CookieReading::Strict => self.first_good(visit.cookies(&self.cookie.name), visit.now),
            CookieReading::Compatible => self.sent_to_webob(visit).map(|value| self.open(&value, visit.now)),
        };
        let (session, standing, refresh_due) = match found {
            Some(Ok(opened)) => {
                let refresh_due = self.refresh_due(&opened, visit.now);
                let standing = Standing::Verified { secret: opened.secret };
                (opened.payload.session, standing, refresh_due)
            }
            Some(Err(refusal)) => (Session::new(visit.now), Standing::Refused(refusal), false),
            None => (Session::new(visit.now), Standing::Absent, false),
        };
        Loaded { session, standing, refresh_due, token: None }
    }

    /// The first cookie that is good, or else what is wrong with the first.
    fn first_good<'a>(&self, values: impl Iterator<Item = &'a [u8]>, now: f64) -> Option<Result<Opened, Refusal>> {
        let mut refused = None;
        for value in values {
            match self.open(value, now) {
                Ok(opened) => return Some(Ok(opened)),
                Err(refusal) => _ = refused.get_or_insert(refusal),
            }
        }
        refused.map(Err)
    }

    /// The cookie that Pyramid would see: the last of our name.
    fn sent_to_webob<'v>(&'v self, visit: &'v Visit) -> Option<Cow<'v, [u8]>> {
        let fields = visit.cookie_fields();
        fields.flat_map(|field| values_as_webob(field, &self.cookie.name)).last()
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
        if self.cookie.name.len() + value.len() > MAX_COOKIE {
            return Err(Refusal::TooLarge);
        }
        // The engine refuses padding, the other alphabet, strange characters
        // and stray low bits: every session has exactly one spelling.
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(value);
        self.verified(&sealed.map_err(|_| Refusal::Encoding)?, false, payload::read)
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
        let created = payload.session.created();
        let newest = payload.renewed.max(created);
        if self.reading == CookieReading::Strict && newest > now + CLOCK_SKEW {
            return Err(Refusal::Future);
        }
        if is_older(now - payload.renewed, self.timeout) {
            return Err(Refusal::Expired);
        }
        // Pyramid has no lifetime, so times it would let live forever end here.
        let ageless = self.lifetime.is_some() && !created.is_finite();
        if ageless || is_older(now - created, self.lifetime) {
            return Err(Refusal::Outlived);
        }
        Ok(())
    }

    fn refresh_due(&self, opened: &Opened, now: f64) -> bool {
        let age = now.floor() - opened.payload.renewed;
        opened.odd || opened.secret > 0 || is_older(age, self.reissue_time)
    }

    fn store(&self, visit: &Visit, loaded: &Loaded, session: &Session) -> Result<Committed, SessionError> {
        let set_cookie = if session.is_invalidated() && session.is_empty() {
            let sent = loaded.standing != Standing::Absent;
            sent.then(|| self.cookie.delete_cookie(visit.https))
        } else {
            let value = self.seal(session, visit.now)?;
            Some(self.cookie.set_cookie(&value, visit.https, visit.now))
        };
        Ok(Committed { set_cookie })
    }

    /// The value of the cookie that holds `session`, renewed at `now`.
    fn seal(&self, session: &Session, now: f64) -> Result<String, SessionError> {
        let payload = payload::write(session, now);
        let value = BASE64_URL_SAFE_NO_PAD.encode(self.signer.seal(payload.as_bytes()));
        let limit = MAX_VALUE.min(MAX_COOKIE.saturating_sub(self.cookie.name.len()));
        if value.len() > limit {
            return Err(SessionError::TooLarge { bytes: value.len(), limit, largest: session.largest(LARGEST_SHOWN) });
        }
        Ok(value)
    }
}

impl SessionFactory for SignedCookie {
    fn kind(&self) -> &'static str {
        "signed-cookie"
    }

    fn cookie_name(&self) -> &str {
        &self.cookie.name
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

/// Whether `age` is beyond `limit`, which is never if there is none.
fn is_older(age: f64, limit: Option<u64>) -> bool {
    limit.is_some_and(|limit| age > limit as f64)
}

#[cfg(test)]
mod tests;
