use std::sync::Arc;

use sqlx::Connection;
use tokio::time::sleep;

use super::super::super::closed_port::closed_port;
use super::super::super::contract::{self, in_turn::InTurn};
use super::super::super::relay::Relay;
use super::super::connections::SHORT_REST;
use super::super::tests::{
    PATIENCE, address, bytes, entry, fall_silent, fresh_table, give_up_halfway, key, server, silent_server,
    tells_in_time,
};
use super::*;

const VARIABLE: &str = "SITEWRIGHT_TEST_MYSQL";

/// A table for one test.
struct Table {
    name: String,
    url: String,
}

impl Table {
    fn new() -> Self {
        Self { name: fresh_table(), url: address(VARIABLE) }
    }

    fn store(&self) -> Arc<MysqlStore> {
        let (url, table) = (self.url.clone(), self.name.clone());
        let options = MysqlOptions { url, table, ..MysqlOptions::default() };
        let store = MysqlStore::new(options).expect("a store");
        store.answer_within(PATIENCE);
        Arc::new(store)
    }

    async fn run(&self, sql: &str) {
        let mut connection = MySqlConnection::connect(&self.url).await.expect("a server");
        let sql = statement(&self.name, sql);
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("it is allowed");
    }

    /// Ends the connection that `store` would use next.
    async fn end_connection(&self, store: &MysqlStore) {
        let id = store.connections.read(
            || sqlx::query_scalar("SELECT connection_id()"),
            |connection, query| Box::pin(query.fetch_one(connection)),
        );
        let id: u64 = id.await.expect("a server").expect("a number");
        self.run(&format!("KILL {id}")).await;
        let mut other = MySqlConnection::connect(&self.url).await.expect("a server");
        let mut left = 1;
        while left > 0_i64 {
            let asked = sqlx::query_scalar("SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?").bind(id);
            left = asked.fetch_one(&mut other).await.expect("an answer");
        }
        // It says nothing when it is ended: it is asked after a rest only.
        sleep(2 * SHORT_REST).await;
    }

