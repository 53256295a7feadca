//! What comes over a socket besides honest requests: each gets its status or its close by its own
//! deadline, and an honest visitor notices nothing.
//!
//! Every deadline but the one that is tested is ten minutes, so nothing else can be what ended a
//! connection.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use http_body::Body as _;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::driver::{Raw, SESSION, Server, Site};

fn site() -> Site {
    Site::new().config(&format!(
        r#"{SESSION}
        [server]
        first_byte_timeout = 600
        header_timeout = 600
        body_timeout = 600
        keep_alive_timeout = 600
        write_timeout = 600
        handler_timeout = 600
        shutdown_timeout = 600
        [routes.count]
        path = "/"
        actions = [{{ increment-counter = "counter" }}]
        text = "Count: {{{{counter}}}}"
        [routes.echo]
        path = "/echo"
        methods = ["POST"]
        text = "You said {{{{params.word}}}}"
        [routes.large]
        path = "/large"
        text = "{}"
        "#,
        "x".repeat(100_000)
    ))
}

/// A server with these `[server]` settings.
fn server(settings: &[(&str, &str)]) -> Server {
    let with = |site: Site, (name, value): &(&str, &str)| {
        site.env(&format!("SITEWRIGHT__SERVER__{}", name.to_uppercase()), value)
    };
    settings.iter().fold(site(), with).serve()
}

/// While an honest visitor counts on, sends something and reads until the server closes.
fn attack(settings: &[(&str, &str)], send: impl FnOnce(&mut Raw)) -> String {
    let server = server(settings);
    let honest = server.keep_counting("/");
    let mut raw = server.raw();
    send(&mut raw);
    let answer = raw.rest();
    honest.stop();
    answer
}

fn assert_status(answer: &str, status: &str) {
    let line = answer.lines().next().unwrap_or_default();
    assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{answer:?}");
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "one answer, then the close: {answer:?}");
}

const POST: &str = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n";

#[test]
fn exactly_one_host_is_answered() {
    let server = server(&[]);
    let honest = server.keep_counting("/");
    for (head, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", 400),
        ("GET / HTTP/1.1\r\n", 400),
        ("GET / HTTP/1.1\r\nHost:\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a b\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: user@a\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n", 200),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n", 200),
    ] {
        let mut raw = server.raw();
        raw.send(format!("{head}Connection: close\r\n\r\n"));
        assert_status(&raw.rest(), &status.to_string());
    }
    let mut raw = server.raw();
    raw.send("GET / HTTP/1.0\r\n\r\n");
    assert!(raw.rest().contains("Count: 1"), "HTTP/1.0 need not name a host");
    honest.stop();
}

#[test]
fn a_silent_connection_is_closed_without_words() {
    assert_eq!(attack(&[("first_byte_timeout", "1")], |_| {}), "");
}

#[test]
fn half_a_head_is_408() {
    let answer = attack(&[("header_timeout", "1")], |raw| {
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nX-Half");
    });
    assert_status(&answer, "408");
}

#[test]
fn a_head_that_drips_is_408_however_steadily() {
    drips_into_a_408("header_timeout", "GET / HTTP/1.1\r\nX-Slow: ");
}

#[test]
fn a_body_that_drips_is_408_however_steadily() {
    drips_into_a_408("body_timeout", &format!("{POST}Content-Length: 10000\r\n\r\nword="));
}

/// After this start, sends byte after byte until the server closes, which it does long before they run out.
fn drips_into_a_408(deadline: &str, start: &str) {
    const BYTES: usize = 2_000;
    let answer = attack(&[(deadline, "1")], |raw| {
        raw.send(start);
        let taken = |_: &usize| {
            thread::sleep(Duration::from_millis(20));
            raw.send("x")
        };
        let sent = (0..BYTES).take_while(taken).count();
        assert!(sent < BYTES, "the server takes byte after byte");
    });
    // Bytes sent into the close may have cost the client its answer.
    if !answer.is_empty() {
        assert_status(&answer, "408");
    }
}

#[test]
fn a_peer_that_starts_http_2_and_stalls_is_closed() {
    for start in ["PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        attack(&[("header_timeout", "1")], |raw| {
            raw.send(start);
        });
    }
}

