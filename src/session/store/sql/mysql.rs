//! Sessions in a table of MySQL or MariaDB.
//!
//! | | |
//! |---|---|
//! | Exact | yes, for every process that uses the same primary server |
//! | Survives a restart, a crash, kill -9 of Sitewright | yes: every confirmed change, and no half of one |
//! | Survives a crash, kill -9 of the server | yes, with the defaults of InnoDB; with `innodb_flush_log_at_trx_commit = 0` the last second before it may be lost |
//! | Survives a power failure | yes, with `innodb_flush_log_at_trx_commit = 1`, the default; with 2 the last second before it may be lost |
//! | When the disk is full | an error, or with a binary log no answer until there is room; the old record stays whole |
//! | After a failover | what the new primary has; without semi-synchronous replication the last changes before it may be lost |
//!
//! The user needs `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table, and
//! `CREATE` only if the table is to be made by Sitewright. A table made
//! beforehand is made like this:
//!
//! ```sql
//! CREATE TABLE sitewright_sessions (
//!     session BINARY(32) NOT NULL PRIMARY KEY,
//!     version BIGINT NOT NULL,
//!     expires BIGINT NULL,
//!     record LONGBLOB NOT NULL,
//!     KEY expires (expires)
//! ) ENGINE = InnoDB;
//! ```
//!
//! Encryption is asked for in the URL: `?ssl-mode=VERIFY_IDENTITY`, and
//! `&ssl-ca=FILE` if the certificate is not one the system knows. Without it
//! the connection is encrypted if the server offers it, but not checked. MySQL
//! 8 takes passwords over encrypted connections only, unless the user is
//! `IDENTIFIED WITH mysql_native_password`.
//!
//! All connections must lead to the primary: a replica may be behind. In a
//! Galera cluster that means one node at a time, or `wsrep_sync_wait = 1`. A
//! record must fit into `max_allowed_packet`.

use std::str::FromStr;
use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlDatabaseError};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, MySql, MySqlConnection, Row, SqlStr};

use super::super::patience::Patience;
use super::super::{BoxFuture, Cursor, Entry, Found, Key, OpenError, Page, Store, StoreError, Swept};
use super::connections::{Connections, Manners, Run, Server, Verdict, Written};
use super::operations::operations;
use super::table::{DEFAULT_TABLE, Statements, check_name, statement};
use super::{DEFAULT_CONNECTIONS, row, url};

/// The parameters a URL may have.
const PARAMETERS: &[&str] = &["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key", "socket", "charset", "collation"];

/// What a statement takes of a packet besides the record, amply.
const STATEMENT_BYTES: usize = 1024;

/// The rows that one statement of a sweep removes.
const SWEPT_AT_ONCE: usize = 100;

/// Where a [`MysqlStore`] keeps its sessions.
#[derive(Clone)]
pub struct MysqlOptions {
    /// `mysql://USER:PASSWORD@HOST/DATABASE`, and parameters.
    pub url: String,
    /// The table.
    pub table: String,
    /// The most connections at a time.
    pub connections: usize,
}

impl Default for MysqlOptions {
    fn default() -> Self {
        Self {
            url: "mysql://localhost/sitewright".to_owned(),
            table: DEFAULT_TABLE.to_owned(),
            connections: DEFAULT_CONNECTIONS,
        }
    }
}

/// Leaves the URL out: it may have a password.
impl std::fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("MysqlOptions");
        fields.field("table", &self.table).field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// The `mysql` store.
pub struct MysqlStore {
    connections: Connections<MySqlConnection>,
    place: String,
    table: String,
    sql: Statements,
    outdated: SqlStr,
}

const CREATE: &str = r#"CREATE TABLE IF NOT EXISTS "{table}" (
        session BINARY(32) NOT NULL PRIMARY KEY,
        version BIGINT NOT NULL,
        expires BIGINT NULL,
        record LONGBLOB NOT NULL,
        KEY expires (expires)
    ) ENGINE = InnoDB"#;

const OUTDATED: &str = r#"SELECT session FROM "{table}" WHERE expires <= $1 ORDER BY expires LIMIT $2"#;

/// A statement as MySQL spells it: with its own quotes, and places without
/// numbers, which are in order.
fn spelled(table: &str, text: &str) -> SqlStr {
    let text =
        ["$1", "$2", "$3", "$4", "$5"].iter().fold(text.replace('"', "`"), |text, place| text.replace(place, "?"));
    statement(table, &text)
}

/// Removes those of so many sessions that have expired.
fn sweep(table: &str, sessions: usize) -> SqlStr {
    let places = vec!["?"; sessions].join(", ");
    statement(table, &format!("DELETE FROM `{{table}}` WHERE session IN ({places}) AND expires <= ?"))
}

operations!(MysqlStore);

impl MysqlStore {
    /// A store in the database that `options` name. Connects to nothing yet.
    ///
    /// # Errors
    /// If the URL cannot be read, or the table cannot be called so.
    pub fn new(options: MysqlOptions) -> Result<Self, OpenError> {
        check_name(&options.table)?;
        url::check(&options.url, &["mysql", "mariadb"], PARAMETERS)?;
        let connect = MySqlConnectOptions::from_str(&options.url).map_err(|error| url::explain(&error))?;
        if connect.get_database().is_none() {
            let message = "the `url` names no database, as in mysql://USER:PASSWORD@HOST/DATABASE";
            return Err(OpenError::of("url", message));
        }
        let connect = connect.disable_statement_logging();
        let host =
            connect.get_socket().map_or_else(|| connect.get_host().to_owned(), |path| path.display().to_string());
        let place = format!("{host}:{}", connect.get_port());
        let manners = Manners { wait: Patience::to_begin, judge, greet };
        Ok(Self {
            connections: Connections::new(connect, manners, place.clone(), options.connections),
            place,
            // Not IGNORE, which would cut off what is too long.
            sql: Statements::new(|text| spelled(&options.table, text), CREATE, ""),
            outdated: spelled(&options.table, OUTDATED),
            table: options.table,
        })
    }

