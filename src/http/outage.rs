//! Tells the log when sessions can no longer be had, once a minute while that lasts, and when they can
//! again: a line each, however many requests fail in between.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::answer::Account;
use crate::session::factory::{SessionError, SessionFactory};
use crate::session::store::Key;

/// A store that failed so recently is not back because one request got through.
const CALM: Duration = Duration::from_secs(1);

/// How often the log is told that an outage lasts.
const OFTEN: Duration = Duration::from_secs(60);

/// The outage that lasts at the moment, if there is one.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Whether there is one; spares every request the lock.
    lasts: AtomicBool,
    ongoing: Mutex<Option<Ongoing>>,
}

#[derive(Debug)]
struct Ongoing {
    since: Instant,
    last: Instant,
    told: Instant,
    failures: u64,
}

impl Outage {
    /// Notes what became of a request's session. The first failure begins an outage. A session that
    /// is stored ends it: reading alone does not show that the store works, for its disk may be full.
    pub fn notice(&self, factory: &dyn SessionFactory, account: &Account) {
        let unrefreshed = account.session.as_ref().and_then(|session| session.unrefreshed.as_ref());
        match account.session_error.as_ref().or(unrefreshed) {
            Some(SessionError::Unavailable(why) | SessionError::OutcomeUnknown(why)) => {
                self.failed(factory.kind(), why);
            }
            Some(_) => {}
            None if account.session.as_ref().is_some_and(|session| session.committed) => self.stored(factory.kind()),
            None => {}
        }
    }

    /// Asks the store for a session that nobody has, so that the log tells at the start, and not at
    /// the first visit, that the store cannot be reached or does not answer within `patience`.
    pub async fn look(&self, factory: &dyn SessionFactory, patience: Duration) {
        let Some(stored) = factory.stored() else { return };
        let nobodys = Key::new([0; Key::SIZE]);
        match timeout(patience, stored.store().load(&nobodys)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.failed(factory.kind(), &error.to_string()),
            Err(_) => self.failed(factory.kind(), &format!("no answer within {patience:?}")),
        }
    }

    fn failed(&self, kind: &str, why: &str) {
        match self.count(Instant::now()) {
            Some(1) => tracing::error!(
                store = kind,
                reason = why,
                "the session store is unavailable: requests that need a session are answered with 503"
            ),
            Some(failures) => {
                tracing::error!(store = kind, failures, reason = why, "the session store is still unavailable")
            }
            None => {}
        }
    }

    /// Counts a failure; how many there were by now, if it is time to tell.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut ongoing = self.lock();
        self.lasts.store(true, Ordering::Relaxed);
        let ongoing = ongoing.get_or_insert(Ongoing { since: now, last: now, told: now, failures: 0 });
        ongoing.last = now;
        ongoing.failures += 1;
        let is_time = ongoing.failures == 1 || now - ongoing.told >= OFTEN;
        is_time.then(|| {
            ongoing.told = now;
            ongoing.failures
        })
    }

    fn stored(&self, kind: &str) {
        if !self.lasts.load(Ordering::Relaxed) {
            return;
        }
        let over = self.lock().take_if(|ongoing| ongoing.last.elapsed() >= CALM);
        let Some(Ongoing { since, failures, .. }) = over else { return };
        self.lasts.store(false, Ordering::Relaxed);
        tracing::info!(
            store = kind,
            failures,
            "sessions can be had again, after {:.1} s",
            since.elapsed().as_secs_f64()
        );
    }

    fn lock(&self) -> MutexGuard<'_, Option<Ongoing>> {
        self.ongoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outage_lasts_until_the_store_has_been_calm_for_a_while() {
        let outage = Outage::default();
        let failures = || outage.lock().as_ref().map(|ongoing| ongoing.failures);
        outage.stored("redis");
        assert_eq!(failures(), None);
        for count in 1..=3 {
            outage.failed("redis", "connection refused");
            outage.stored("redis");
            assert_eq!(failures(), Some(count));
        }
        tokio::time::sleep(CALM).await;
        outage.stored("redis");
        assert_eq!(failures(), None);
        outage.failed("redis", "connection refused");
        assert_eq!(failures(), Some(1), "the next one");
    }
    #[tokio::test(start_paused = true)]
    async fn a_long_outage_is_told_of_once_a_minute() {
        let outage = Outage::default();
        let mut told = Vec::new();
        for _ in 0..150 {
            told.extend(outage.count(Instant::now()));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(told, [1, 61, 121]);
    }
}
