//! What a commit does to the store: decided first, then carried out.

use tokio::time::{Instant, timeout_at};

use super::super::super::Session;
use super::super::super::factory::{Committed, Loaded, SessionError, Standing, Visit};
use super::super::identity::Id;
use super::super::{Entry, Key, Record, Store, StoreError};
use super::{Inner, Seen};

/// A change of one session.
#[derive(Debug)]
pub(super) enum Change {
    /// A session begins.
    Create { key: Key, entry: Entry },
    /// It is stored again.
    Replace { key: Key, seen: u64, entry: Entry },
    /// It gets another name, or makes room for one that does.
    Move { from: Key, seen: u64, to: Key, entry: Entry },
    /// It ends.
    Destroy { key: Key, seen: u64 },
}

impl Inner {
    /// What a commit has to change, and what the browser is told if it works.
    /// Everything that can be wrong with the session itself is found here.
    pub fn plan(
        &self,
        visit: &Visit,
        loaded: &Loaded,
        session: &Session,
    ) -> Result<(Option<Change>, Committed), SessionError> {
        let seen = Seen::of(loaded);
        if session.is_invalidated() && session.is_empty() {
            let sent = loaded.standing != Standing::Absent;
            let set_cookie = sent.then(|| self.cookie.delete_cookie(visit.https));
            let change = seen.map(|seen| Change::Destroy { key: seen.key, seen: seen.version });
            return Ok((change, Committed { set_cookie }));
        }
        let set_cookie = |id| Some(self.cookie.set_cookie(&self.identities.write(id), visit.https, visit.now));
        if let Some(seen) = seen.filter(|_| !session.is_invalidated() && !session.is_renewed()) {
            let entry = self.entry(&seen.key, session, visit.now)?;
            let old_secret = matches!(loaded.standing, Standing::Verified { secret: 1.. });
            let set_cookie = if old_secret || self.cookie.max_age.is_some() { set_cookie(seen.id) } else { None };
            return Ok((Some(Change::Replace { key: seen.key, seen: seen.version, entry }), Committed { set_cookie }));
        }
        let no_id = |error| SessionError::Unavailable(format!("the system gives no random bytes: {error}"));
        let id = Id::generate().map_err(no_id)?;
        let key = id.key();
        let entry = self.entry(&key, session, visit.now)?;
        let change = match seen {
            Some(seen) => Change::Move { from: seen.key, seen: seen.version, to: key, entry },
            None => Change::Create { key, entry },
        };
        Ok((Some(change), Committed { set_cookie: set_cookie(id) }))
    }

    fn entry(&self, key: &Key, session: &Session, now: f64) -> Result<Entry, SessionError> {
        let state = session.to_state_text();
        let record = Record { created: session.created(), renewed: now, state: &state };
        let (bytes, limit) = (record.size(), self.max_record);
        if bytes > limit {
            return Err(SessionError::too_large(bytes, limit, session));
        }
        Ok(Entry { expires: self.lifetimes.expires(record.created, now), bytes: self.seal.seal(key, &record) })
    }
}

impl Change {
    /// Carries it out. False: the session is not as it was seen, and nothing
    /// has changed.
    pub async fn apply(self, store: &dyn Store, deadline: Instant) -> Result<bool, StoreError> {
        let set = async |key: &Key, seen, next| {
            let answer = timeout_at(deadline, store.compare_and_set(key, seen, next)).await;
            answer.unwrap_or_else(|_| Err(StoreError::OutcomeUnknown("no answer in time".into())))
        };
        // Whether a record is stored that nobody has the name of makes no difference to anyone: a
        // visit that was to make one can safely be repeated.
        let create = async |key: &Key, entry| match set(key, None, Some(entry)).await {
            Err(StoreError::OutcomeUnknown(why)) => Err(StoreError::Unavailable(why)),
            created => created,
        };
        match self {
            Self::Create { key, entry } => create(&key, entry).await,
            Self::Replace { key, seen, entry } => set(&key, Some(seen), Some(entry)).await,
            Self::Destroy { key, seen } => set(&key, Some(seen), None).await,
            Self::Move { from, seen, to, entry } => {
                if !create(&to, entry).await? {
                    return Ok(false);
                }
                // Nobody has heard of the new name yet, so until the old one
                // is removed there is one session, and then the other.
                let moved = set(&from, Some(seen), None).await;
                if matches!(moved, Ok(false) | Err(StoreError::Unavailable(_))) {
                    // If this fails, the new record expires unseen.
                    let _ = timeout_at(deadline, store.remove(&to)).await;
                }
                moved
            }
        }
    }
}
