//! What goes wrong between a store and its server.

use super::fake::{Answer, FakeServer};
use super::*;

const PONG: Answer = Answer::Say("+PONG\r\n");

fn store_at(url: &str) -> RedisStore {
    RedisStore::new(RedisOptions { url: url.into(), ..RedisOptions::default() }).expect("a store")
}

async fn write(store: &RedisStore) -> Result<bool, StoreError> {
    store.compare_and_set(&KEY, None, entry(b"new")).await
}

#[tokio::test]
async fn a_write_is_sent_once_when_the_connection_breaks() {
    let server = FakeServer::start(|_, name| if name == "PING" { PONG } else { Answer::Close }).await;
    let done = write(&store_at(&server.url)).await;
    assert!(matches!(done, Err(StoreError::OutcomeUnknown(_))), "{done:?}");
    assert_eq!((server.count("EVALSHA"), server.count("EVAL")), (1, 0));
}

#[tokio::test]
async fn a_load_is_sent_once_more_when_the_connection_breaks() {
    let server = FakeServer::start(|connection, name| match (connection, name) {
        (_, "PING") => PONG,
        (1, _) => Answer::Close,
        _ => Answer::Say("$9\r\n\0\0\0\0\0\0\0\x07x\r\n"),
    })
    .await;
    let found = store_at(&server.url).load(&KEY).await.expect("an answer").expect("an entry");
    assert_eq!((found.version, &*found.bytes), (7, &b"x"[..]));
    assert_eq!(server.count("GET"), 2);

    let server = FakeServer::start(|_, name| if name == "PING" { PONG } else { Answer::Close }).await;
    let found = store_at(&server.url).load(&KEY).await;
    assert!(matches!(found, Err(StoreError::Unavailable(_))), "{found:?}");
    assert_eq!(server.count("GET"), 2);
}

#[tokio::test]
async fn a_connection_that_does_not_answer_costs_one_request_its_time() {
    let server = FakeServer::start(|connection, name| match (connection, name) {
        (_, "PING") => PONG,
        (1, _) => Answer::Nothing,
        _ => Answer::Say("$-1\r\n"),
    })
    .await;
    let store = store_at(&server.url);
    tokio::select! {
        answer = store.load(&KEY) => panic!("nobody answers: {answer:?}"),
        () = async { server.received_times("GET", 1).await; sleep(2 * SILENCE).await } => {}
    }
    assert_eq!(store.load(&KEY).await, Ok(None));
    assert_eq!(server.received.lock().expect("no panic").last(), Some(&(2, "GET".into())));
}

#[tokio::test]
async fn a_server_that_does_not_say_a_word_was_sent_no_write() {
    let server = FakeServer::start(|_, _| Answer::Nothing).await;
    let done = write(&store_at(&server.url)).await;
    assert!(matches!(&done, Err(StoreError::Unavailable(why)) if why.contains("does not answer")), "{done:?}");
    assert_eq!(server.count("EVALSHA"), 0);
}

#[tokio::test]
async fn what_cannot_be_sent_in_time_is_told_in_time() {
    const DEADLINE: Duration = Duration::from_millis(400);
    let silent = FakeServer::start(|_, _| Answer::Nothing).await;
    let place = silent.url.trim_start_matches("redis://").to_owned();
    let port = place.rsplit_once(':').expect("a port").1;
    let slots = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n");
    let slots: &'static str = slots.leak();
    let node = FakeServer::start(move |_, name| if name == "PING" { PONG } else { Answer::Say(slots) }).await;
    for url in [
        silent.url.clone(),
        format!("redis+sentinel://{place}/sessions"),
        format!("redis+cluster://{place}"),
        node.url.replace("redis://", "redis+cluster://"), // which says that the silent one has everything
    ] {
        let store = store_at(&url);
        store.answer_within(DEADLINE);
        let told = timeout(DEADLINE, store.compare_and_set(&KEY, Some(1), entry(b"new"))).await;
        assert!(matches!(told, Ok(Err(StoreError::Unavailable(_)))), "{url}: {told:?}");
    }
    assert_eq!(silent.count("EVALSHA"), 0);
}

