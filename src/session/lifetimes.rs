//! When a session is too old, or due for a sign of life.

use super::factory::Refusal;

/// How far the clocks of two servers may be apart, in seconds.
const CLOCK_SKEW: f64 = 120.0;

/// The times of a session, in seconds; `None` is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// How long a visitor may be away.
    pub timeout: Option<u64>,
    /// The age from which a mere visit is written down, as a sign of life.
    pub reissue_time: Option<u64>,
    /// How long a session lasts, however busy.
    pub lifetime: Option<u64>,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { timeout: Some(1200), reissue_time: Some(120), lifetime: None }
    }
}

impl Lifetimes {
    /// Whether a session with these times still is one at `now`, and does
    /// not come from the future.
    pub(super) fn check(&self, created: f64, renewed: f64, now: f64) -> Result<(), Refusal> {
        if renewed.max(created) > now + CLOCK_SKEW {
            return Err(Refusal::Future);
        }
        self.check_age(created, renewed, now)
    }

    /// Whether a session with these times still is one at `now`, wherever it
    /// comes from.
    pub(super) fn check_age(&self, created: f64, renewed: f64, now: f64) -> Result<(), Refusal> {
        if is_older(now - renewed, self.timeout) {
            return Err(Refusal::Expired);
        }
        // Times that are no times would let it live forever.
        let ageless = self.lifetime.is_some() && !created.is_finite();
        if ageless || is_older(now - created, self.lifetime) {
            return Err(Refusal::Outlived);
        }
        Ok(())
    }

    /// Whether the visitor has not been heard of for so long that it should
    /// be written down.
    pub(super) fn refresh_due(&self, renewed: f64, now: f64) -> bool {
        is_older(now - renewed, self.reissue_time)
    }

    /// When a session that was written at `renewed` ends, if nothing else happens.
    pub(super) fn ends(&self, created: f64, renewed: f64) -> Option<f64> {
        let idle = self.timeout.map(|timeout| renewed + timeout as f64);
        let ended = self.lifetime.map(|lifetime| created + lifetime as f64);
        match (idle, ended) {
            (Some(idle), Some(ended)) => Some(idle.min(ended)),
            (idle, ended) => idle.or(ended),
        }
    }

    /// When a store may forget such a session: as soon as no clock would
    /// still let it through.
    pub(super) fn expires(&self, created: f64, renewed: f64) -> Option<u64> {
        let ends = self.ends(created, renewed)?;
        // No further than the largest integer of SQL.
        Some(((ends + CLOCK_SKEW).ceil() as u64).min(i64::MAX as u64))
    }
}

/// Whether `age` is beyond `limit`, which is never if there is none.
fn is_older(age: f64, limit: Option<u64>) -> bool {
    limit.is_some_and(|limit| age > limit as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Lifetimes = Lifetimes { timeout: Some(100), reissue_time: Some(10), lifetime: Some(300) };
    const NONE: Lifetimes = Lifetimes { timeout: None, reissue_time: None, lifetime: None };

    #[test]
    fn a_session_ends_after_its_timeout_and_after_its_lifetime() {
        let check = |created, renewed, now| TIMES.check(created, renewed, now);
        assert_eq!(check(1000.0, 1000.0, 1100.0), Ok(()));
        assert_eq!(check(1000.0, 1000.0, 1100.5), Err(Refusal::Expired));
        assert_eq!(check(1000.0, 1250.0, 1300.0), Ok(()));
        assert_eq!(check(1000.0, 1250.0, 1300.5), Err(Refusal::Outlived));
        assert_eq!(NONE.check(0.0, 0.0, 1e12), Ok(()));
    }

    #[test]
    fn times_that_are_no_times_outlive_nothing() {
        for created in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(TIMES.check_age(created, 1000.0, 1000.0), Err(Refusal::Outlived), "{created}");
            assert_eq!(NONE.check_age(created, 1000.0, 1000.0), Ok(()), "{created}");
        }
    }

    #[test]
    fn a_clock_may_be_a_little_behind() {
        assert_eq!(TIMES.check(1000.0, 1100.0, 980.0), Ok(()));
        assert_eq!(TIMES.check(1000.0, 1100.5, 980.0), Err(Refusal::Future));
        assert_eq!(TIMES.check_age(1000.0, 1100.5, 980.0), Ok(()));
    }

    #[test]
    fn a_sign_of_life_is_due_after_the_reissue_time() {
        assert!(!TIMES.refresh_due(1000.0, 1010.0));
        assert!(TIMES.refresh_due(1000.0, 1010.5));
        assert!(!NONE.refresh_due(1000.0, 1e12));
    }

    #[test]
    fn a_store_may_forget_what_no_clock_lets_through() {
        assert_eq!(TIMES.expires(1000.0, 1000.25), Some(1221));
        assert_eq!(TIMES.expires(1000.0, 1290.0), Some(1420));
        assert_eq!(NONE.expires(1000.0, 1000.0), None);
        assert_eq!(Lifetimes { lifetime: Some(5), ..NONE }.expires(1.0, 2.0), Some(126));
        let endless = Lifetimes { timeout: Some(u64::MAX), ..NONE };
        assert_eq!(endless.expires(0.0, 0.0), Some(i64::MAX as u64));
    }
}
