//! Tells the log of refused session cookies, in a line a minute at most: a process with another secret than
//! its neighbours refuses all of theirs, and nobody else would notice.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::{Duration, Instant};

use crate::session::factory::{Refusal, Standing};

/// How often the log tells of them.
const OFTEN: Duration = Duration::from_secs(60);

/// The cookies that were refused since the log last told of some.
#[derive(Debug, Default)]
pub(super) struct RefusedCookies(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    by_reason: BTreeMap<&'static str, u64>,
    told: Option<Instant>,
}

impl RefusedCookies {
    /// Notes how a visitor's cookie fared.
    pub fn notice(&self, standing: Standing) {
        if let Standing::Refused(refusal) = standing {
            tracing::debug!(reason = refusal.label(), "a session cookie was refused");
            if let Some(summary) = self.count(refusal) {
                tracing::info!("{summary}");
            }
        }
    }

    /// Counts one; what there is to tell, if it is time.
    fn count(&self, refusal: Refusal) -> Option<String> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.by_reason.entry(refusal.label()).or_default() += 1;
        if counted.told.is_some_and(|told| told.elapsed() < OFTEN) {
            return None;
        }
        counted.told = Some(Instant::now());
        let by_reason = std::mem::take(&mut counted.by_reason);
        let all: u64 = by_reason.values().sum();
        let reasons: Vec<_> = by_reason.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        Some(format!("session cookies refused: {all} ({})", reasons.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn refused_cookies_are_told_once_a_minute_with_how_many_and_why() {
        let cookies = RefusedCookies::default();
        let first = cookies.count(Refusal::Unknown);
        assert_eq!(first.as_deref(), Some("session cookies refused: 1 (unknown 1)"));
        for _ in 0..300 {
            assert_eq!(cookies.count(Refusal::Signature), None);
        }
        tokio::time::advance(OFTEN).await;
        let second = cookies.count(Refusal::Expired);
        assert_eq!(second.as_deref(), Some("session cookies refused: 301 (expired 1, signature 300)"));
        assert_eq!(cookies.count(Refusal::Expired), None);
    }
}
