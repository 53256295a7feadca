//! Sessions in a file of SQLite.
//!
//! | | |
//! |---|---|
//! | Exact | yes, for every process on this machine that uses the file |
//! | Survives a restart, a crash, kill -9 | yes: every confirmed change, and no half of one |
//! | Survives a power failure | yes, if the disk keeps what it confirmed |
//! | When the disk is full, or fails | an error, and the old record stays whole |
//!
//! The file is in WAL mode with `synchronous=FULL`: readers wait for nobody,
//! writers come one after the other, and each waits for the disk once. It
//! should be on a local disk: the locks and the shared memory of WAL do not
//! reach other machines. The file does not shrink; what expired makes room for
//! what comes. Back it up with `sqlite3 FILE ".backup COPY"`, not with `cp`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqlStr, Sqlite, SqliteConnection};
use tokio::time::{Instant, sleep, timeout_at};

use super::super::super::private::{Draft, make_private_folder, settle_above, sync_folder};
use super::super::blocking::Blocking;
use super::super::patience::Patience;
use super::super::{BoxFuture, Cursor, Entry, Found, Key, OpenError, Page, Store, StoreError, Swept};
use super::connections::{Connections, Manners, Run, Server, Verdict, Written};
use super::operations::operations;
use super::table::{DEFAULT_TABLE, Statements, check_name, statement};
use super::{DEFAULT_CONNECTIONS, row};

/// How long an operation waits for others of this process, and then for other
/// processes. Together shorter than its deadline, so that it ends with a
/// certain answer.
fn wait(patience: &Patience) -> Duration {
    patience.whole() / 2
}
fn busy(patience: &Patience) -> Duration {
    patience.whole() * 3 / 8
}
/// The pause between two attempts where SQLite does not wait by itself.
const PAUSE: Duration = Duration::from_millis(10);

/// Where a [`SqliteStore`] keeps its sessions.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The file. It is made with the first session, and its folder, for their
    /// owner alone.
    pub database: PathBuf,
    /// The table in it.
    pub table: String,
    /// The most connections: one writes, the others read. Each has a thread
    /// while it is open.
    pub connections: usize,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            database: PathBuf::from("sessions.sqlite"),
            table: DEFAULT_TABLE.to_owned(),
            connections: DEFAULT_CONNECTIONS,
        }
    }
}

/// The `sqlite` store.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    file: PathBuf,
    /// What is asked of the disk without SQLite.
    disk: Blocking,
    writer: Connections<SqliteConnection>,
    readers: Connections<SqliteConnection>,
    sql: Statements,
    sweep: SqlStr,
}

const CREATE: &str = r#"CREATE TABLE IF NOT EXISTS "{table}" (
        session BLOB NOT NULL PRIMARY KEY,
        version INTEGER NOT NULL,
        expires INTEGER,
        record BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS "{table}_expires" ON "{table}" (expires)"#;

const SWEEP: &str = r#"DELETE FROM "{table}" WHERE session IN (
        SELECT session FROM "{table}" WHERE expires <= $1 ORDER BY expires LIMIT $2
    )"#;

operations!(Inner);

impl SqliteStore {
    /// A store in the file that `options` name. Touches no file yet.
    ///
    /// # Errors
    /// If the table cannot be called so, or there is no current folder for the
    /// path to start from.
    pub fn new(options: SqliteOptions) -> Result<Self, OpenError> {
        check_name(&options.table)?;
        // In full, since SQLite has ideas of its own about names like ":memory:".
        let file = std::path::absolute(&options.database).map_err(|error| {
            OpenError::of("database", format!("`{}` is no path for a database: {error}", options.database.display()))
        })?;
        let connect = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(false)
            .synchronous(SqliteSynchronous::Full)
            .disable_statement_logging();
        let connections =
            |most| Connections::new(connect.clone(), Manners { wait, judge, greet }, file.display().to_string(), most);
        let inner = Inner {
            writer: connections(1),
            readers: connections(options.connections.saturating_sub(1)),
            sql: Statements::new(|text| statement(&options.table, text), CREATE, " ON CONFLICT DO NOTHING"),
            sweep: statement(&options.table, SWEEP),
            disk: Blocking::default(),
            file,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs `work` to its end, even if nobody waits for it any more: SQLite
    /// cannot be interrupted, and its thread is busy that long.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::spawn(work).await.unwrap_or_else(|error| Err(StoreError::OutcomeUnknown(error.to_string())))
    }
}

impl Inner {
    /// Reads; `None` if there is no file or no table.
    async fn read<Q, T>(
        &self,
        query: impl Fn() -> Q,
        run: Run<SqliteConnection, Q, T>,
    ) -> Result<Option<T>, StoreError> {
        if self.is_missing().await? { Ok(None) } else { self.readers.read(query, run).await }
    }

    /// Writes, if there is a file and a table.
    async fn write(&self, query: impl Fn() -> Bound) -> Result<Written, StoreError> {
        if self.is_missing().await? { Ok(Written::NoTable) } else { self.writer.write(query, rows_affected).await }
    }

