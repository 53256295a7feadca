//! Every visit is counted once.

use super::*;

#[test]
#[ignore = "needs Redis: run by tests/run"]
fn fifty_visitors_at_two_processes_are_counted_on_redis() {
    every_visit_counts("2,000 visits, 50 at a time", Factory::REDIS, 2, 50, 40);
}

/// 8,000 visits of one session, each process as fast as it can.
pub fn eight_processes_count_every_visit(factory: Factory) {
    every_visit_counts("increments", factory, 8, 8, 1000);
}

/// Visitors who share one cookie ask at several processes.
fn every_visit_counts(test: &str, factory: Factory, processes: usize, visitors: usize, visits: usize) {
    let site = site(factory);
    let servers = serve(&site, factory, processes);
    let cookie = begin(&mut servers[0].visitor(), "/");
    let visit = |visitor: &mut Visitor| match ask(visitor, "/", &cookie) {
        Ok(answer) if answer.status == 200 => true,
        other => {
            println!("{}: {other:?}", factory.name);
            false
        }
    };
    let tallies = all_at_once(&mut super::visitors(&servers, visitors), |_, visitor| {
        let mut tally = Tally::default();
        (0..visits).for_each(|_| tally.add(visit(visitor)));
        tally
    });
    let tally: Tally = tallies.into_iter().sum();
    let counted = ask(&mut servers[0].visitor(), "/look", &cookie).unwrap().count() - 1;
    report(test, factory, servers.len(), tally, counted);
    let log: String = servers.iter().map(Server::log).collect();
    assert_eq!(tally.unknown(), 0, "every request is answered\n{log}");
    assert_eq!(counted, tally.acknowledged, "{log}");
}
