//! What was answered survives a kill -9 of the process, and nothing is in the way of the next one.

use std::time::Duration;

use super::*;

const ROUNDS: usize = 200;
const WRITERS: usize = 4;
/// The longest that a process lives after its writers have begun.
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
    /// The count that was shown last.
    shown: u64,
    /// Whether a visit since then may have been counted.
    unknown: u64,
    tally: Tally,
    common_tally: Tally,
}

impl<'a> Writer<'a> {
    fn new(server: &Server, common: &'a str) -> Writer<'a> {
        let mut visitor = server.visitor();
        let own = begin(&mut visitor, "/");
        let (tally, common_tally) = Default::default();
        Writer { visitor, own, common, shown: 1, unknown: 0, tally, common_tally }
    }

    /// Counts until the process is gone.
    fn write(&mut self) {
        loop {
            let own = ask(&mut self.visitor, "/", &self.own);
            self.tally.add(own.is_ok());
            match own {
                Ok(answer) => self.check(answer.count(), 1),
                Err(_) => {
                    self.unknown = 1;
                    return;
                }
            }
            let common = ask(&mut self.visitor, "/", self.common);
            self.common_tally.add(common.is_ok());
            match common {
                Ok(answer) => assert_eq!(answer.status, 200, "{}", answer.text()),
                Err(_) => return,
            }
        }
    }

    /// Goes on at the next process, where nothing that was answered is missing.
    fn moves_to(&mut self, server: &Server) {
        self.visitor.moves_to(server);
        let answer = ask(&mut self.visitor, "/look", &self.own).unwrap();
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
    let mut writers: Vec<Writer> = (0..WRITERS).map(|_| Writer::new(&server, &common)).collect();
    for round in 0..ROUNDS {
        thread::scope(|scope| {
            writers.iter_mut().for_each(|writer| _ = scope.spawn(|| writer.write()));
            thread::sleep(LONGEST.mul_f64(random.fraction()));
            let log = server.kill();
            assert!(!log.contains("WARN"), "round {round}:\n{log}");
        });
        server = site.serve();
        writers.iter_mut().for_each(|writer| writer.moves_to(&server));
    }
    let tally: Tally = writers.iter().map(|writer| writer.common_tally).sum();
    let counted = ask(&mut server.visitor(), "/look", &common).unwrap().count() - 1;
    let own: Tally = writers.iter().map(|writer| writer.tally).sum();
    let own_counted: u64 = writers.iter().map(|writer| writer.shown - 1).sum();
    report("200 kill -9, one session", factory, 1, tally, counted);
    report("200 kill -9, own sessions", factory, 1, own, own_counted);
    assert!((tally.acknowledged..=tally.asked).contains(&counted), "{tally:?}, but {counted}");
    assert!((own.acknowledged..=own.asked).contains(&own_counted), "{own:?}, but {own_counted}");
    assert!(tally.acknowledged > 0 && own.acknowledged > 0, "the processes live long enough to be tested");
    let log = server.log();
    assert!(!log.contains("WARN"), "{log}");
}

/// Moments that can be had again: SplitMix64.
struct Random(u64);

impl Random {
    /// From `SITEWRIGHT_TEST_SEED`, or from any seed, which it prints.
    fn seeded() -> Random {
        let seed = std::env::var("SITEWRIGHT_TEST_SEED").map(|seed| seed.parse().unwrap());
        let seed = seed.unwrap_or_else(|_| getrandom::u64().unwrap());
        println!("SITEWRIGHT_TEST_SEED={seed}");
        Random(seed)
    }

    /// From 0 to 1.
    fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    }
}
