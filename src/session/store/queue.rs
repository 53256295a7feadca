//! Writers of one session, one after the other.
//!
//! Visits that would collide in the store wait for each other here instead,
//! in the order they came. This saves work and is fair; that no update is lost
//! is the store's doing, which compares before it sets. So whoever has waited
//! for very long simply goes on.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::timeout;

use super::Key;

/// The queues of all sessions that someone writes to at the moment.
#[derive(Debug, Default)]
pub(super) struct Queues {
    by_key: Mutex<HashMap<Key, Arc<Queue>>>,
}

#[derive(Debug, Default)]
struct Queue {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// How many hold the turn or wait for it. Changes under the lock of the
    /// map, and the last one out removes the queue.
    members: AtomicU32,
    /// How often the store let down someone who held the turn.
    failures: AtomicU32,
}

/// The store let down the one ahead; those behind need not try for themselves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LetDown;

/// The right to write to a session. The next one gets it when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    // Fields drop in this order: the next one goes before we leave the queue.
    _guard: OwnedMutexGuard<()>,
    place: Place,
}

impl Turn {
    /// The store did not answer the one who holds this turn.
    pub fn fail(&self) {
        self.place.queue.failures.fetch_add(1, Ordering::Relaxed);
    }
}

/// A place in a queue; given up when dropped, also by one who still waits.
#[derive(Debug)]
struct Place {
    queues: Arc<Queues>,
    key: Key,
    queue: Arc<Queue>,
}

impl Queues {
    /// Waits for the turn to write to the session under `key`. Nobody has it
    /// to give after `patience`: `None`.
    ///
    /// # Errors
    /// If the store failed someone ahead meanwhile. A whole queue that asked
    /// a stalled store one by one would never be done.
    pub async fn turn(self: &Arc<Self>, key: Key, patience: Duration) -> Result<Option<Turn>, LetDown> {
        let place = self.join(key);
        let failures = || place.queue.failures.load(Ordering::Relaxed);
        let before = failures();
        let guard = timeout(patience, Arc::clone(&place.queue.turn).lock_owned()).await;
        if failures() != before {
            return Err(LetDown);
        }
        Ok(guard.ok().map(|guard| Turn { _guard: guard, place }))
    }

    fn join(self: &Arc<Self>, key: Key) -> Place {
        let mut by_key = self.lock();
        let queue = Arc::clone(by_key.entry(key).or_default());
        queue.members.fetch_add(1, Ordering::Relaxed);
        Place { queues: Arc::clone(self), key, queue }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Queue>>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut by_key = self.queues.lock();
        if self.queue.members.fetch_sub(1, Ordering::Relaxed) == 1 {
            by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(4);

    fn key() -> Key {
        Key::of(b"a session")
    }

    async fn turn(queues: &Arc<Queues>) -> Turn {
        queues.turn(key(), PATIENCE).await.expect("a sound store").expect("in time")
    }

    /// As many as wait for the turn, or have it.
    async fn members(queues: &Queues, wanted: u32) {
        while queues.lock().get(&key()).is_none_or(|queue| queue.members.load(Ordering::Relaxed) != wanted) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn writers_go_in_the_order_they_came_and_leave_nothing_behind() {
        let queues = Arc::new(Queues::default());
        let order = Arc::new(Mutex::new(Vec::new()));
        let first = turn(&queues).await;
        let mut writers = Vec::new();
        for number in 0..10 {
            let (queues, order) = (Arc::clone(&queues), Arc::clone(&order));
            let before = 1 + number;
            members(&queues, before).await;
            writers.push(tokio::spawn(async move {
                let _turn = turn(&queues).await;
                order.lock().expect("the order").push(number);
            }));
        }
        members(&queues, 11).await;
        drop(first);
        for writer in writers {
            writer.await.expect("no panic");
        }
        assert!(order.lock().expect("the order").iter().copied().eq(0..10));
        assert!(queues.lock().is_empty());
    }

    #[tokio::test]
    async fn sessions_do_not_wait_for_each_other() {
        let queues = Arc::new(Queues::default());
        let _held = turn(&queues).await;
        let other = queues.turn(Key::of(b"another"), PATIENCE).await;
        assert!(other.is_ok_and(|turn| turn.is_some()));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_waited_long_enough_goes_on() {
        let queues = Arc::new(Queues::default());
        let held = turn(&queues).await;
        assert!(queues.turn(key(), PATIENCE).await.expect("a sound store").is_none());
        drop(held);
        assert!(queues.lock().is_empty());
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_the_queue() {
        let queues = Arc::new(Queues::default());
        let held = turn(&queues).await;
        let waiting = tokio::spawn({
            let queues = Arc::clone(&queues);
            async move { turn(&queues).await }
        });
        members(&queues, 2).await;
        waiting.abort();
        assert!(waiting.await.expect_err("aborted").is_cancelled());
        members(&queues, 1).await;
        drop(held);
        assert!(queues.lock().is_empty());
    }

    #[tokio::test]
    async fn a_failure_reaches_those_who_wait_and_nobody_later() {
        let queues = Arc::new(Queues::default());
        let held = turn(&queues).await;
        let waiting = tokio::spawn({
            let queues = Arc::clone(&queues);
            async move { queues.turn(key(), PATIENCE).await.map(|_| ()) }
        });
        members(&queues, 2).await;
        held.fail();
        drop(held);
        assert_eq!(waiting.await.expect("no panic"), Err(LetDown));
        drop(turn(&queues).await);
    }
}
