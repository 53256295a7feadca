//! Two stores that share their sessions, as those of two processes do, as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::{Cursor, Entry, Found, Key, Page, Store, StoreError, Swept};
use super::BoxFuture;

/// Does the operations on one and the other in turn.
#[derive(Debug)]
pub struct InTurn {
    stores: [Arc<dyn Store>; 2],
    turn: AtomicUsize,
}

impl InTurn {
    pub fn of(stores: [Arc<dyn Store>; 2]) -> Arc<dyn Store> {
        Arc::new(Self { stores, turn: AtomicUsize::new(0) })
    }

    fn next(&self) -> &dyn Store {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.stores[turn % 2].as_ref()
    }
}

impl Store for InTurn {
    fn kind(&self) -> &'static str {
        self.stores[0].kind()
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        self.next().load(key)
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.next().compare_and_set(key, seen, next)
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        self.next().sweep(now, at_most)
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.next().list(from, at_most)
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.next().count()
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.next().remove(key)
    }
}
