//! What the stores on servers have in common: things that go wrong.
#![cfg(any(feature = "postgres", feature = "mysql"))]

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::relay::Relay;
use super::super::{Entry, Found, Key, Store, StoreError};

/// How long a connection is waited for on a slow machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What tests/servers says in the environment.
pub(super) fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run this with tests/servers"))
}

/// A table that nobody else uses.
pub(super) fn fresh_table() -> String {
    format!("test_{:016x}", getrandom::u64().expect("random bytes"))
}

pub(super) fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry { expires: Some(1000), bytes: bytes.into() })
}

pub(super) fn bytes(found: Option<Found>) -> Option<Vec<u8>> {
    found.map(|found| found.bytes.into_vec())
}

pub(super) fn key(number: u8) -> Key {
    Key::new([number; Key::SIZE])
}

/// Many operations at once, half of them given up after a moment: every load
/// returns what its key holds.
pub(super) async fn give_up_halfway(store: Arc<dyn Store>) {
    for number in 0..16 {
        assert_eq!(store.compare_and_set(&key(number), None, entry(&[number; 100])).await, Ok(true));
    }
    let mut operating = JoinSet::new();
    for number in 0..1500_u64 {
        let store = Arc::clone(&store);
        operating.spawn(async move {
            sleep(Duration::from_millis(number % 400)).await;
            let (session, held) = (key((number % 16) as u8), vec![(number % 16) as u8; 100]);
            let patience = Duration::from_micros(number * 131 % 3000);
            match number % 4 {
                0 => drop(timeout(patience, store.load(&session)).await),
                1 => {
                    // Written again as it is: whether it is done or not, it says the same.
                    let found = timeout(patience, store.load(&session)).await;
                    let seen = found.ok().and_then(Result::ok).flatten().map(|found| found.version);
                    let again = store.compare_and_set(&session, seen, entry(&held));
                    drop(timeout(patience, again).await);
                }
                _ => {
                    let found = store.load(&session).await.expect("a server");
                    assert_eq!(bytes(found), Some(held));
                }
            }
        });
    }
    operating.join_all().await;
}

/// The host and the port in a URL.
pub(super) fn server(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split(['/', '?']).next().unwrap_or(rest);
    place.rsplit_once('@').map_or(place, |(_, server)| server).to_owned()
}

/// A server that accepts connections and never says a word.
pub(super) async fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

/// Before the deadline of the factory it is certain that nothing was sent.
pub(super) async fn tells_in_time(store: &dyn Store) {
    let deadline = Duration::from_millis(400);
    store.answer_within(deadline);
    let told = timeout(deadline, store.compare_and_set(&key(1), Some(1), entry(b"new"))).await;
    assert!(matches!(told, Ok(Err(StoreError::Unavailable(_)))), "{told:?}");
}

/// Connections that fall silent are not asked one after the other: when one turns out to be dead, all go.
pub(super) async fn fall_silent(store: Arc<dyn Store>, relay: &Relay) {
    assert_eq!(store.compare_and_set(&key(1), None, entry(b"old")).await, Ok(true));
    for round in 0..3 {
        // All at once, so that there are several connections.
        let loading = (0..8).map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.load(&key(1)).await })
        });
        for load in loading.collect::<Vec<_>>() {
            load.await.expect("no panic").expect("a server");
        }
        let before = relay.asked_in_silence();
        relay.fall_silent();
        let key = key(1);
        tokio::select! {
            _ = store.load(&key) => panic!("nobody answers"),
            () = relay.until_asked_in_silence(before + 1) => {}
        }
        let next = Box::pin(async {
            let seen = store.load(&key).await.expect("a fresh connection").map(|found| found.version);
            store.compare_and_set(&key, seen, entry(&[round])).await
        });
        assert_eq!(timeout(PATIENCE, next).await, Ok(Ok(true)));
        assert_eq!(relay.asked_in_silence() - before, 2, "the one given up, and one other");
    }
}
