//! One folder of records, and the lock that every process takes to change it.
//!
//! ```text
//! .lock       locked with flock(2) while a record is changed
//! KEY         a record; replaced by renaming, so it is always whole
//! KEY.new     a record on its way; without the lock being held, a leftover
//! ```

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::super::super::private::{make_private_folder, private_file};
use super::super::{Entry, Found, Key, StoreError};
use super::disk::Disk;
use super::layout::{self, Expiry};

/// How long a damaged file is left for somebody to look at, in seconds.
const DAMAGED_FILES_LAST: f64 = 86_400.0;

/// A folder of records.
#[derive(Debug)]
pub(super) struct Shard {
    folder: PathBuf,
    /// Whether this process has seen to it that the folder outlives a power
    /// failure. Another one may have made it, and ended before.
    settled: AtomicBool,
}

/// A shard that no other process changes meanwhile. The lock goes when this
/// is dropped, or with the process, however it ends.
pub(super) struct Locked<'s> {
    shard: &'s Shard,
    disk: &'s dyn Disk,
    _lock: File,
}

impl Shard {
    /// Touches no file yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, settled: AtomicBool::new(false) }
    }

    pub fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(key.to_string())
    }

    /// What is under `key`. Needs no lock: a record is renamed into place.
    pub fn load(&self, disk: &dyn Disk, key: &Key) -> Result<Option<Found>, StoreError> {
        match disk.read(&self.path(key)) {
            Ok(bytes) => Ok(Some(layout::read(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable("read", &error)),
        }
    }

    /// Waits until no other process changes the folder. Makes it if need be.
    pub fn lock<'s>(&'s self, disk: &'s dyn Disk) -> Result<Locked<'s>, StoreError> {
        let path = self.folder.join(".lock");
        let open = || private_file().open(&path);
        let sync = |above: &Path| disk.sync_folder(above);
        let file = open().or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => make_private_folder(&self.folder, sync).and_then(|()| open()),
            _ => Err(error),
        });
        let file = file.and_then(|file| self.settle(disk).map(|()| file));
        let file = file.and_then(|file| file.lock().map(|()| file));
        let file = file.map_err(|error| unavailable("lock", &error))?;
        Ok(Locked { shard: self, disk, _lock: file })
    }

    fn settle(&self, disk: &dyn Disk) -> io::Result<()> {
        if let Some(above) = self.folder.parent().filter(|_| !self.settled.load(Ordering::Relaxed)) {
            disk.sync_folder(above)?;
            self.settled.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The keys of all records, in order.
    pub fn keys(&self) -> Result<Vec<Key>, StoreError> {
        let mut keys: Vec<_> = self.names()?.iter().filter_map(|name| key_in(name)).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// The files that could be removed at `now`, at most so many; whether
    /// they may be is decided under the lock.
    pub fn outdated(&self, now: f64, at_most: usize) -> Result<Vec<PathBuf>, StoreError> {
        let paths = self.names()?.into_iter().map(|name| self.folder.join(name));
        Ok(paths.filter(|path| is_leftover(path) || is_outdated(path, now)).take(at_most).collect())
    }

    fn names(&self) -> Result<Vec<std::ffi::OsString>, StoreError> {
        let files = match self.folder.read_dir() {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unavailable("list", &error)),
        };
        let names = files.map(|file| file.map(|file| file.file_name()));
        names.collect::<io::Result<_>>().map_err(|error| unavailable("list", &error))
    }
}

impl Locked<'_> {
    /// The step of [`Store::compare_and_set`](super::super::Store::compare_and_set).
    pub fn set(&self, key: &Key, seen: Option<u64>, next: Option<Entry>) -> Result<bool, StoreError> {
        let version = self.shard.load(self.disk, key)?.map(|found| found.version);
        if version != seen {
            return Ok(false);
        }
        match next {
            Some(next) => self.put(key, seen.map_or(1, |seen| seen.wrapping_add(1)), &next)?,
            None if seen.is_some() => self.cut(key)?,
            None => {}
        }
        Ok(true)
    }

    /// The new record is on the disk before its name is, so at every moment
    /// there is the old one or the new one.
    fn put(&self, key: &Key, version: u64, next: &Entry) -> Result<(), StoreError> {
        let path = self.shard.path(key);
        let draft = self.shard.folder.join(format!("{key}{LEFTOVER}"));
        let written = self.disk.write(&draft, &layout::write(version, next));
        if let Err(error) = written.and_then(|()| self.disk.rename(&draft, &path)) {
            // If this fails as well, the next sweep does it.
            let _ = self.disk.remove(&draft);
            return Err(unavailable("write", &error));
        }
        self.settle()
    }

    fn cut(&self, key: &Key) -> Result<(), StoreError> {
        self.disk.remove(&self.shard.path(key)).map_err(|error| unavailable("remove", &error))?;
        self.settle()
    }

    /// What is renamed or removed is so for everyone, but a power failure
    /// could still undo it.
    fn settle(&self) -> Result<(), StoreError> {
        let synced = self.disk.sync_folder(&self.shard.folder);
        synced.map_err(|error| StoreError::OutcomeUnknown(format!("cannot sync the session folder: {error}")))
    }

    /// Removes those of `paths` that still are outdated.
    pub fn remove(&self, paths: &[PathBuf], now: f64) -> Result<usize, StoreError> {
        let mut removed = 0;
        for path in paths.iter().filter(|path| is_leftover(path) || is_outdated(path, now)) {
            // Not synced: what comes back after a power failure is swept again.
            match self.disk.remove(path) {
                Ok(()) => removed += usize::from(!is_leftover(path)),
                // Since it was seen, its writer has given it its name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(unavailable("remove", &error)),
            }
        }
        Ok(removed)
    }
}

const LEFTOVER: &str = ".new";

/// A record on its way; nobody is behind it who waits for the lock.
fn is_leftover(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "new")
}

/// Whether `path` is a record that expired by `now`.
fn is_outdated(path: &Path, now: f64) -> bool {
    if path.file_name().and_then(key_in).is_none() {
        return false;
    }
    match layout::expiry(path) {
        Ok(Expiry::At(expires)) => expires as f64 <= now,
        Ok(Expiry::Damaged) => written(path).is_some_and(|written| written + DAMAGED_FILES_LAST <= now),
        Ok(Expiry::Never) | Err(_) => false,
    }
}

/// When a file was last written, in Unix time.
fn written(path: &Path) -> Option<f64> {
    let modified = path.metadata().and_then(|metadata| metadata.modified()).ok()?;
    let since: Duration = modified.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs_f64())
}

fn key_in(name: &OsStr) -> Option<Key> {
    name.to_str().and_then(Key::parse)
}

fn unavailable(what: &str, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("cannot {what} in the session folder: {error}"))
}
