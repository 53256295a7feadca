//! Connections coming and going, and the end.

use super::*;

#[tokio::test]
async fn a_panic_costs_one_request_and_nothing_else() {
    let server = Server::start(relaxed());
    let mut client = server.client().await;
    client.send("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let said = client.response().await;
    assert_status(&said, 500);
    assert!(!said.contains("as the path says"), "{said}");
    assert!(client.is_served().await);
}

#[tokio::test]
async fn a_full_house_closes_the_connection_that_has_been_idle_the_longest() {
    let server = Server::start(Limits { max_connections: 2, ..relaxed() });
    let mut first = server.client().await;
    assert!(first.is_served().await);
    let mut second = server.client().await;
    assert!(second.is_served().await);
    let mut third = server.client().await;
    assert!(third.is_served().await);
    assert_eq!(first.rest().await, "");
    assert!(second.is_served().await);
}

#[tokio::test]
async fn where_all_are_busy_the_next_client_waits_for_a_place() {
    let server = Server::start(Limits { max_connections: 1, ..relaxed() });
    let mut first = server.client().await;
    first.send("POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").await;
    assert_eq!(first.response().await, "HTTP/1.1 100 Continue\r\n\r\n");

    let mut second = server.client().await;
    second.send(GET).await;
    let early = timeout(SHORT, second.0.readable()).await;
    assert!(early.is_err(), "answered before there was room");
    first.send("ok").await;
    assert!(first.response().await.ends_with("ok"));
    assert_status(&second.response().await, 200);
}

#[tokio::test]
async fn a_stop_closes_idle_connections_at_once() {
    let mut server = Server::start(relaxed());
    let mut idle = server.client().await;
    assert!(idle.is_served().await);
    let mut silent = server.client().await;
    server.begin_stop();
    assert_eq!(idle.rest().await, "");
    // One still in the listen queue is reset instead.
    let _ = timeout(GENEROUS, silent.0.read_u8()).await.expect("closed");
    assert_eq!(server.ending().await, Ending::Drained);
}

#[tokio::test]
async fn a_stop_lets_a_request_in_progress_finish() {
    let mut server = Server::start(relaxed());
    let address = server.address;
    let mut client = server.client().await;
    client.send("POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").await;
    client.response().await;
    server.begin_stop();
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    client.send("ok").await;
    let said = client.rest().await;
    assert_status(&said, 200);
    assert!(said.contains("connection: close") && said.ends_with("ok"), "{said}");
    assert_eq!(server.ending().await, Ending::Drained);
}

#[tokio::test]
async fn a_stop_ends_at_its_deadline_whatever_the_clients_do() {
    let mut server = Server::start(Limits { shutdown: SHORT, ..relaxed() });
    let mut stuck = server.client().await;
    stuck.send("POST /body HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n").await;
    stuck.response().await;
    server.begin_stop();
    assert_eq!(server.ending().await, Ending::Aborted { connections: 1 });
    let _ = timeout(GENEROUS, stuck.0.read_u8()).await.expect("cut off");
}

#[tokio::test]
async fn a_client_that_hangs_up_frees_its_place() {
    let server = Server::start(Limits { max_connections: 1, ..relaxed() });
    let mut client = server.client().await;
    client.send("GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await;
    drop(client);
    assert_status(&server.converse(GET_AND_CLOSE).await, 200);
}

#[tokio::test]
async fn a_unix_socket_serves_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("site.sock");
    let listener = Listener::bind(&format!("unix:{}", path.display())).unwrap();
    let server = tokio::spawn(serve(listener, Arc::new(Puppet(relaxed())), std::future::pending()));
    let mut client = tokio::net::UnixStream::connect(&path).await.unwrap();
    client.write_all(GET_AND_CLOSE.as_bytes()).await.unwrap();
    let mut said = String::new();
    timeout(GENEROUS, client.read_to_string(&mut said)).await.unwrap().unwrap();
    assert_status(&said, 200);
    assert!(said.contains("peer=false"), "{said}");
    server.abort();
}