    async fn sweep(&self, now: f64, at_most: usize) -> Result<Swept, StoreError> {
        if self.is_missing().await? {
            return Ok(Swept::default());
        }
        let query = || sqlx::query(self.sweep.clone()).bind(row::passed(now)).bind(row::limit(at_most));
        Ok(row::swept(self.writer.read(query, rows_affected).await?, at_most))
    }

    async fn is_missing(&self) -> Result<bool, StoreError> {
        let file = self.file.clone();
        self.before_all(move || Ok(matches!(file.try_exists(), Ok(false)))).await
    }

    /// Makes what is missing: the file, the table. Others may do so meanwhile.
    async fn create(&self) -> Result<(), StoreError> {
        if self.is_missing().await? {
            // What is open is a file that somebody has removed.
            self.writer.forget();
            self.readers.forget();
        }
        let file = self.file.clone();
        let cannot = |error, file: &Path| StoreError::Unavailable(format!("cannot make {}: {error}", file.display()));
        self.before_all(move || make_file(&file).map_err(|error| cannot(error, &file))).await?;
        let sql = || (self.sql.create.clone(), busy(self.writer.patience()));
        self.writer.read(sql, |connection, (sql, wait)| Box::pin(create(connection, sql, wait))).await.map(drop)
    }

    /// What is asked of the disk before SQLite is asked for anything: as long
    /// as this takes, nothing has happened.
    async fn before_all<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let by = Instant::now() + self.writer.patience().to_begin();
        let late = || StoreError::Unavailable(format!("{}: the disk does not answer", self.file.display()));
        timeout_at(by, self.disk.run(by, work)).await.unwrap_or_else(|_| Err(late()))
    }
}

/// Makes an empty database that only its owner may read; the files that
/// SQLite puts beside it are as private.
///
/// It gets its name only when it is closed: to close a file that SQLite has
/// open in this process would take its locks away (fcntl(2)).
fn make_file(file: &Path) -> io::Result<()> {
    if file.try_exists()? {
        return Ok(());
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    make_private_folder(folder, sync_folder)?;
    match Draft::new(file, |_| Ok(())).and_then(Draft::appear) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(()) => {
            sync_folder(folder)?;
            settle_above(folder);
            Ok(())
        }
    }
}

type Bound = Query<'static, Sqlite, SqliteArguments>;

fn rows_affected(connection: &mut SqliteConnection, query: Bound) -> BoxFuture<'_, sqlx::Result<u64>> {
    Box::pin(async move { Ok(query.execute(connection).await?.rows_affected()) })
}

fn greet(connection: &mut SqliteConnection, patience: Patience) -> BoxFuture<'_, sqlx::Result<Server>> {
    Box::pin(async move {
        let greeting = format!("PRAGMA busy_timeout = {}", busy(&patience).as_millis());
        sqlx::raw_sql(AssertSqlSafe(greeting)).execute(connection).await?;
        Ok(Server { is_primary: true, takes: usize::MAX })
    })
}

async fn create(connection: &mut SqliteConnection, sql: SqlStr, wait: Duration) -> sqlx::Result<()> {
    use_wal(connection, wait).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(sql).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Switches to WAL. Two who do so at once get in each other's way, and SQLite
/// does not wait then.
async fn use_wal(connection: &mut SqliteConnection, wait: Duration) -> sqlx::Result<()> {
    let end = Instant::now() + wait;
    loop {
        match sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *connection).await {
            Err(error) if error.as_database_error().is_some_and(is_busy) && Instant::now() < end => sleep(PAUSE).await,
            done => return done.map(drop),
        }
    }
}

/// The result code, without what makes it extended. See the list at
/// <https://www.sqlite.org/rescode.html>.
fn primary_code(error: &dyn DatabaseError) -> Option<i32> {
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

fn is_busy(error: &(dyn DatabaseError + 'static)) -> bool {
    primary_code(error) == Some(5)
}

fn judge(error: &(dyn DatabaseError + 'static)) -> Verdict {
    match primary_code(error) {
        Some(1) if error.message().starts_with("no such table") => Verdict::NoTable,
        // The disk failed: what it has of the change may come to light after a crash.
        Some(10) | None => Verdict::Lost,
        // Busy, full, read-only, not a database: rolled back, all of it.
        Some(_) => Verdict::Refused,
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("file", &self.inner.file).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {
    fn kind(&self) -> &'static str {
        "sqlite"
    }

    fn answer_within(&self, deadline: Duration) {
        self.inner.writer.answer_within(deadline);
        self.inner.readers.answer_within(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        let (inner, key) = (Arc::clone(&self.inner), *key);
        Box::pin(self.run(async move { inner.find(&key).await }))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (inner, key) = (Arc::clone(&self.inner), *key);
        Box::pin(self.run(async move { inner.set(&key, seen, next.as_ref()).await }))
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(self.run(async move { inner.sweep(now, at_most).await }))
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(self.run(async move { inner.page(from, at_most).await }))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(self.run(async move { inner.count_all().await }))
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (inner, key) = (Arc::clone(&self.inner), *key);
        Box::pin(self.run(async move { inner.cut(&key).await }))
    }
}

#[cfg(test)]
mod tests;