    async fn remove(self) {
        self.run("DROP TABLE IF EXISTS `{table}`").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MySQL: run by tests/run"]
async fn two_processes_keep_the_contract() {
    let table = Table::new();
    let store = InTurn::of([table.store(), table.store()]);
    contract::verify(&store).await.kept().expect("the contract");
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MySQL: run by tests/run"]
async fn an_operation_that_was_given_up_crosses_no_other() {
    let table = Table::new();
    give_up_halfway(table.store()).await;
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MySQL: run by tests/run"]
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
#[ignore = "needs MySQL: run by tests/run"]
async fn nothing_is_made_before_the_first_session() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.load(&key(1)).await, Ok(None));
    assert_eq!(store.count().await, Ok(0));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept::default()));
    assert_eq!(store.list(None, 10).await, Ok(Page::default()));
    assert_eq!(store.remove(&key(1)).await, Ok(false));
    assert_eq!(store.compare_and_set(&key(1), Some(1), entry(b"late")).await, Ok(false));
    table.run("CREATE TABLE `{table}` (n INT)").await; // it is not there yet
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn connections_that_the_server_ends_cost_no_operation() {
    let table = Table::new();
    let store = table.store();
    for round in 0..5 {
        assert_eq!(store.compare_and_set(&key(round), None, entry(&[round])).await, Ok(true));
        table.end_connection(&store).await;
        let found = store.load(&key(round)).await.expect("a fresh connection");
        table.end_connection(&store).await;
        let seen = found.map(|found| found.version);
        assert_eq!(store.compare_and_set(&key(round), seen, entry(b"next")).await, Ok(true));
        table.end_connection(&store).await;
    }
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn a_lock_that_others_hold_is_a_refusal_and_the_record_stays() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    let seen = store.load(&key(1)).await.expect("a server").map(|found| found.version);
    let mut other = MySqlConnection::connect(&table.url).await.expect("a server");
    let lock = statement(&table.name, "BEGIN; SELECT * FROM `{table}` WHERE session = repeat(char(1), 32) FOR UPDATE");
    sqlx::raw_sql(lock).execute(&mut other).await.expect("a lock");
    let refused = store.compare_and_set(&key(1), seen, entry(b"new")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    assert_eq!(bytes(store.load(&key(1)).await.expect("readers go on")), Some(b"old".to_vec()));
    let refused = store.compare_and_set(&key(2), None, entry(b"new")).await;
    assert_eq!(refused, Ok(true), "other sessions go on");
    drop(other);
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MySQL: run by tests/run"]
async fn a_sweep_and_writers_do_not_wait_for_each_other_crosswise() {
    let table = Table::new();
    let store = table.store();
    for number in 0..100 {
        let half = Some(Entry { expires: Some(1000 * u64::from(1 + number % 2)), bytes: [number].into() });
        assert_eq!(store.compare_and_set(&key(number), None, half).await, Ok(true));
    }
    let writing = (0..100).filter(|number| number % 2 == 1).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..5 {
                let seen = store.load(&key(number)).await.expect("a server").map(|found| found.version);
                let next = Some(Entry { expires: Some(2000), bytes: [number].into() });
                assert_eq!(store.compare_and_set(&key(number), seen, next).await, Ok(true), "{number}");
            }
        })
    });
    let writing: Vec<_> = writing.collect();
    let mut removed = 0;
    while removed < 50 {
        removed += store.sweep(1500.0, 7).await.expect("no deadlock").removed;
    }
    for task in writing {
        task.await.expect("no panic");
    }
    assert_eq!((removed, store.count().await), (50, Ok(50)));
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn what_is_confirmed_is_committed_whatever_the_server_has_set() {
    let table = Table::new();
    let store = table.store();
    let asked = store
        .connections
        .read(|| sqlx::query_scalar("SELECT @@autocommit"), |connection, query| Box::pin(query.fetch_one(connection)));
    assert_eq!(asked.await, Ok(Some(1_i64)));
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    assert_eq!(table.store().count().await, Ok(1), "others see it");
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn a_user_who_may_make_no_table_uses_the_one_there_is() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    table
        .run(
            "CREATE USER `{table}` IDENTIFIED BY 'guest', `{table}`@localhost IDENTIFIED BY 'guest';
            GRANT SELECT, INSERT, UPDATE, DELETE ON `{table}` TO `{table}`, `{table}`@localhost",
        )
        .await;
    let guest = |name: &str| {
        let (_, place) = table.url.split_once('@').expect("a user in the URL");
        let url = format!("mysql://{}:guest@{place}", table.name);
        MysqlStore::new(MysqlOptions { url, table: name.to_owned(), ..MysqlOptions::default() }).expect("a store")
    };
    let store = guest(&table.name);
    assert_eq!(store.compare_and_set(&key(2), None, entry(b"new")).await, Ok(true));
    assert_eq!(store.sweep(1e12, 10).await, Ok(Swept { removed: 2, more: false }));
    let refused = guest(&fresh_table()).compare_and_set(&key(2), None, entry(b"new")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("denied")), "{refused:?}");
    table.run("DROP TABLE `{table}`; DROP USER `{table}`, `{table}`@localhost").await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn more_than_a_packet_is_told_as_too_large_and_the_old_record_stays() {
    let table = Table::new();
    let store = table.store();
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    let seen = store.load(&key(1)).await.expect("a server").map(|found| found.version);
    let limit = store.connections.takes() - STATEMENT_BYTES;
    let too_large = store.compare_and_set(&key(1), seen, entry(&vec![0; limit + 1])).await;
    assert_eq!(too_large, Err(StoreError::TooLarge { bytes: limit + 1, limit }));
    assert_eq!(bytes(store.load(&key(1)).await.expect("a server")), Some(b"old".to_vec()));
    assert_eq!(store.compare_and_set(&key(1), seen, entry(&vec![0; limit])).await, Ok(true));
    table.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs MySQL: run by tests/run"]
async fn connections_that_fall_silent_are_given_up_together() {
    let table = Table::new();
    let server = server(&table.url);
    let relay = Relay::before(server.clone()).await;
    let silent = Table { url: table.url.replace(&server, &relay.address.to_string()), name: table.name.clone() };
    fall_silent(silent.store(), &relay).await;
    table.remove().await;
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn a_certificate_is_checked_if_the_url_asks_for_it() {
    let table = Table::new();
    let (url, authority) = (table.url.split('?').next().expect("a URL"), address("SITEWRIGHT_TEST_AUTHORITY"));
    let store = |url| MysqlStore::new(MysqlOptions { url, ..MysqlOptions::default() }).expect("a store");
    let trusting = store(format!("{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca={authority}"));
    let encryption = trusting.connections.read(
        || {
            sqlx::query_scalar(
                "SELECT variable_value FROM information_schema.session_status WHERE variable_name = 'Ssl_version'",
            )
        },
        |connection, query| Box::pin(query.fetch_one(connection)),
    );
    let encryption: String = encryption.await.expect("a server").expect("an answer");
    assert!(encryption == "true" || encryption.starts_with("TLS"), "{encryption}");
    let refused = store(format!("{url}?ssl-mode=VERIFY_IDENTITY")).load(&key(1)).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("certificate")), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs MySQL: run by tests/run"]
async fn locks_are_waited_for_in_proportion_to_the_deadline() {
    let table = Table::new();
    let store = table.store();
    for (deadline, expected) in [(2, "1"), (60, "45")] {
        store.answer_within(Duration::from_secs(deadline));
        let asked = store.connections.read(
            || sqlx::query_scalar("SELECT CAST(@@innodb_lock_wait_timeout AS CHAR)"),
            |connection, query| Box::pin(query.fetch_one(connection)),
        );
        assert_eq!(asked.await, Ok(Some(expected.to_owned())));
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_was_sent_nothing_and_that_is_told_in_time() {
    let (_listener, address) = silent_server().await;
    let url = format!("mysql://user:word@{address}/db");
    let store = MysqlStore::new(MysqlOptions { url, ..MysqlOptions::default() }).expect("a store");
    tells_in_time(&store).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_at_once_and_without_the_password() {
    let (_closed, address) = closed_port();
    let url = format!("mysql://user:hunter2@{address}/db");
    let options = MysqlOptions { url, ..MysqlOptions::default() };
    assert!(!format!("{options:?}").contains("hunter2"));
    let store = MysqlStore::new(options).expect("no server is needed yet");
    assert!(!format!("{store:?}").contains("hunter2"));
    let refused = store.load(&key(1)).await.expect_err("nobody is there").to_string();
    assert!(refused.contains(&address.to_string()) && !refused.contains("hunter2"), "{refused}");
    let refused = store.compare_and_set(&key(1), None, entry(b"new")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
}

#[test]
fn a_url_that_cannot_be_read_is_explained_without_the_password() {
    for (url, why) in [
        ("postgres://u:hunter2@host/db", "begins with mysql:// or mariadb://"),
        ("mysql://u:hunter2/x@host/db", "cannot be read"),
        ("mysql://u:hunter2@host/db?ssl-mode=maybe", "cannot be read: unknown value"),
        ("mysql://u:hunter2@host/db?ssl=on", "parameter"),
        ("mysql://u:hunter2@host", "names no database"),
    ] {
        let options = MysqlOptions { url: url.to_owned(), ..MysqlOptions::default() };
        let error = MysqlStore::new(options).expect_err(url).message;
        assert!(error.contains(why) && !error.contains("hunter2"), "{error}");
    }
}
