//! Sessions that live on the server: one factory, any store.
//!
//! ```text
//! StoredSessions   the factory: cookie, times, one commit        (stored)
//!   identity       ids, their signature in the cookie
//!   record         what is stored, and how damage is noticed
//!   queue          writers of one session, one after the other
//!   sweeper        removes what expired, in the background
//! Store            what a backend brings: load, compare-and-set  (this file)
//!   memory, file   the stores that need no server
//!   memcached      the one that forgets, but never half
//!   sql            a table of SQLite, PostgreSQL or MySQL
//!   redis          one Redis, one watched by Sentinels, or a Cluster
//! contract         the cases every factory and every store must pass
//! ```
//!
//! A store knows nothing of cookies, times or JSON: it keeps bytes under a
//! [`Key`], with a version to compare and a time from which it may forget
//! them. Whoever brings one gets everything else from [`StoredSessions`].

mod blocking;
#[cfg(all(test, any(feature = "postgres", feature = "mysql", feature = "redis")))]
mod closed_port;
pub mod contract;
pub mod file;
mod identity;
mod key;
#[cfg(feature = "memcached")]
pub mod memcached;
pub mod memory;
mod open_error;
mod patience;
mod queue;
mod ration;
mod record;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(all(test, any(feature = "postgres", feature = "mysql", feature = "memcached")))]
mod relay;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub mod sql;
mod stored;
mod sweeper;

use std::fmt;
use std::time::Duration;

use super::factory::{BoxFuture, SessionError};

pub use file::FileStore;
pub use key::Key;
#[cfg(feature = "memcached")]
pub use memcached::{MemcachedOptions, MemcachedStore};
pub use memory::MemoryStore;
pub use open_error::OpenError;
pub use patience::LONGEST_DEADLINE;
pub use record::{Damage, Record};
#[cfg(feature = "redis")]
pub use redis::{RedisOptions, RedisStore};
#[cfg(feature = "mysql")]
pub use sql::{MysqlOptions, MysqlStore};
#[cfg(feature = "postgres")]
pub use sql::{PostgresOptions, PostgresStore};
#[cfg(feature = "sqlite")]
pub use sql::{SqliteOptions, SqliteStore};
pub use stored::{StoredOptions, StoredSessions};

/// A backend: entries under keys, replaced by compare-and-set.
///
/// # What every store guarantees
///
/// - **One atomic step.** [`compare_and_set`](Self::compare_and_set) compares
///   and writes as one, against every process that uses the same store. All
///   of a session's guarantees rest on this.
/// - **A load sees whole entries**: the one before a step or the one after,
///   byte for byte, and after a confirmed step only the latter.
/// - **All or nothing.** A step that fails with [`StoreError::Unavailable`]
///   has not happened. If it may have, the error is
///   [`StoreError::OutcomeUnknown`]. The store itself never tries a step again
///   whose outcome it does not know.
/// - **Dropping a future** at any moment leaves the entry before or the one
///   after.
/// - **An expired entry** may be gone or not; `load` and `compare_and_set`
///   need not care. Entries that have not expired stay, but for what the
///   store's own documentation says about restarts and full memory.
///
/// A store need not watch the clock on operations: the factory gives each a
/// deadline and drops the future when it passes. A store that
/// [watches it](Self::answer_within) can say more.
///
/// The entries hold the sessions of people: a store keeps them from other
/// users of the machine. It never sees what a cookie says, and cannot make one.
pub trait Store: Send + Sync + fmt::Debug + 'static {
    /// The kind of factory that sessions in this store have: `"memory"`.
    fn kind(&self) -> &'static str;

    /// How long the factory waits for an answer from now on. It says so before
    /// the first operation, and again if a reload has changed it.
    ///
    /// A store that has to wait before it can begin, for a connection or a
    /// lock, should give up before that time is over, with
    /// [`StoreError::Unavailable`]. The factory does not know whether a step
    /// has begun that it stops waiting for, so to it the outcome is unknown.
    fn answer_within(&self, deadline: Duration) {
        let _ = deadline;
    }

    /// The entry under `key`, if there is one. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], if the store cannot be asked.
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>>;

    /// If the entry under `key` has the version `seen`, puts `next` in its
    /// place; `None` is "no entry" in both. Says whether it did; if not,
    /// nothing has changed. What is put down gets a version of its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::OutcomeUnknown`] or
    /// [`StoreError::TooLarge`].
    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Removes at most `at_most` entries that have expired at `now`, in a
    /// short step that keeps no other operation waiting for long. A step need not look
    /// everywhere; enough of them do, and the last says there is no
    /// [`more`](Swept::more).
    ///
    /// Stores that forget by themselves need not bring this.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        let _ = (now, at_most);
        Box::pin(std::future::ready(Ok(Swept::default())))
    }

    /// For operators: some of the entries, about `at_most`, or fewer, even
    /// none, with more to come. An entry that is there all the while is in one
    /// of the pages.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`], if the store cannot tell what it has;
    /// [`StoreError::Unavailable`].
    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        let _ = (from, at_most);
        Box::pin(std::future::ready(Err(StoreError::Unsupported)))
    }

    /// For operators: how many entries there are, expired ones that are not
    /// swept yet included.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(std::future::ready(Err(StoreError::Unsupported)))
    }

    /// For operators: removes the entry under `key`, whatever its version,
    /// and says whether there was one.
    ///
    /// # Errors
    /// As for [`compare_and_set`](Self::compare_and_set).
    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            while let Some(found) = self.load(key).await? {
                if self.compare_and_set(key, Some(found.version), None).await? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }
}

