//! Sessions in a table of PostgreSQL.
//!
//! | | |
//! |---|---|
//! | Exact | yes, for every process that uses the same primary server |
//! | Survives a restart, a crash, kill -9 of Sitewright | yes: every confirmed change, and no half of one |
//! | Survives a crash, kill -9 of PostgreSQL, a power failure | yes, with its defaults (`fsync` and `synchronous_commit` on); with `synchronous_commit = off` the last changes before it may be lost |
//! | When the disk is full | an error, and the old record stays whole; without room for its log PostgreSQL stops |
//! | After a failover | what the new primary has; without `synchronous_standby_names` the last changes before it may be lost |
//!
//! The user needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table, and
//! `CREATE` on the schema only if the table is to be made by Sitewright. A
//! table made beforehand is made like this:
//!
//! ```sql
//! CREATE TABLE sitewright_sessions (
//!     session bytea NOT NULL PRIMARY KEY,
//!     version bigint NOT NULL,
//!     expires bigint,
//!     record bytea NOT NULL
//! );
//! CREATE INDEX sitewright_sessions_expires ON sitewright_sessions (expires);
//! ```
//!
//! Encryption is asked for in the URL: `?sslmode=verify-full`, and
//! `&sslrootcert=FILE` if the certificate is not one the system knows. Without
//! it the connection is encrypted if the server offers it, but not checked.
//! What the URL leaves out comes from `PGUSER`, `PGPASSWORD`, `.pgpass` and
//! their kin, as for `psql`.
//!
//! The URL must lead to the primary: a standby may be behind. Through PgBouncer
//! it must be `pool_mode = session`: statements are prepared once for each
//! connection, and its `lock_timeout` is set once.

use std::str::FromStr;
use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgDatabaseError, PgSeverity};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Either, Executor, PgConnection, Postgres, Row, SqlStr};

use super::super::patience::Patience;
use super::super::{BoxFuture, Cursor, Entry, Found, Key, OpenError, Page, Store, StoreError, Swept};
use super::connections::{Connections, Manners, Run, Server, Verdict, Written};
use super::operations::operations;
use super::table::{DEFAULT_TABLE, Statements, check_name, statement};
use super::{DEFAULT_CONNECTIONS, row, url};

/// The parameters a URL may have.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Where a [`PostgresStore`] keeps its sessions.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://USER:PASSWORD@HOST/DATABASE`, and parameters.
    pub url: String,
    /// The table.
    pub table: String,
    /// The most connections at a time.
    pub connections: usize,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            url: "postgres://localhost".to_owned(),
            table: DEFAULT_TABLE.to_owned(),
            connections: DEFAULT_CONNECTIONS,
        }
    }
}

/// Leaves the URL out: it may have a password.
impl std::fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("PostgresOptions");
        fields.field("table", &self.table).field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// The `postgres` store.
pub struct PostgresStore {
    connections: Connections<PgConnection>,
    place: String,
    sql: Statements,
    sweep: SqlStr,
}

/// Sent as one, it is one transaction.
const CREATE: &str = r#"CREATE TABLE IF NOT EXISTS "{table}" (
        session bytea NOT NULL PRIMARY KEY,
        version bigint NOT NULL,
        expires bigint,
        record bytea NOT NULL
    );
    CREATE INDEX IF NOT EXISTS "{table}_expires" ON "{table}" (expires)"#;

/// An array, for the subquery to run once; what is being changed is not waited for.
const SWEEP: &str = r#"DELETE FROM "{table}" WHERE session = ANY (ARRAY (
        SELECT session FROM "{table}" WHERE expires <= $1
        ORDER BY expires LIMIT $2 FOR UPDATE SKIP LOCKED
    ))"#;

operations!(PostgresStore);

impl PostgresStore {
    /// A store in the database that `options` name. Connects to nothing yet.
    ///
    /// # Errors
    /// If the URL cannot be read, or the table cannot be called so.
    pub fn new(options: PostgresOptions) -> Result<Self, OpenError> {
        check_name(&options.table)?;
        url::check(&options.url, &["postgres", "postgresql"], PARAMETERS)?;
        let connect = PgConnectOptions::from_str(&options.url).map_err(|error| url::explain(&error))?;
        let connect = connect.disable_statement_logging();
        let host =
            connect.get_socket().map_or_else(|| connect.get_host().to_owned(), |path| path.display().to_string());
        let place = format!("{host}:{}", connect.get_port());
        let manners = Manners { wait: Patience::to_begin, judge, greet };
        Ok(Self {
            connections: Connections::new(connect, manners, place.clone(), options.connections),
            place,
            sql: Statements::new(|text| statement(&options.table, text), CREATE, " ON CONFLICT DO NOTHING"),
            sweep: statement(&options.table, SWEEP),
        })
    }

