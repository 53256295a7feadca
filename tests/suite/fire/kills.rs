//! What was answered survives a kill -9 of the process, and nothing is in the way of the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::driver::{Asking, Random};

const ROUNDS: usize = 200;
const WRITERS: usize = 4;
/// The longest that a process lives after it has answered a writer.
const LONGEST: Duration = Duration::from_millis(100);

#[test]
#[ignore = "takes its time: run by tests/run"]
fn files_survive_200_kills() {
    what_was_answered_survives_200_kills(Factory::FILE);
}

#[test]
#[ignore = "takes its time: run by tests/run"]
fn sqlite_survives_200_kills() {
    what_was_answered_survives_200_kills(Factory::SQLITE);
}

#[test]
#[ignore = "needs PostgreSQL: run by tests/run"]
fn postgres_survives_200_kills() {
    what_was_answered_survives_200_kills(Factory::POSTGRES);
}

#[test]
#[ignore = "needs MariaDB: run by tests/run"]
fn mysql_survives_200_kills() {
    what_was_answered_survives_200_kills(Factory::MYSQL);
}

/// A visitor who counts in a session of its own and in one that all writers share.
struct Writer<'a> {
    visitor: Visitor,
    own: String,
    common: &'a str,
    /// How often the common session was counted in, by whomever.
    answered: &'a AtomicU64,
    /// The count that was shown last.
    shown: u64,
    /// Whether a visit since then may have been counted.
    unknown: u64,
    tally: Tally,
    common_tally: Tally,
}

impl<'a> Writer<'a> {
    fn new(server: &Server, common: &'a str, answered: &'a AtomicU64) -> Writer<'a> {
        let mut visitor = server.visitor();
        let own = begin(&mut visitor, "/");
        let (tally, common_tally) = Default::default();
        Writer { visitor, own, common, answered, shown: 1, unknown: 0, tally, common_tally }
    }

    /// Counts until the process is gone.
    fn write(&mut self) {
        loop {
            let own = ask(&mut self.visitor, "/", &self.own);
            self.tally.add(is_counted(&own));
            match own {
                Ok(answer) if is_put_off(&answer) => continue,
                Ok(answer) => self.check(answer.count(), 1),
                Err(_) => {
                    self.unknown = 1;
                    return;
                }
            }
            let common = ask(&mut self.visitor, "/", self.common);
            self.common_tally.add(is_counted(&common));
            match common {
                Ok(answer) => self.answered.fetch_add(u64::from(answer.status == 200), Ordering::SeqCst),
                Err(_) => return,
            };
        }
    }

    /// Goes on at the next process, where nothing that was answered is missing.
    fn moves_to(&mut self, server: &Server) {
        self.visitor.moves_to(server);
        let answer = persist(&mut self.visitor, "/look", &self.own);
        self.check(answer.count(), 0);
    }

    /// A count that is shown after `more` further visits.
    fn check(&mut self, count: u64, more: u64) {
        let least = self.shown + more;
        assert!((least..=least + self.unknown).contains(&count), "{count}, not {least} + {}", self.unknown);
        self.unknown = 0;
        self.shown = count;
    }
}

fn what_was_answered_survives_200_kills(factory: Factory) {
    let mut random = Random::seeded();
    let site = site(factory);
    let mut server = site.serve();
    let common = begin(&mut server.visitor(), "/");
    let answered = AtomicU64::new(0);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|_| Writer::new(&server, &common, &answered)).collect();
    let survivor = Survivor::new(site.serve(), &common);
    for _ in 0..ROUNDS {
        let before = answered.load(Ordering::SeqCst);
        thread::scope(|scope| {
            writers.iter_mut().for_each(|writer| _ = scope.spawn(|| writer.write()));
            wait_until(|| answered.load(Ordering::SeqCst) > before, "the writers get no answer");
            thread::sleep(LONGEST.mul_f64(random.fraction()));
            assert_unharmed(&server.kill());
        });
        survivor.goes_on();
        server = site.serve();
        writers.iter_mut().for_each(|writer| writer.moves_to(&server));
    }
    let beside = survivor.ends();
    let tally: Tally = writers.iter().map(|writer| writer.common_tally).chain([beside]).sum();
    let counted = persist(&mut server.visitor(), "/look", &common).count() - 1;
    let own: Tally = writers.iter().map(|writer| writer.tally).sum();
    let own_counted: u64 = writers.iter().map(|writer| writer.shown - 1).sum();
    report("200 kill -9, one session", factory, 2, tally, counted);
    report("200 kill -9, own sessions", factory, 1, own, own_counted);
    assert!((tally.acknowledged..=tally.asked).contains(&counted), "{tally:?}, but {counted}");
    assert!((own.acknowledged..=own.asked).contains(&own_counted), "{own:?}, but {own_counted}");
    let killed = tally.acknowledged - beside.acknowledged;
    assert!(killed.min(own.acknowledged) >= ROUNDS as u64, "each process lives long enough to be tested");
    assert_unharmed(&server.log());
}

fn wait_until(done: impl Fn() -> bool, otherwise: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "{otherwise}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether an answer says that the visit was counted. One that does not says that it was not, for now.
fn is_counted(answer: &io::Result<Answer>) -> bool {
    let Ok(answer) = answer else { return false };
    assert!(answer.status == 200 || is_put_off(answer), "{}: {}", answer.status, answer.text());
    answer.status == 200
}

/// No record was found damaged.
fn assert_unharmed(log: &str) {
    assert!(!log.contains("record cannot be read"), "{log}");
}

/// A process that counts in the common session all the while: nothing of the killed ones is in its way.
struct Survivor {
    server: Server,
    counting: Asking,
    counted: Arc<AtomicU64>,
}

impl Survivor {
    fn new(server: Server, common: &str) -> Survivor {
        let counted = Arc::new(AtomicU64::new(0));
        let (counting, common) = (Arc::clone(&counted), common.to_owned());
        let counting = server.keep_asking(move |visitor| {
            let counted = is_counted(&Ok(ask(visitor, "/", &common).unwrap()));
            counting.fetch_add(u64::from(counted), Ordering::SeqCst);
        });
        Survivor { server, counting, counted }
    }

    /// Waits until it has counted again: one visit may have been under way.
    fn goes_on(&self) {
        let before = self.counted.load(Ordering::SeqCst);
        wait_until(|| self.counted.load(Ordering::SeqCst) >= before + 2, "the other process does not go on");
    }

    fn ends(self) -> Tally {
        let asked = self.counting.stop();
        assert_unharmed(&self.server.log());
        Tally { asked, acknowledged: self.counted.load(Ordering::SeqCst) }
    }
}
