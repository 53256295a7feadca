//! Servers that cannot be reached, or do not answer: a proxy stands before a real one.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use sitewright::site::Vocabulary;

use super::{Counting, Fate, SOON, fate, lines, others_are_served, site};
use crate::driver::{Factory, PATIENCE, Proxy, Server, Site, Visitor, Weather};

/// Within about two seconds a store is back after an outage. Generous for a machine that is busy.
const BACK: Duration = Duration::from_secs(20);

/// A server, a proxy before it, and a site that keeps its sessions there.
struct Behind {
    factory: Factory,
    proxy: Proxy,
    site: Site,
}

/// A URL and where in it `HOST:PORT` stands.
fn authority(url: &str) -> (usize, usize) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?']).map_or(url.len(), |at| start + at);
    let start = url[start..end].rfind('@').map_or(start, |at| start + at + 1);
    (start, end)
}

/// A Sentinel, or a node of a Cluster: it says the same to all who ask, which is where a server is.
fn directory(reply: String) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, reply) = (client.unwrap(), reply.clone());
            thread::spawn(move || {
                let questions = BufReader::new(client.try_clone().unwrap()).lines();
                // Each begins with the number of its words.
                for _ in questions.map_while(Result::ok).filter(|line| line.starts_with('*')) {
                    if client.write_all(reply.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

impl Behind {
    /// The servers that name another name the proxy, and behind it is a Redis that is there alone.
    fn new(factory: Factory) -> Behind {
        let is_named = matches!(factory, Factory::SENTINEL | Factory::CLUSTER);
        let url = if is_named { Factory::REDIS.url() } else { factory.url() }.expect("a server");
        let (start, end) = authority(&url);
        let server = url[start..end].to_socket_addrs().unwrap().next().unwrap();
        let proxy = Proxy::new(server, 1);
        let port = proxy.address.port().to_string();
        let url = match factory {
            Factory::SENTINEL => {
                let master = format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{port}\r\n", port.len());
                format!("redis+sentinel://{}/sessions", directory(master))
            }
            Factory::CLUSTER => {
                let slots = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{port}\r\n");
                format!("redis+cluster://{}", directory(slots))
            }
            _ => format!("{}{}{}", &url[..start], proxy.address, &url[end..]),
        };
        let site = site("").sessions_in(factory).env("SITEWRIGHT__SESSION__URL", &url);
        Behind { factory, proxy, site }
    }

    /// The password in the URL never shows.
    fn keeps_secrets(&self, server: &Server) {
        let url = self.factory.url().unwrap();
        let (start, _) = authority(&url);
        let password = url[..start].rsplit_once(':').map_or("", |(_, rest)| rest.trim_matches(['/', '@']));
        assert!(password.is_empty() || !server.log().contains(password), "{}", server.log());
    }
}

/// For who runs the test with `--nocapture`: how long things took is interesting, and no promise.
#[expect(clippy::print_stderr, reason = "captured, unless asked for")]
fn note(text: std::fmt::Arguments<'_>) {
    eprintln!("{text}");
}

/// In every weather but a fair one the answer is a 503 in time, others are served, and afterwards
/// all is well.
fn an_outage_is_a_503_in_time_and_passes(factory: Factory) {
    for weather in [Weather::Stalled, Weather::Cut, Weather::RepliesHeld, Weather::RepliesLost] {
        let behind = Behind::new(factory);
        let server = behind.site.serve();
        let mut known = Counting::new(&server, "known");
        let mut reader = Counting::new(&server, "reader");
        assert_eq!((0..3).filter(|_| known.count() == Fate::Stored).count(), 3, "{factory:?}");

        behind.proxy.set(weather);
        for _ in 0..3 {
            let begun = Instant::now();
            assert_ne!(known.count(), Fate::Stored, "{factory:?}, {weather:?}");
            assert_eq!(reader.look(), Fate::Failed, "{factory:?}, {weather:?}");
            let stranger = server.visitor().get("/");
            assert_eq!(fate(&stranger), Fate::Failed, "{factory:?}, {weather:?}: nobody has its name");
            assert!(begun.elapsed() < 3 * SOON, "{factory:?}, {weather:?}: {:?}", begun.elapsed());
            others_are_served(&server);
        }
        let errors = lines(&server, "ERROR");
        assert!(
            matches!(&errors[..], [line] if line.contains("the session store is unavailable") && line.contains("reason=")),
            "{factory:?}, {weather:?}: {errors:?}"
        );

        behind.proxy.set(Weather::Fair);
        let back = known.until_it_counts();
        note(format_args!("{}, {weather:?}: back after {back:?}", factory.name));
        assert!(back < BACK, "{factory:?}, {weather:?}: back after {back:?}");
        assert_eq!(reader.look(), Fate::Stored, "{factory:?}, {weather:?}");
        known.until_the_log_says_so(&server);
        for _ in 0..5 {
            assert_eq!(known.count(), Fate::Stored, "{factory:?}, {weather:?}");
        }
        assert_eq!(lines(&server, "ERROR").len(), 1, "{factory:?}, {weather:?}");
        behind.keeps_secrets(&server);
    }
}

/// A reply that breaks off is a failure of that one request, and the next is served.
fn a_reply_that_breaks_off_is_not_believed(factory: Factory) {
    let behind = Behind::new(factory);
    let server = behind.site.serve();
    let mut known = Counting::new(&server, "known");
    for _ in 0..5 {
        assert_eq!(known.count(), Fate::Stored, "{factory:?}");
        behind.proxy.set(Weather::RepliesTorn);
        assert_ne!(known.count(), Fate::Stored, "{factory:?}");
        behind.proxy.set(Weather::Fair);
        known.until_it_counts();
    }
}

/// A write that arrived, and was not confirmed, is told as uncertain, and is not made twice.
fn a_write_that_is_not_confirmed_is_not_repeated(factory: Factory) {
    let behind = Behind::new(factory);
    let server = behind.site.serve();
    let mut known = Counting::new(&server, "known");
    let begun = Instant::now();
    let mut unconfirmed = 0;
    while unconfirmed < 3 {
        assert!(begun.elapsed() < PATIENCE, "{factory:?}: {unconfirmed} of 3");
        assert_eq!(known.count(), Fate::Stored, "{factory:?}");
        // The session is read, and then the reply to the write is lost. On a slow machine that may
        // be the reply to a ping before the write, or one to the sweeper: nothing was sent then.
        behind.proxy.set(Weather::OneReply);
        let fate = known.count();
        assert_ne!(fate, Fate::Stored, "{factory:?}");
        unconfirmed += usize::from(fate == Fate::Unknown);
        behind.proxy.set(Weather::Fair);
        known.until_it_counts();
        let counted = known.visitor.get("/look").count();
        assert_eq!(counted, known.acked + known.unknown, "{factory:?}: what is uncertain arrived, what failed did not");
    }
    let warnings = lines(&server, "WARN");
    let told = warnings.iter().filter(|line| line.contains("did not confirm the commit")).count();
    assert_eq!(told, usize::try_from(known.unknown).unwrap(), "{factory:?}: {warnings:?}");
}

/// A store that is slow, but in time, is no outage.
fn a_slow_store_is_waited_for(factory: Factory) {
    let behind = Behind::new(factory);
    let site = behind.site.env("SITEWRIGHT__SESSION__STORE_TIMEOUT", "60");
    let server = site.serve();
    let mut known = Counting::new(&server, "known");
    behind.proxy.set(Weather::Slow(Duration::from_millis(300)));
    for _ in 0..3 {
        assert_eq!(known.count(), Fate::Stored, "{factory:?}");
    }
    assert!(lines(&server, "ERROR").is_empty(), "{factory:?}");
}

/// A hundred requests of one session do not wait for the deadline one after the other.
fn a_crowd_before_a_stalled_store_is_told_together(factory: Factory) {
    for weather in [Weather::Stalled, Weather::RepliesHeld] {
        let behind = Behind::new(factory);
        let server = behind.site.serve();
        let mut known = Counting::new(&server, "known");
        let cookie = format!("session={}", known.visitor.cookie().unwrap());
        behind.proxy.set(weather);
        let (address, together) = (SocketAddr::from(&server), Arc::new(Barrier::new(100)));
        let begun = Instant::now();
        let crowd: Vec<_> = (0..100)
            .map(|_| {
                let (cookie, together) = (cookie.clone(), Arc::clone(&together));
                thread::spawn(move || {
                    let mut visitor = Visitor::new(address);
                    together.wait();
                    fate(&visitor.request("GET", "/").header("Cookie", cookie).send())
                })
            })
            .collect();
        let fates: Vec<_> = crowd.into_iter().map(|one| one.join().unwrap()).collect();
        let took = begun.elapsed();
        assert!(fates.iter().all(|fate| *fate != Fate::Stored), "{factory:?}, {weather:?}");
        assert!(took < 2 * SOON, "{factory:?}, {weather:?}: {took:?}, and the deadline is a second");
        note(format_args!("{}, {weather:?}: 100 told after {took:?}", factory.name));
        behind.proxy.set(Weather::Fair);
        known.unknown += fates.iter().filter(|fate| **fate == Fate::Unknown).count() as u64;
        known.until_it_counts();
    }
}

/// Whatever happens to connections, every page shows its own visitor's data, and what was confirmed
/// is counted.
fn nobody_sees_what_is_anothers_and_nothing_is_lost(factory: Factory) {
    const VISITORS: u32 = 24;
    const ROUNDS: u32 = 60;
    let behind = Behind::new(factory);
    // Two processes, as behind a load balancer.
    let servers = [behind.site.serve(), behind.site.serve()];
    let known: Vec<_> =
        (0..VISITORS).map(|number| Counting::new(&servers[number as usize % 2], &format!("visitor{number}"))).collect();
    behind.proxy.set(Weather::Wild(Duration::from_secs(3)));
    let at = [0, 1].map(|number: usize| SocketAddr::from(&servers[number]));
    let visits = known.into_iter().zip(0..).map(|(mut known, number): (Counting, u32)| {
        thread::spawn(move || {
            let mut stored = 0;
            for round in 0..ROUNDS {
                known.visitor.moves_to(at[(number + round / 5) as usize % 2]);
                match round % 4 {
                    0 => _ = known.look(),
                    // Somebody new, who has no session before it is stored, and then that one.
                    1 => {
                        let mut visitor = Visitor::new(at[0]);
                        let name = format!("stranger{number}x{round}");
                        let answer = visitor.post("/name", &format!("name={name}"));
                        if fate(&answer) == Fate::Stored {
                            assert_eq!(answer.text(), name);
                            assert_eq!(answer.set_cookies().len(), 1);
                            let mut stranger = Counting { visitor, name, acked: 0, unknown: 0 };
                            stranger.count();
                            stranger.look();
                        }
                    }
                    _ => stored += u32::from(known.count() == Fate::Stored),
                }
            }
            (known, stored)
        })
    });
    let visits: Vec<_> = visits.collect::<Vec<_>>().into_iter().map(|visit| visit.join().unwrap()).collect();
    behind.proxy.set(Weather::Fair);
    let (mut stored, mut unknown) = (0, 0);
    for (mut known, counted) in visits {
        known.until_it_counts();
        assert_eq!(known.look(), Fate::Stored, "{factory:?}");
        stored += counted;
        unknown += known.unknown;
    }
    let asked = VISITORS * ROUNDS / 2;
    note(format_args!(
        "{}: {stored} of {asked} stored, {unknown} unknown, {} connections",
        factory.name,
        behind.proxy.accepted()
    ));
    assert!(stored > 0 && stored < asked, "{factory:?}: {stored} of {asked} stored");
    servers.iter().for_each(|server| behind.keeps_secrets(server));
}

/// A server that is down when Sitewright starts keeps nobody from starting.
fn a_store_may_come_later(factory: Factory) {
    let behind = Behind::new(factory);
    behind.proxy.set(Weather::Cut);
    let server = behind.site.serve();
    server.wait_for_log("the session store is unavailable");
    others_are_served(&server);
    let mut visitor = server.visitor();
    assert_eq!(fate(&visitor.post("/name", "name=early")), Fate::Failed, "{factory:?}");
    behind.proxy.set(Weather::Fair);
    let begun = Instant::now();
    while fate(&visitor.post("/name", "name=late")) != Fate::Stored {
        assert!(begun.elapsed() < PATIENCE, "{factory:?}: it does not notice");
        thread::sleep(Duration::from_millis(10));
    }
    let back = begun.elapsed();
    note(format_args!("{}: there after {back:?}", factory.name));
    assert!(back < BACK, "{factory:?}: there after {back:?}");
    let mut known = Counting { visitor, name: "late".to_owned(), acked: 0, unknown: 0 };
    known.until_the_log_says_so(&server);
    assert_eq!(lines(&server, "ERROR").len(), 1, "{factory:?}");
    behind.keeps_secrets(&server);
}

/// It needs no server to be down.
#[test]
fn a_store_that_is_down_at_the_start_is_named_without_its_password() {
    const PASSWORD: &str = "of-the-store-and-of-nobody-else";
    let closed = Proxy::new(([127, 0, 0, 1], 1).into(), 1);
    closed.set(Weather::Cut);
    for kind in Vocabulary::standard().factories() {
        let Some(url) = kind.url else { continue };
        let (scheme, (_, end)) = (url.find("://").unwrap() + 3, authority(url));
        let url_with = |user: &str| [&url[..scheme], user, &closed.address.to_string(), &url[end..]].concat();
        let mut site = site(kind.name).env("SITEWRIGHT__SESSION__URL", &url_with(&format!("someone:{PASSWORD}@")));
        let checked = site.run(&["check"]);
        assert!(!checked.err.contains(PASSWORD) && !checked.out.contains(PASSWORD), "{}", checked.err);
        if checked.code != 0 {
            // A kind that knows no passwords.
            site = site.env("SITEWRIGHT__SESSION__URL", &url_with(""));
        }
        let server = site.serve();
        server.wait_for_log("the session store is unavailable");
        others_are_served(&server);
        assert!(!server.log().contains(PASSWORD), "{}", server.log());
    }
}

/// The same tests for every server.
macro_rules! tests_with {
    ($($module:ident, $factory:expr, $needs:literal;)*) => {$(
        mod $module {
            use super::*;

            #[test]
            #[ignore = $needs]
            fn an_outage_is_a_503_in_time_and_passes() {
                super::an_outage_is_a_503_in_time_and_passes($factory);
            }

            #[test]
            #[ignore = $needs]
            fn a_reply_that_breaks_off_is_not_believed() {
                super::a_reply_that_breaks_off_is_not_believed($factory);
            }

            #[test]
            #[ignore = $needs]
            fn a_write_that_is_not_confirmed_is_not_repeated() {
                super::a_write_that_is_not_confirmed_is_not_repeated($factory);
            }

            #[test]
            #[ignore = $needs]
            fn a_slow_store_is_waited_for() {
                super::a_slow_store_is_waited_for($factory);
            }

            #[test]
            #[ignore = $needs]
            fn a_crowd_before_a_stalled_store_is_told_together() {
                super::a_crowd_before_a_stalled_store_is_told_together($factory);
            }

            #[test]
            #[ignore = $needs]
            fn nobody_sees_what_is_anothers_and_nothing_is_lost() {
                super::nobody_sees_what_is_anothers_and_nothing_is_lost($factory);
            }

            #[test]
            #[ignore = $needs]
            fn a_store_may_come_later() {
                super::a_store_may_come_later($factory);
            }
        }
    )*};
}

tests_with! {
    postgres, Factory::POSTGRES, "needs PostgreSQL: run by tests/run";
    mysql, Factory::MYSQL, "needs MariaDB: run by tests/run";
    redis, Factory::REDIS, "needs Redis: run by tests/run";
    redis_tls, Factory::REDIS_TLS, "needs Redis with TLS: run by tests/run";
    redis_sentinel, Factory::SENTINEL, "needs Redis: run by tests/run";
    redis_cluster, Factory::CLUSTER, "needs Redis: run by tests/run";
    memcached, Factory::MEMCACHED, "needs memcached: run by tests/run";
}