    async fn read<Q, T>(&self, query: impl Fn() -> Q, run: Run<PgConnection, Q, T>) -> Result<Option<T>, StoreError> {
        self.connections.read(query, run).await
    }

    async fn write(&self, query: impl Fn() -> Bound) -> Result<Written, StoreError> {
        self.connections.write(query, rows_affected).await
    }

    async fn create(&self) -> Result<(), StoreError> {
        let sql = || self.sql.create.clone();
        self.connections.read(sql, |connection, sql| Box::pin(create(connection, sql))).await.map(drop)
    }
}

type Bound = Query<'static, Postgres, PgArguments>;

/// A lock that others hold is not waited for beyond the deadline of an
/// operation: what nobody waits for any more would still wait in the server.
/// A standby may be behind, so it is none to read from either.
fn greet(connection: &mut PgConnection, patience: Patience) -> BoxFuture<'_, sqlx::Result<Server>> {
    Box::pin(async move {
        let locked = patience.to_begin().as_millis().max(1); // 0 would be for ever
        let greeting = format!("SET lock_timeout = '{locked}ms'; SELECT NOT pg_is_in_recovery()");
        let said = sqlx::raw_sql(AssertSqlSafe(greeting)).fetch_all(connection).await?;
        let said = said.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Server { is_primary: said.try_get(0)?, takes: usize::MAX })
    })
}

/// The server says how many rows a statement changed before it commits, and
/// that it is ready after. Until it has said the one, ending the connection
/// undoes the statement; from then on nobody knows.
fn rows_affected(connection: &mut PgConnection, query: Bound) -> BoxFuture<'_, sqlx::Result<u64>> {
    Box::pin(async move {
        let mut answer = connection.fetch_many(query);
        let mut rows = None;
        loop {
            match answer.try_next().await {
                Ok(Some(Either::Left(done))) => rows = Some(done.rows_affected()),
                Ok(Some(Either::Right(_))) => {}
                Ok(None) => return rows.ok_or_else(|| sqlx::Error::Protocol("no rows were counted".into())),
                Err(error) if rows.is_some() && is_ending(&error) => {
                    return Err(sqlx::Error::Protocol(error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
    })
}

fn is_ending(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| judge(error) == Verdict::Closed)
}

/// Makes the table; two who do so at once get in each other's way, which is as good.
async fn create(connection: &mut PgConnection, sql: SqlStr) -> sqlx::Result<()> {
    let made = sqlx::raw_sql(sql).execute(connection).await;
    let code = |error: &sqlx::Error| error.as_database_error().and_then(|error| Some(error.code()?.into_owned()));
    match made {
        Err(error) if matches!(code(&error).as_deref(), Some("23505" | "42P07" | "42710")) => Ok(()),
        made => made.map(drop),
    }
}

/// By the codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn judge(error: &(dyn DatabaseError + 'static)) -> Verdict {
    let Some(error) = error.try_downcast_ref::<PgDatabaseError>() else { return Verdict::Lost };
    let is_fatal = error.severity() != PgSeverity::Error;
    match error.code() {
        "42P01" => Verdict::NoTable,
        "40001" | "40P01" => Verdict::Conflict,
        "25006" => Verdict::ReadOnly,
        // Ended by an administrator, or for resting too long.
        "57P01" | "57P05" if is_fatal => Verdict::Closed,
        // What was prepared on this connection is not as it was.
        "0A000" | "26000" | "42P05" => Verdict::Closed,
        code if is_fatal || code.starts_with("08") || code == "40003" => Verdict::Lost,
        _ => Verdict::Refused,
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn answer_within(&self, deadline: Duration) {
        self.connections.answer_within(deadline);
    }

    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Found>, StoreError>> {
        Box::pin(self.find(key))
    }

    fn compare_and_set<'a>(
        &'a self,
        key: &'a Key,
        seen: Option<u64>,
        next: Option<Entry>,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.set(key, seen, next.as_ref()).await })
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(async move {
            let query = || sqlx::query(self.sweep.clone()).bind(row::passed(now)).bind(row::limit(at_most));
            Ok(row::swept(self.connections.read(query, rows_affected).await?, at_most))
        })
    }

    fn list(&self, from: Option<Cursor>, at_most: usize) -> BoxFuture<'_, Result<Page, StoreError>> {
        Box::pin(self.page(from, at_most))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(self.count_all())
    }

    fn remove<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.cut(key))
    }
}

#[cfg(test)]
mod tests;