#[tokio::test]
async fn whoever_is_no_longer_the_master_is_left() {
    let server = FakeServer::start(|connection, name| match (connection, name) {
        (_, "PING") => PONG,
        (1, _) => Answer::Say("-READONLY You can't write against a read only replica.\r\n"),
        _ => Answer::Say(":1\r\n"),
    })
    .await;
    assert_eq!(write(&store_at(&server.url)).await, Ok(true));
    assert_eq!(server.count("EVALSHA"), 2);
}

#[tokio::test]
async fn a_refusal_that_persists_is_told() {
    for (reply, happened) in [
        ("-READONLY a replica\r\n", false),
        ("-OOM command not allowed when used memory > 'maxmemory'.\r\n", false),
        ("-MOVED 3999 127.0.0.1:1\r\n", false),
        ("-ERR something between us and the server\r\n", true),
        ("$2\r\nno\r\n", true),
    ] {
        let server = FakeServer::start(move |_, name| if name == "PING" { PONG } else { Answer::Say(reply) }).await;
        let error = write(&store_at(&server.url)).await.expect_err(reply);
        assert_eq!(matches!(error, StoreError::OutcomeUnknown(_)), happened, "{reply}: {error}");
    }
}

#[tokio::test]
async fn a_script_that_the_server_has_forgotten_is_sent_whole() {
    let server = FakeServer::start(|_, name| match name {
        "PING" => PONG,
        "EVALSHA" => Answer::Say("-NOSCRIPT No matching script.\r\n"),
        _ => Answer::Say(":0\r\n"),
    })
    .await;
    assert_eq!(write(&store_at(&server.url)).await, Ok(false));
    assert_eq!((server.count("EVALSHA"), server.count("EVAL")), (1, 1));
}

#[tokio::test]
async fn a_server_that_was_not_there_is_used_when_it_comes() {
    let (port, address) = closed_port();
    let store = store_at(&format!("redis://{address}"));
    let error = write(&store).await.expect_err("nobody listens");
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains(&address.to_string())), "{error}");

    let listener = port.listen(1024).expect("the same port");
    let server = FakeServer::on(listener, |_, name| if name == "PING" { PONG } else { Answer::Say(":1\r\n") });
    timeout(PATIENCE, async {
        while write(&store).await != Ok(true) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .expect("it is used again");
    assert_eq!(server.count("EVALSHA"), 1);
}

#[tokio::test]
async fn a_password_is_in_no_error_and_in_nothing_printed() {
    let server = FakeServer::start(|_, name| match name {
        "AUTH" => Answer::Say("-WRONGPASS invalid username-password pair or user is disabled.\r\n"),
        _ => PONG,
    })
    .await;
    let options = RedisOptions { url: server.url.replace("://", "://user:hunter2@"), ..RedisOptions::default() };
    let store = RedisStore::new(options.clone()).expect("a store");
    let error = write(&store).await.expect_err("it is wrong");
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("log in")), "{error}");
    assert!(!format!("{error} {error:?} {store:?} {options:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_page_of_the_list_is_one_look_even_if_it_finds_nothing() {
    let server = FakeServer::start(|_, name| match name {
        "SCAN" => Answer::Say("*2\r\n$2\r\n17\r\n*0\r\n"),
        _ => PONG,
    })
    .await;
    let page = store_at(&server.url).list(None, 10).await.expect("a page");
    assert!(page.entries.is_empty() && page.next.is_some(), "{page:?}");
    assert_eq!(server.count("SCAN"), 1);
}

#[tokio::test]
async fn many_at_once_make_one_connection() {
    let server = FakeServer::start(|_, name| if name == "PING" { PONG } else { Answer::Say("$-1\r\n") }).await;
    let store = store_at(&server.url);
    for found in join_all((0..50).map(|_| store.load(&KEY))).await {
        assert_eq!(found, Ok(None));
    }
    assert_eq!((server.count("PING"), server.count("GET")), (1, 50));
}