#[test]
fn a_connection_between_requests_is_closed_without_words() {
    let answer = attack(&[("keep_alive_timeout", "1")], |raw| {
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(raw.answer("GET").count(), 1);
    });
    assert_eq!(answer, "");
}

#[test]
fn half_a_body_is_408() {
    let answer = attack(&[("body_timeout", "1")], |raw| {
        raw.send(format!("{POST}Content-Length: 1000\r\n\r\nword="));
    });
    assert_status(&answer, "408");
    assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
}

#[test]
fn an_endless_chunked_body_is_413() {
    let answer = attack(&[], |raw| {
        raw.send(format!("{POST}Transfer-Encoding: chunked\r\n\r\n"));
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
        // One byte more than the limit is never sent beyond: what is unread could cost the answer.
        for _ in 0..17 {
            raw.send(&chunk);
        }
    });
    assert_status(&answer, "413");
}

#[test]
fn a_body_that_says_it_is_too_large_is_413_before_it_is_sent() {
    for more in ["", "Expect: 100-continue\r\n"] {
        let answer = attack(&[], |raw| {
            raw.send(format!("{POST}{more}Content-Length: 65537\r\n\r\n"));
        });
        assert_status(&answer, "413");
    }
}

#[test]
fn a_request_line_of_70_kilobytes_is_414_and_so_is_an_endless_one() {
    for end in [" HTTP/1.1\r\nHost: a\r\n\r\n", ""] {
        let answer = attack(&[], |raw| {
            raw.send(format!("GET /{}{end}", "x".repeat(70_000)));
        });
        if !answer.is_empty() {
            assert_status(&answer, "414");
        }
    }
    // As much as fits before the limit is noticed: here the answer cannot be lost.
    let answer = attack(&[], |raw| {
        raw.send(format!("GET /{}", "x".repeat(16_500)));
    });
    assert_status(&answer, "414");
}

