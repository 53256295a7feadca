//! Between entries and the columns of the table.

use super::super::{Cursor, Entry, Found, Key, Page, StoreError, Swept};

/// A version: random, so that no entry ever has one again.
pub(super) fn fresh_version() -> Result<i64, StoreError> {
    let no_version = |error| StoreError::Unavailable(format!("the system gives no random bytes: {error}"));
    Ok(getrandom::u64().map_err(no_version)?.cast_signed())
}

/// A version in the table, where integers have a sign.
pub(super) fn column(version: u64) -> i64 {
    version.cast_signed()
}

/// The time from which `entry` may be forgotten, as the table has it.
pub(super) fn expires(entry: &Entry) -> Option<i64> {
    entry.expires.map(|expires| i64::try_from(expires).unwrap_or(i64::MAX))
}

/// The last second that has passed at `now`.
pub(super) fn passed(now: f64) -> i64 {
    now.floor() as i64
}

/// A number of rows, as SQL takes it.
pub(super) fn limit(at_most: usize) -> i64 {
    i64::try_from(at_most.max(1)).unwrap_or(i64::MAX)
}

/// The columns `version` and `record`.
pub(super) fn found((version, record): (i64, Vec<u8>)) -> Found {
    Found { version: version.cast_unsigned(), bytes: record.into() }
}

/// The key to go on after; every key is longer than none.
pub(super) fn after(from: Option<&Cursor>) -> Vec<u8> {
    from.map_or_else(Vec::new, |cursor| cursor.0.to_vec())
}

/// The columns `session`, `version` and `record` of at most so many rows, in
/// the order of keys. What is no key of ours is left out.
pub(super) fn page(rows: Vec<(Vec<u8>, i64, Vec<u8>)>, at_most: usize) -> Page {
    let full = rows.len() >= at_most.max(1);
    let next = rows.last().filter(|_| full).map(|(key, ..)| Cursor(key.as_slice().into()));
    let entries = rows.into_iter().filter_map(|(key, version, record)| {
        let key = <[u8; Key::SIZE]>::try_from(key).ok()?;
        Some((Key::new(key), found((version, record))))
    });
    Page { entries: entries.collect(), next }
}

/// What a step of sweeping did; `None` if there is no table yet.
pub(super) fn swept(removed: Option<u64>, at_most: usize) -> Swept {
    let removed = removed.map_or(0, |removed| usize::try_from(removed).unwrap_or(usize::MAX));
    Swept { removed, more: removed >= at_most.max(1) }
}

/// The column `count(*)`; `None` if there is no table yet.
pub(super) fn count(rows: Option<i64>) -> u64 {
    rows.map_or(0, i64::unsigned_abs)
}
