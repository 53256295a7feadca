//! How often a request asks a server that keeps sessions: once to read, twice to write.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Request;
use http::header::{COOKIE, HOST, SET_COOKIE};
use sitewright::cli::in_process::InProcess;
use tokio::runtime::{self, Runtime};

use crate::driver::{Factory, Proxy, Site};

fn site() -> Site {
    Site::new().with_session(
        r#"
        [routes.count]
        path = "/"
        actions = [{ increment-counter = "counter" }]
        text = "Count: {{counter}}"

        [routes.look]
        path = "/look"
        actions = [{ read = "counter", default = 0 }]
        text = "Count: {{counter}}"

        [routes.plain]
        path = "/plain"
        text = "no session"
        "#,
    )
}

/// The site in this process, where nothing but its requests asks the server.
struct Asked {
    proxy: Proxy,
    runtime: Runtime,
    site: InProcess,
}

impl Asked {
    fn new(factory: Factory) -> Asked {
        let (proxy, url) = Proxy::before(&factory.url().unwrap());
        let site = site().sessions_in(factory).env("SITEWRIGHT__SESSION__URL", &url);
        let site = site.env("SITEWRIGHT__SESSION__STORE_TIMEOUT", "60");
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let entered = runtime.enter();
        let site = InProcess::new(Arc::new(site.open()));
        drop(entered);
        Asked { proxy, runtime, site }
    }

    /// A request with this cookie: how often it asks the server, and the cookie from then on.
    fn ask(&self, path: &str, cookie: &str) -> (usize, String) {
        let before = self.proxy.exchanges();
        let request = Request::get(path).header(HOST, "localhost").header(COOKIE, cookie).body(Bytes::new()).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let response = self.runtime.block_on(self.site.ask(request, now, 1)).response;
        assert_eq!(response.status(), 200);
        let set = response.headers().get(SET_COOKIE).map(|set| set.to_str().unwrap().split(';').next().unwrap());
        (self.proxy.exchanges() - before, set.unwrap_or(cookie).to_owned())
    }
}

fn a_read_is_one_round_trip_and_a_write_two(factory: Factory) {
    let asked = Asked::new(factory);
    let (_, cookie) = asked.ask("/", "");
    // Now there is a connection; after these, the server knows what it will be asked.
    for path in ["/look", "/"] {
        asked.ask(path, &cookie);
    }
    for _ in 0..10 {
        assert_eq!(asked.ask("/plain", &cookie).0, 0, "{factory:?}");
        assert_eq!(asked.ask("/look", &cookie).0, 1, "{factory:?}");
        assert_eq!(asked.ask("/look", "").0, 0, "{factory:?}: without a cookie there is no session");
    }
    let writes: Vec<usize> = (0..10).map(|_| asked.ask("/", &cookie).0).collect();
    // Between the two, a connection to a database rests; after 10 ms it is asked whether it is still there.
    let most = if [Factory::POSTGRES, Factory::MYSQL].contains(&factory) { 3 } else { 2 };
    assert!(writes.contains(&2) && writes.iter().all(|writes| (2..=most).contains(writes)), "{factory:?}: {writes:?}");
}

#[test]
#[ignore = "needs PostgreSQL: run by tests/run"]
fn postgres() {
    a_read_is_one_round_trip_and_a_write_two(Factory::POSTGRES);
}

#[test]
#[ignore = "needs MariaDB: run by tests/run"]
fn mysql() {
    a_read_is_one_round_trip_and_a_write_two(Factory::MYSQL);
}

#[test]
#[ignore = "needs Redis: run by tests/run"]
fn redis() {
    a_read_is_one_round_trip_and_a_write_two(Factory::REDIS);
}

#[test]
#[ignore = "needs memcached: run by tests/run"]
fn memcached() {
    a_read_is_one_round_trip_and_a_write_two(Factory::MEMCACHED);
}
