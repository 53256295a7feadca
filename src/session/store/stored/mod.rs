//! The factory over any store.

mod change;

use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::super::Session;
use super::super::cookie::CookieOptions;
use super::super::factory::{
    BoxFuture, Committed, Loaded, Refusal, SessionError, SessionFactory, SignerError, Standing, Visit,
};
use super::super::lifetimes::Lifetimes;
use super::super::secret::Secret;
use super::identity::{Id, Identities};
use super::queue::{Queues, Turn};
use super::ration::Ration;
use super::record::Seal;
use super::sweeper::Sweeper;
use super::{Damage, Found, Key, LONGEST_DEADLINE, Record, Store, StoreError};
use change::Change;

/// The most cookies of one visit that are looked up in the store. A browser
/// sends two at times, when path or domain have changed.
const MAX_LOOKUPS: usize = 4;
/// The most damaged records that the log tells of in a minute. Their visitors
/// may come as often as they like.
const DAMAGE_TOLD: u32 = 10;

/// The settings of [`StoredSessions`].
#[derive(Clone, Debug)]
pub struct StoredOptions {
    /// Name and attributes of the cookie.
    pub cookie: CookieOptions,
    /// How long a session lasts.
    pub lifetimes: Lifetimes,
    /// The secrets, at least one: the first signs, all verify.
    pub secrets: Vec<Secret>,
    /// The most bytes of a [`Record`].
    pub max_record: usize,
    /// How long the store may take to answer; at most [`LONGEST_DEADLINE`].
    pub deadline: Duration,
}

impl Default for StoredOptions {
    fn default() -> Self {
        Self {
            cookie: CookieOptions::default(),
            lifetimes: Lifetimes::default(),
            secrets: Vec::new(),
            max_record: 64 << 10,
            deadline: Duration::from_secs(2),
        }
    }
}

/// Sessions in a [`Store`], named by a signed random id in the cookie.
///
/// What it adds to the [guarantees](SessionFactory) of every factory:
///
/// - **Ids** are 256 random bits from the operating system. The store knows
///   their hash only, and is asked only for ids that are signed. Of several
///   cookies, the first that is signed and has a session counts.
/// - **No update is lost**, however many processes use the store, and a
///   session that was destroyed never comes back.
/// - **A new identity** is stored before the old one is removed, and the
///   browser hears of it last. So the two never both open the session; should
///   the process die between the steps, what remains is a record that nobody
///   has the name of and that expires.
/// - **An empty session** keeps its record, as Pyramid's does; invalidating
///   removes it.
/// - **A commit runs to its end**, even if its future is dropped.
/// - **`Set-Cookie`** is sent for a new name, for a value under an old secret,
///   and with every commit if the cookie has a `max_age`, which runs in the
///   browser; not for every change of the data.
/// - **A store that does not answer** within the deadline is unavailable, or,
///   where a session that someone has was to change, its outcome unknown. A
///   record that may remain under a name nobody was told expires. Visits that
///   wait behind one that this happened to are told at once.
/// - **Writers of one session** in this process come one after the other, in
///   the order of their visits, if they say that they
///   [may write](Visit::may_write); readers wait for nobody.
///
/// It must be used within a Tokio runtime. From its first visit on it removes
/// expired sessions in the background, until it is dropped.
#[derive(Debug)]
pub struct StoredSessions {
    inner: Arc<Inner>,
    sweeper: Sweeper,
    /// The store may be another factory's still, until this one is visited.
    taken_over: Once,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    cookie: CookieOptions,
    identities: Identities,
    seal: Seal,
    lifetimes: Lifetimes,
    max_record: usize,
    deadline: Duration,
    queues: Arc<Queues>,
    damage: Ration,
}

/// What `load` leaves for `commit`: what to compare with.
#[derive(Debug)]
struct Seen {
    id: Id,
    key: Key,
    version: u64,
    /// The turn to write, until a commit takes it.
    turn: Mutex<Option<Turn>>,
}

