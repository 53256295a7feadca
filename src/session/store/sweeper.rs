//! Removes what expired, in the background, so that no visitor pays for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{Store, StoreError, Swept};

/// The pause between two rounds.
const ROUND: Duration = Duration::from_secs(60);
/// The most entries one step removes.
const STEP: usize = 1000;
/// The longest that a step may take: one that hangs must not be the last.
const STEP_TAKES_AT_MOST: Duration = Duration::from_secs(30);
/// The steps of a round that may fail, before the round is given up. What is
/// wrong in one place need not be so in the next.
const MOST_FAILURES: usize = 3;
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

/// What there is to say after a round.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Fails(StoreError),
    WorksAgain,
}

/// How the last round went. A store that is down for a night must not fill the
/// log, so only a change is news.
#[derive(Debug, Default)]
struct Health {
    fails: bool,
}

impl Health {
    fn after(&mut self, round: Result<(), StoreError>) -> Option<News> {
        let failed = std::mem::replace(&mut self.fails, round.is_err());
        match round {
            Err(error) if !failed => Some(News::Fails(error)),
            Ok(()) if failed => Some(News::WorksAgain),
            _ => None,
        }
    }
}

async fn sweep(store: Arc<dyn Store>, clock: Arc<Clock>) {
    let mut health = Health::default();
    loop {
        sleep(ROUND).await;
        let kind = store.kind();
        match health.after(round(store.as_ref(), &clock).await) {
            Some(News::Fails(error)) => tracing::warn!(store = kind, %error, "expired sessions could not be removed"),
            Some(News::WorksAgain) => tracing::info!(store = kind, "expired sessions are removed again"),
            None => {}
        }
    }
}

async fn round(store: &dyn Store, clock: &Clock) -> Result<(), StoreError> {
    let (mut failures, mut outcome) = (0, Ok(()));
    loop {
        let begun = Instant::now();
        match step(store, clock).await {
            Ok(Swept { more: true, .. }) => {}
            Ok(_) => return outcome,
            Err(error) => {
                failures += 1;
                outcome = Err(error);
                if failures == MOST_FAILURES {
                    return outcome;
                }
            }
        }
        sleep(begun.elapsed().saturating_mul(REST).max(SHORTEST_REST)).await;
    }
}

async fn step(store: &dyn Store, clock: &Clock) -> Result<Swept, StoreError> {
    let late = |_| Err(StoreError::Unavailable(format!("no answer within {STEP_TAKES_AT_MOST:?}")));
    timeout(STEP_TAKES_AT_MOST, store.sweep(clock.now(), STEP)).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::super::factory::BoxFuture;
    use super::super::{Entry, Found, Key, MemoryStore};
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

    /// A store of three parts that are swept in turn, of which some hang.
    #[derive(Debug, Default)]
    struct Parts {
        hang: Mutex<Vec<usize>>,
        asked: Mutex<Vec<usize>>,
    }

    impl Store for Parts {
        fn kind(&self) -> &'static str {
            "parts"
        }

        fn load<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
            Box::pin(async { Ok(None) })
        }

        fn compare_and_set<'a>(
            &'a self,
            _: &'a Key,
            _: Option<u64>,
            _: Option<Entry>,
        ) -> BoxFuture<'a, Result<bool, StoreError>> {
            Box::pin(async { Ok(false) })
        }

        fn sweep(&self, _: f64, _: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
            Box::pin(async {
                let at = self.asked.lock().expect("no panic").len() % 3;
                self.asked.lock().expect("no panic").push(at);
                let hangs = self.hang.lock().expect("no panic").contains(&at);
                if hangs {
                    std::future::pending::<()>().await;
                }
                Ok(Swept { removed: 0, more: at < 2 })
            })
        }
    }

    async fn round_of(parts: &Parts) -> (Result<(), StoreError>, Vec<usize>) {
        let clock = Clock { origin: Instant::now(), origin_time: AtomicU64::new(0) };
        let done = round(parts, &clock).await;
        (done, std::mem::take(&mut parts.asked.lock().expect("no panic")))
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_hangs_keeps_no_other_from_being_swept() {
        let parts = Parts::default();
        parts.hang.lock().expect("no panic").push(0);
        let (done, asked) = round_of(&parts).await;
        assert!(matches!(done, Err(StoreError::Unavailable(_))), "{done:?}");
        assert_eq!(asked, [0, 1, 2]);
        parts.hang.lock().expect("no panic").extend([1, 2]);
        let (done, asked) = round_of(&parts).await;
        assert!(done.is_err() && asked == [0, 1, 2], "a store that hangs is left alone for a while: {asked:?}");
        parts.hang.lock().expect("no panic").clear();
        assert_eq!(round_of(&parts).await, (Ok(()), vec![0, 1, 2]));
    }

    #[test]
    fn a_failure_and_its_end_are_told_once() {
        let mut health = Health::default();
        let failure = || StoreError::Unavailable("it hangs".into());
        assert_eq!(health.after(Ok(())), None);
        assert_eq!(health.after(Err(failure())), Some(News::Fails(failure())));
        assert_eq!(health.after(Err(failure())), None);
        assert_eq!(health.after(Ok(())), Some(News::WorksAgain));
        assert_eq!(health.after(Ok(())), None);
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
