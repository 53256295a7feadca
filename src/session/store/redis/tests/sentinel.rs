use super::process::{Server, writes_again};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn two_processes_keep_the_contract_behind_sentinels() {
    two_processes_keep_the_contract(&url("SITEWRIGHT_TEST_REDIS_SENTINEL")).await;
}

#[tokio::test]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn a_service_that_nobody_watches_is_named() {
    let url = url("SITEWRIGHT_TEST_REDIS_SENTINEL");
    let (sentinels, _) = url.rsplit_once('/').expect("a service");
    let [store] = stores(&format!("{sentinels}/nobody-s"), &prefix());
    let error = store.load(&KEY).await.expect_err("there is none");
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("`nobody-s`")), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn sessions_go_on_when_the_master_is_killed() {
    sessions_go_on_after("KILL").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn sessions_go_on_when_the_master_hangs() {
    sessions_go_on_after("STOP").await;
}

async fn sessions_go_on_after(signal: &str) {
    let master = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port()]).await;
    let settings = format!(
        "sentinel monitor sessions 127.0.0.1 {} 1\nsentinel down-after-milliseconds sessions 1000",
        master.port()
    );
    let sentinel = Server::start_with(&settings, &["--sentinel"]).await;
    master.says("state=online", &["INFO", "replication"]).await;
    sentinel.says("slaves=1", &["INFO", "sentinel"]).await;
    // Of the two Sentinels in the URL, one is not there.
    let (_closed, gone) = closed_port();
    let [store] = stores(&format!("redis+sentinel://{gone},{}/sessions", sentinel.address), &prefix());

    for number in 0..100_u8 {
        assert_eq!(store.compare_and_set(&Key::of(&[number]), None, entry(&[number])).await, Ok(true));
    }
    replica.says("int(100)", &["DBSIZE"]).await; // what has not arrived may be lost
    master.signal(signal);
    writes_again(&store, &KEY).await;
    replica.says("role:master", &["INFO", "replication"]).await;
    for number in 0..100_u8 {
        let found = store.load(&Key::of(&[number])).await.expect("an answer");
        assert_eq!(bytes(found), Some(vec![number]));
    }
}

/// The old master comes back and does not know yet that it is none; a
/// Sentinel may not know either.
#[tokio::test]
#[ignore = "needs Redis Sentinel: run by tests/run"]
async fn a_replica_that_is_taken_for_the_master_is_not_used() {
    let master = Server::start(&[]).await;
    let replica = Server::start(&["--replicaof", "127.0.0.1", &master.port()]).await;
    let named = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{}\r\n", replica.port().len(), replica.port());
    let named: &'static str = named.leak();
    let sentinel = fake::FakeServer::start(move |_, _| fake::Answer::Say(named)).await;
    let url = format!("{}/sessions", sentinel.url.replace("redis://", "redis+sentinel://"));
    let [store] = stores(&url, &prefix());
    let error = store.load(&KEY).await.expect_err("it is a replica");
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("no longer the master")), "{error}");
    replica.ask(&["REPLICAOF", "NO", "ONE"]).await;
    writes_again(&store, &KEY).await;

    // While connected, it becomes a replica again.
    replica.ask(&["REPLICAOF", "127.0.0.1", &master.port()]).await;
    let done = store.compare_and_set(&Key::of(b"new"), None, entry(b"new")).await;
    assert!(matches!(done, Err(StoreError::Unavailable(_))), "{done:?}");
}
