//! Where sessions live: the contract, and the kinds that keep it.
//!
//! ```text
//! Visit ──load──▶ Loaded ──(the route runs on a copy)──▶ commit ──▶ Committed
//! ```

mod cookie_held;
mod encrypted_cookie;
mod explain;
mod hashalg;
mod payload;
mod pyramid;
mod signed_cookie;
mod signer;

use std::any::Any;
use std::fmt;
use std::pin::Pin;

use http::HeaderMap;
use http::header::{COOKIE, HeaderValue};

use super::store::StoredSessions;
use super::{Session, cookie};

pub use encrypted_cookie::{EncryptedCookie, EncryptedCookieOptions};
pub use explain::{Contents, Explanation};
pub use hashalg::HashAlg;
pub use signed_cookie::{CookieReading, SignedCookie, SignedCookieOptions};
pub use signer::{Signer, SignerError};

/// How many keys a "too large" names.
const LARGEST_SHOWN: usize = 3;

/// A future on the heap, so that factories can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where sessions live, and how a browser names its own.
///
/// Pyramid's `ISessionFactory`, for sessions that are values: a factory finds
/// a session and later commits another in its place. It never runs a route
/// and never tries again; [`transact`](super::transaction::transact) does.
///
/// # What every factory guarantees
///
/// - **A bad cookie is never an error.** Whatever is wrong with it, `load`
///   answers with a [new](Session::new) session and a [`Standing`] that says
///   why. A name nobody issued never becomes a session's.
/// - **Loading writes nothing**, and neither does loading a session nobody has.
/// - **One compare-and-set.** `commit` stores `session` only if what `loaded`
///   saw is still so, its absence included, in one atomic step; otherwise it
///   answers [`SessionError::Conflict`] and has changed nothing. A session
///   destroyed meanwhile is a conflict too: it never comes back. (Sessions
///   held by the browser have nothing to compare with; they never conflict.)
/// - **All or nothing.** After any other error but
///   [`OutcomeUnknown`](SessionError::OutcomeUnknown) the old session is
///   whole. What is too large is found before anything is stored.
/// - **Identity.** A session that is [invalidated](Session::is_invalidated)
///   loses its record. If it is empty, the browser is told to forget the
///   cookie, where it sent one; otherwise its data begins a session under a
///   fresh name. One that is [renewed](Session::is_renewed) moves to a fresh
///   name, and the old one is worth nothing from the same step on.
/// - **Time.** Idle timeout and absolute lifetime are checked on every load;
///   `visit.now` is the only clock. A commit counts as a sign of life.
/// - **State.** The state is kept as [`Session::to_state_text`] spells it and
///   comes back through [`Session::restore`], byte for byte.
/// - Dropping the future of a `commit` leaves the old session or the new one,
///   nothing between.
pub trait SessionFactory: Send + Sync + fmt::Debug + 'static {
    /// The kind, as the configuration spells it: `"signed-cookie"`.
    fn kind(&self) -> &'static str;

    /// The name of the cookie.
    fn cookie_name(&self) -> &str;

    /// Finds the session that the request names.
    ///
    /// # Errors
    /// [`SessionError::Unavailable`], if the store cannot be asked.
    fn load<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Loaded, SessionError>>;

    /// Puts `session` in the place of what `loaded` saw.
    ///
    /// Called also with the very session that was loaded, to refresh it.
    ///
    /// # Errors
    /// Any [`SessionError`]; see the guarantees above.
    fn commit<'a>(
        &'a self,
        visit: &'a Visit,
        loaded: &'a Loaded,
        session: &'a Session,
    ) -> BoxFuture<'a, Result<Committed, SessionError>>;

    /// Itself, if it keeps its sessions in a [`Store`](super::store::Store): what a reload hands on to
    /// the factory that comes next, and what operators look into.
    fn stored(&self) -> Option<&StoredSessions> {
        None
    }

    /// What the value of a cookie says, for `sitewright cookie`; `None` if it says nothing.
    fn explain(&self, _value: &[u8], _now: f64) -> Option<String> {
        None
    }
}

/// What a factory may know about a request.
#[derive(Clone)]
pub struct Visit {
    cookies: Vec<HeaderValue>,
    /// The time of the request. It stays the same when the route runs again.
    pub now: f64,
    /// Whether the browser is connected over HTTPS.
    pub https: bool,
    /// Whether the route may write. Visits of one session that may are let
    /// through one after the other where the factory can do that, so that
    /// they do not collide; what they store is right either way.
    pub may_write: bool,
}

impl Visit {
    /// A visit without cookies.
    #[must_use]
    pub fn new(now: f64, https: bool) -> Self {
        Self { cookies: Vec::new(), now, https, may_write: false }
    }

    /// The visit that a request with these header fields is. HTTP/2 may
    /// split `Cookie` into several fields (RFC 9113 8.2.3); all count.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, now: f64, https: bool) -> Self {
        Self { cookies: headers.get_all(COOKIE).iter().cloned().collect(), now, https, may_write: false }
    }

    /// The same visit, of a route that may write or not.
    #[must_use]
    pub fn writing(self, may_write: bool) -> Self {
        Self { may_write, ..self }
    }

    /// The `Cookie` fields, in the order sent.
    pub fn cookie_fields(&self) -> impl Iterator<Item = &[u8]> {
        self.cookies.iter().map(HeaderValue::as_bytes)
    }

    /// The values of the cookies called `name`, in the order sent and exactly
    /// as sent (see [`cookie::values`]).
    pub fn cookies<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.cookie_fields().flat_map(move |field| cookie::values(field, name))
    }
}