#[test]
fn too_many_headers_and_too_long_ones_are_431() {
    let many: String = (0..101).map(|n| format!("X-{n}: x\r\n")).collect();
    let answer = attack(&[], |raw| {
        raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n"));
    });
    assert_status(&answer, "431");
    let answer = attack(&[], |raw| {
        raw.send(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Long: {}", "x".repeat(40_000)));
    });
    if !answer.is_empty() {
        assert_status(&answer, "431");
    }
}

#[test]
fn a_client_that_takes_nothing_of_its_answers_is_closed() {
    let site = site().env("SITEWRIGHT_LOG", "debug").env("SITEWRIGHT__SERVER__WRITE_TIMEOUT", "1");
    let server = site.serve();
    let honest = server.keep_counting("/");
    let mut raw = server.raw();
    raw.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n".repeat(300));
    server.wait_for_log("connection ended early");
    honest.stop();
}

#[test]
fn what_is_no_http_is_400_and_closed() {
    for nonsense in [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\r\n\r\n",
        "GET /\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
    ] {
        let answer = attack(&[], |raw| {
            raw.send(nonsense);
        });
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {answer:?}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = server(&[]);
    let mut raw = server.raw();
    raw.send(format!("{POST}Content-Length: 8\r\n\r\nword=oneGET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /nope HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_eq!(raw.answer("POST").text(), "You said one");
    assert_eq!(raw.answer("GET").body.len(), 100_000);
    assert_eq!(raw.answer("GET").status, 404);
}

#[test]
fn a_body_nobody_reads_is_never_taken_for_a_request() {
    let server = server(&[]);
    let smuggled = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in
        ["GET / HTTP/1.1\r\nHost: a\r\n", "POST /nope HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\n"]
    {
        let mut raw = server.raw();
        raw.send(format!("{head}Content-Length: {}\r\n\r\n{smuggled}", smuggled.len()));
        raw.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let answers = raw.rest();
        assert!(!answers.contains("xxxx"), "{head}: {answers:.300}");
    }
}

#[test]
fn http_2_counts_as_well() {
    let server = server(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(server.address).await.unwrap();
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(socket));
        let (mut client, connection) = handshake.await.unwrap();
        tokio::spawn(connection);
        let mut cookie = String::new();
        for expected in 1..=5 {
            let request = http::Request::get(format!("http://{}/", server.address)).header("cookie", &cookie);
            let response = client.send_request(request.body(String::new()).unwrap()).await.unwrap();
            assert_eq!(response.status(), 200);
            let set = response.headers()["set-cookie"].to_str().unwrap();
            cookie = set.split(';').next().unwrap().to_owned();
            let mut body = response.into_body();
            let mut text = Vec::new();
            while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                text.extend_from_slice(frame.unwrap().data_ref().unwrap());
            }
            assert_eq!(String::from_utf8(text).unwrap(), format!("Count: {expected}"));
        }
    });
}

#[test]
fn a_unix_socket_is_served_and_cleaned_up() {
    let site = site();
    let server = site.start(&["--listen", "unix:site.socket"]);
    server.wait_for_log("Serving");
    let mut stream = UnixStream::connect(site.path("site.socket")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Count: 1"), "{answer}");
    // What a killed server left behind is in nobody's way.
    server.signal("KILL");
    drop(server);
    let server = site.start(&["--listen", "unix:site.socket"]);
    server.wait_for_log("Serving");
    server.signal("TERM");
    assert_eq!(server.wait().0, 0);
    assert!(!site.path("site.socket").exists());
}

#[test]
fn a_stop_lets_requests_in_progress_finish_and_takes_no_new_ones() {
    for signal in ["TERM", "INT"] {
        let server = server(&[]);
        let mut idle = server.raw();
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(idle.answer("GET").count(), 1);
        let mut busy = server.raw();
        busy.send(format!("{POST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"));
        busy.expect_continue();

        server.signal(signal);
        server.wait_for_log("stopping");
        assert_eq!(idle.rest(), "", "an idle connection is closed");
        server.wait_for_refusal();
        busy.send("word=last");
        let answer = busy.rest();
        assert_status(&answer, "200");
        assert!(answer.ends_with("You said last"), "{answer}");
        let (code, log) = server.wait();
        assert_eq!(code, 0, "{log}");
        assert!(log.ends_with("stopped\n"), "{log}");
    }
}

#[test]
fn a_stop_waits_no_longer_than_its_deadline_and_a_second_signal_not_at_all() {
    for (deadline, signals) in [("1", 1), ("600", 2)] {
        let server = server(&[("shutdown_timeout", deadline)]);
        let mut stuck = server.raw();
        stuck.send(format!("{POST}Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"));
        stuck.expect_continue();
        server.signal("TERM");
        server.wait_for_log("stopping");
        if signals == 2 {
            server.signal("TERM");
        }
        let (code, log) = server.wait();
        assert_eq!(code, 0, "{log}");
        let last = log.lines().last().unwrap();
        assert!(last.contains("stopped at once") || last.contains("cut off"), "{last}");
    }
}

#[test]
fn a_port_that_is_taken_is_said_so_with_advice() {
    let site = site();
    let server = site.serve();
    let address = server.address.to_string();
    let (code, log) = site.start(&["--listen", &address]).wait();
    assert_eq!(code, 70, "{log}");
    assert!(log.contains(&format!("port {} is already in use", server.address.port())), "{log}");
    assert!(log.contains("--listen"), "{log}");
    assert_eq!(server.visitor().get("/").count(), 1);
}

/// Started by a shell that has set its limits of open files.
fn limited(limits: &str) -> Server {
    site().env("SITEWRIGHT_LOG", "warn").started_by(&["sh", "-c", &format!("{limits}; exec \"$0\" \"$@\"")]).serve()
}

#[test]
fn where_few_files_may_be_open_idle_connections_make_way() {
    let server = limited("ulimit -n 64");
    server.wait_for_log("there can be 32 connections at a time, not 4096");
    let mut idle = Vec::new();
    for _ in 0..100 {
        let mut raw = server.raw();
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(raw.answer("GET").count(), 1);
        idle.push(raw);
    }
    assert_eq!(idle[0].rest(), "", "the first has made way");
    assert!(!server.log().contains("cannot accept"), "{}", server.log());
}

#[test]
fn the_limit_of_open_files_is_raised_as_far_as_may_be() {
    let server = limited("ulimit -S -n 64");
    let mut open: Vec<_> = (0..100).map(|_| server.raw()).collect();
    for raw in &mut open {
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(raw.answer("GET").count(), 1);
    }
    for raw in &mut open {
        raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(raw.answer("GET").count(), 1, "it is still open");
    }
}
