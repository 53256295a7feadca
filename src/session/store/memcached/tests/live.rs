//! Against memcached itself.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::super::super::contract::{self, in_turn::InTurn};
use super::super::super::relay::Relay;
use super::*;

/// Beyond any slowness.
const GENEROUS: Duration = Duration::from_secs(60);

fn url() -> String {
    std::env::var("SITEWRIGHT_TEST_MEMCACHED").expect("SITEWRIGHT_TEST_MEMCACHED, the URL of a memcached")
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("random bytes");
    bytes
}

/// Options of a store of its own.
fn options() -> MemcachedOptions {
    let mut key_prefix = "test-".to_owned();
    random().iter().take(8).for_each(|byte| write!(key_prefix, "{byte:02x}").expect("a string"));
    MemcachedOptions { url: url(), key_prefix, ..MemcachedOptions::default() }
}

fn open(options: &MemcachedOptions) -> MemcachedStore {
    MemcachedStore::new(options.clone()).expect("options")
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry { expires: Some(now() + 600), bytes: bytes.into() })
}

async fn created(store: &MemcachedStore, bytes: &[u8]) -> Key {
    let key = Key::new(random());
    assert_eq!(store.compare_and_set(&key, None, entry(bytes)).await, Ok(true));
    key
}

async fn found(store: &MemcachedStore, key: &Key) -> Found {
    store.load(key).await.expect("asked").expect("an entry")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs memcached: run by tests/run"]
async fn two_processes_keep_the_contract() {
    let options = options();
    let store = InTurn::of([Arc::new(open(&options)), Arc::new(open(&options))]);
    let report = contract::verify(&store).await.kept().expect("the contract");
    assert!(report.findings.iter().all(|(_, finding)| *finding == contract::Finding::Kept), "{report}");
}

/// A store that reaches memcached through a relay, with all the connections it may have.
async fn behind_a_relay() -> (MemcachedStore, Relay, Key) {
    let options = options();
    let Ok(Address::Tcp { host, port }) = Address::parse(&options.url) else { panic!("a TCP address") };
    let relay = Relay::before(format!("{host}:{port}")).await;
    let store = open(&MemcachedOptions { url: format!("memcached://{}", relay.address), ..options });
    let key = created(&store, b"one").await;
    let all = std::iter::repeat_with(|| store.load(&key)).take(20);
    for loaded in futures_util::future::join_all(all).await {
        assert!(loaded.is_ok_and(|found| found.is_some()));
    }
    assert_eq!(store.connections.idle(), 8);
    (store, relay, key)
}

#[tokio::test]
#[ignore = "needs memcached: run by tests/run"]
async fn connections_that_were_cut_are_replaced_at_once() {
    let (store, relay, key) = behind_a_relay().await;
    relay.cut();
    let seen = found(&store, &key).await;
    assert_eq!(store.compare_and_set(&key, Some(seen.version), entry(b"two")).await, Ok(true));
    assert_eq!(&*found(&store, &key).await.bytes, b"two");
}

#[tokio::test]
#[ignore = "needs memcached: run by tests/run"]
async fn after_a_silence_no_other_silent_connection_is_tried() {
    let (store, relay, key) = behind_a_relay().await;
    relay.fall_silent();
    assert!(timeout(Duration::from_secs(2), store.load(&key)).await.is_err(), "nothing gets through");
    for _ in 0..20 {
        let found = timeout(GENEROUS, found(&store, &key)).await.expect("another connection");
        assert_eq!(&*found.bytes, b"one");
    }
    assert_eq!(relay.asked_in_silence(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs memcached: run by tests/run"]
async fn what_is_given_up_midway_gives_nobody_the_answer_of_another() {
    let store = Arc::new(open(&options()));
    let mut keys = Vec::new();
    for at in 0..50_u32 {
        // Each in a size of its own, so that a remainder is noticed as well.
        let bytes = at.to_be_bytes().repeat(1 + 40 * at as usize);
        keys.push((created(&store, &bytes).await, bytes));
    }
    let keys = Arc::new(keys);
    let mut visitors = tokio::task::JoinSet::new();
    for at in 0..40_usize {
        let (store, keys) = (Arc::clone(&store), Arc::clone(&keys));
        visitors.spawn(async move {
            for round in 0..200_usize {
                let (key, bytes) = &keys[(at * 7 + round) % keys.len()];
                let patience =
                    if round % 2 == 0 { Duration::from_micros((at * 31 + round * 17) as u64 % 1500) } else { GENEROUS };
                if let Ok(loaded) = timeout(patience, store.load(key)).await {
                    let found = loaded.expect("asked").expect("an entry");
                    assert!(found.bytes == bytes.as_slice().into(), "the entry of another");
                }
                // A step, given up as well: it happens or does not, to this key.
                if round % 5 == 0 {
                    let seen = found(&store, key).await.version;
                    let _ = timeout(patience, store.compare_and_set(key, Some(seen), entry(bytes))).await;
                }
            }
        });
    }
    visitors.join_all().await;
    for (key, bytes) in keys.iter() {
        assert_eq!(*found(&store, key).await.bytes, **bytes);
    }
}

/// How long memcached says that it will keep the entry; -1: for ever.
async fn keeps(store: &MemcachedStore, key: &Key) -> i64 {
    let Ok(Address::Tcp { host, port }) = Address::parse(&url()) else { panic!("a TCP address") };
    let mut stream = BufReader::new(TcpStream::connect((host, port)).await.expect("memcached"));
    stream.write_all(format!("mg {} t\r\n", store.name(key)).as_bytes()).await.expect("asked");
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("an answer");
    line.trim_end().strip_prefix("HD t").expect("an entry").parse().expect("a time")
}

#[tokio::test]
#[ignore = "needs memcached: run by tests/run"]
async fn an_entry_is_kept_as_long_as_it_should_around_30_days_and_2038() {
    const DAY: u64 = 86_400;
    let store = open(&options());
    for seconds in [60, 29 * DAY, 30 * DAY - 2, 30 * DAY - 1, 30 * DAY, 30 * DAY + 1, 31 * DAY, 4000 * DAY] {
        let key = Key::new(random());
        let expires = now() + seconds;
        let next = Some(Entry { expires: Some(expires), bytes: Box::from(*b"x") });
        assert_eq!(store.compare_and_set(&key, None, next).await, Ok(true));
        let kept = keeps(&store, &key).await;
        let left = expires.saturating_sub(now()) as i64;
        // The clocks tick at different moments; the test may take a while.
        assert!((left - 5..=seconds as i64 + 5).contains(&kept), "{seconds}: {kept}");
    }
    for expires in [None, Some(LAST_DATE), Some(LAST_DATE + DAY), Some(i64::MAX as u64)] {
        let key = Key::new(random());
        let next = Some(Entry { expires, bytes: Box::from(*b"x") });
        assert_eq!(store.compare_and_set(&key, None, next).await, Ok(true));
        assert_eq!(keeps(&store, &key).await, -1, "{expires:?}");
        assert_eq!(store.remove(&key).await, Ok(true));
    }
}

#[tokio::test]
#[ignore = "needs memcached: run by tests/run"]
async fn what_is_too_large_is_an_error_and_the_old_entry_stays() {
    let store = open(&options());
    let key = created(&store, b"small").await;
    let seen = found(&store, &key).await;
    let too_large = store.compare_and_set(&key, Some(seen.version), entry(&vec![0; 64 << 20])).await;
    assert!(matches!(&too_large, Err(StoreError::TooLarge { bytes, .. }) if *bytes == 64 << 20), "{too_large:?}");
    assert_eq!(found(&store, &key).await, seen);

    let largest = (1 << 20) - 128 - store.name(&key).len();
    let bytes: Vec<u8> = (0..largest).map(|at| at as u8).collect();
    assert_eq!(store.compare_and_set(&key, Some(seen.version), entry(&bytes)).await, Ok(true));
    assert_eq!(*found(&store, &key).await.bytes, *bytes);
}

#[tokio::test]
#[ignore = "needs memcached: run by tests/run"]
async fn stores_with_different_prefixes_do_not_see_each_other() {
    let (one, two) = (open(&options()), open(&options()));
    let key = created(&one, b"one").await;
    assert_eq!(two.load(&key).await, Ok(None));
    assert_eq!(two.compare_and_set(&key, None, entry(b"two")).await, Ok(true));
    assert_eq!(&*found(&one, &key).await.bytes, b"one");
}