/// What a store is given to keep.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// From when the store may forget it, in Unix time; `None`: never. Whole
    /// seconds, as most stores count them.
    pub expires: Option<u64>,
    /// A sealed [`Record`]; to the store, any bytes.
    pub bytes: Box<[u8]>,
}

/// What a store has under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// Set by the store, and different from every version that the entry had
    /// before. It means nothing but that.
    pub version: u64,
    /// As they came in the [`Entry`].
    pub bytes: Box<[u8]>,
}

/// Leaves the bytes out: they are what a visitor told us.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("expires", &self.expires).field("bytes", &self.bytes.len()).finish()
    }
}

/// Leaves the bytes out: they are what a visitor told us.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("version", &self.version).field("bytes", &self.bytes.len()).finish()
    }
}

/// What a step of sweeping did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many entries it removed.
    pub removed: usize,
    /// Whether the round is not over yet.
    pub more: bool,
}

/// A part of what a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys and entries, in the order of the store.
    pub entries: Vec<(Key, Found)>,
    /// Where to go on; `None`: that was all.
    pub next: Option<Cursor>,
}

/// A place in a store's list. Only the store knows what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub Box<[u8]>);

impl Cursor {
    /// The place after `key`, for stores that list in the order of keys.
    fn after(key: &Key) -> Self {
        Self(Box::from(key.as_bytes().as_slice()))
    }

    /// The key in [`after`](Self::after); a cursor of another store has none.
    fn key(&self) -> Option<Key> {
        self.0.as_ref().try_into().ok().map(Key::new)
    }
}

/// Why a store could not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It cannot be reached, or refuses. Nothing happened.
    Unavailable(String),
    /// It may have happened.
    OutcomeUnknown(String),
    /// The entry is larger than any that it can keep. Nothing happened, and to
    /// try again is no use.
    TooLarge {
        /// The bytes of the entry.
        bytes: usize,
        /// The most that an entry can have.
        limit: usize,
    },
    /// This kind of store cannot do it at all.
    Unsupported,
}

impl StoreError {
    /// The reason alone.
    fn why(self) -> String {
        match self {
            Self::Unavailable(why) | Self::OutcomeUnknown(why) => why,
            Self::TooLarge { .. } | Self::Unsupported => self.to_string(),
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store is not available: {why}"),
            Self::OutcomeUnknown(why) => write!(f, "the store did not confirm: {why}"),
            Self::TooLarge { bytes, limit } => {
                write!(f, "the record takes {bytes} bytes, and the store keeps {limit} at most")
            }
            Self::Unsupported => f.write_str("this kind of store cannot do that"),
        }
    }
}

impl std::error::Error for StoreError {}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::OutcomeUnknown(why) => Self::OutcomeUnknown(why),
            StoreError::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit, largest: Vec::new() },
            StoreError::Unsupported => Self::Unavailable(error.to_string()),
        }
    }
}
