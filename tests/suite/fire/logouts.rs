//! A session that was ended never comes back.

use super::*;

const RACES: usize = 10_000;
/// Races that are run at a time.
const LANES: usize = 8;

/// In each race one process counts in a session while another ends it.
pub fn no_session_comes_back_after_its_end(factory: Factory) {
    let site = site(factory);
    let servers = serve(&site, factory, 2);
    let lanes = (0..LANES).map(|lane| {
        let at = |turn: usize| servers[(lane + turn) % servers.len()].visitor();
        [at(0), at(1)]
    });
    let mut lanes: Vec<[Visitor; 2]> = lanes.collect();
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let racing: Vec<_> = lanes.iter_mut().map(|lane| scope.spawn(|| race(lane, RACES / LANES))).collect();
        racing.into_iter().map(|race| race.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    report("logouts (that were undone)", factory, servers.len(), tallies.into_iter().sum(), 0);
}

fn race(visitors: &mut [Visitor; 2], races: usize) -> Tally {
    let mut tally = Tally::default();
    for race in 0..races {
        // Who counts in one race, ends in the next.
        let cookie = begin(&mut visitors[0], "/mark");
        let answers = all_at_once(visitors, |at, visitor| {
            let path = if (at + race) % 2 == 0 { "/" } else { "/end" };
            ask(visitor, path, &cookie).unwrap()
        });
        for (at, answer) in answers.iter().enumerate() {
            assert_eq!(answer.status, 200, "{}", answer.text());
            if (at + race) % 2 == 0 {
                let count = answer.count();
                assert!(count == 1001 || count == 1, "in the session or after it: {count}");
            } else {
                assert_eq!(answer.text(), "Ended");
                tally.add(true);
            }
        }
        // Each time at the process that did not end it.
        let count = ask(&mut visitors[race % 2], "/look", &cookie).unwrap().count();
        assert_eq!(count, 0, "the session came back");
    }
    tally
}
