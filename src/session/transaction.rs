//! Load, run, commit, and again on a conflict. The only such loop there is.

use std::time::Duration;

use super::Session;
use super::factory::{Loaded, SessionError, SessionFactory, Standing, Visit};
use super::json::MAX_DEPTH;

/// How often a visit is tried before it gives way. Of any number of visits
/// that collide one gets through each time, but which is a matter of luck: of
/// 8,000 visits at 8 processes on a busy machine, one took 65 attempts. What
/// mostly ends first is the patience of the server.
const MAX_ATTEMPTS: u32 = 1000;
/// Attempts that follow at once; later ones wait a moment first.
const EAGER_ATTEMPTS: u32 = 3;
/// The longest such wait, in milliseconds.
const MAX_WAIT: u32 = 32;

/// What a request may do to its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether anything is stored: not for HEAD, nor for a prefetch.
    pub commit: bool,
    /// Whether the visit counts as a sign of life.
    pub refresh: bool,
}

/// A visit that went through.
#[derive(Debug)]
pub struct Transacted<T> {
    /// What the last run returned.
    pub outcome: T,
    /// The session it was given.
    pub before: Session,
    /// The session it left, stored or not.
    pub after: Session,
    /// How the visitor's cookie fared.
    pub standing: Standing,
    /// The value of the one `Set-Cookie` field to send, if there is one.
    pub set_cookie: Option<String>,
    /// How often it ran: once, and once more for every conflict.
    pub attempts: u32,
    /// Whether anything was stored.
    pub committed: bool,
    /// Why a refresh that was due was left out.
    pub unrefreshed: Option<SessionError>,
}

/// Runs a route on the visitor's session and commits what came of it.
///
/// `run` gets a copy of the session and may run many times, each time on a
/// fresh one; only its last outcome counts, so it must have no other effect.
/// Nothing is stored unless `keep` says so of the outcome, `rules` allow it,
/// and there is something to store: different data, an end, a new identity,
/// or a refresh that is due. A refresh stores what was loaded, and a new
/// session has nothing to refresh.
///
/// Once begun, a commit should be seen through: do not drop the future
/// because the visitor hung up.
///
/// # Errors
/// Whatever the factory answers, but for a conflict, which runs again, and
/// for a refresh that fails, which is left out: a page that only reads needs
/// nothing stored, and the visitor's cookie stays as it is.
/// [`SessionError::TooDeep`] if the session could not be read back,
/// [`SessionError::Contended`] after 1,000 conflicts. An unknown outcome is
/// never tried again.
pub async fn transact<T: Send>(
    factory: &dyn SessionFactory,
    visit: &Visit,
    rules: Rules,
    mut run: impl FnMut(&mut Session) -> T + Send,
    keep: impl Fn(&T) -> bool + Send,
) -> Result<Transacted<T>, SessionError> {
    for attempts in 1..=MAX_ATTEMPTS {
        let loaded = factory.load(visit).await?;
        let mut after = loaded.session.clone();
        let outcome = run(&mut after);
        let step = if rules.commit && keep(&outcome) { Step::between(&loaded, &after, rules)? } else { Step::Nothing };
        let stored = match &step {
            Step::Nothing => None,
            Step::Store => Some(factory.commit(visit, &loaded, &after).await),
            Step::Refresh => Some(factory.commit(visit, &loaded, &loaded.session).await),
        };
        let (committed, unrefreshed) = match (stored.transpose(), step) {
            (Ok(committed), _) => (committed, None),
            (Err(SessionError::Conflict), _) => {
                back_off(attempts).await;
                continue;
            }
            (Err(error), Step::Refresh) => (None, Some(error)),
            (Err(error), _) => return Err(error),
        };
        return Ok(Transacted {
            outcome,
            before: loaded.session,
            after,
            standing: loaded.standing,
            committed: committed.is_some(),
            set_cookie: committed.and_then(|committed| committed.set_cookie),
            attempts,
            unrefreshed,
        });
    }
    Err(SessionError::Contended { attempts: MAX_ATTEMPTS })
}

/// What there is to store.
enum Step {
    Nothing,
    Store,
    Refresh,
}

impl Step {
    fn between(loaded: &Loaded, after: &Session, rules: Rules) -> Result<Self, SessionError> {
        let before = &loaded.session;
        let moved = after.is_renewed() && !before.is_new();
        if after.is_invalidated() || moved || after.differs_from(before) {
            if after.is_too_deep() {
                return Err(SessionError::TooDeep { limit: MAX_DEPTH });
            }
            return Ok(Self::Store);
        }
        let refresh = rules.refresh && loaded.refresh_due && !before.is_new();
        Ok(if refresh { Self::Refresh } else { Self::Nothing })
    }
}

/// Lets the others go first: not at all at the beginning, then for a random
/// time that grows, so that visits which collided do not collide again.
async fn back_off(attempts: u32) {
    let Some(excess) = attempts.checked_sub(EAGER_ATTEMPTS) else {
        return tokio::task::yield_now().await;
    };
    let longest = MAX_WAIT.min(1 << excess.min(16));
    let random = getrandom::u32().unwrap_or(attempts);
    let wait = Duration::from_millis(u64::from(random % (longest + 1)));
    tokio::time::sleep(wait).await;
}

#[cfg(test)]
mod tests;
