use std::sync::Arc;

use ::redis::{Cmd, Value, cmd};
use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::super::closed_port::closed_port;
use super::super::contract::{self, in_turn::InTurn};
use super::super::patience::Patience;
use super::connection::{Connection, Connector, SILENCE};
use super::url::{Address, Arrangement};
use super::*;

mod broken;
mod cluster;
mod fake;
mod process;
mod sentinel;

const KEY: Key = Key::new([7; Key::SIZE]);

/// Far longer than any event that is waited for takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry { expires: Some(4_000_000_000), bytes: bytes.into() })
}

fn bytes(found: Option<Found>) -> Option<Vec<u8>> {
    found.map(|found| found.bytes.into_vec())
}

/// The URL in an environment variable.
fn url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: the URL of a server for tests"))
}

/// A prefix that no other test has.
fn prefix() -> String {
    format!("test-{:x}:", getrandom::u64().expect("random bytes"))
}

/// Stores with one prefix, as in as many processes.
fn stores<const N: usize>(url: &str, key_prefix: &str) -> [RedisStore; N] {
    let options = || RedisOptions { url: url.into(), key_prefix: key_prefix.into() };
    [(); N].map(|()| RedisStore::new(options()).expect("a store"))
}

/// Removes what a test has stored.
async fn clean(store: &RedisStore) {
    let mut from = None;
    loop {
        let page = store.list(from, 1000).await.expect("a page");
        for (key, _) in page.entries {
            store.remove(&key).await.expect("it goes");
        }
        from = page.next;
        if from.is_none() {
            return;
        }
    }
}

/// A connection of the test's own to the server at `address`.
async fn connect(url: &str, address: &Address) -> Connection {
    let target = Target::parse(url).expect("a URL");
    Connector::new(&target.login, target.database, target.tls, Patience::default())
        .connect(address)
        .await
        .expect("a connection")
}

async fn ask(connection: &Connection, words: &[&str]) -> Value {
    let mut command = Cmd::new();
    words.iter().for_each(|word| _ = command.arg(*word));
    connection.ask(&command, false).await.unwrap_or_else(|failure| panic!("{words:?}: {failure}"))
}

/// A connection to the single server.
async fn single() -> (String, Connection) {
    let url = url("SITEWRIGHT_TEST_REDIS");
    let Arrangement::One(address) = Target::parse(&url).expect("a URL").arrangement else { panic!("not one server") };
    let connection = connect(&url, &address).await;
    (url, connection)
}

