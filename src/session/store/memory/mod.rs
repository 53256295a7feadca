//! Sessions in this process.
//!
//! | | |
//! |---|---|
//! | Exact | yes, within the process; other processes have sessions of their own |
//! | Survives a reload | yes, as long as the store is handed on |
//! | Survives a restart, a crash, kill -9 | no |
//! | When memory is full | some sessions go, see [`MemoryStore::new`] |
//!
//! A small session takes about 180 bytes. What expires gives its memory back.

mod shard;

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::factory::BoxFuture;
use super::ration::Ration;
use super::{Cursor, Entry, Found, Key, Page, Store, StoreError, Swept};
use shard::Shard;

/// Parts with a lock each, by the first byte of the key. Whatever one
/// operation does to a whole part, it does to a 256th of the sessions.
const SHARDS: usize = 256;
/// The memory sessions may take unless told otherwise: some three million
/// small ones.
const DEFAULT_CAPACITY: usize = 512 << 20;

/// The `memory` store.
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    capacity: usize,
    /// The sessions that had to go for others and that the log does not know of yet.
    evicted: AtomicU64,
    told: Ration,
    /// The shard the sweep goes on with.
    next: AtomicUsize,
}

impl MemoryStore {
    /// A store whose sessions take about `capacity` bytes at most, everything
    /// counted.
    ///
    /// When it is full, a new session takes the place of others: of those
    /// that were stored once and never again, as crawlers leave them, the
    /// ones that expire first; of the others only if there are no such.
    /// Sessions are spread evenly over 256 parts and each part is full by
    /// itself, so a capacity of at least 256 times the largest session makes
    /// sense.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let shard = || Mutex::new(Shard::new(capacity / SHARDS));
        Self {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            capacity,
            evicted: AtomicU64::new(0),
            told: Ration::new(1),
            next: AtomicUsize::new(0),
        }
    }

    /// The bytes that all sessions take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).bytes()).sum()
    }

    fn shard(&self, key: &Key) -> Option<MutexGuard<'_, Shard>> {
        self.shards.get(usize::from(key.first())).map(lock)
    }

    fn set(&self, key: &Key, seen: Option<u64>, next: Option<Entry>) -> Result<bool, StoreError> {
        let Some(mut shard) = self.shard(key) else { return Ok(false) };
        if shard.version(key) != seen {
            return Ok(false);
        }
        match next {
            None => _ = shard.remove(key),
            Some(next) => {
                if !shard.put(key, seen.map_or(1, |seen| seen.wrapping_add(1)), &next) {
                    return Err(StoreError::TooLarge { bytes: next.bytes.len(), limit: shard.largest() });
                }
                let evicted = shard.take_evicted();
                drop(shard);
                self.tell_of(evicted);
            }
        }
        Ok(true)
    }

    /// Their visitors begin anew, and nobody else would know why.
    fn tell_of(&self, evicted: u64) {
        if evicted == 0 {
            return;
        }
        self.evicted.fetch_add(evicted, Ordering::Relaxed);
        if self.told.take().is_some() {
            let (evicted, mib) = (self.evicted.swap(0, Ordering::Relaxed), self.capacity >> 20);
            tracing::warn!(evicted, "sessions take all of their {mib} MiB: some ended to make room for new ones");
        }
    }

    async fn sweep_some(&self, now: f64, at_most: usize) -> Swept {
        let mut removed = 0;
        for at in self.next.load(Ordering::Relaxed)..SHARDS {
            if let Some(shard) = self.shards.get(at) {
                removed += lock(shard).sweep(now, at_most - removed);
            }
            if removed >= at_most {
                self.next.store(at, Ordering::Relaxed);
                return Swept { removed, more: true };
            }
            tokio::task::yield_now().await; // requests come first
        }
        self.next.store(0, Ordering::Relaxed);
        Swept { removed, more: false }
    }

    fn page(&self, from: Option<&Cursor>, at_most: usize) -> Page {
        let after = from.and_then(Cursor::key);
        let first = after.map_or(0, |key| usize::from(key.first()));
        let mut entries = Vec::new();
        for shard in self.shards.iter().skip(first) {
            if entries.len() >= at_most {
                let last = entries.last().map(|(key, _)| Cursor::after(key));
                return Page { entries, next: last };
            }
            lock(shard).list(after.as_ref(), at_most, &mut entries);
        }
        let full = entries.len() >= at_most;
        let next = entries.last().filter(|_| full).map(|(key, _)| Cursor::after(key));
        Page { entries, next }
    }
}

/// A panic elsewhere leaves a shard whole: nothing in it can panic halfway.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(DEFAULT_CAPACITY)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        Box::pin(async move { Ok(self.shard(key).and_then(|shard| shard.get(key))) })
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.set(key, seen, next) })
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(async move { Ok(self.sweep_some(now, at_most.max(1)).await) })
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(async move { Ok(self.page(from.as_ref(), at_most.max(1))) })
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async { Ok(self.shards.iter().map(|shard| lock(shard).len() as u64).sum()) })
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { Ok(self.shard(key).is_some_and(|mut shard| shard.remove(key))) })
    }
}

#[cfg(test)]
mod tests;
