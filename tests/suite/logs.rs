//! A log that cannot be written stops nothing: no request, no reload, and not the end.

use std::fs::File;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::driver::{PATIENCE, Process, Site, Visitor};

fn site() -> Site {
    let config = |word: &str| format!("[routes.home]\npath = \"/\"\ntext = \"{word} {}\"\n", "x".repeat(100));
    Site::new().config(&config("old")).file("new.toml", &config("new"))
}

/// The program with its standard error in the hands of the test.
struct Muted(Process);

impl Muted {
    fn start(site: &Site, arguments: &[&str], stderr: impl Into<Stdio>) -> Self {
        let mut command = site.command(arguments);
        Self(Process(command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap()))
    }

    /// Ends it with a signal, and fails if it does not end by itself.
    fn stop(mut self) {
        let id = self.0.0.id().to_string();
        let sent = std::process::Command::new("sh").args(["-c", "kill -s TERM \"$0\"", &id]).status().unwrap();
        assert!(sent.success());
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.0.try_wait().unwrap() {
                return assert_eq!(status.code(), Some(0));
            }
            assert!(Instant::now() < deadline, "the program does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Reads from standard error until the server says where it listens.
fn address(stderr: &mut impl Read) -> SocketAddr {
    let mut said = String::new();
    loop {
        let mut byte = [0];
        stderr.read_exact(&mut byte).unwrap();
        said.push(char::from(byte[0]));
        if let Some((_, rest)) = said.split_once(" at http://")
            && let Some((address, _)) = rest.split_once('/')
        {
            return address.parse().unwrap();
        }
    }
}

/// Asks until the site that was saved is there.
fn see_reload(site: &Site, mut ask: impl FnMut() -> String) {
    assert!(ask().contains("old"));
    site.save("config.toml", &site.read("new.toml"));
    let deadline = Instant::now() + PATIENCE;
    while !ask().contains("new") {
        assert!(Instant::now() < deadline, "the site is not loaded again");
    }
}

#[test]
fn a_full_disk_under_the_log_stops_nothing() {
    let site = site();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let server = Muted::start(&site, &["--reload", "--listen", "unix:site.sock"], full);
    let deadline = Instant::now() + PATIENCE;
    let ask = || {
        // Its announcement would be in the log.
        let mut stream = loop {
            match UnixStream::connect(site.path("site.sock")) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
        answer
    };
    (0..50).for_each(|_| drop(ask()));
    see_reload(&site, ask);
    server.stop();
}

#[test]
fn a_log_that_nobody_has_open_any_more_stops_nothing() {
    let site = site();
    let mut server = Muted::start(&site, &["--reload", "--listen", "127.0.0.1:0"], Stdio::piped());
    let mut stderr = server.0.0.stderr.take().unwrap();
    let address = address(&mut stderr);
    drop(stderr);
    let mut visitor = Visitor::new(address);
    (0..50).for_each(|_| assert_eq!(visitor.get("/").status, 200));
    see_reload(&site, || visitor.get("/").text().to_owned());
    server.stop();
}

#[test]
fn a_log_that_nobody_reads_stops_nothing_and_tells_later_how_much_is_missing() {
    let site = site();
    let long = format!("/{}", "x".repeat(15_000));
    let mut server = Muted::start(&site, &["--reload", "--listen", "127.0.0.1:0"], Stdio::piped());
    let mut stderr = server.0.0.stderr.take().unwrap();
    let address = address(&mut stderr);
    let mut visitor = Visitor::new(address);
    // A pipe holds 64 KiB, the queue 1 MiB.
    (0..200).for_each(|_| assert_eq!(visitor.get(&long).status, 404));
    see_reload(&site, || visitor.get("/").text().to_owned());

    let reader = thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).unwrap();
        log
    });
    (0..50).for_each(|_| assert_eq!(visitor.get("/").status, 200));
    server.stop();
    let log = reader.join().unwrap();
    assert!(log.contains("the log has a gap"), "{:.2000}", log);
    assert!(log.contains("reloaded in"), "lines other than those for requests have room of their own");
    assert!(log.contains(" stopped"), "{:.2000}", log);

    let mut stalled = Muted::start(&site, &["--listen", "127.0.0.1:0"], Stdio::piped());
    let mut stderr = stalled.0.0.stderr.take().unwrap();
    let mut visitor = Visitor::new(self::address(&mut stderr));
    (0..50).for_each(|_| assert_eq!(visitor.get(&long).status, 404));
    stalled.stop();
}
