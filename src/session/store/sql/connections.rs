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
//! - Before a write, a connection that has rested is asked whether it is still
//!   there: a write into the void would have an unknown outcome.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::{ConnectOptions, Connection};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use super::super::{BoxFuture, StoreError};

/// How long the server may take to say that a connection is still there.
const ASK: Duration = Duration::from_millis(500);
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
    pub wait: Duration,
    /// What one of its errors means.
    pub judge: fn(&(dyn DatabaseError + 'static)) -> Verdict,
    /// What is said first on a new connection.
    pub greet: for<'c> fn(&'c mut C) -> BoxFuture<'c, sqlx::Result<()>>,
}

/// Runs a query on a connection.
pub(super) type Run<C, Q, T> = for<'c> fn(&'c mut C, Q) -> BoxFuture<'c, sqlx::Result<T>>;

/// The connections to one database.
pub(super) struct Connections<C: Connection> {
    options: C::Options,
    manners: Manners<C>,
    /// For messages: where the database is.
    place: String,
    permits: Semaphore,
    shelf: Mutex<Shelf<C>>,
}

/// The connections that nobody uses, the last one used on top.
struct Shelf<C> {
    rested: Vec<Rested<C>>,
    /// Those that rest since before this are asked before they are used.
    doubted: Option<Instant>,
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
    /// Whether it was made for this operation.
    fresh: bool,
    _permit: SemaphorePermit<'p>,
}

impl<C: Connection> Lease<'_, C> {
    /// Puts the connection back: its operation is over.
    fn keep(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.shelf().rested.push(Rested { connection, made: self.made, since: Instant::now() });
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
        Self { options, manners, place, permits, shelf: Mutex::new(Shelf { rested: Vec::new(), doubted: None }) }
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
        let lease = self.lease(access).await?;
        let rested = !lease.fresh;
        match self.attempt(lease, query(), run).await {
            Attempt::Failed(Verdict::Closed, _) if rested => {}
            Attempt::Failed(Verdict::Lost, _) if rested && access == Access::Read => {}
            ended => return Ok(ended),
        }
        self.forget();
        Ok(self.attempt(self.lease(access).await?, query(), run).await)
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

    /// A connection, within a bounded time.
    async fn lease(&self, access: Access) -> Result<Lease<'_, C>, StoreError> {
        let waited = timeout(self.manners.wait, async {
            let closed = |_| StoreError::Unavailable("the store has been closed".into());
            let permit = self.permits.acquire().await.map_err(closed)?;
            if let Some(Rested { connection, made, .. }) = self.rested(access).await {
                return Ok(Lease { pool: self, connection: Some(connection), made, fresh: false, _permit: permit });
            }
            let connection = self.connect().await.map_err(|error| StoreError::Unavailable(self.at_place(&error)))?;
            Ok(Lease { pool: self, connection: Some(connection), made: Instant::now(), fresh: true, _permit: permit })
        });
        waited.await.unwrap_or_else(|_| {
            let why = format!("{}: no connection within {:?}", self.place, self.manners.wait);
            Err(StoreError::Unavailable(why))
        })
    }

    /// The connection that rests the shortest, if it is fit to be used.
    async fn rested(&self, access: Access) -> Option<Rested<C>> {
        let (mut rested, doubted) = self.lift()?;
        let unsure = doubted || (access == Access::Write && rested.since.elapsed() > SHORT_REST);
        if unsure && !matches!(timeout(ASK, rested.connection.ping()).await, Ok(Ok(()))) {
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

    /// Closes all that rest.
    pub fn forget(&self) {
        self.shelf().rested.clear();
    }

    async fn connect(&self) -> sqlx::Result<C> {
        let mut connection = self.options.connect().await?;
        (self.manners.greet)(&mut connection).await?;
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
