//! Not too much of the same in the log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a ration lasts.
const PERIOD: Duration = Duration::from_secs(60);

/// Lets so many through in a minute, and counts the rest.
#[derive(Debug)]
pub(super) struct Ration {
    most: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    since: Instant,
    let_through: u32,
    held_back: u64,
}

impl Ration {
    pub fn new(most: u32) -> Self {
        Self { most, state: Mutex::new(State { since: Instant::now(), let_through: 0, held_back: 0 }) }
    }

    /// Whether one more may be let through; then, how many were held back
    /// since the last one that was.
    pub fn take(&self) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.elapsed() >= PERIOD {
            (state.since, state.let_through) = (Instant::now(), 0);
        }
        if state.let_through >= self.most {
            state.held_back += 1;
            return None;
        }
        state.let_through += 1;
        Some(std::mem::take(&mut state.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_has_its_ration_and_what_is_held_back_is_counted() {
        let ration = Ration::new(2);
        let taken = || [(); 5].map(|()| ration.take());
        assert_eq!(taken(), [Some(0), Some(0), None, None, None]);
        tokio::time::advance(PERIOD).await;
        assert_eq!(taken(), [Some(3), Some(0), None, None, None]);
    }
}
