//! Against a server that does as it is told, also what memcached does rarely.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;

use super::*;

/// Instead of an answer: the server hangs up.
const HANG_UP: &str = "hang up";
/// Instead of an answer: none ever comes.
const SILENCE: &str = "silence";
const NO_ROOM: &str = "SERVER_ERROR out of memory storing object\r\n";

const KEY: Key = Key::new([7; Key::SIZE]);

/// What the server still has to answer, whoever asks.
#[derive(Debug, Default)]
struct Script {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Notify,
}

impl Script {
    fn of(answers: &[&'static str]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.iter().copied().collect()), ..Self::default() })
    }

    fn left(&self) -> usize {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn follow(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|bytes| bytes > 0) {
            let greets = line.starts_with("stats");
            if line.starts_with("ms") {
                let _data = stream.read_line(&mut line).await;
            }
            line.clear();
            let next = || self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let answer = if greets { "END\r\n" } else { next().unwrap_or(HANG_UP) };
            if !greets {
                self.asked.notify_one();
            }
            if answer == SILENCE {
                std::future::pending().await
            }
            if answer != HANG_UP {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            // After half an answer it hangs up as well.
            if !answer.ends_with('\n') {
                return;
            }
        }
    }
}

/// A store on a server with this script.
async fn store(script: &Arc<Script>) -> MemcachedStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("memcached://{}", listener.local_addr().expect("an address"));
    let script = Arc::clone(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(Arc::clone(&script).follow(stream));
        }
    });
    MemcachedStore::new(MemcachedOptions { url, ..MemcachedOptions::default() }).expect("options")
}

fn entry() -> Option<Entry> {
    Some(Entry { expires: None, bytes: Box::from(*b"hello") })
}

fn is_unavailable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Unavailable(_)))
}

fn is_unknown<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::OutcomeUnknown(_)))
}

#[tokio::test]
async fn a_load_is_tried_once_more_when_a_connection_is_lost() {
    let script = Script::of(&["VA 5 c3\r\nhello\r\n", HANG_UP, "VA 5 c4\r\nhello\r\n"]);
    let store = store(&script).await;
    for version in [3, 4] {
        assert_eq!(store.load(&KEY).await.expect("asked").map(|found| found.version), Some(version));
    }
    assert!(is_unavailable(&store.load(&KEY).await), "the server hangs up every time");
}

#[tokio::test]
async fn a_step_is_never_tried_again() {
    for (seen, next) in [(None, entry()), (Some(1), entry()), (Some(1), None)] {
        for lost in [HANG_UP, "nonsense\r\n", "HD"] {
            let script = Script::of(&[lost, "HD\r\n"]);
            let outcome = store(&script).await.compare_and_set(&KEY, seen, next.clone()).await;
            assert!(is_unknown(&outcome) && script.left() == 1, "{lost}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn no_room_is_an_error_and_says_whether_anything_happened() {
    let store = store(&Script::of(&[NO_ROOM, NO_ROOM, "HD\r\n"])).await;
    assert!(is_unavailable(&store.compare_and_set(&KEY, None, entry()).await));
    // Here memcached has dropped the entry that was to be replaced.
    let replaced = store.compare_and_set(&KEY, Some(1), entry()).await;
    assert!(is_unknown(&replaced) && format!("{replaced:?}").contains("out of memory"), "{replaced:?}");
    assert_eq!(store.compare_and_set(&KEY, Some(1), None).await, Ok(true));
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_is_never_taken_for_another() {
    let script = Script::of(&[SILENCE, "EN\r\n"]);
    let store = store(&script).await;
    tokio::select! {
        _ = store.load(&KEY) => panic!("there is no answer"),
        () = script.asked.notified() => {}
    }
    assert_eq!(store.load(&KEY).await, Ok(None));
}

#[tokio::test]
async fn one_lost_connection_takes_those_that_wait_with_it() {
    let script = Script::of(&["EN\r\n", "EN\r\n", HANG_UP, "EN\r\n"]);
    let store = store(&script).await;
    let (one, two) = tokio::join!(store.lend(), store.lend());
    for mut lent in [one.expect("a connection"), two.expect("a connection")] {
        assert!(matches!(lent.connection().get("k").await, Ok(Answer::Otherwise)));
    }
    assert_eq!(store.connections.idle(), 2);
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(store.connections.idle(), 1, "the fresh one");
}

#[tokio::test]
async fn a_socket_file_is_an_address_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("memcached.sock");
    let options = MemcachedOptions { url: format!("memcached+unix://{}", path.display()), ..Default::default() };
    let store = MemcachedStore::new(options).expect("options");
    let refused = store.load(&KEY).await;
    assert!(is_unavailable(&refused), "nobody listens: {refused:?}");
    assert!(is_unavailable(&store.compare_and_set(&KEY, None, entry()).await));

    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        Script::of(&["HD\r\n"]).follow(stream).await;
    });
    assert_eq!(store.compare_and_set(&KEY, None, entry()).await, Ok(true));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_greet_is_unavailable_before_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("memcached://{}", listener.local_addr().expect("an address"));
    let store = MemcachedStore::new(MemcachedOptions { url, ..Default::default() }).expect("options");
    for deadline in [1, 2, 10].map(Duration::from_secs) {
        store.answer_within(deadline);
        let told = tokio::time::timeout(deadline, store.compare_and_set(&KEY, Some(1), entry())).await;
        assert!(is_unavailable(&told.expect("in time")), "{deadline:?}");
    }
}
