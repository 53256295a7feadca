use std::sync::Arc;

use sqlx::Connection;

use super::super::super::closed_port::closed_port;
use super::super::super::contract::{self, in_turn::InTurn};
use super::super::super::relay::Relay;
use super::super::tests::{
    PATIENCE, address, bytes, entry, fall_silent, fresh_table, give_up_halfway, key, server, silent_server,
    tells_in_time,
};
use super::*;

const VARIABLE: &str = "SITEWRIGHT_TEST_POSTGRES";

/// A table for one test.
struct Table {
    name: String,
    url: String,
}

impl Table {
    fn new() -> Self {
        Self { name: fresh_table(), url: address(VARIABLE) }
    }

    fn store(&self) -> Arc<PostgresStore> {
        let (url, table) = (self.url.clone(), self.name.clone());
        let options = PostgresOptions { url, table, ..PostgresOptions::default() };
        let store = PostgresStore::new(options).expect("a store");
        store.answer_within(PATIENCE);
        Arc::new(store)
    }

    async fn run(&self, sql: &str) {
        let mut connection = PgConnection::connect(&self.url).await.expect("a server");
        let sql = statement(&self.name, sql);
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("it is allowed");
    }

    /// Ends the connections of all who have used the table.
    async fn end_connections(&self) {
        self.run(r#"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%{table}%' AND pid <> pg_backend_pid()"#)
            .await;
    }

    async fn remove(self) {
        self.run(r#"DROP TABLE IF EXISTS "{table}""#).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn two_processes_keep_the_contract() {
    let table = Table::new();
    let store = InTurn::of([table.store(), table.store()]);
    contract::verify(&store).await.kept().expect("the contract");
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn an_operation_that_was_given_up_crosses_no_other() {
    let table = Table::new();
    give_up_halfway(table.store()).await;
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn many_may_begin_at_once() {
    let table = Table::new();
    let beginning = (0..8).map(|number| {
        let store = table.store();
        tokio::spawn(async move { store.compare_and_set(&key(number), None, entry(b"first")).await })
    });
    for task in beginning.collect::<Vec<_>>() {
        assert_eq!(task.await.expect("no panic"), Ok(true));
    }
    assert_eq!(table.store().count().await, Ok(8));
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn nothing_is_made_before_the_first_session() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.load(&key(1)).await, Ok(None));
    assert_eq!(store.count().await, Ok(0));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept::default()));
    assert_eq!(store.list(None, 10).await, Ok(Page::default()));
    assert_eq!(store.remove(&key(1)).await, Ok(false));
    assert_eq!(store.compare_and_set(&key(1), Some(1), entry(b"late")).await, Ok(false));
    table.run(r#"CREATE TABLE "{table}" ()"#).await; // it is not there yet
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn connections_that_the_server_ends_cost_no_operation() {
    let table = Table::new();
    let store = table.store();
    for round in 0..5 {
        assert_eq!(store.compare_and_set(&key(round), None, entry(&[round])).await, Ok(true));
        table.end_connections().await;
        let found = store.load(&key(round)).await.expect("a fresh connection");
        table.end_connections().await;
        let seen = found.map(|found| found.version);
        assert_eq!(store.compare_and_set(&key(round), seen, entry(b"next")).await, Ok(true));
        table.end_connections().await;
    }
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn a_lock_that_others_hold_is_a_refusal_and_the_record_stays() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    let seen = store.load(&key(1)).await.expect("a server").map(|found| found.version);
    let mut other = PgConnection::connect(&table.url).await.expect("a server");
    let lock = statement(&table.name, r#"BEGIN; UPDATE "{table}" SET version = version"#);
    sqlx::raw_sql(lock).execute(&mut other).await.expect("a lock");
    let refused = store.compare_and_set(&key(1), seen, entry(b"new")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(bytes(store.load(&key(1)).await.expect("readers go on")), Some(b"old".to_vec()));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept::default()), "a sweep waits for nobody");
    drop(other);
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn a_sweep_looks_nowhere_but_in_the_index() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    table
        .run(
            r#"INSERT INTO "{table}" SELECT sha256(n::text::bytea), n, 1000000 + n, 'record' FROM generate_series(1, 20000) n;
            ANALYZE "{table}""#,
        )
        .await;
    let explain = store.sweep.as_str().replace("$1", "1000").replace("$2", "100");
    let explain = statement(&table.name, &format!("EXPLAIN {explain}"));
    let plan = store
        .connections
        .read(|| sqlx::query_scalar(explain.clone()), |connection, query| Box::pin(query.fetch_all(connection)));
    let plan: Vec<String> = plan.await.expect("a plan").expect("a table");
    assert!(plan.iter().any(|step| step.contains(&format!("using {}_expires", table.name))), "{plan:#?}");
    assert!(!plan.iter().any(|step| step.contains("Seq Scan")), "{plan:#?}");
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn a_user_who_may_make_no_table_uses_the_one_there_is() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    table
        .run(
            r#"CREATE ROLE "{table}" LOGIN PASSWORD 'guest'; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
            GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO "{table}""#,
        )
        .await;
    let guest = |name: &str| {
        let separator = if table.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}user={}&password=guest", table.url, table.name);
        PostgresStore::new(PostgresOptions { url, table: name.to_owned(), ..PostgresOptions::default() })
            .expect("a store")
    };
    let store = guest(&table.name);
    assert_eq!(store.compare_and_set(&key(2), None, entry(b"new")).await, Ok(true));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept { removed: 2, more: false }));
    let refused = guest(&fresh_table()).compare_and_set(&key(2), None, entry(b"new")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("permission denied")), "{refused:?}");
    table.run(r#"DROP TABLE "{table}"; DROP ROLE "{table}""#).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn connections_that_fall_silent_are_given_up_together() {
    let table = Table::new();
    let server = server(&table.url);
    let relay = Relay::before(server.clone()).await;
    let silent = Table { url: table.url.replace(&server, &relay.address.to_string()), name: table.name.clone() };
    fall_silent(silent.store(), &relay).await;
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn a_certificate_is_checked_if_the_url_asks_for_it() {
    let table = Table::new();
    let (url, authority) = (table.url.split('?').next().expect("a URL"), address("SITEWRIGHT_TEST_AUTHORITY"));
    let store = |url| PostgresStore::new(PostgresOptions { url, ..PostgresOptions::default() }).expect("a store");
    let trusting = store(format!("{url}?sslmode=verify-full&sslrootcert={authority}"));
    let encryption = trusting.connections.read(
        || sqlx::query_scalar("SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()"),
        |connection, query| Box::pin(query.fetch_one(connection)),
    );
    let encryption: String = encryption.await.expect("a server").expect("an answer");
    assert!(encryption == "true" || encryption.starts_with("TLS"), "{encryption}");
    let refused = store(format!("{url}?sslmode=verify-full")).load(&key(1)).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("certificate")), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn a_standby_is_refused() {
    let table = Table::new();
    // A function of this name that is found before the server's own.
    table
        .run(r#"CREATE SCHEMA "{table}"; CREATE FUNCTION "{table}".pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'"#)
        .await;
    let separator = if table.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{separator}options[search_path]={},pg_catalog", table.url, table.name);
    let standby = PostgresStore::new(PostgresOptions { url, ..PostgresOptions::default() }).expect("a store");
    let refused = standby.load(&key(1)).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("only reads")), "{refused:?}");
    table.run(r#"DROP SCHEMA "{table}" CASCADE"#).await;
}

#[tokio::test]
#[ignore = "needs PostgreSQL: run by tests/run"]
async fn locks_are_waited_for_in_proportion_to_the_deadline() {
    let table = Table::new();
    let store = table.store();
    for (deadline, expected) in [(2, "1500ms"), (60, "45s")] {
        store.answer_within(Duration::from_secs(deadline));
        let asked = store.connections.read(
            || sqlx::query_scalar("SHOW lock_timeout"),
            |connection, query| Box::pin(query.fetch_one(connection)),
        );
        assert_eq!(asked.await, Ok(Some(expected.to_owned())));
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_was_sent_nothing_and_that_is_told_in_time() {
    let (_listener, address) = silent_server().await;
    let url = format!("postgres://user@{address}/db?sslmode=disable");
    let store = PostgresStore::new(PostgresOptions { url, ..PostgresOptions::default() }).expect("a store");
    tells_in_time(&store).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_at_once_and_without_the_password() {
    let (_closed, address) = closed_port();
    let url = format!("postgres://user:hunter2@{address}/db");
    let options = PostgresOptions { url, ..PostgresOptions::default() };
    assert!(!format!("{options:?}").contains("hunter2"));
    let store = PostgresStore::new(options).expect("no server is needed yet");
    assert!(!format!("{store:?}").contains("hunter2"));
    let refused = store.load(&key(1)).await.expect_err("nobody is there").to_string();
    assert!(refused.contains(&address.to_string()) && !refused.contains("hunter2"), "{refused}");
    let refused = store.compare_and_set(&key(1), None, entry(b"new")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[test]
fn a_url_that_cannot_be_read_is_explained_without_the_password() {
    for (url, why) in [
        ("mysql://u:hunter2@host/db", "begins with postgres://"),
        ("postgres://u:hunter2/x@host/db", "cannot be read"),
        ("postgres://u:hunter2@host/db?sslmode=maybe", "cannot be read: unknown value"),
        ("postgres://u:hunter2@host/db?ssl=on", "parameter"),
    ] {
        let options = PostgresOptions { url: url.to_owned(), ..PostgresOptions::default() };
        let error = PostgresStore::new(options).expect_err(url).message;
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}