impl Seen {
    fn of(loaded: &Loaded) -> Option<&Self> {
        loaded.token.as_ref().and_then(|token| token.downcast_ref())
    }

    fn take_turn(&self) -> Option<Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl StoredSessions {
    /// Makes the factory; derives the keys. The store may be shared by many.
    ///
    /// # Errors
    /// If there is no secret.
    pub fn new(store: Arc<dyn Store>, options: StoredOptions) -> Result<Self, SignerError> {
        let inner = Inner {
            store,
            identities: Identities::new(&options.cookie.name, &options.secrets)?,
            seal: Seal::new(&options.cookie.name, &options.secrets)?,
            cookie: options.cookie,
            lifetimes: options.lifetimes,
            max_record: options.max_record,
            deadline: options.deadline.min(LONGEST_DEADLINE),
            queues: Arc::default(),
            damage: Ration::new(DAMAGE_TOLD),
        };
        Ok(Self { inner: Arc::new(inner), sweeper: Sweeper::new(), taken_over: Once::new() })
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// The key of the session that the value of a cookie names, if it is one
    /// of ours.
    #[must_use]
    pub fn key(&self, value: &[u8]) -> Option<Key> {
        self.inner.identities.read(value).ok().map(|(id, _)| id.key())
    }

    /// What the store has under `key`, for operators.
    ///
    /// # Errors
    /// If it is no record of ours.
    pub fn open<'f>(&self, key: &Key, found: &'f Found) -> Result<Record<'f>, Damage> {
        self.inner.seal.open(key, found)
    }

    /// When the session in `record` ends if its visitor stays away, in Unix time; `None`: never.
    #[must_use]
    pub fn ends(&self, record: &Record<'_>) -> Option<f64> {
        self.inner.lifetimes.ends(record.created, record.renewed)
    }

    /// Why what is in `record` is no session at `now`, though the store has it still; `None` if it is
    /// one.
    #[must_use]
    pub fn ended(&self, record: &Record<'_>, now: f64) -> Option<Refusal> {
        self.inner.lifetimes.check(record.created, record.renewed, now).err()
    }
}

impl Inner {
    async fn load(&self, visit: &Visit) -> Result<Loaded, SessionError> {
        let mut refused = None;
        let mut lookups = 0;
        for value in visit.cookies(&self.cookie.name) {
            let found = match self.identities.read(value) {
                Ok(_) if lookups == MAX_LOOKUPS => break,
                Ok((id, secret)) => {
                    lookups += 1;
                    self.look_up(visit, id, secret).await?
                }
                Err(refusal) => Err(refusal),
            };
            match found {
                Ok(loaded) => return Ok(loaded),
                Err(refusal) => _ = refused.get_or_insert(refusal),
            }
        }
        Ok(Loaded {
            session: Session::new(visit.now),
            standing: refused.map_or(Standing::Absent, Standing::Refused),
            refresh_due: false,
            token: None,
        })
    }

    async fn look_up(&self, visit: &Visit, id: Id, secret: usize) -> Result<Result<Loaded, Refusal>, SessionError> {
        let key = id.key();
        let turn = if visit.may_write { self.turn(key).await? } else { None };
        let answer = timeout(self.deadline, self.store.load(&key)).await;
        let found = match answer.unwrap_or_else(|_| Err(StoreError::Unavailable(self.too_late()))) {
            Ok(found) => found,
            Err(error) => {
                if let Some(turn) = &turn {
                    turn.fail();
                }
                // Nothing was to change, so nothing is uncertain.
                return Err(SessionError::Unavailable(error.why()));
            }
        };
        Ok(found.ok_or(Refusal::Unknown).and_then(|found| {
            let (session, due) = self.restore(&key, &found, visit.now)?;
            Ok(Loaded {
                session,
                standing: Standing::Verified { secret },
                refresh_due: due || secret > 0,
                token: Some(Box::new(Seen { id, key, version: found.version, turn: Mutex::new(turn) })),
            })
        }))
    }

