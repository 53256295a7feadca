//! Removes what expired, in the background, so that no visitor pays for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use super::Store;

/// The pause between two rounds.
const ROUND: Duration = Duration::from_secs(60);
/// The most entries one step removes.
const STEP: usize = 1000;
/// After a step the sweeper rests this many times as long as the step took:
/// it never has more than a fifth of the store's time.
const REST: u32 = 4;
/// The shortest such rest.
const SHORTEST_REST: Duration = Duration::from_millis(1);

/// A background task that sweeps a store. It begins with the first visit and
/// ends when this is dropped.
#[derive(Debug)]
pub(super) struct Sweeper {
    clock: Arc<Clock>,
    task: OnceLock<AbortHandle>,
}

impl Sweeper {
    pub fn new() -> Self {
        let clock = Clock { origin: Instant::now(), origin_time: AtomicU64::new(0) };
        Self { clock: Arc::new(clock), task: OnceLock::new() }
    }

    /// Notes that it is `now`. The first time, begins to sweep `store`.
    pub fn notice(&self, store: &Arc<dyn Store>, now: f64) {
        self.clock.set(now);
        self.task.get_or_init(|| {
            let sweeping = sweep(Arc::clone(store), Arc::clone(&self.clock));
            tokio::spawn(sweeping).abort_handle()
        });
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// The visits' clock, going on while nobody visits. The system's own may say
/// something else: tests and previews stop time.
#[derive(Debug)]
struct Clock {
    origin: Instant,
    /// The bits of the time it was at `origin`.
    origin_time: AtomicU64,
}

impl Clock {
    fn set(&self, now: f64) {
        let origin_time = now - self.origin.elapsed().as_secs_f64();
        self.origin_time.store(origin_time.to_bits(), Ordering::Relaxed);
    }

    fn now(&self) -> f64 {
        let origin_time = f64::from_bits(self.origin_time.load(Ordering::Relaxed));
        origin_time + self.origin.elapsed().as_secs_f64()
    }
}

async fn sweep(store: Arc<dyn Store>, clock: Arc<Clock>) {
    let mut failed = false;
    loop {
        sleep(ROUND).await;
        match round(store.as_ref(), &clock).await {
            Ok(()) => failed = false,
            // Once: a store that is down for a night would fill the log.
            Err(_) if failed => {}
            Err(error) => {
                failed = true;
                tracing::warn!(store = store.kind(), %error, "expired sessions could not be removed");
            }
        }
    }
}

async fn round(store: &dyn Store, clock: &Clock) -> Result<(), super::StoreError> {
    loop {
        let begun = Instant::now();
        if !store.sweep(clock.now(), STEP).await?.more {
            return Ok(());
        }
        sleep(begun.elapsed().saturating_mul(REST).max(SHORTEST_REST)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, Key, MemoryStore};
    use super::*;

    async fn stored(store: &dyn Store, id: u32, expires: u64) {
        let entry = Entry { expires: Some(expires), bytes: Box::from(*b"bytes") };
        let done = store.compare_and_set(&Key::of(&id.to_be_bytes()), None, Some(entry)).await;
        assert_eq!(done, Ok(true));
    }

    #[tokio::test(start_paused = true)]
    async fn what_expires_goes_without_a_visit_and_the_rest_stays() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        for id in 0..5000 {
            stored(store.as_ref(), id, 1100).await;
        }
        stored(store.as_ref(), 9999, 10_000).await;
        let sweeper = Sweeper::new();
        sweeper.notice(&store, 1000.0);
        sleep(Duration::from_secs(65)).await;
        assert_eq!(store.count().await, Ok(5001), "none has expired yet");
        sleep(Duration::from_secs(60)).await;
        assert_eq!(store.count().await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_its_factory() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let sweeper = Sweeper::new();
        sweeper.notice(&store, 1000.0);
        sweeper.notice(&store, 1000.0);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&store), 2, "one task, however many visits");
        drop(sweeper);
        while Arc::strong_count(&store) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
