//! A session factory of your own: `journal` keeps sessions in memory and writes every change down, a
//! line each, in one file. The next process reads the lines, and goes on from there.
//!
//! This is the whole program: everything `sitewright` can do, with one place for sessions more.
//!
//! ```text
//! cargo run --example own_session_factory -- --config examples/own_session_factory.toml --reload
//! cargo run --example own_session_factory -- check examples/own_session_factory.toml
//! ```

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::ops::Bound;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use sitewright::session::factory::BoxFuture;
use sitewright::session::store::{Cursor, Entry, Found, Key, Page, Store, StoreError, Swept};
use sitewright::site::Vocabulary;
use sitewright::site::factories::{FactoryKind, HeldBy, stored};

fn main() -> ExitCode {
    let vocabulary = Vocabulary::standard().with_factory(&JOURNAL);
    sitewright::cli::run(std::env::args_os(), &vocabulary).into()
}

/// What `[session]` and the diagnostics know of the factory.
pub const JOURNAL: FactoryKind = FactoryKind {
    name: "journal",
    summary: "In memory, with every change written down in `sessions.journal`.",
    guarantee: "No update is lost, in one process at a time; what was answered survives a kill -9.",
    held_by: HeldBy::Store,
    options: &["store_timeout", "max_record"],
    url: None,
    open: |opening| stored(opening, |opening| Ok(Arc::new(JournalStore::new(opening.folder.join("sessions.journal"))))),
};

/// The store. Making one touches no file; its first step opens the journal.
#[derive(Debug)]
pub struct JournalStore {
    path: PathBuf,
    journal: Arc<Mutex<Option<Journal>>>,
}

#[derive(Debug)]
struct Journal {
    file: File,
    /// Keeps other processes out: they would not know what this one remembers.
    _lock: File,
    entries: BTreeMap<Key, Kept>,
}

/// A version and the entry.
type Kept = (u64, Entry);

impl JournalStore {
    /// A store whose journal is this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, journal: Arc::default() }
    }

    /// Takes a step where it may wait for the disk: to its end, even if nobody waits for it.
    async fn step<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut Journal) -> io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (path, journal) = (self.path.clone(), Arc::clone(&self.journal));
        let taken = tokio::task::spawn_blocking(move || {
            let mut place = journal.lock().unwrap_or_else(PoisonError::into_inner);
            let open = place.take().map_or_else(|| Journal::open(&path), Ok);
            let mut journal = open.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            // Whether a change is written down that failed is seen when the journal is opened anew.
            let answer = step(&mut journal).map_err(|error| StoreError::OutcomeUnknown(error.to_string()))?;
            *place = Some(journal);
            Ok(answer)
        });
        taken.await.unwrap_or_else(|error| Err(StoreError::OutcomeUnknown(error.to_string())))
    }
}

impl Journal {
    /// Reads a journal, and begins a new one with what came of it.
    fn open(path: &Path) -> io::Result<Self> {
        let lock = private().open(path.with_extension("lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another process has the journal"))?;
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        let mut entries = BTreeMap::new();
        // A line without an end was being written when the process died; nobody was answered.
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            match read(line)? {
                (key, Some(kept)) => _ = entries.insert(key, kept),
                (key, None) => _ = entries.remove(&key),
            }
        }
        let draft = path.with_extension("draft");
        let mut file = private().truncate(true).open(&draft)?;
        let lines: String = entries.iter().map(|(key, kept)| line(key, Some(kept))).collect();
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        fs::rename(draft, path)?;
        Ok(Self { file, _lock: lock, entries })
    }

    /// Writes a change down, and then remembers it.
    fn put(&mut self, key: Key, next: Option<Kept>) -> io::Result<()> {
        self.file.write_all(line(&key, next.as_ref()).as_bytes())?;
        self.file.sync_data()?;
        match next {
            Some(next) => _ = self.entries.insert(key, next),
            None => _ = self.entries.remove(&key),
        }
        Ok(())
    }
}

impl Store for JournalStore {
    fn kind(&self) -> &'static str {
        JOURNAL.name
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        let key = *key;
        Box::pin(self.step(move |journal| Ok(journal.entries.get(&key).map(found))))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let key = *key;
        Box::pin(self.step(move |journal| {
            if journal.entries.get(&key).map(|(version, _)| *version) != seen {
                return Ok(false);
            }
            // A random version: no key has the same one twice.
            let version = getrandom::u64()?;
            journal.put(key, next.map(|entry| (version, entry)))?;
            Ok(true)
        }))
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(self.step(move |journal| {
            let expired = |(_, kept): &(&Key, &Kept)| kept.1.expires.is_some_and(|expires| expires as f64 <= now);
            let keys: Vec<Key> = journal.entries.iter().filter(expired).map(|(key, _)| *key).take(at_most).collect();
            keys.iter().try_for_each(|key| journal.put(*key, None))?;
            Ok(Swept { removed: keys.len(), more: keys.len() == at_most })
        }))
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        let last = from.and_then(|Cursor(bytes)| Some(Key::new(bytes.as_ref().try_into().ok()?)));
        Box::pin(self.step(move |journal| {
            let range = (last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
            let page = journal.entries.range(range).take(at_most.max(1));
            let entries: Vec<_> = page.map(|(key, kept)| (*key, found(kept))).collect();
            let next = entries.last().map(|(key, _)| Cursor(Box::from(key.as_bytes().as_slice())));
            Ok(Page { entries, next })
        }))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.step(|journal| Ok(journal.entries.len() as u64)))
    }
}

fn found((version, entry): &Kept) -> Found {
    Found { version: *version, bytes: entry.bytes.clone() }
}

/// A line of the journal: a key, and what is under it from now on: version, expiry and bytes.
type Line = (String, Option<(u64, Option<u64>, Vec<u8>)>);

fn line(key: &Key, kept: Option<&Kept>) -> String {
    let kept = kept.map(|(version, entry)| (version, entry.expires, &entry.bytes));
    format!("{}\n", json!([key.to_string(), kept]))
}

fn read(line: &str) -> io::Result<(Key, Option<Kept>)> {
    let (key, kept): Line = serde_json::from_str(line)?;
    let key = Key::parse(&key).ok_or_else(|| io::Error::other("a line of the journal begins with no key"))?;
    Ok((key, kept.map(|(version, expires, bytes)| (version, Entry { expires, bytes: bytes.into() }))))
}

/// Opens a file for its owner alone: it holds the sessions of people.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).mode(0o600);
    options
}
