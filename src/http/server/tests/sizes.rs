//! Clients that send too much.

use super::*;

fn post(headers: &str) -> String {
    format!("POST /body HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\n")
}

#[tokio::test]
async fn a_declared_body_over_the_limit_is_answered_413_unread() {
    let server = Server::start(relaxed());
    let said = server.converse(post("content-length: 1000000000000")).await;
    assert_status(&said, 413);
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_spared_the_body() {
    let server = Server::start(relaxed());
    let head = post("content-length: 65537\r\nexpect: 100-continue");
    assert_status(&server.converse(head).await, 413);

    let mut client = server.client().await;
    client.send(post("content-length: 2\r\nexpect: 100-continue")).await;
    assert_eq!(client.response().await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok").await;
    assert!(client.response().await.ends_with("ok"));
}

#[tokio::test]
async fn a_client_that_goes_on_sending_still_hears_413() {
    let server = Server::start(relaxed());
    let mut bytes = post("content-length: 1048576").into_bytes();
    bytes.resize(bytes.len() + (1 << 20), b'x');
    assert_status(&server.converse(bytes).await, 413);
}

#[tokio::test]
async fn an_endless_chunked_body_is_answered_413() {
    let server = Server::start(relaxed());
    let mut client = server.client().await;
    client.send(post("transfer-encoding: chunked")).await;
    let (mut hearing, mut speaking) = client.0.into_split();
    let attack = tokio::spawn(async move {
        let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
        while speaking.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    // The client that never listens may see a reset in place of the end.
    let mut said = Vec::new();
    let _reset = timeout(GENEROUS, hearing.read_to_end(&mut said)).await.unwrap();
    assert_status(&String::from_utf8(said).unwrap(), 413);
    timeout(GENEROUS, attack).await.expect("and stops listening").unwrap();
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_read() {
    let server = Server::start(relaxed());
    let body = "x".repeat(64 * 1024);
    let head = post("content-length: 65536\r\nconnection: close");
    let said = server.converse(format!("{head}{body}")).await;
    assert_status(&said, 200);
    assert!(said.ends_with(&body));
}

#[tokio::test]
async fn an_unread_body_is_never_taken_for_a_request() {
    let server = Server::start(relaxed());
    let smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    for framing in [
        format!("content-length: {}\r\n\r\n{smuggled}", smuggled.len() + 100),
        format!("content-length: {}\r\n\r\n{smuggled}", smuggled.len()),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len()),
    ] {
        let said = server.converse(format!("POST /ignored HTTP/1.1\r\nhost: a\r\n{framing}")).await;
        assert_status(&said, 200);
        assert_eq!(said.matches("HTTP/1.1 200").count(), 1, "{said}");
        assert!(!said.contains("smuggled"), "{said}");
    }
}

#[tokio::test]
async fn a_request_line_of_70_kilobytes_is_answered_414() {
    let server = Server::start(relaxed());
    let line = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(70_000));
    let said = server.converse(line).await;
    assert_status(&said, 414);
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn an_endless_request_line_is_answered_414() {
    let server = Server::start(relaxed());
    let client = server.client().await;
    let (mut hearing, mut speaking) = client.0.into_split();
    let attack = tokio::spawn(async move { while speaking.write_all(&[b'x'; 999]).await.is_ok() {} });
    let mut said = Vec::new();
    let _reset = timeout(GENEROUS, hearing.read_to_end(&mut said)).await.unwrap();
    assert_status(&String::from_utf8(said).unwrap(), 414);
    timeout(GENEROUS, attack).await.expect("and stops listening").unwrap();
}

#[tokio::test]
async fn a_long_request_line_behind_another_request_is_answered_414() {
    let server = Server::start(relaxed());
    let long = format!("GET /?{} HTTP/1.1\r\nhost: a\r\n\r\n", "x".repeat(16 * 1024));
    let mut client = server.client().await;
    client.send(format!("{GET}{long}")).await;
    assert_status(&client.response().await, 200);
    assert_status(&client.response().await, 414);
}

#[tokio::test]
async fn a_head_of_200_kilobytes_is_answered_431() {
    let server = Server::start(relaxed());
    let said = server.converse(format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(200_000))).await;
    assert_status(&said, 431);
}

#[tokio::test]
async fn a_hundred_headers_are_fine_and_one_more_is_answered_431() {
    let server = Server::start(relaxed());
    let request = |lines| format!("GET / HTTP/1.1\r\n{}\r\n", "host: a\r\n".repeat(lines));
    let mut client = server.client().await;
    client.send(request(100)).await;
    assert_status(&client.response().await, 200);
    client.send(request(101)).await;
    assert_status(&client.rest().await, 431);
}
