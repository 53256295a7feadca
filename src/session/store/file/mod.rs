//! Sessions in a folder, one file each.
//!
//! | | |
//! |---|---|
//! | Exact | yes, for every process on this machine that uses the folder |
//! | Survives a restart, a crash, kill -9 | yes: every confirmed change, and no half of one |
//! | Survives a power failure | yes, if the disk keeps what it confirmed |
//! | When the disk is full, or fails | an error, and the old record stays whole |
//!
//! Processes exclude each other with flock(2), which the kernel lets go with
//! the process, so no lock is ever left behind. The folder should be on a
//! local disk: on network file systems such locks may not reach other
//! machines. Every change waits for the disk twice.

mod disk;
mod layout;
mod shard;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::super::factory::BoxFuture;
use super::super::private::{make_private_folder, settle_above};
use super::blocking::Blocking;
use super::patience::Patience;
use super::{Cursor, Entry, Found, Key, Page, Store, StoreError, Swept};
use disk::{Disk, RealDisk};
use shard::Shard;

/// Folders, by the first byte of the key.
const SHARDS: usize = 256;

/// The `file` store.
#[derive(Clone, Debug)]
pub struct FileStore {
    inner: Arc<Inner>,
    blocking: Arc<Blocking>,
    patience: Patience,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    /// Whether this process has seen to it that the folder is there, and
    /// outlives a power failure.
    settled: AtomicBool,
    shards: Vec<Shard>,
    /// In this process one task at a time waits for a shard's file lock, so
    /// that a stuck process elsewhere cannot use up all threads here.
    turns: Vec<Arc<tokio::sync::Mutex<()>>>,
    disk: Box<dyn Disk>,
    /// The shard the sweep goes on with.
    next: AtomicUsize,
}

impl FileStore {
    /// A store in `folder`, which is made with the first session, for its
    /// owner alone. Touches no file yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self::on(Box::new(RealDisk), folder.into())
    }

    fn on(disk: Box<dyn Disk>, folder: PathBuf) -> Self {
        let shard = |first| Shard::new(folder.join(format!("{first:02x}")));
        let inner = Inner {
            shards: (0..SHARDS).map(shard).collect(),
            folder,
            settled: AtomicBool::new(false),
            turns: std::iter::repeat_with(Arc::default).take(SHARDS).collect(),
            disk,
            next: AtomicUsize::new(0),
        };
        Self { inner: Arc::new(inner), blocking: Arc::default(), patience: Patience::default() }
    }

    /// When what has not begun is to be given up.
    fn begins_by(&self) -> Instant {
        Instant::now() + self.patience.to_begin()
    }

    /// Runs `work` where waiting for the disk holds up nobody. It runs to its
    /// end even if nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        by: Instant,
        work: impl FnOnce(&Inner) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = Arc::clone(&self.inner);
        self.blocking.run(by, move || work(&inner)).await
    }

    /// Runs `work` on the shard with this number, under its lock. If others
    /// have that for too long, it never runs.
    async fn change<T: Send + 'static>(
        &self,
        shard: usize,
        work: impl FnOnce(&shard::Locked<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let by = self.begins_by();
        let late = || StoreError::Unavailable("others hold up this part of the session folder".into());
        let turn = Arc::clone(self.inner.turns.get(shard).ok_or_else(no_such_shard)?);
        let turn = timeout_at(by, turn.lock_owned()).await.map_err(|_| late())?;
        let begins = Start::default();
        let gives_up = begins.clone();
        let mut changing = pin!(self.run(by, move |inner| {
            let _turn = turn; // until the work is done, not until someone stops waiting for it
            inner.settle()?;
            let shard = inner.shard(shard)?.lock(inner.disk.as_ref())?;
            if begins.is_first() { work(&shard) } else { Err(late()) }
        }));
        match timeout_at(by, &mut changing).await {
            Ok(done) => done,
            Err(_) if gives_up.is_first() => Err(late()),
            Err(_) => changing.await,
        }
    }

    /// Sweeps in one folder. A folder that fails is left for the next round.
    async fn sweep_some(&self, now: f64, at_most: usize) -> Result<Swept, StoreError> {
        let at = self.inner.next.load(Ordering::Relaxed);
        let swept = self.sweep_shard(at, now, at_most).await;
        let full = matches!(swept, Ok(removed) if removed >= at_most);
        let next = if full { at } else { (at + 1) % SHARDS };
        self.inner.next.store(next, Ordering::Relaxed);
        Ok(Swept { removed: swept?, more: full || next != 0 })
    }

    async fn sweep_shard(&self, at: usize, now: f64, at_most: usize) -> Result<usize, StoreError> {
        // Looked for without the lock: reading every head takes a while.
        let look = self.run(self.begins_by(), move |inner| inner.shard(at)?.outdated(now, at_most));
        let outdated = look.await?;
        if outdated.is_empty() {
            return Ok(0);
        }
        self.change(at, move |shard| shard.remove(&outdated, now)).await
    }
}

impl Inner {
    fn settle(&self) -> Result<(), StoreError> {
        if self.settled.load(Ordering::Relaxed) {
            return Ok(());
        }
        make_private_folder(&self.folder, |above| self.disk.sync_folder(above))
            .map_err(|error| StoreError::Unavailable(format!("cannot make the session folder: {error}")))?;
        settle_above(&self.folder);
        self.settled.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn shard(&self, at: usize) -> Result<&Shard, StoreError> {
        self.shards.get(at).ok_or_else(no_such_shard)
    }

    fn shard_of(&self, key: &Key) -> Result<&Shard, StoreError> {
        self.shard(usize::from(key.first()))
    }

    fn page(&self, from: Option<&Cursor>, at_most: usize) -> Result<Page, StoreError> {
        let after = from.and_then(Cursor::key);
        let first = after.map_or(0, |key| usize::from(key.first()));
        let mut entries: Vec<(Key, Found)> = Vec::new();
        for shard in self.shards.iter().skip(first) {
            for key in shard.keys()?.into_iter().filter(|key| after.is_none_or(|after| *key > after)) {
                if entries.len() >= at_most {
                    let next = entries.last().map(|(key, _)| Cursor::after(key));
                    return Ok(Page { entries, next });
                }
                // It may have gone since the folder was listed.
                if let Some(found) = shard.load(self.disk.as_ref(), &key)? {
                    entries.push((key, found));
                }
            }
        }
        Ok(Page { entries, next: None })
    }

    fn count(&self) -> Result<u64, StoreError> {
        self.shards.iter().map(|shard| Ok(shard.keys()?.len() as u64)).sum()
    }
}

/// Between the one who is to begin and the one who stops waiting for it: only
/// the first of them does.
#[derive(Clone, Debug, Default)]
struct Start(Arc<AtomicBool>);

impl Start {
    fn is_first(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

fn no_such_shard() -> StoreError {
    StoreError::Unavailable("there is no such folder".into())
}

impl Store for FileStore {
    fn kind(&self) -> &'static str {
        "file"
    }

    fn answer_within(&self, deadline: Duration) {
        self.patience.set(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        let key = *key;
        Box::pin(self.run(self.begins_by(), move |inner| inner.shard_of(&key)?.load(inner.disk.as_ref(), &key)))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let key = *key;
        Box::pin(self.change(usize::from(key.first()), move |shard| shard.set(&key, seen, next)))
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(self.sweep_some(now, at_most.max(1)))
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(self.run(self.begins_by(), move |inner| inner.page(from.as_ref(), at_most.max(1))))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.run(self.begins_by(), Inner::count))
    }
}

#[cfg(test)]
mod tests;
