//! What the factories share that keep the session in the cookie itself.
//!
//! The browser is the store. So nothing ever conflicts, an old cookie can be
//! sent again until it times out, and of two tabs the last one wins.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::super::Session;
use super::super::cookie::{CookieOptions, MAX_COOKIE};
use super::super::lifetimes::Lifetimes;
use super::payload::Payload;
use super::{Committed, Loaded, Refusal, SessionError, Standing, Visit};

/// The cookie and the times of sessions that are in the cookie.
#[derive(Debug)]
pub(super) struct CookieHeld {
    pub cookie: CookieOptions,
    pub lifetimes: Lifetimes,
}

/// A cookie that is good.
pub(super) struct Opened {
    /// The secret it was made with.
    pub secret: usize,
    pub payload: Payload,
    /// It is not written as it would be issued.
    pub odd: bool,
}

impl CookieHeld {
    /// Of the good cookies of the visit the one written last, or else what is
    /// wrong with the first. A browser has several when `path` or `domain` has
    /// changed. The one of the longest path, which it sends first, may be the
    /// one that nothing is written to any more.
    pub fn newest_good(
        &self,
        visit: &Visit,
        open: impl Fn(&[u8]) -> Result<Opened, Refusal>,
    ) -> Option<Result<Opened, Refusal>> {
        let mut newest: Option<Result<Opened, Refusal>> = None;
        for found in visit.cookies(&self.cookie.name).map(open) {
            let better = match (&newest, &found) {
                (None, _) | (Some(Err(_)), Ok(_)) => true,
                (Some(Ok(newest)), Ok(found)) => found.payload.renewed > newest.payload.renewed,
                (Some(_), Err(_)) => false,
            };
            if better {
                newest = Some(found);
            }
        }
        newest
    }

    /// What a visit at `now` begins with, whose cookie was `found` like this.
    pub fn loaded(&self, found: Option<Result<Opened, Refusal>>, now: f64) -> Loaded {
        let (session, standing, refresh_due) = match found {
            Some(Ok(opened)) => {
                let refresh_due = self.refresh_due(&opened, now);
                let standing = Standing::Verified { secret: opened.secret };
                (opened.payload.session, standing, refresh_due)
            }
            Some(Err(refusal)) => (Session::new(now), Standing::Refused(refusal), false),
            None => (Session::new(now), Standing::Absent, false),
        };
        Loaded { session, standing, refresh_due, token: None }
    }

    fn refresh_due(&self, opened: &Opened, now: f64) -> bool {
        // The time of the last write is in whole seconds.
        opened.odd || opened.secret > 0 || self.lifetimes.refresh_due(opened.payload.renewed, now.floor())
    }

    /// Tells the browser: to forget the session if it has ended, or else to
    /// keep it in the cookie value that `seal` makes of it.
    pub fn committed(
        &self,
        visit: &Visit,
        loaded: &Loaded,
        session: &Session,
        seal: impl FnOnce() -> Result<String, SessionError>,
    ) -> Result<Committed, SessionError> {
        let set_cookie = if session.is_invalidated() && session.is_empty() {
            let sent = loaded.standing != Standing::Absent;
            sent.then(|| self.cookie.delete_cookie(visit.https))
        } else {
            Some(self.cookie.set_cookie(&seal()?, visit.https, visit.now))
        };
        Ok(Committed { set_cookie })
    }

    /// The bytes of a value in the one spelling that is issued.
    pub fn decode(&self, value: &[u8]) -> Result<Vec<u8>, Refusal> {
        if self.cookie.name.len() + value.len() > MAX_COOKIE {
            return Err(Refusal::TooLarge);
        }
        // The engine refuses padding, the other alphabet, strange characters
        // and stray low bits: every session has exactly one spelling.
        BASE64_URL_SAFE_NO_PAD.decode(value).map_err(|_| Refusal::Encoding)
    }

    /// The value for these bytes, made of `session`. It has at most `limit`
    /// characters, and no more than browsers keep.
    pub fn encode(&self, bytes: &[u8], limit: usize, session: &Session) -> Result<String, SessionError> {
        let value = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let limit = limit.min(MAX_COOKIE.saturating_sub(self.cookie.name.len()));
        if value.len() > limit {
            return Err(SessionError::too_large(value.len(), limit, session));
        }
        Ok(value)
    }
}
