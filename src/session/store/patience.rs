//! How long a store may take, and what of it is for what.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a store is given unless it is told otherwise.
const DEFAULT: Duration = Duration::from_secs(2);
/// The most that a store can be given: nobody waits that long for a page.
pub const LONGEST_DEADLINE: Duration = Duration::from_secs(600);

/// The time that one operation has. All parts of a store share it, and a
/// reload may change it.
#[derive(Clone, Debug)]
pub(super) struct Patience(Arc<AtomicU64>);

impl Default for Patience {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(milliseconds(DEFAULT))))
    }
}

impl Patience {
    /// Says whether it was different before.
    pub fn set(&self, deadline: Duration) -> bool {
        let deadline = milliseconds(deadline.min(LONGEST_DEADLINE));
        self.0.swap(deadline, Ordering::Relaxed) != deadline
    }

    /// All of it.
    pub fn whole(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// For what comes before anything is sent: a turn, a connection. What is
    /// left is for the work, and for saying in time that nothing has happened.
    pub fn to_begin(&self) -> Duration {
        self.whole() * 3 / 4
    }

    /// For one attempt to connect: shorter than [`to_begin`](Self::to_begin), so
    /// that its own error is the one that is told.
    #[cfg(feature = "redis")]
    pub fn to_connect(&self) -> Duration {
        self.whole() * 5 / 8
    }

    /// For a short question that nothing hangs on.
    #[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite", feature = "memcached"))]
    pub fn to_ask(&self) -> Duration {
        self.whole() / 4
    }
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}
