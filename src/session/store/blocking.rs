//! Work that may wait for a disk, away from the threads that serve requests.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::StoreError;

/// The most at a time. A disk that hangs keeps every thread that asks it, and
/// the others are needed: files are served by the same threads.
const AT_ONCE: usize = 64;

/// Runs what waits for one disk.
#[derive(Debug)]
pub(super) struct Blocking {
    permits: Arc<Semaphore>,
}

impl Default for Blocking {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Blocking {
    /// Runs `work`, unless so much waits for the disk until `by` that there is
    /// no thread for it. Once begun, it runs to its end even if nobody waits
    /// for it any more.
    pub async fn run<T: Send + 'static>(
        &self,
        by: Instant,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Ok(Ok(permit)) = timeout_at(by, Arc::clone(&self.permits).acquire_owned()).await else {
            let why = format!("the disk is slow: {AT_ONCE} operations wait for it already");
            return Err(StoreError::Unavailable(why));
        };
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit; // until it is done, however long that takes
            work()
        });
        work.await.unwrap_or_else(|error| Err(StoreError::OutcomeUnknown(error.to_string())))
    }
}