    /// The turn to write. Whoever has waited for as long as the one ahead may
    /// take, to load and to commit, goes on without: the store compares.
    async fn turn(&self, key: Key) -> Result<Option<Turn>, SessionError> {
        let turn = self.queues.turn(key, self.deadline * 2).await;
        turn.map_err(|_| SessionError::Unavailable("the store did not answer the request ahead of this one".into()))
    }

    /// The session in a record, and whether it should be refreshed.
    fn restore(&self, key: &Key, found: &Found, now: f64) -> Result<(Session, bool), Refusal> {
        let damaged = |damage: &dyn fmt::Display| {
            if let Some(untold) = self.damage.take() {
                tracing::warn!(session = %key, reason = %damage, untold, "a session's record cannot be read");
            }
            Refusal::Record
        };
        let record = self.seal.open(key, found).map_err(|damage| damaged(&damage))?;
        self.lifetimes.check(record.created, record.renewed, now)?;
        let session = Session::restore(record.created, record.state).map_err(|error| damaged(&error))?;
        Ok((session, self.lifetimes.refresh_due(record.renewed, now)))
    }

    fn too_late(&self) -> String {
        format!("no answer within {:?}", self.deadline)
    }

    /// Carries out a change to its end, or to the deadline. Holds the turn as
    /// long.
    async fn carry_out(&self, change: Change, turn: Option<Turn>) -> Result<(), SessionError> {
        let deadline = Instant::now() + self.deadline;
        let done = change.apply(self.store.as_ref(), deadline).await;
        match done {
            Ok(true) => Ok(()),
            Ok(false) => Err(SessionError::Conflict),
            Err(error) => {
                let is_let_down = !matches!(error, StoreError::TooLarge { .. });
                if let Some(turn) = turn.as_ref().filter(|_| is_let_down) {
                    turn.fail();
                }
                Err(error.into())
            }
        }
    }
}

impl SessionFactory for StoredSessions {
    fn kind(&self) -> &'static str {
        self.inner.store.kind()
    }

    fn cookie_name(&self) -> &str {
        &self.inner.cookie.name
    }

    fn stored(&self) -> Option<&StoredSessions> {
        Some(self)
    }

    fn explain(&self, value: &[u8], _now: f64) -> Option<String> {
        Some(match self.inner.identities.read(value) {
            Ok((id, secret)) => {
                format!("signed with {}; names the session {}", Standing::name_of_secret(secret), id.key())
            }
            Err(refusal) => refusal.to_string(),
        })
    }

    fn load<'a>(&'a self, visit: &'a Visit) -> BoxFuture<'a, Result<Loaded, SessionError>> {
        self.taken_over.call_once(|| self.inner.store.answer_within(self.inner.deadline));
        self.sweeper.notice(&self.inner.store, visit.now);
        Box::pin(self.inner.load(visit))
    }

    fn commit<'a>(
        &'a self,
        visit: &'a Visit,
        loaded: &'a Loaded,
        session: &'a Session,
    ) -> BoxFuture<'a, Result<Committed, SessionError>> {
        Box::pin(async move {
            let (change, committed) = self.inner.plan(visit, loaded, session)?;
            let Some(change) = change else { return Ok(committed) };
            let inner = Arc::clone(&self.inner);
            let turn = Seen::of(loaded).and_then(Seen::take_turn);
            // A task of its own, so that it ends even if nobody waits for it.
            let task = tokio::spawn(async move { inner.carry_out(change, turn).await });
            let done = task.await.unwrap_or_else(|error| Err(SessionError::OutcomeUnknown(error.to_string())));
            match done {
                Ok(()) => Ok(committed),
                Err(SessionError::TooLarge { bytes, limit, .. }) => Err(SessionError::too_large(bytes, limit, session)),
                Err(error) => Err(error),
            }
        })
    }
}

#[cfg(test)]
mod faulty;
#[cfg(test)]
mod tests;
