//! What the stores on servers have in common: things that go wrong.
#![cfg(any(feature = "postgres", feature = "mysql"))]

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::super::{Entry, Found, Key, Store, StoreError};

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

/// Several tasks count in one entry, in turn on one store and the other.
pub(super) async fn count_on(stores: [Arc<dyn Store>; 2]) {
    let mut counting = JoinSet::new();
    for number in 0..8 {
        let store = Arc::clone(&stores[number % 2]);
        counting.spawn(async move {
            let mut done = 0;
            while done < 10 {
                let found = store.load(&key(1)).await.expect("a server");
                let count = found.as_ref().map_or(0, |found| found.bytes[0]);
                let seen = found.map(|found| found.version);
                let set = store.compare_and_set(&key(1), seen, entry(&[count + 1])).await;
                done += u8::from(set.expect("a server"));
            }
        });
    }
    counting.join_all().await;
    assert_eq!(bytes(stores[0].load(&key(1)).await.expect("a server")), Some(vec![80]));
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

/// Something between a store and its server that can fall silent, as a
/// firewall does that has forgotten a connection.
pub(super) struct Between {
    address: String,
    silence: watch::Sender<usize>,
}

impl Between {
    /// In front of the server at `address`, which is a host and a port.
    pub async fn new(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (silence, silenced) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (server, mut silenced) = (server.clone(), silenced.clone());
                tokio::spawn(async move {
                    silenced.mark_unchanged();
                    let mut server = TcpStream::connect(server).await.expect("a server");
                    tokio::select! {
                        biased; // silence comes before what arrives after it
                        _ = silenced.changed() => std::future::pending().await, // keeps both open
                        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    }
                });
            }
        });
        Self { address, silence }
    }

    /// From now on nothing passes on the connections there are; new ones work.
    fn fall_silent(&self) {
        self.silence.send_modify(|times| *times += 1);
    }

    /// `url` with this in the place of the server.
    pub fn url(&self, url: &str, server: &str) -> String {
        url.replace(server, &self.address)
    }
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

/// The deadline that the factory gives an operation.
const DEADLINE: Duration = Duration::from_secs(2);

/// Connections that fall silent cost one operation its deadline, not one each.
pub(super) async fn fall_silent(store: Arc<dyn Store>, between: &Between) {
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
        between.fall_silent();
        timeout(Duration::from_millis(100), store.load(&key(1))).await.expect_err("nobody answers");
        let next = Box::pin(async {
            let seen = store.load(&key(1)).await.expect("a fresh connection").map(|found| found.version);
            store.compare_and_set(&key(1), seen, entry(&[round])).await
        });
        assert_eq!(timeout(DEADLINE, next).await, Ok(Ok(true)));
    }
}
