//! Clients that make the server wait.

use tokio::task::JoinSet;

use super::protocol::{http2, request};
use super::*;

/// A limit that honest clients keep on a busy machine too.
const HONEST: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_silent_connection_is_closed_without_words() {
    let server = Server::start(Limits { first_byte: SHORT, ..relaxed() });
    assert_eq!(server.converse("").await, "");
}

#[tokio::test]
async fn half_a_head_is_answered_408() {
    let server = Server::start(Limits { header: SHORT, ..relaxed() });
    let said = server.converse("GET / HTTP/1.1\r\nhost: a\r\n").await;
    assert_status(&said, 408);
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn half_a_later_head_is_answered_408() {
    let server = Server::start(Limits { header: SHORT, ..relaxed() });
    let mut client = server.client().await;
    assert!(client.is_served().await);
    client.send("GET / HT").await;
    assert_status(&client.rest().await, 408);
}

#[tokio::test]
async fn a_dripping_head_is_answered_408() {
    let server = Server::start(Limits { header: SHORT, ..relaxed() });
    let mut client = server.client().await;
    client.send("GET / HTTP/1.1\r\n").await;
    let (mut hearing, mut speaking) = client.0.into_split();
    let drip = tokio::spawn(async move {
        while speaking.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    });
    let mut said = String::new();
    let heard = timeout(GENEROUS, hearing.read_to_string(&mut said)).await;
    heard.expect("the server closes").unwrap();
    assert_status(&said, 408);
    timeout(GENEROUS, drip).await.expect("and stops listening").unwrap();
}

#[tokio::test]
async fn half_an_http2_preface_does_not_stay() {
    let server = Server::start(Limits { header: SHORT, ..relaxed() });
    server.converse("PRI * HTT").await;
}

#[tokio::test]
async fn an_http2_preface_alone_does_not_stay() {
    let server = Server::start(Limits { keep_alive: SHORT, ..relaxed() });
    let mut client = server.client().await;
    client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    let mut said = Vec::new();
    let closing = client.0.read_to_end(&mut said);
    timeout(GENEROUS, closing).await.expect("the server closes").unwrap();
    let goaway = said.windows(2).any(|at| at == [0x07, 0x00]);
    assert!(goaway, "said goodbye in its own protocol: {said:?}");
}

#[tokio::test]
async fn a_silent_keep_alive_connection_is_closed() {
    let server = Server::start(Limits { keep_alive: SHORT, ..relaxed() });
    let mut client = server.client().await;
    assert!(client.is_served().await);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn half_a_body_is_answered_408() {
    let server = Server::start(Limits { body: SHORT, ..relaxed() });
    let said = server.converse("POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc").await;
    assert_status(&said, 408);
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn a_slow_body_is_not_held_against_the_handler() {
    let server = Server::start(Limits { handler: HONEST, ..relaxed() });
    let mut client = server.client().await;
    client.send("POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nab").await;
    tokio::time::sleep(HONEST + SHORT).await;
    client.send("c").await;
    assert!(client.response().await.ends_with("abc"));
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_answered_503() {
    let server = Server::start(Limits { handler: SHORT, ..relaxed() });
    let mut client = server.client().await;
    client.send("GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let said = client.response().await;
    assert_status(&said, 503);
    assert!(client.is_served().await, "the connection lives on");
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_cut_off() {
    let mut server = Server::start(Limits { write_stall: SHORT, ..relaxed() });
    let mut client = server.client().await;
    client.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.0.readable().await.unwrap();
    server.begin_stop();
    assert_eq!(server.ending().await, Ending::Drained);
    let mut taken = Vec::new();
    let _reset = timeout(GENEROUS, client.0.read_to_end(&mut taken)).await.unwrap();
    assert!(taken.len() < 16 << 20, "not all of it was sent");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_ends_its_connection_whatever_else_is_asked_there() {
    let server = Server::start(Limits { handler: SHORT, body: SHORT, write_stall: SHORT, ..relaxed() });
    let mut sender = http2(&server).await;
    let _unread = sender.send_request(request(Method::GET, "/large", "")).await.unwrap();
    let asking = async { while sender.send_request(request(Method::HEAD, "/", "")).await.is_ok() {} };
    timeout(GENEROUS, asking).await.expect("the server closes");
}

#[tokio::test]
async fn honest_clients_notice_nothing_of_all_this() {
    let server = Server::start(Limits {
        first_byte: HONEST,
        header: HONEST,
        body: HONEST,
        write_stall: HONEST,
        max_connections: 200,
        ..relaxed()
    });
    let mut attackers = JoinSet::new();
    for attack in [
        "",
        "GET / HT",
        "PRI * HTT",
        "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc",
        "POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        "GET /large HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /panic HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        for _ in 0..10 {
            let mut client = server.client().await;
            attackers.spawn(async move {
                client.send(attack).await;
                // It takes nothing until the server has had enough of it.
                tokio::time::sleep(HONEST * 2).await;
                let mut said = Vec::new();
                let _reset = timeout(GENEROUS, client.0.read_to_end(&mut said)).await.unwrap();
            });
        }
    }
    let mut kept = server.client().await;
    while !attackers.is_empty() {
        assert!(kept.is_served().await);
        assert_status(&server.converse(GET_AND_CLOSE).await, 200);
        while let Some(ended) = attackers.try_join_next() {
            ended.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
