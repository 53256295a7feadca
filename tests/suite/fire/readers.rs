//! Visitors who only read leave nothing behind.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{HOST, SET_COOKIE};
use http::{Request, Response};
use sitewright::cli::in_process::InProcess;
use sitewright::session::store::StoreError;
use sitewright::site::live::Serving;
use tokio::runtime::{self, Runtime};

use super::*;

const READERS: usize = 8;
const VISITS: usize = 1250;
/// Pages that change nothing; one of them reads the session.
const PAGES: [&str; 2] = ["/look", "/about"];

#[test]
#[ignore = "takes its time: run by tests/run"]
fn ten_thousand_readers_get_no_cookie_where_cookies_are_the_store() {
    for factory in [Factory::SIGNED_COOKIE, Factory::ENCRYPTED_COOKIE] {
        let server = site(factory).serve();
        read(&server);
        begin(&mut server.visitor(), "/");
        report("readers (cookies set)", factory, 1, visits(), 0);
    }
}

/// 10,000 visits without a cookie.
pub fn ten_thousand_readers_leave_nothing_behind(factory: Factory) {
    let site = site(factory);
    let store = Store::of(&site);
    if factory == Factory::MEMORY {
        // Nobody can look into another process.
        for visit in 0..READERS * VISITS {
            let response = store.get(PAGES[visit % 2]);
            assert!(response.status() == 200 && !response.headers().contains_key(SET_COOKIE));
        }
        assert_eq!(store.sessions(), 0);
        assert!(store.get("/").headers().contains_key(SET_COOKIE));
    } else {
        let server = site.serve();
        read(&server);
        assert_eq!(store.sessions(), 0);
        begin(&mut server.visitor(), "/");
    }
    // Whoever looked would have seen one.
    assert_eq!(store.sessions(), 1);
    report("readers (sessions left)", factory, 1, visits(), 0);
}

fn read(server: &Server) {
    let mut readers = visitors(std::slice::from_ref(server), READERS);
    all_at_once(&mut readers, |_, reader| {
        for visit in 0..VISITS {
            let answer = reader.get(PAGES[visit % 2]);
            assert!(answer.status == 200 && answer.set_cookies().is_empty(), "{answer:?}");
        }
    });
}

fn visits() -> Tally {
    let visits = (READERS * VISITS) as u64;
    Tally { asked: visits, acknowledged: visits }
}

/// The site in this process, for a look into its store.
struct Store<'a> {
    site: &'a Site,
    serving: Arc<Serving>,
    runtime: Runtime,
}

impl Store<'_> {
    fn of(site: &Site) -> Store<'_> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let entered = runtime.enter();
        let serving = Arc::new(site.open());
        drop(entered);
        Store { site, serving, runtime }
    }

    fn get(&self, path: &str) -> Response<Bytes> {
        let request = Request::get(path).header(HOST, "localhost").body(Bytes::new()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        self.runtime.block_on(InProcess::new(Arc::clone(&self.serving)).ask(request, now, 1)).response
    }

    /// How many sessions there are.
    fn sessions(&self) -> u64 {
        let store = self.serving.sessions.as_ref().unwrap().stored().unwrap().store();
        match self.runtime.block_on(store.count()) {
            Ok(count) => count,
            Err(StoreError::Unsupported) => in_memcached(self.site),
            Err(error) => panic!("{error}"),
        }
    }
}

/// How many of its keys memcached has: the store itself cannot list them.
fn in_memcached(site: &Site) -> u64 {
    let setting = |name: &str| &site.environment().iter().find(|(key, _)| key == name).unwrap().1;
    let address = setting("SITEWRIGHT__SESSION__URL").strip_prefix("memcached://").unwrap();
    let prefix = setting("SITEWRIGHT__SESSION__KEY_PREFIX").replace(':', "%3A");
    metadump(address).lines().filter(|line| line.starts_with(&format!("key={prefix}"))).count() as u64
}

/// A line for each key that memcached has. It tells one client at a time, and others to come again.
fn metadump(address: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.write_all(b"lru_crawler metadump all\r\n").unwrap();
        let (mut connection, mut keys) = (BufReader::new(connection), String::new());
        while !keys.starts_with("BUSY") {
            let line = keys.len();
            assert!(connection.read_line(&mut keys).unwrap() > 0, "{keys}");
            if &keys[line..] == "END\r\n" {
                return keys;
            }
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("memcached stays busy");
}
