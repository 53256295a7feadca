//! Sessions in memcached.
//!
//! | | |
//! |---|---|
//! | Exact | yes, while it remembers: every step is memcached's own compare-and-swap, so all processes that use the same server agree |
//! | Survives a restart, a crash, kill -9 of Sitewright | yes |
//! | Survives a restart, a crash, kill -9 of memcached, a power failure | no: it keeps everything in memory, and all visitors begin anew |
//! | When its memory is full | it drops the sessions that were used least recently (`evictions` in its `stats`), each of them whole. With `-M` it refuses new ones instead, and drops a session that it has no room to change |
//! | Failover | none: one server, without replicas |
//!
//! It takes memcached 1.6 or later, with compare-and-swap (not `-C`), and as
//! much memory (`-m`, 64 MB unless set) as the sessions take that are awake
//! together: `memcached -m 1024 -l 127.0.0.1`. Records may be as large as its
//! items (`-I`, 1 MB unless set). It is asked without a password, and whoever
//! reaches it can read and remove sessions, though neither make one up nor
//! become a visitor: let it listen on a socket, or on a network of one's own.
//!
//! ```text
//! item = key_prefix || Key in hexadecimal  ->  the bytes of the entry
//! ```
//!
//! An entry's version is the server's cas number, which counts all its writes:
//! no two have the same, whatever was removed between. A server that is
//! started again counts from 1 again, but has no entries then, and a key is the
//! hash of a random id, under which only one session ever begins: a version from
//! before finds nothing.

mod address;
mod connection;
mod pool;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::factory::BoxFuture;
use super::{Entry, Found, Key, OpenError, Store, StoreError};
use address::Address;
use connection::{Answer, Trouble};
use pool::{Connections, Lent};

/// The longest time, in seconds, that memcached takes for one from now on;
/// what is more is a date.
const LONGEST_PERIOD: u64 = 30 * 24 * 60 * 60;
/// The last date that memcached can read, in Unix time.
const LAST_DATE: u64 = i32::MAX as u64;
/// The longest key of memcached, and what ours take of it.
const MAX_PREFIX: usize = 250 - 2 * Key::SIZE;

/// The settings of a [`MemcachedStore`].
#[derive(Clone, Debug)]
pub struct MemcachedOptions {
    /// `memcached://host[:port]`, with port 11211 unless given, or
    /// `memcached+unix:///path`.
    pub url: String,
    /// What keys begin with. Stores with different ones share a server
    /// without seeing each other's entries.
    pub key_prefix: String,
    /// The most connections at a time.
    pub connections: usize,
}

impl Default for MemcachedOptions {
    fn default() -> Self {
        Self { url: "memcached://localhost".to_owned(), key_prefix: "sitewright:".to_owned(), connections: 8 }
    }
}

/// The `memcached` store.
#[derive(Debug)]
pub struct MemcachedStore {
    connections: Connections,
    key_prefix: String,
}

impl MemcachedStore {
    /// A store on a server that is reached with the first operation, which
    /// must be within a Tokio runtime.
    ///
    /// # Errors
    /// What is wrong with the options, without quoting the URL.
    pub fn new(options: MemcachedOptions) -> Result<Self, OpenError> {
        let MemcachedOptions { url, key_prefix, connections } = options;
        let address =
            Address::parse(&url).map_err(|why| OpenError::of("url", format!("the `url` is not right: {why}")))?;
        if key_prefix.len() > MAX_PREFIX || !key_prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = format!("`key_prefix` has at most {MAX_PREFIX} letters, digits and marks of ASCII");
            return Err(OpenError::of("key_prefix", message));
        }
        if connections == 0 {
            return Err(OpenError::of("connections", "there must be at least one connection"));
        }
        Ok(Self { connections: Connections::new(address, connections)?, key_prefix })
    }

    fn name(&self, key: &Key) -> String {
        format!("{}{key}", self.key_prefix)
    }

    async fn lend(&self) -> Result<Lent, StoreError> {
        self.connections.lend().await.map_err(|why| StoreError::Unavailable(self.says(why)))
    }

    fn says(&self, why: impl std::fmt::Display) -> String {
        format!("memcached at {}: {why}", self.connections.address())
    }

    /// The entry under `key`. Asks once more, over a fresh connection, if the
    /// first turns out to be dead: asking changes nothing.
    async fn find(&self, key: &Key) -> Result<Option<Found>, StoreError> {
        let name = self.name(key);
        let mut lent = self.lend().await?;
        let mut answer = lent.connection().get(&name).await.map_err(|trouble| lent.gives(trouble));
        if let Err(Trouble::Lost(_)) = answer {
            drop(lent);
            let mut lent = self.lend().await?;
            answer = lent.connection().get(&name).await.map_err(|trouble| lent.gives(trouble));
        }
        match answer {
            Ok(Answer::Value { cas, bytes }) => Ok(Some(Found { version: cas, bytes })),
            Ok(Answer::Done | Answer::Otherwise) => Ok(None),
            Err(trouble) => Err(StoreError::Unavailable(self.says(trouble))),
        }
    }

    /// The step itself. Whatever comes of it, it is not tried again.
    async fn step(&self, key: &Key, seen: Option<u64>, next: Option<Entry>) -> Result<bool, StoreError> {
        let name = self.name(key);
        let mut lent = self.lend().await?;
        let connection = lent.connection();
        let answer = match (seen, &next) {
            (None, None) => connection.look(&name).await,
            (Some(seen), None) => connection.remove(&name, seen).await,
            (seen, Some(entry)) => connection.set(&name, seen, time(entry.expires, now()), &entry.bytes).await,
        };
        let nothing_expected = seen.is_none() && next.is_none();
        match answer.map_err(|trouble| lent.gives(trouble)) {
            Ok(Answer::Done) => Ok(!nothing_expected),
            Ok(Answer::Otherwise) => Ok(nothing_expected),
            Ok(Answer::Value { .. }) => Err(StoreError::OutcomeUnknown(self.says("it answered another question"))),
            Err(trouble @ Trouble::Lost(_)) => Err(StoreError::OutcomeUnknown(self.says(trouble))),
            // Where memcached finds no room for an item, it drops the one that was there.
            Err(trouble @ Trouble::Refused(_)) if seen.is_some() => Err(StoreError::OutcomeUnknown(self.says(trouble))),
            Err(Trouble::TooLarge { bytes, most }) => Err(StoreError::TooLarge { bytes, limit: most }),
            Err(trouble) => Err(StoreError::Unavailable(self.says(trouble))),
        }
    }
}

impl Store for MemcachedStore {
    fn kind(&self) -> &'static str {
        "memcached"
    }

    fn answer_within(&self, deadline: Duration) {
        self.connections.patience.set(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        Box::pin(self.find(key))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.step(key, seen, next))
    }
}

/// The current Unix time, in whole seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// When memcached may forget an entry, as it has such times: 0 is never, less
/// is at once, up to 30 days are a period, and more is a date.
fn time(expires: Option<u64>, now: u64) -> i64 {
    let Some(expires) = expires else { return 0 };
    if expires <= now {
        return -1;
    }
    // Its clock ticks once a second, and is up to one behind.
    let (date, period) = (expires.saturating_add(1), expires.saturating_add(1) - now);
    match date {
        _ if period <= LONGEST_PERIOD => period as i64,
        // From 2038 on it takes dates for long past.
        ..=LAST_DATE => date as i64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
