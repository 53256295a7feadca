//! A store that fails on demand.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::super::factory::BoxFuture;
use super::super::{Cursor, Entry, Found, Key, Page, Store, StoreError, Swept};

/// What happens to an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It never answers, and does nothing.
    Stall,
    /// It does it and never answers.
    StallAfter,
    /// It fails and does nothing.
    Before,
    /// It does it and cannot say so.
    After,
    /// It panics.
    Panic,
}

/// A store whose next operations have faults, in this order.
#[derive(Debug)]
pub(super) struct FaultyStore {
    store: Arc<dyn Store>,
    loads: Mutex<VecDeque<Fault>>,
    sets: Mutex<VecDeque<Fault>>,
    pub operations: AtomicU32,
    /// What it was told last.
    pub deadline: Mutex<Option<Duration>>,
}

impl FaultyStore {
    pub fn new(store: Arc<dyn Store>) -> Self {
        let (loads, sets, operations, deadline) = Default::default();
        Self { store, loads, sets, operations, deadline }
    }

    pub fn fail_loads(&self, faults: impl IntoIterator<Item = Fault>) {
        self.loads.lock().expect("the loads").extend(faults);
    }

    pub fn fail_sets(&self, faults: impl IntoIterator<Item = Fault>) {
        self.sets.lock().expect("the sets").extend(faults);
    }

    async fn with<T>(
        &self,
        faults: &Mutex<VecDeque<Fault>>,
        step: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.operations.fetch_add(1, Ordering::SeqCst);
        let fault = faults.lock().expect("the faults").pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::None => step.await,
            Fault::Stall => pending().await,
            Fault::StallAfter => {
                let _ = step.await;
                pending().await
            }
            Fault::Before => Err(StoreError::Unavailable("refused".into())),
            Fault::After => {
                let _ = step.await;
                Err(StoreError::OutcomeUnknown("cut off".into()))
            }
            Fault::Panic => panic!("a bug in the store"),
        }
    }
}

impl Store for FaultyStore {
    fn kind(&self) -> &'static str {
        "faulty"
    }

    fn answer_within(&self, deadline: Duration) {
        *self.deadline.lock().expect("the deadline") = Some(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        Box::pin(self.with(&self.loads, self.store.load(key)))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.with(&self.sets, self.store.compare_and_set(key, seen, next)))
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        self.store.sweep(now, at_most)
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.store.list(from, at_most)
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.count()
    }
}