    async fn read<Q, T>(
        &self,
        query: impl Fn() -> Q,
        run: Run<MySqlConnection, Q, T>,
    ) -> Result<Option<T>, StoreError> {
        self.connections.read(query, run).await
    }

    async fn write(&self, query: impl Fn() -> Bound) -> Result<Written, StoreError> {
        self.connections.write(query, rows_affected).await
    }

    async fn create(&self) -> Result<(), StoreError> {
        let sql = || self.sql.create.clone();
        let create = self.connections.read(sql, |connection, sql| {
            Box::pin(async move { sqlx::raw_sql(sql).execute(connection).await.map(drop) })
        });
        create.await.map(drop)
    }

    /// Refuses what does not fit into a packet: the server would close the
    /// connection.
    fn fits(&self, entry: &Entry) -> Result<(), StoreError> {
        let (bytes, limit) = (entry.bytes.len(), self.connections.takes().saturating_sub(STATEMENT_BYTES));
        if bytes > limit { Err(StoreError::TooLarge { bytes, limit }) } else { Ok(()) }
    }

    /// Looks without taking locks, and then removes by the primary key, as
    /// writers do: they and the sweep never wait for each other crosswise.
    async fn sweep_some(&self, now: i64, at_most: usize) -> Result<Swept, StoreError> {
        let query = || sqlx::query_scalar(self.outdated.clone()).bind(now).bind(row::limit(at_most));
        let look = self.connections.read(query, |connection, query| Box::pin(query.fetch_all(connection)));
        let outdated: Vec<Vec<u8>> = look.await?.unwrap_or_default();
        let mut removed = 0;
        for sessions in outdated.chunks(SWEPT_AT_ONCE) {
            let sql = sweep(&self.table, sessions.len());
            let query = || {
                let query = sqlx::query(sql.clone()).persistent(sessions.len() == SWEPT_AT_ONCE);
                sessions.iter().fold(query, |query, session| query.bind(session.as_slice())).bind(now)
            };
            removed += self.connections.read(query, rows_affected).await?.unwrap_or_default();
        }
        Ok(Swept { more: outdated.len() >= at_most, ..row::swept(Some(removed), at_most) })
    }
}

type Bound = Query<'static, MySql, MySqlArguments>;

/// Every statement stands for itself, whatever the server's own setting. A
/// lock that others hold is not waited for beyond the deadline of an operation,
/// in whole seconds as the server counts them: what nobody waits for any more
/// would still wait in the server. A replica may be behind, so it is none to
/// read from either.
fn greet(connection: &mut MySqlConnection, patience: Patience) -> BoxFuture<'_, sqlx::Result<Server>> {
    Box::pin(async move {
        let locked = patience.to_begin().as_secs().max(1);
        let greeting = format!(
            "SET autocommit = 1, innodb_lock_wait_timeout = {locked}, lock_wait_timeout = {locked};
            SELECT CAST(@@global.read_only AS CHAR) IN ('0', 'OFF') AND @@global.innodb_read_only = 0,
                CAST(@@max_allowed_packet AS SIGNED)"
        );
        let said = sqlx::raw_sql(AssertSqlSafe(greeting)).fetch_all(connection).await?;
        let said = said.first().ok_or(sqlx::Error::RowNotFound)?;
        let (writes, takes): (i64, i64) = (said.try_get(0)?, said.try_get(1)?);
        Ok(Server { is_primary: writes == 1, takes: usize::try_from(takes).unwrap_or(usize::MAX) })
    })
}

fn rows_affected(connection: &mut MySqlConnection, query: Bound) -> BoxFuture<'_, sqlx::Result<u64>> {
    Box::pin(async move { Ok(query.execute(connection).await?.rows_affected()) })
}

/// By the numbers of <https://mariadb.com/kb/en/mariadb-error-code-reference/>
/// and <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>.
/// A statement that fails is undone: each is a transaction of its own.
fn judge(error: &(dyn DatabaseError + 'static)) -> Verdict {
    let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() else { return Verdict::Lost };
    match error.number() {
        1146 => Verdict::NoTable,
        // Somebody made the entry; a deadlock; changed since it was read; refused by a cluster.
        1062 | 1213 | 1020 | 3101 => Verdict::Conflict,
        // A replica; a node that has lost its cluster.
        1290 | 1792 | 1836 | 1047 => Verdict::ReadOnly,
        // Killed, shut down, rested for too long; what was prepared is gone.
        1927 | 1053 | 4031 | 1243 => Verdict::Closed,
        // While committing; a hook of replication.
        1180 | 3100 => Verdict::Lost,
        _ => Verdict::Refused,
    }
}

impl std::fmt::Debug for MysqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MysqlStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Store for MysqlStore {
    fn kind(&self) -> &'static str {
        "mysql"
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
        Box::pin(async move {
            next.as_ref().map_or(Ok(()), |entry| self.fits(entry))?;
            self.set(key, seen, next.as_ref()).await
        })
    }

    fn sweep(&self, now: f64, at_most: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        Box::pin(self.sweep_some(row::passed(now), at_most.max(1)))
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
