//! Exactness under fire: the real program, several processes of it, on every store.
//!
//! | File | What must hold |
//! |---|---|
//! | `increments` | every visit is counted once, however many processes count at a time |
//! | `pops` | what is popped, a value or a flash message, reaches exactly one visitor |
//! | `logouts` | a session that was ended never comes back |
//! | `kills` | what was answered survives a kill -9, and nothing is in the way of the next process |
//! | `readers` | visitors who only read leave nothing behind |
//! | `proxied` | behind HAProxy, a killed process costs no session |
//!
//! Each writes what it counted into the file that `SITEWRIGHT_TEST_FIGURES` names: one line, with
//! tabs between test, factory, processes, asked, acknowledged, unknown and counted.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::driver::{Answer, Factory, PATIENCE, Server, Site, Visitor};

mod increments;
mod kills;
mod logouts;
mod pops;
mod proxied;
mod readers;

/// The tests of `$factory`, in a module of their own.
macro_rules! under_fire {
    ($($module:ident: $factory:ident, $ignored:literal;)*) => { $(
        mod $module {
            use super::*;

            #[test]
            #[ignore = $ignored]
            fn eight_processes_count_every_visit() {
                increments::eight_processes_count_every_visit(Factory::$factory);
            }

            #[test]
            #[ignore = $ignored]
            fn what_is_popped_reaches_exactly_one_of_32() {
                pops::what_is_popped_reaches_exactly_one_of_32(Factory::$factory);
            }

            #[test]
            #[ignore = $ignored]
            fn no_session_comes_back_after_its_end() {
                logouts::no_session_comes_back_after_its_end(Factory::$factory);
            }

            #[test]
            #[ignore = $ignored]
            fn ten_thousand_readers_leave_nothing_behind() {
                readers::ten_thousand_readers_leave_nothing_behind(Factory::$factory);
            }
        }
    )* };
}

under_fire! {
    memory: MEMORY, "takes its time: run by tests/run";
    file: FILE, "takes its time: run by tests/run";
    sqlite: SQLITE, "takes its time: run by tests/run";
    postgres: POSTGRES, "needs PostgreSQL: run by tests/run";
    mysql: MYSQL, "needs MariaDB: run by tests/run";
    redis: REDIS, "needs Redis: run by tests/run";
    redis_sentinel: SENTINEL, "needs Redis: run by tests/run";
    redis_cluster: CLUSTER, "needs Redis: run by tests/run";
    memcached: MEMCACHED, "needs memcached: run by tests/run";
}

/// What the processes of a test serve.
const SITE: &str = r#"
[server]
access_log = false

[session]
secret = "t8Wq2ZrN5vXk0LbHf3JcYd7MsPgAu1Ei"

[routes.count]
path    = "/"
actions = [{ increment-counter = "counter" }]
text    = "Count: {{counter}}"

[routes.mark]
path    = "/mark"
actions = [{ increment-counter = "counter", by = 1000 }]
text    = "Count: {{counter}}"

[routes.look]
path    = "/look"
actions = [{ read = "counter", default = 0 }]
text    = "Count: {{counter}}"

[routes.about]
path = "/about"
text = "No session here."

[routes.give]
path    = "/give/{gift}"
actions = [{ set = "gift", value = "{{path.gift}}" }]
text    = "Given"

[routes.take]
path    = "/take"
actions = [{ pop = "gift", default = "nothing" }]
text    = "{{gift}}"

[routes.flash]
path    = "/flash/{gift}"
actions = [{ flash = "{{path.gift}}" }]
text    = "Given"

[routes.show]
path    = "/show"
actions = [{ pop-flash = true, as = "gifts" }]
text    = "{{#each gifts}}{{this}}{{else}}nothing{{/each}}"

[routes.end]
path    = "/end"
actions = [{ invalidate = true }]
text    = "Ended"
"#;

/// The site with its sessions in this factory. All processes that serve it share them.
fn site(factory: Factory) -> Site {
    let site = Site::new().config(SITE).sessions_in(factory);
    // A slow disk is not what is tested.
    if factory.is_cookie() { site } else { site.env("SITEWRIGHT__SESSION__STORE_TIMEOUT", "10") }
}

/// So many processes; of those that keep their sessions to themselves, one.
fn serve(site: &Site, factory: Factory, processes: usize) -> Vec<Server> {
    let processes = if factory == Factory::MEMORY { 1 } else { processes };
    (0..processes).map(|_| site.serve()).collect()
}

/// One visitor for each place, at the servers in turn.
fn visitors(servers: &[Server], number: usize) -> Vec<Visitor> {
    servers.iter().cycle().take(number).map(Server::visitor).collect()
}

/// Begins a session, whatever the visitor did before: its cookie.
fn begin(visitor: &mut Visitor, path: &str) -> String {
    let answer = persist(visitor, path, "none=1");
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 1, "a session begins");
    cookies[0].split(';').next().unwrap().to_owned()
}

/// Asks with this cookie, whatever the visitor got before.
fn ask(visitor: &mut Visitor, path: &str, cookie: &str) -> io::Result<Answer> {
    visitor.request("GET", path).header("Cookie", cookie).try_send()
}

/// Asks, and comes again if told to: on a busy machine the store may not be had in time.
fn persist(visitor: &mut Visitor, path: &str, cookie: &str) -> Answer {
    let deadline = Instant::now() + PATIENCE;
    let mut answer = ask(visitor, path, cookie).unwrap();
    while is_put_off(&answer) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(100));
        answer = ask(visitor, path, cookie).unwrap();
    }
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

/// Whether nothing has happened, and the visitor is told to come again.
fn is_put_off(answer: &Answer) -> bool {
    answer.status == 503 && !answer.header("retry-after").is_empty()
}

/// Has all do something at the same time; what panics there, fails the test.
fn all_at_once<T: Send>(visitors: &mut [Visitor], act: impl Fn(usize, &mut Visitor) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(visitors.len());
    let (start, act) = (&start, &act);
    thread::scope(|scope| {
        let begin = |(at, visitor): (usize, _)| {
            scope.spawn(move || {
                start.wait();
                act(at, visitor)
            })
        };
        let acting: Vec<_> = visitors.iter_mut().enumerate().map(begin).collect();
        let join = |acting: thread::ScopedJoinHandle<T>| {
            acting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        acting.into_iter().map(join).collect()
    })
}

/// What became of requests that change something.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    asked: u64,
    acknowledged: u64,
}

impl Tally {
    /// Requests that may have changed something, or not.
    fn unknown(self) -> u64 {
        self.asked - self.acknowledged
    }

    fn add(&mut self, acknowledged: bool) {
        self.asked += 1;
        self.acknowledged += u64::from(acknowledged);
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |sum, tally| Tally {
            asked: sum.asked + tally.asked,
            acknowledged: sum.acknowledged + tally.acknowledged,
        })
    }
}

/// Writes a line for the table that `tests/run` ends with.
fn report(test: &str, factory: Factory, processes: usize, tally: Tally, counted: u64) {
    let Tally { asked, acknowledged } = tally;
    let unknown = tally.unknown();
    let line = format!("{test}\t{}\t{processes}\t{asked}\t{acknowledged}\t{unknown}\t{counted}\n", factory.name);
    print!("{line}");
    if let Some(path) = std::env::var_os("SITEWRIGHT_TEST_FIGURES") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}
