//! A few connections to one database, kept open between operations.
//!
//! Not the pool of sqlx: that asks the server after every operation whether
//! the connection still works, which is a second round trip, and has no limit
//! of time for it; and it waits for a server that refuses, where a visitor
//! should hear of it at once.
//!
//! - A connection whose operation was given up, or failed so that nobody knows
//!   how far it came, is closed: no answer ever reaches another operation.
//! - From then on the others are doubted: each is asked, once, before it is
//!   used again.
//! - What may be done twice is done once more, on a new connection, if a rested
//!   one turns out to be dead. A write is not, unless the server said that it
//!   had ended the connection before it did anything.
//! - A server that only reads is not used: another one has the latest sessions.
//!   If one turns out to be such a server, no connection from before goes on.
//! - Before a write, a connection that has rested is asked whether it is still
//!   there: a write into the void would have an unknown outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use super::super::patience::Patience;
use super::super::{BoxFuture, StoreError};

/// After such a rest a connection is asked before a write. A request that
/// loads and then writes seldom has to, nor has a busy site.
pub(super) const SHORT_REST: Duration = Duration::from_millis(10);
/// After such a rest a connection is closed: firewalls forget it, silently.
const LONG_REST: Duration = Duration::from_secs(60);
/// The age at which a connection is closed, for the sake of servers that
/// never give memory back and of addresses that change.
const LIFETIME: Duration = Duration::from_secs(1800);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// What an error means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(any(feature = "postgres", feature = "mysql")),
    expect(dead_code, reason = "SQLite does not go wrong in all these ways")
)]
pub(super) enum Verdict {
    /// There is no such table yet.
    NoTable,
    /// Somebody else was first, and nothing has happened.
    Conflict,
    /// The server refuses, and nothing has happened.
    Refused,
    /// This is the wrong server: one that only reads. Nothing has happened.
    ReadOnly,
    /// The server had ended the connection before it did anything.
    Closed,
    /// The connection is lost, and nobody knows what has happened.
    Lost,
}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// So many rows are as they should be now.
    Rows(u64),
    /// Somebody else was first.
    Conflict,
    /// There is no such table yet.
    NoTable,
}

/// How a kind of database is handled.
pub(super) struct Manners<C> {
    /// The longest wait for a connection.
    pub wait: fn(&Patience) -> Duration,
    /// What one of its errors means.
    pub judge: fn(&(dyn DatabaseError + 'static)) -> Verdict,
    /// What is said first on a new connection.
    pub greet: for<'c> fn(&'c mut C, Patience) -> BoxFuture<'c, sqlx::Result<Server>>,
}

/// What a server says of itself.
pub(super) struct Server {
    /// Whether it is the one that is written to, and so has the latest.
    pub is_primary: bool,
    /// The most bytes that it takes at once.
    pub takes: usize,
}

/// Runs a query on a connection.
pub(super) type Run<C, Q, T> = for<'c> fn(&'c mut C, Q) -> BoxFuture<'c, sqlx::Result<T>>;

/// The connections to one database.
pub(super) struct Connections<C: Connection> {
    options: C::Options,
    manners: Manners<C>,
    /// For messages: where the database is.
    place: String,
    patience: Patience,
    /// What the server said last.
    takes: AtomicUsize,
    permits: Semaphore,
    shelf: Mutex<Shelf<C>>,
}

/// The connections that nobody uses, the last one used on top.
struct Shelf<C> {
    rested: Vec<Rested<C>>,
    /// Those that rest since before this are asked before they are used.
    doubted: Option<Instant>,
    /// How often all connections were given up.
    generation: u64,
}

struct Rested<C> {
    connection: C,
    made: Instant,
    since: Instant,
}

/// A connection in use. Unless it is [kept](Self::keep), it is closed when
/// this is dropped, and the others are doubted.
struct Lease<'p, C: Connection> {
    pool: &'p Connections<C>,
    connection: Option<C>,
    made: Instant,
    generation: u64,
    /// Whether it was made for this operation.
    fresh: bool,
    _permit: SemaphorePermit<'p>,
}