/// Leaves the cookies out: they open sessions.
impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("now", &self.now).field("https", &self.https).finish_non_exhaustive()
    }
}

/// What [`SessionFactory::load`] found.
#[derive(Debug)]
pub struct Loaded {
    /// The session: the visitor's, or a new one.
    pub session: Session,
    /// How the visitor's cookie fared.
    pub standing: Standing,
    /// Whether it should be committed even if nothing changes, to keep it
    /// from timing out or to move it to the newest secret.
    pub refresh_due: bool,
    /// What the factory wants to see again in `commit`, such as the id and
    /// the version it compares with.
    pub token: Option<Box<dyn Any + Send + Sync>>,
}

/// How the cookie of a visitor fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There was none.
    Absent,
    /// It is good. `secret` counts from 0, the newest one.
    Verified {
        /// The secret it was made with.
        secret: usize,
    },
    /// It is no session.
    Refused(Refusal),
}

impl Standing {
    /// How people are told of the secret with this number.
    #[must_use]
    pub fn name_of_secret(secret: usize) -> String {
        match secret {
            0 => "the newest secret".to_owned(),
            older => format!("secret {} of the list", older + 1),
        }
    }
}

/// Why a cookie is no session. Says nothing about its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Name and value are larger than any browser keeps.
    TooLarge,
    /// The value is not in the encoding that is issued.
    Encoding,
    /// No secret made it: forged, damaged, or from a secret that is gone.
    Signature,
    /// It is genuine, but not a session.
    Structure,
    /// The visitor was away for longer than `timeout`.
    Expired,
    /// The session is older than `lifetime`.
    Outlived,
    /// It comes from the future.
    Future,
    /// Nobody issued this name, or the session is gone.
    Unknown,
    /// The store has something under this name that is damaged, was made for
    /// another, or is of a later version.
    Record,
}

impl Refusal {
    /// One word, for counting.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Encoding => "encoding",
            Self::Signature => "signature",
            Self::Structure => "structure",
            Self::Expired => "expired",
            Self::Outlived => "outlived",
            Self::Future => "future",
            Self::Unknown => "unknown",
            Self::Record => "record",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "the cookie is larger than any browser keeps",
            Self::Encoding => "the cookie is not in the encoding that is issued",
            Self::Signature => "it was made with none of the secrets",
            Self::Structure => "the cookie is genuine but holds no session",
            Self::Expired => "the session was idle for longer than its timeout",
            Self::Outlived => "the session is older than its lifetime",
            Self::Future => "the cookie comes from the future",
            Self::Unknown => "the session does not exist, or no longer",
            Self::Record => "the session's record cannot be read",
        })
    }
}

/// What [`SessionFactory::commit`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The value of the one `Set-Cookie` field to send, if there is one.
    pub set_cookie: Option<String>,
}

/// Why a session could not be loaded or committed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// Another request changed or destroyed the session meanwhile. Nothing
    /// is stored; load and run again.
    Conflict,
    /// Others were always faster. Nothing is stored.
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The session does not fit. Nothing is stored.
    TooLarge {
        /// The bytes it takes.
        bytes: usize,
        /// The bytes there are.
        limit: usize,
        /// The largest keys with their bytes, largest first.
        largest: Vec<(String, usize)>,
    },
    /// The session is nested too deeply to be read back. Nothing is stored.
    TooDeep {
        /// The most levels.
        limit: usize,
    },
    /// The store cannot be reached or refuses. Nothing is stored.
    Unavailable(String),
    /// The store went away before it answered: the commit may have happened.
    /// Trying again could do it twice.
    OutcomeUnknown(String),
}

impl SessionError {
    /// That `session` takes `bytes`, of which there are only `limit`.
    pub(super) fn too_large(bytes: usize, limit: usize, session: &Session) -> Self {
        Self::TooLarge { bytes, limit, largest: session.largest(LARGEST_SHOWN) }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => f.write_str("the session was changed by another request"),
            Self::Contended { attempts } => {
                write!(f, "other requests changed the session {attempts} times in a row")
            }
            Self::TooLarge { bytes, limit, largest } => {
                write!(f, "the session is {bytes} bytes; the limit is {limit}")?;
                for (at, (key, bytes)) in largest.iter().enumerate() {
                    let lead = if at == 0 { "; largest: " } else { ", " };
                    write!(f, "{lead}`{}` ({bytes})", key.escape_debug())?;
                }
                Ok(())
            }
            Self::TooDeep { limit } => {
                write!(f, "the session has more than {limit} levels of nesting")
            }
            Self::Unavailable(why) => write!(f, "the session store is not available: {why}"),
            Self::OutcomeUnknown(why) => {
                write!(f, "the session store did not confirm the commit: {why}")
            }
        }
    }
}

impl std::error::Error for SessionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_sees_the_cookies_of_all_fields_and_shows_none() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=x"));
        headers.append(COOKIE, HeaderValue::from_static("session=y"));
        let visit = Visit::from_headers(&headers, 1.5, true);
        assert_eq!(visit.cookies("session").collect::<Vec<_>>(), [b"x", b"y"]);
        assert_eq!(format!("{visit:?}"), "Visit { now: 1.5, https: true, .. }");
    }

    #[test]
    fn a_session_that_is_too_large_names_its_largest_keys() {
        let error = SessionError::TooLarge {
            bytes: 5000,
            limit: 4064,
            largest: vec![("cart".into(), 4000), ("a\nb".into(), 20)],
        };
        assert_eq!(
            error.to_string(),
            "the session is 5000 bytes; the limit is 4064; \
             largest: `cart` (4000), `a\\nb` (20)"
        );
    }
}