async fn two_processes_keep_the_contract(url: &str) {
    let [one, other] = stores(url, &prefix()).map(Arc::new);
    let report = contract::verify(&InTurn::of([one.clone(), other])).await;
    clean(&one).await;
    report.kept().expect("the contract");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis: run by tests/run"]
async fn two_processes_keep_the_contract_on_one_server() {
    two_processes_keep_the_contract(&url("SITEWRIGHT_TEST_REDIS")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis with TLS: run by tests/run"]
async fn two_processes_keep_the_contract_over_tls() {
    let url = url("SITEWRIGHT_TEST_REDIS_TLS");
    assert!(url.starts_with("rediss://"));
    two_processes_keep_the_contract(&url).await;
}

#[tokio::test]
#[ignore = "needs Redis with TLS: run by tests/run"]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let url = url("SITEWRIGHT_TEST_REDIS_TLS");
    let url = url.split('?').next().expect("a URL");
    let [store] = stores(url, &prefix());
    let error = store.load(&KEY).await.expect_err("nobody vouches for it");
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("ertificate")), "{error}");
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn a_killed_connection_is_replaced_at_once() {
    let (url, connection) = single().await;
    let [store] = stores(&url, &prefix());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    for round in 0..10 {
        let servers::Arranged::One(link) = &store.servers.arrangement else { panic!("one server") };
        let current = link.connection().await.expect("a connection");
        let Value::Int(id) = current.ask(cmd("CLIENT").arg("ID"), false).await.expect("an id") else { panic!("no id") };
        ask(&connection, &["CLIENT", "KILL", "ID", &id.to_string()]).await;
        let found = store.load(&KEY).await.expect("an answer at once").expect("an entry");
        let written = store.compare_and_set(&KEY, Some(found.version), entry(&[round])).await;
        assert_eq!(written, Ok(true), "and so is a write");
    }
    clean(&store).await;
}

/// Many loads and writes at once, half of them given up at some moment: the
/// others get the reply to what they asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis: run by tests/run"]
async fn no_reply_reaches_another_visitor() {
    let [store] = stores(&url("SITEWRIGHT_TEST_REDIS"), &prefix());
    let store = Arc::new(store);
    let keys: Vec<Key> = (0..50_u8).map(|number| Key::of(&[number])).collect();
    let content = |key: &Key| key.as_bytes().repeat(1 + usize::from(key.first()));
    for key in &keys {
        assert_eq!(store.compare_and_set(key, None, entry(&content(key))).await, Ok(true));
    }
    let visits = (0..4000_u64).map(|number| {
        let (store, key) = (Arc::clone(&store), keys[number as usize % keys.len()]);
        let wanted = content(&key);
        tokio::spawn(async move {
            let visit = async {
                let found = store.load(&key).await.expect("an answer").expect("an entry");
                assert_eq!(*found.bytes, *wanted, "the bytes of {key}");
                if number % 5 == 0 {
                    store.compare_and_set(&key, Some(found.version), entry(&wanted)).await.expect("an answer");
                }
            };
            if number % 2 == 0 {
                visit.await;
            } else {
                // Given up at some moment, mostly between the command and its reply.
                let _ = timeout(Duration::from_micros(number * 7 % 3000), visit).await;
            }
        })
    });
    for visit in visits.collect::<Vec<_>>() {
        visit.await.expect("no panic");
    }
    clean(&store).await;
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn redis_forgets_an_entry_by_itself_when_it_expires() {
    let (url, connection) = single().await;
    let prefix = prefix();
    let [store] = stores(&url, &prefix);
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"for a while")).await, Ok(true));
    let name = format!("{prefix}{KEY}");
    assert_eq!(ask(&connection, &["EXPIRETIME", &name]).await, Value::Int(4_000_000_000));
    let seen = store.load(&KEY).await.expect("an answer").map(|found| found.version);
    let endless = Entry { expires: None, bytes: b"endless".as_slice().into() };
    assert_eq!(store.compare_and_set(&KEY, seen, Some(endless)).await, Ok(true));
    assert_eq!(ask(&connection, &["EXPIRETIME", &name]).await, Value::Int(-1));
    let seen = store.load(&KEY).await.expect("an answer").map(|found| found.version);
    let over = Entry { expires: Some(0), bytes: b"over".as_slice().into() };
    assert_eq!(store.compare_and_set(&KEY, seen, Some(over)).await, Ok(true));
    assert_eq!(store.load(&KEY).await, Ok(None));
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn a_value_that_is_not_ours_can_be_replaced() {
    let (url, connection) = single().await;
    let prefix = prefix();
    let [store] = stores(&url, &prefix);
    let name = format!("{prefix}{KEY}");
    for foreign in ["x", "seven b", "longer than a version"] {
        ask(&connection, &["SET", &name, foreign]).await;
        let found = store.load(&KEY).await.expect("an answer").expect("something");
        assert_eq!(store.compare_and_set(&KEY, None, entry(b"new")).await, Ok(false), "{foreign}");
        assert_eq!(store.compare_and_set(&KEY, Some(found.version), entry(b"new")).await, Ok(true), "{foreign}");
    }
    ask(&connection, &["SET", &name, ""]).await;
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(store.compare_and_set(&KEY, None, None).await, Ok(true));
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"new")).await, Ok(true));
    assert_eq!(store.remove(&KEY).await, Ok(true));
    ask(&connection, &["RPUSH", &name, "a list"]).await;
    assert!(matches!(store.load(&KEY).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.compare_and_set(&KEY, None, entry(b"x")).await, Err(StoreError::Unavailable(_))));
    assert_eq!(store.remove(&KEY).await, Ok(true));
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn the_list_and_the_count_leave_out_what_others_keep() {
    let (url, connection) = single().await;
    let prefix = prefix();
    let [store] = stores(&url, &prefix);
    let [other] = stores(&url, &format!("{prefix}*"));
    let others = format!("{prefix}settings");
    ask(&connection, &["SET", &others, "of something else"]).await;
    for number in 0..250_u8 {
        assert_eq!(store.compare_and_set(&Key::of(&[number]), None, entry(&[number])).await, Ok(true));
    }
    assert_eq!((store.count().await, other.count().await), (Ok(250), Ok(0)));
    assert_eq!(other.list(None, 10).await.map(|page| page.entries), Ok(Vec::new()));
    clean(&store).await;
    assert_eq!(store.count().await, Ok(0));
    ask(&connection, &["DEL", &others]).await;
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn a_server_that_forgot_its_scripts_is_told_again() {
    let (url, connection) = single().await;
    let [store] = stores(&url, &prefix());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"first")).await, Ok(true));
    ask(&connection, &["SCRIPT", "FLUSH"]).await;
    let seen = store.load(&KEY).await.expect("an answer").map(|found| found.version);
    assert_eq!(store.compare_and_set(&KEY, seen, None).await, Ok(true));
}

#[tokio::test]
#[ignore = "needs Redis: run by tests/run"]
async fn under_a_full_memory_sessions_are_read_and_removed_and_not_written() {
    let server = process::Server::start(&["--maxmemory-policy", "noeviction"]).await;
    let [store] = stores(&format!("redis://{}", server.address), &prefix());
    assert_eq!(store.compare_and_set(&KEY, None, entry(b"old")).await, Ok(true));
    let seen = store.load(&KEY).await.expect("an answer").map(|found| found.version);
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let refused = store.compare_and_set(&KEY, seen, entry(b"new")).await;
    assert!(matches!(&refused, Err(StoreError::Unavailable(why)) if why.contains("memory is full")), "{refused:?}");
    assert_eq!(bytes(store.load(&KEY).await.expect("an answer")), Some(b"old".to_vec()));
    assert_eq!(store.compare_and_set(&KEY, seen, None).await, Ok(true));
    assert_eq!(store.load(&KEY).await, Ok(None));
}
