//! What HTTP asks of every server.

use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};

use super::*;

pub async fn http2(server: &Server) -> SendRequest<Full<Bytes>> {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let io = TokioIo::new(stream);
    let (sender, connection) = handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub fn request(method: Method, path: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::builder().method(method).uri(format!("http://site.example{path}")).body(Full::new(body.into())).unwrap()
}

#[tokio::test]
async fn everything_of_a_request_reaches_the_handler() {
    let server = Server::start(relaxed());
    let mut client = server.client().await;
    client.send("BREW /a%2Fb/%C3%A4?x=%20&y HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n").await;
    let said = client.response().await;
    assert!(said.contains("BREW /a%2Fb/%C3%A4 Some(\"x=%20&y\") HTTP/1.1"), "{said}");
    assert!(said.contains(r#"hosts=["a", "b"] authority=None peer=true"#), "{said}");

    client.send("GET http://b.example:8080/c HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let said = client.response().await;
    assert!(said.contains("GET /c None"), "{said}");
    assert!(said.contains(r#"authority=Some("b.example:8080")"#), "{said}");

    client.send("GET http://b.example?q HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").await;
    let said = client.response().await;
    assert!(said.contains("GET / Some(\"q\") HTTP/1.0 hosts=[]"), "{said}");
}

#[tokio::test]
async fn targets_that_are_no_path_stop_at_the_edge() {
    let server = Server::start(relaxed());
    for (line, status) in
        [("CONNECT a.example:443", 501), ("GET *", 400), ("OPTIONS *", 200), ("GET a.example:443", 400)]
    {
        let mut client = server.client().await;
        client.send(format!("{line} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_status(&client.response().await, status);
    }
}

#[tokio::test]
async fn no_request_gets_a_rejection_of_warp() {
    let server = Server::start(relaxed());
    for method in ["GET", "HEAD", "PUT", "TRACE", "BREW", "OPTIONS"] {
        for target in ["/", "//", "/?", "/%zz", "/..%2f", "/%00", "/a?%ff=%", "http://b/"] {
            for body in ["", "content-length: 0\r\n", "content-type: multipart/form-data\r\n"] {
                let said = server
                    .converse(format!("{method} {target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{body}\r\n"))
                    .await;
                assert_status(&said, 200);
            }
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(relaxed());
    let request = |path| format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    let mut client = server.client().await;
    client.send(request("/first") + &request("/second")).await;
    assert!(client.response().await.contains("/first"));
    assert!(client.response().await.contains("/second"));
}

#[tokio::test]
async fn head_has_the_length_and_not_the_body() {
    let server = Server::start(relaxed());
    let mut client = server.client().await;
    client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    client.send("GET /after HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    let said = client.rest().await;
    let (head, rest) = said.split_once("\r\n\r\n").unwrap();
    assert_status(head, 200);
    assert!(head.contains("content-length: ") && !head.contains("content-length: 0"), "{head}");
    assert_status(rest, 200);
    assert!(rest.contains("GET /after"), "{rest}");
}

#[tokio::test]
async fn no_content_has_neither_length_nor_body() {
    let server = Server::start(relaxed());
    let said = server.converse("GET /empty HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert_status(&said, 204);
    assert!(said.ends_with("\r\n\r\n") && !said.contains("content-length"), "{said}");
}

#[tokio::test]
async fn a_length_beside_chunks_is_ignored_and_ends_the_connection() {
    let server = Server::start(relaxed());
    let said = server
        .converse(
            "POST /body HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\
             transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
        )
        .await;
    assert_status(&said, 200);
    assert!(said.ends_with("hello"), "{said}");
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_framed_safely_is_answered_400() {
    let server = Server::start(relaxed());
    for headers in [
        "x: a\r\n folded",
        "content-length: 5\r\ncontent-length: 6",
        "content-length: +3",
        "transfer-encoding: xchunked",
        "transfer-encoding : chunked",
    ] {
        let said = server.converse(format!("POST /body HTTP/1.1\r\nhost: a\r\n{headers}\r\n\r\nabcdef")).await;
        assert_status(&said, 400);
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{said}");
    }
    let chunk = "POST /body HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n";
    let said = server.converse(chunk).await;
    assert_status(&said, 400);
    assert!(said.contains("connection: close"), "{said}");
}

#[tokio::test]
async fn http2_with_prior_knowledge_is_spoken() {
    let server = Server::start(relaxed());
    let mut sender = http2(&server).await;
    let response = sender.send_request(request(Method::GET, "/a?b", "")).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let said = String::from_utf8(body.to_vec()).unwrap();
    assert!(said.starts_with("GET /a Some(\"b\") HTTP/2.0"), "{said}");
    assert!(said.contains(r#"hosts=[] authority=Some("site.example")"#), "{said}");

    let response = sender.send_request(request(Method::POST, "/body", "abc")).await.unwrap();
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "abc");

    let response = sender.send_request(request(Method::HEAD, "/", "")).await.unwrap();
    assert!(response.headers().contains_key("content-length"));
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
}

#[tokio::test]
async fn an_unread_body_ends_its_stream_and_not_the_http2_connection() {
    let server = Server::start(relaxed());
    let mut sender = http2(&server).await;
    for path in ["/ignored", "/panic", "/"] {
        let response = sender.send_request(request(Method::POST, path, "abc")).await.unwrap();
        assert!(!response.headers().contains_key("connection"));
        assert_eq!(response.status() == 500, path == "/panic");
    }
}

#[tokio::test]
async fn too_much_is_too_much_in_http2_as_well() {
    let server = Server::start(Limits { max_body: 2, ..relaxed() });
    let mut sender = http2(&server).await;
    let long = format!("/{}", "x".repeat(16 * 1024));
    let mut many = request(Method::GET, "/", "");
    for _ in 0..101 {
        many.headers_mut().append("x", http::HeaderValue::from_static("y"));
    }
    for (request, status) in [
        (request(Method::POST, "/body", "abc"), 413),
        (request(Method::GET, &long, ""), 414),
        (many, 431),
        (request(Method::GET, "/", ""), 200),
    ] {
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), status);
    }
}