impl<C: Connection> Lease<'_, C> {
    /// Puts the connection back: its operation is over. If all were given up
    /// meanwhile, it is closed.
    fn keep(mut self) {
        let mut shelf = self.pool.shelf();
        if let Some(connection) = self.connection.take().filter(|_| shelf.generation == self.generation) {
            shelf.rested.push(Rested { connection, made: self.made, since: Instant::now() });
        }
    }
}

impl<C: Connection> Drop for Lease<'_, C> {
    fn drop(&mut self) {
        if self.connection.is_some() {
            self.pool.shelf().doubted = Some(Instant::now());
        }
    }
}

/// What is to be done with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// What may be done twice.
    Read,
    /// What may not.
    Write,
}

/// How an attempt ended.
enum Attempt<T> {
    Done(T),
    Failed(Verdict, String),
}

impl<C: Connection> Connections<C> {
    /// At most `most` connections. Makes none yet.
    pub fn new(options: C::Options, manners: Manners<C>, place: String, most: usize) -> Self {
        let permits = Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS));
        let shelf = Mutex::new(Shelf { rested: Vec::new(), doubted: None, generation: 0 });
        let (patience, takes) = (Patience::default(), AtomicUsize::new(usize::MAX));
        Self { options, manners, place, patience, takes, permits, shelf }
    }

    /// How long operations may take.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The most bytes that the server takes at once, as far as it has said so.
    pub fn takes(&self) -> usize {
        self.takes.load(Ordering::Relaxed)
    }

    /// Whoever asks waits for so long from now on. What was said on the
    /// connections there are may depend on that, so others take their place.
    pub fn answer_within(&self, deadline: Duration) {
        if self.patience.set(deadline) {
            self.forget();
        }
    }

    /// Does what may be done twice. `None`: there is no table yet.
    pub async fn read<Q, T>(&self, query: impl Fn() -> Q, run: Run<C, Q, T>) -> Result<Option<T>, StoreError> {
        match self.attempt_twice(Access::Read, query, run).await? {
            Attempt::Done(value) => Ok(Some(value)),
            Attempt::Failed(Verdict::NoTable, _) => Ok(None),
            Attempt::Failed(_, why) => Err(StoreError::Unavailable(why)),
        }
    }

    /// Does what must not be done twice. `run` says how many rows it changed.
    pub async fn write<Q>(&self, query: impl Fn() -> Q, run: Run<C, Q, u64>) -> Result<Written, StoreError> {
        match self.attempt_twice(Access::Write, query, run).await? {
            Attempt::Done(rows) => Ok(Written::Rows(rows)),
            Attempt::Failed(Verdict::NoTable, _) => Ok(Written::NoTable),
            Attempt::Failed(Verdict::Conflict, _) => Ok(Written::Conflict),
            Attempt::Failed(Verdict::Lost, why) => Err(StoreError::OutcomeUnknown(why)),
            Attempt::Failed(_, why) => Err(StoreError::Unavailable(why)),
        }
    }

    /// Works on a connection, and if it had gone while it rested, on a new one.
    async fn attempt_twice<Q, T>(
        &self,
        access: Access,
        query: impl Fn() -> Q,
        run: Run<C, Q, T>,
    ) -> Result<Attempt<T>, StoreError> {
        let by = Instant::now() + (self.manners.wait)(&self.patience);
        let lease = self.lease(access, by).await?;
        let rested = !lease.fresh;
        match self.attempt(lease, query(), run).await {
            Attempt::Failed(Verdict::Closed, _) if rested => {}
            Attempt::Failed(Verdict::Lost, _) if rested && access == Access::Read => {}
            ended => return Ok(ended),
        }
        self.forget();
        Ok(self.attempt(self.lease(access, by).await?, query(), run).await)
    }

    async fn attempt<Q, T>(&self, mut lease: Lease<'_, C>, query: Q, run: Run<C, Q, T>) -> Attempt<T> {
        let done = match &mut lease.connection {
            Some(connection) => run(connection, query).await,
            None => Err(sqlx::Error::PoolClosed),
        };
        let error = match done {
            Ok(value) => {
                lease.keep();
                return Attempt::Done(value);
            }
            Err(error) => error,
        };
        let verdict = error.as_database_error().map_or(Verdict::Lost, self.manners.judge);
        match verdict {
            Verdict::NoTable | Verdict::Conflict | Verdict::Refused => lease.keep(),
            Verdict::ReadOnly => self.forget(),
            Verdict::Closed | Verdict::Lost => {}
        }
        Attempt::Failed(verdict, self.at_place(&error))
    }

    /// A connection, if there is one by then.
    async fn lease(&self, access: Access, by: Instant) -> Result<Lease<'_, C>, StoreError> {
        let waited = timeout_at(by, async {
            let closed = |_| StoreError::Unavailable("the store has been closed".into());
            let permit = self.permits.acquire().await.map_err(closed)?;
            let generation = self.shelf().generation;
            let (connection, made, fresh) = match self.rested(access).await {
                Some(Rested { connection, made, .. }) => (connection, made, false),
                None => (self.connect().await.map_err(StoreError::Unavailable)?, Instant::now(), true),
            };
            Ok(Lease { pool: self, connection: Some(connection), made, generation, fresh, _permit: permit })
        });
        waited.await.unwrap_or_else(|_| {
            let why = format!("{}: no connection within {:?}", self.place, (self.manners.wait)(&self.patience));
            Err(StoreError::Unavailable(why))
        })
    }

    /// The connection that rests the shortest, if it is fit to be used.
    async fn rested(&self, access: Access) -> Option<Rested<C>> {
        let (mut rested, doubted) = self.lift()?;
        let unsure = doubted || (access == Access::Write && rested.since.elapsed() > SHORT_REST);
        if unsure && !matches!(timeout(self.patience.to_ask(), rested.connection.ping()).await, Ok(Ok(()))) {
            self.forget();
            return None;
        }
        Some(rested)
    }

    /// Takes a connection from the shelf, and says whether it is doubted.
    fn lift(&self) -> Option<(Rested<C>, bool)> {
        let mut shelf = self.shelf();
        let worn = |rested: &mut Rested<C>| rested.since.elapsed() > LONG_REST || rested.made.elapsed() > LIFETIME;
        for rested in shelf.rested.extract_if(.., worn) {
            tokio::spawn(timeout(GOODBYE, rested.connection.close()));
        }
        let rested = shelf.rested.pop()?;
        let doubted = shelf.doubted.is_some_and(|doubted| rested.since <= doubted);
        Some((rested, doubted))
    }

    /// Closes all that rest now, and those in use when their operations are over.
    pub fn forget(&self) {
        let mut shelf = self.shelf();
        shelf.rested.clear();
        shelf.generation += 1;
    }

    async fn connect(&self) -> Result<C, String> {
        let connected = async {
            let mut connection = self.options.connect().await?;
            let server = (self.manners.greet)(&mut connection, self.patience.clone()).await?;
            Ok((connection, server))
        };
        let (connection, server) = connected.await.map_err(|error| self.at_place(&error))?;
        if !server.is_primary {
            return Err(format!("{}: this server only reads; the `url` must lead to the primary", self.place));
        }
        self.takes.store(server.takes, Ordering::Relaxed);
        Ok(connection)
    }

    /// A panic elsewhere leaves the shelf whole: nothing under its lock panics.
    fn shelf(&self) -> MutexGuard<'_, Shelf<C>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What went wrong, and where.
    fn at_place(&self, error: &sqlx::Error) -> String {
        format!("{}: {error}", self.place)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests;
